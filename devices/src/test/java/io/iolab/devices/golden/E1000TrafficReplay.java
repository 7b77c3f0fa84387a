package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The transmit and receive part of the 82540EM recording. */
final class E1000TrafficReplay {
    private static final long TX_RING = Nic.TX_RING;
    private static final long RX_RING = Nic.RX_RING;
    private static final long TX_BUFFER = Nic.TX_BUFFER;
    private static final long RX_BUFFER = 0x13_0000;
    private static final byte[] FRAME = Bytes.join(Nic.BROADCAST, Nic.MAC, Nic.BODY);
    /** The recorded device holds received frames back for a second after a write to RCTL. */
    private static final double RECEIVER_STARTS = 1300;

    private final Nic nic;
    private final Bench bench;
    private int slot;

    E1000TrafficReplay(Nic nic) {
        this.nic = nic;
        this.bench = nic.bench();
    }

    // ---- transmit

    private String descriptor(int index) {
        return bench.hex(TX_RING + 16L * index, 16);
    }

    private void put(int index, byte[]... descriptors) {
        bench.write(TX_RING + 16L * index, Bytes.join(descriptors));
    }

    private static byte[] legacy(int length, int command) {
        return Nic.legacyDescriptor(TX_BUFFER, length, command);
    }

    Map<String, Object> transmit() {
        Map<String, Object> tx = new LinkedHashMap<>();
        bench.write(TX_BUFFER, FRAME);
        bench.fill(TX_RING, 0x1000, 0);
        nic.write("TDBAL", TX_RING);
        nic.write("TDBAH", 0);
        nic.write("TDLEN", 8 * 16);
        nic.write("TDH", 0);
        nic.write("TDT", 0);
        nic.read("ICR");
        legacyFrames(tx);
        tags(tx);
        tx.put("tso", segmentation());
        return tx;
    }

    private void legacyFrames(Map<String, Object> tx) {
        put(0, legacy(FRAME.length, 0x09));
        nic.write("TDT", 1);
        tx.put("tctl_disabled", state("desc", "TDH", "ICR", "wire"));
        nic.write("TCTL", 0x0103F0FA);
        tx.put("after_enable_no_tdt_write", state("desc", "TDH", "wire"));
        nic.write("TDT", 1);
        byte[] got = bench.receive(500);
        Map<String, Object> kicked = state("desc", "TDH", "TDT", "ICR");
        kicked.put("wire", Bytes.hex(got));
        kicked.put("same", java.util.Arrays.equals(got, FRAME));
        tx.put("tdt_write", kicked);
        put(1, legacy(FRAME.length, 0x01));
        nic.write("TDT", 2);
        tx.put("no_RS", ordered("desc", descriptor(1), "ICR", nic.hex("ICR"), "wire_len", bench.receive(500).length));
        put(2, legacy(20, 0x09));
        nic.write("TDT", 3);
        int length = bench.receive(500).length;
        tx.put("short_frame_20_bytes", ordered("wire_len", length, "ICR", nic.hex("ICR")));
        put(3, legacy(30, 0x00), Nic.legacyDescriptor(TX_BUFFER + 30, 30, 0x09));
        nic.write("TDT", 5);
        boolean same = java.util.Arrays.equals(bench.receive(500), FRAME);
        tx.put(
                "two_descriptors_one_frame",
                ordered("same", same, "first", descriptor(3), "second", descriptor(4), "TDH", nic.read("TDH")));
    }

    private Map<String, Object> state(String... names) {
        Map<String, Object> state = new LinkedHashMap<>();
        for (String name : names) {
            state.put(
                    name,
                    switch (name) {
                        case "desc" -> descriptor(0);
                        case "ICR" -> nic.hex("ICR");
                        case "wire" -> Bytes.hex(bench.receive(200));
                        default -> nic.read(name);
                    });
        }
        return state;
    }

    private static Map<String, Object> ordered(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }

    private void tags(Map<String, Object> tx) {
        put(5, Nic.legacyDescriptor(TX_BUFFER, FRAME.length, 0x49, 0, 0, 0x0123));
        nic.write("CTRL", nic.read("CTRL") | 1 << 30);
        nic.write("VET", 0x8100);
        nic.write("TDT", 6);
        tx.put("VLE_with_VME", ordered("wire", Bytes.hex(bench.receive(500))));
        nic.write("CTRL", nic.read("CTRL") & ~(1 << 30));
        put(6, Nic.legacyDescriptor(TX_BUFFER, FRAME.length, 0x0D, 20, 14, 0));
        nic.write("TDT", 7);
        tx.put("legacy_IC_css14_cso20", ordered("wire", Bytes.hex(bench.receive(500))));
        nic.write("TDT", 0);
        tx.put("ring_wrap_TDH", nic.read("TDH"));
        tx.put("wrap_desc7_written", descriptor(7));
        bench.drain();
    }

    private Map<String, Object> segmentation() {
        Map<String, Object> recorded =
                Json.object(Json.object(nic.recorded("tx")).get("tso"));
        byte[] input = HexFormat.of().parseHex((String) recorded.get("input"));
        int header = 54;
        bench.write(TX_BUFFER, input);
        nic.write("TCTL", 0);
        nic.write("TDH", 0);
        nic.write("TDT", 0);
        nic.write("TCTL", 0x0103F0FA);
        bench.fill(TX_RING, 128, 0);
        long command = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 29;
        byte[] context = Nic.contextDescriptor(input.length - header | command, header, 1000);
        byte[] data = Nic.dataDescriptor(TX_BUFFER, input.length, 0x01 | 0x04 | 0x08 | 0x20, 3);
        put(0, context, data);
        nic.readAllStatistics();
        nic.write("TDT", 2);
        List<Object> frames = new ArrayList<>();
        for (byte[] frame = bench.receive(300); frame.length > 0; frame = bench.receive(300)) {
            frames.add(Bytes.hex(frame));
        }
        return ordered(
                "input", Bytes.hex(input),
                "context_desc", Bytes.hex(context),
                "data_desc", Bytes.hex(data),
                "mss", 1000,
                "frames", frames,
                "context_after", descriptor(0),
                "data_after", descriptor(1),
                "TSCTC", nic.read("TSCTC"),
                "TPT", nic.read("TPT"));
    }

    // ---- receive

    Map<String, Object> receive() {
        Map<String, Object> rx = new LinkedHashMap<>();
        bench.fill(RX_RING, 0x1000, 0);
        bench.fill(RX_BUFFER, 0x8000, 0xAA);
        for (int i = 0; i < 8; i++) {
            bench.write(
                    RX_RING + 16L * i,
                    new Bytes().le64(RX_BUFFER + 2048L * i).le64(0).toArray());
        }
        nic.write("RDBAL", RX_RING);
        nic.write("RDBAH", 0);
        nic.write("RDLEN", 128);
        nic.write("RDH", 0);
        nic.write("RDT", 7);
        nic.write("MANC", 0);
        nic.write("RAL0", 0x12005452);
        nic.write("RAH0", 0x80005634L);
        rx.put("RAH0_readback", nic.hex("RAH0"));
        nic.readAllStatistics();
        slot = 0;
        filters(rx);
        withoutDescriptors(rx);
        rx.put("stats_after", statistics());
        rx.put("stats_second_read", statistics());
        return rx;
    }

    private Map<String, Object> statistics() {
        Map<String, Object> values = new LinkedHashMap<>();
        nic.statistics().keySet().forEach(name -> values.put(name, nic.read(name)));
        return values;
    }

    private void filters(Map<String, Object> rx) {
        byte[] body = Bytes.join(Nic.PEER, Nic.BODY);
        byte[] mine = Bytes.join(Nic.MAC, body);
        byte[] other = Bytes.join(Bytes.hex("525400ffffff"), body);
        byte[] group = Bytes.join(Bytes.hex("01005e000001"), body);
        control(0x2 | 0x8000);
        nic.read("ICR");
        frame(rx, "unicast_60", mine);
        frame(rx, "unicast_short_14", java.util.Arrays.copyOf(mine, 14));
        frame(rx, "broadcast", Bytes.join(Nic.BROADCAST, body));
        frame(rx, "unicast_other_dropped", other);
        frame(rx, "multicast_dropped", group);
        control(0x2 | 0x8000 | 0x8);
        frame(rx, "unicast_other_UPE", other);
        control(0x2 | 0x8000 | 0x10);
        frame(rx, "multicast_MPE", group);
        control(0x2 | 0x8000 | 0x0400_0000);
        frame(rx, "SECRC", mine);
        frame(rx, "too_long_without_LPE_1600", Bytes.join(mine, new byte[1540]));
        frame(rx, "next", mine);
    }

    private void control(int rctl) {
        nic.write("RCTL", rctl);
        bench.advanceMillis(RECEIVER_STARTS);
    }

    private void frame(Map<String, Object> rx, String what, byte[] frame) {
        bench.deliver(frame);
        boolean accepted = bench.await(() -> nic.read("RDH") != slot, 40, 5);
        rx.put(
                what,
                ordered(
                        "sent", Bytes.hex(frame),
                        "accepted", accepted,
                        "desc", bench.hex(RX_RING + 16L * slot, 16),
                        "buf", bench.hex(RX_BUFFER + 2048L * slot, Math.min(frame.length + 8, 128)),
                        "RDH", nic.read("RDH"),
                        "ICR", nic.hex("ICR")));
        slot = (int) nic.read("RDH");
    }

    private void withoutDescriptors(Map<String, Object> rx) {
        nic.write("RDT", slot);
        frame(rx, "no_descriptor_left", Bytes.join(Nic.MAC, Nic.PEER, Nic.BODY));
        rx.put("RNBC_MPC_then", List.of(nic.read("RNBC"), nic.read("MPC")));
        nic.write("RDT", (slot + 3) % 8);
        boolean arrived = bench.await(() -> nic.read("RDH") != slot, 40, 5);
        rx.put(
                "queued_frame_arrives_after_RDT",
                ordered("arrived", arrived, "RDH", nic.read("RDH"), "ICR", nic.hex("ICR")));
    }
}
