package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The transmit part of the 82574L recording. */
final class E1000eTransmitReplay {
    private static final long RING = Nic.TX_RING;
    private static final long BUFFER = Nic.TX_BUFFER;
    private static final byte[] SOURCE = {10, 0, 0, 1};
    private static final byte[] TARGET = {10, 0, 0, 2};
    private static final byte[] FRAME = Bytes.join(Nic.BROADCAST, Nic.MAC, Nic.BODY);
    private static final byte[] ETHERNET = Bytes.join(Nic.PEER, Nic.MAC, new byte[] {8, 0});
    private static final List<String> COUNTED =
            List.of("TSCTC", "TSCTFC", "TPT", "GPTC", "GOTCL", "TOTL", "PTC1522", "PTC1023");

    private final Nic nic;
    private final Bench bench;
    private final int vectors;
    private final Map<String, Object> tx = new LinkedHashMap<>();

    E1000eTransmitReplay(Nic nic, int vectors) {
        this.nic = nic;
        this.bench = nic.bench();
        this.vectors = vectors;
    }

    /**
     * The recorder rewrote TDH with the transmitter on, which the datasheet forbids and the recorded device bears, since it
     * looks at its ring only when TDT or TCTL is written. Here the transmitter is off meanwhile.
     *
     * @param queue "" or "1"
     */
    static void ring(Nic nic, String queue) {
        long control = nic.read("TCTL");
        nic.write("TCTL", 0);
        nic.write("TDBAL" + queue, RING);
        nic.write("TDBAH" + queue, 0);
        nic.write("TDLEN" + queue, 128);
        nic.write("TDH" + queue, 0);
        nic.write("TDT" + queue, 0);
        nic.bench().fill(RING, 0x1000, 0);
        nic.write("TCTL", control);
    }

    Map<String, Object> run() {
        bench.write(BUFFER, FRAME);
        ring(nic, "");
        nic.write("IVAR", E1000eInterruptReplay.IVAR & ~(1L << 31));
        nic.write("IMS", E1000eInterruptReplay.TXQ0 | E1000eInterruptReplay.TXQ1 | E1000eInterruptReplay.OTHER);
        nic.write("ICR", 0xFFFF_FFFFL);
        bench.takeMsixVectors(vectors);
        legacy();
        tags();
        bench.drain();
        tx.put("csum", checksums());
        tx.put("tso", segmentation());
        secondQueue();
        bench.drain();
        return tx;
    }

    private void put(int index, byte[] descriptor) {
        bench.write(RING + 16L * index, descriptor);
    }

    private static byte[] legacy(int length, int command) {
        return Nic.legacyDescriptor(BUFFER, length, command);
    }

    private void look(String what, int index) {
        look(what, index, 300);
    }

    private void look(String what, int index, double waitMillis) {
        byte[] got = bench.receive(waitMillis);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("desc", bench.hex(RING + 16L * index, 16));
        seen.put("TDH", nic.read("TDH"));
        seen.put("ICR", nic.hex("ICR"));
        seen.put("vectors", bench.takeMsixVectors(vectors));
        seen.put("wire", Bytes.hex(got));
        nic.write("ICR", 0xFFFF_FFFFL);
        bench.advanceMillis(10);
        tx.put(what, seen);
    }

    private void legacy() {
        nic.write("TCTL", 0);
        put(0, legacy(FRAME.length, 0x0B));
        nic.write("TDT", 1);
        look("tctl_disabled", 0, 100);
        nic.write("TCTL", 0x0103F0FA);
        look("enable_kicks", 0);
        put(1, legacy(FRAME.length, 0x0B));
        nic.write("TDT", 2);
        look("legacy_RS_msix", 1);
        put(2, legacy(FRAME.length, 0x03));
        nic.write("TDT", 3);
        look("legacy_no_RS", 2);
        nic.write("IVAR", E1000eInterruptReplay.IVAR);
        put(3, legacy(FRAME.length, 0x03));
        nic.write("TDT", 4);
        look("legacy_no_RS_but_IVAR31", 3);
        put(4, legacy(20, 0x0B));
        nic.write("TDT", 5);
        look("short_frame_20_bytes_PSP", 4);
    }

    private void tags() {
        byte[] tagged = Nic.legacyDescriptor(BUFFER, FRAME.length, 0x4B, 0, 0, 0x2123);
        nic.write("CTRL", nic.read("CTRL") | 1 << 30);
        put(5, tagged);
        nic.write("TDT", 6);
        look("VLE_with_VME", 5);
        nic.write("CTRL", nic.read("CTRL") & ~(1L << 30));
        put(6, tagged);
        nic.write("TDT", 7);
        look("VLE_without_VME", 6);
        put(7, Nic.legacyDescriptor(BUFFER, FRAME.length, 0x0F, 20, 14, 0));
        nic.write("TDT", 0);
        look("legacy_IC_css14_cso20", 7);
    }

    private Map<String, Object> checksums() {
        byte[] segment = Packets.tcp(
                SOURCE, TARGET, 1000, 2000, "hello world!".getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0x18);
        segment = Packets.put16(segment, 16, Packets.sum(Packets.pseudo(SOURCE, TARGET, 6, segment.length)));
        byte[] packet = Packets.put16(Packets.ipv4(6, SOURCE, TARGET, segment, 0), 10, 0);
        byte[] full = Bytes.join(ETHERNET, packet);
        bench.write(BUFFER, full);
        ring(nic, "");
        byte[] context = Nic.contextDescriptor(0x2300_0000, 0, 0);
        byte[] data = Nic.dataDescriptor(BUFFER, full.length, 0x2B, 3);
        put(0, context);
        put(1, data);
        nic.write("TDT", 2);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("input", Bytes.hex(full));
        seen.put("context", Bytes.hex(context));
        seen.put("data", Bytes.hex(data));
        seen.put("wire", Bytes.hex(bench.receive(500)));
        seen.put("context_after", bench.hex(RING, 16));
        seen.put("data_after", bench.hex(RING + 16, 16));
        return seen;
    }

    private Map<String, Object> segmentation() {
        byte[] payload = Bytes.ramp(2500);
        byte[] tcp = Packets.put16(
                Packets.tcpHeader(1000, 2000, 0x19), 16, Packets.sum(Bytes.join(SOURCE, TARGET, new byte[] {0, 6})));
        byte[] head = Bytes.join(ETHERNET, Packets.ipv4Header(0, 6, SOURCE, TARGET, 0), tcp);
        byte[] input = Bytes.join(head, payload);
        bench.write(BUFFER, input);
        ring(nic, "");
        nic.readAllStatistics();
        byte[] first = Nic.dataDescriptor(BUFFER, head.length, 0x26, 3);
        byte[] rest = Nic.dataDescriptor(BUFFER + head.length, payload.length, 0x2F, 3);
        byte[] context = Nic.contextDescriptor(payload.length | 0x2700_0000, head.length, 1000);
        put(0, Bytes.join(context, first, rest));
        nic.write("TDT", 3);
        List<Object> frames = new ArrayList<>();
        for (byte[] frame = bench.receive(300); frame.length > 0; frame = bench.receive(300)) {
            frames.add(Bytes.hex(frame));
        }
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("input", Bytes.hex(input));
        seen.put("context", Bytes.hex(context));
        seen.put("data", List.of(Bytes.hex(first), Bytes.hex(rest)));
        seen.put("mss", 1000);
        seen.put("frames", frames);
        seen.put("after", bench.hex(RING, 48));
        Map<String, Object> statistics = new LinkedHashMap<>();
        COUNTED.forEach(name -> statistics.put(name, nic.read(name)));
        seen.put("stats", statistics);
        return seen;
    }

    private void secondQueue() {
        bench.write(BUFFER, FRAME);
        ring(nic, "1");
        nic.write("ICR", 0xFFFF_FFFFL);
        bench.advanceMillis(10);
        put(0, legacy(FRAME.length, 0x0B));
        nic.write("TDT1", 1);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("wire_same", java.util.Arrays.equals(bench.receive(300), FRAME));
        seen.put("desc", bench.hex(RING, 16));
        seen.put("TDH1", nic.read("TDH1"));
        seen.put("ICR", nic.hex("ICR"));
        seen.put("vectors", bench.takeMsixVectors(vectors));
        tx.put("queue1", seen);
        nic.write("TARC1", 0);
        put(1, legacy(FRAME.length, 0x0B));
        nic.write("TDT1", 2);
        Map<String, Object> disabled = new LinkedHashMap<>();
        disabled.put("wire", Bytes.hex(bench.receive(100)));
        disabled.put("TDH1", nic.read("TDH1"));
        tx.put("queue1_TARC_disabled", disabled);
        nic.write("TARC1", 0x403);
    }
}
