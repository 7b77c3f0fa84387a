package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The interrupt part of the 82574L recording: pin, delay timers, MSI-X, moderation. */
final class E1000eInterruptReplay {
    static final long RX_BUFFER = 0x14_0000;
    static final int RXQ0 = 1 << 20;
    static final int RXQ1 = 1 << 21;
    static final int TXQ0 = 1 << 22;
    static final int TXQ1 = 1 << 23;
    static final int OTHER = 1 << 24;
    /** Receive queue 0 to vector 0, transmit 0 to 1, other to 2, receive 1 to 3, transmit 1 to 4, write back always. */
    static final long IVAR = 0x8000_0000L | 8 | (8 | 3) << 4 | (8 | 1) << 8 | (8 | 4) << 12 | (8 | 2) << 16;

    private static final long ONES = 0xFFFF_FFFFL;

    private final Nic nic;
    private final Bench bench;
    private int vectors;

    E1000eInterruptReplay(Nic nic) {
        this.nic = nic;
        this.bench = nic.bench();
    }

    /** Known after {@link #messages}. */
    int vectors() {
        return vectors;
    }

    // ---- pin

    List<Object> pin() {
        Steps s = new Steps(nic, 0);
        s.read("ICR").read("IMS").write("ICS", 4).read("ICS").read("ICR").read("ICR");
        s.write("ICS", 4).write("IMS", 4).read("ICR").read("ICR").pause(10);
        s.write("ICS", 0x8000_0084L).write("ICR", 4).read("ICR").read("ICR").pause(10);
        s.write("ICS", ONES).read("ICR").read("IMS").write("IMS", ONES).read("IMS");
        s.write("IMC", 0x0100_0084)
                .read("IMS")
                .read("IMC")
                .write("IMC", ONES)
                .read("IMS")
                .pause(10);
        s.write("IAM", ONES).write("CTRL_EXT", 1 << 27).write("IMS", 0x9D);
        s.write("ICS", 0x80).read("ICR").read("IMS").write("IMS", 0x9D).pause(10);
        s.write("ICS", 0x200).read("ICR").read("IMS").write("IMS", 0x9D).pause(10);
        s.write("ICS", 0x80).write("ICR", 0x80).read("IMS").read("ICR");
        s.write("CTRL_EXT", 0).write("IMC", ONES).write("IAM", 0).pause(10);
        s.write("ITR", 0).read("ITR").write("EITR0", 2).read("EITR0").write("EITR0", 0);
        nic.read("ICR");
        bench.advanceMillis(10);
        return s.labelled(Json.array(nic.recorded("interrupt_intx")));
    }

    Map<String, Object> delays() {
        Map<String, Object> out = new LinkedHashMap<>();
        byte[] frame = Bytes.join(Nic.BROADCAST, Nic.MAC, Nic.BODY);
        bench.write(Nic.TX_BUFFER, frame);
        E1000eTransmitReplay.ring(nic, "");
        nic.write("TCTL", 0x0103F0FA);
        nic.write("IMC", ONES);
        nic.read("ICR");
        transmit(0, frame.length, 0x0B);
        out.put("tx_RS", nic.hex("ICR"));
        transmit(1, frame.length, 0x03);
        out.put("tx_no_RS", nic.hex("ICR"));
        nic.write("TIDV", 30000);
        transmit(2, frame.length, 0x8B);
        out.put("tx_IDE_TIDV_30000", delayedTransmit());
        nic.read("ICR");
        nic.write("TIDV", 0);
        bench.drain();
        delayedReceive(out, frame);
        return out;
    }

    private void transmit(int index, int length, int command) {
        bench.write(Nic.TX_RING + 16L * index, Nic.legacyDescriptor(Nic.TX_BUFFER, length, command));
        nic.write("TDT", index + 1);
    }

    private Map<String, Object> delayedTransmit() {
        Map<String, Object> delayed = new LinkedHashMap<>();
        delayed.put("at_once", nic.hex("ICS"));
        long start = bench.nanos();
        // The recorder waited for any cause; TXQE does not wait for the timer (82574 datasheet 10.2, ICR), TXDW does.
        bench.await(() -> (nic.read("ICS") & 1) != 0, 200, 2);
        delayed.put("ICS_later", nic.hex("ICS"));
        delayed.put("after_about_ms", (bench.nanos() - start) / 5_000_000 * 5);
        delayed.put("expected_ms", "30.7");
        return delayed;
    }

    private void delayedReceive(Map<String, Object> out, byte[] frame) {
        nic.write("RCTL", 0);
        bench.fill(Nic.RX_RING, 0x1000, 0);
        for (int i = 0; i < 8; i++) {
            bench.write(
                    Nic.RX_RING + 16L * i,
                    new Bytes().le64(RX_BUFFER + 0x2000L * i).le64(0).toArray());
        }
        nic.write("RFCTL", 0);
        nic.write("RDBAL", Nic.RX_RING);
        nic.write("RDLEN", 128);
        nic.write("RDH", 0);
        nic.write("RDT", 7);
        nic.write("RCTL", 0x0400_8002);
        bench.deliver(frame);
        bench.await(() -> nic.read("RDH") == 1, 200, 5);
        out.put("rx_legacy_mode_cause", nic.hex("ICR"));
        nic.write("RDTR", 30000);
        bench.deliver(frame);
        bench.await(() -> nic.read("RDH") == 2, 200, 5);
        Map<String, Object> delayed = new LinkedHashMap<>();
        delayed.put("at_once", nic.hex("ICS"));
        bench.await(() -> nic.read("ICS") != 0, 200, 2);
        delayed.put("later", nic.hex("ICR"));
        nic.write("RDTR", 0);
        out.put("rx_RDTR_30000", delayed);
    }

    // ---- MSI-X

    void messages(Map<String, Object> facts) {
        int cap = bench.capability(0x11);
        facts.put("msix_table_reset", tableBytes());
        Map<String, Object> capability = new LinkedHashMap<>();
        capability.put("at", Facts.hex(cap));
        capability.put("control", Facts.hex(bench.config(cap + 2, 2)));
        capability.put("table", Facts.hex(bench.config(cap + 4, 4)));
        capability.put("pba", Facts.hex(bench.config(cap + 8, 4)));
        facts.put("msix_cap", capability);
        vectors = bench.enableMsix();
        Steps s = new Steps(nic, vectors);
        mapping(s);
        autoClear(s);
        autoMask(s);
        pendingBits(s);
        invalidEntries(s);
        facts.put("interrupt_msix", s.labelled(Json.array(nic.recorded("interrupt_msix"))));
        facts.put("eitr0_39062_is_10ms_gaps_ms", moderation());
        facts.put("bus_master_off", busMasterOff());
    }

    private String tableBytes() {
        Bytes bytes = new Bytes();
        for (int offset = 0; offset < 5 * 16; offset += 4) {
            bytes.le32(bench.read(3, offset, 4));
        }
        return Bytes.hex(bytes.toArray());
    }

    private String pba() {
        return Facts.hex(bench.read(3, 0x2000, 4));
    }

    private static void mapping(Steps s) {
        s.write("IVAR", IVAR).read("IVAR").write("IMS", RXQ0 | RXQ1 | TXQ0 | TXQ1 | OTHER);
        for (int cause : new int[] {RXQ0, TXQ0, OTHER, RXQ1, TXQ1}) {
            s.write("ICS", cause).pause(20);
        }
        s.read("ICR").read("ICR").write("ICS", RXQ0).pause(20);
        s.write("ICR", ONES).read("ICR").read("IMS").write("ICS", 4).read("ICR").pause(20);
        s.write("ICR", OTHER).read("ICR");
    }

    private static void autoClear(Steps s) {
        s.write("EIAC", RXQ0 | TXQ0).read("EIAC").pause(20);
        s.write("ICS", RXQ0).read("ICR").read("IMS").pause(20);
        s.write("ICS", RXQ0).read("ICR").pause(20);
        s.write("IMS", RXQ0).read("ICR").pause(20);
    }

    private static void autoMask(Steps s) {
        s.write("CTRL_EXT", 1 << 24)
                .write("IAM", ONES)
                .write("IMS", RXQ0 | TXQ0 | OTHER)
                .pause(20);
        s.write("ICS", TXQ0).read("IAM").read("IMS").read("ICR").pause(20);
        s.write("ICS", OTHER | 4).read("IAM").read("IMS").read("ICR").read("ICR");
        s.write("ICR", ONES).write("CTRL_EXT", 1 << 24 | 1 << 27);
        s.write("IMS", RXQ0 | TXQ0 | OTHER | 4).write("IAM", ONES).pause(20);
        s.write("ICS", RXQ0)
                .read("IMS")
                .write("ICS", 4)
                .read("ICR")
                .read("ICR")
                .read("IMS")
                .pause(20);
    }

    private void pendingBits(Steps s) {
        s.write("CTRL_EXT", 1L << 31).write("IMC", ONES).write("EIAC", 0);
        nic.read("ICR");
        nic.write("ICR", ONES);
        bench.write(3, 12, 4, 1);
        s.write("IMS", RXQ0).pause(20);
        s.write("ICS", RXQ0).note(pba()).write("PBACLR", 1).note(pba()).read("PBACLR");
        nic.write("ICR", ONES);
        s.pause(20).write("ICS", RXQ0).note(pba()).write("IMS", RXQ0).note(pba());
        nic.write("ICR", ONES);
        s.pause(20).write("ICS", RXQ0).note(pba());
        bench.write(3, 12, 4, 0);
        s.note(pba());
    }

    private static void invalidEntries(Steps s) {
        s.write("IVAR", IVAR & ~(8 << 16))
                .write("IMS", OTHER)
                .write("ICS", OTHER)
                .read("ICR");
        s.write("IVAR", IVAR | 7 << 16).write("ICR", ONES).write("ICS", OTHER).write("IVAR", IVAR);
        s.write("IMC", ONES).read("ICR").read("ICR");
    }

    /** Gaps between messages of vector 0 while its cause is raised twice a millisecond. */
    private List<Object> moderation() {
        bench.advanceMillis(20);
        nic.write("CTRL_EXT", 0);
        nic.write("EIAC", RXQ0);
        nic.write("EITR0", 39062);
        List<Object> gaps = new ArrayList<>();
        long last = -1;
        for (int i = 0; i < 400 && gaps.size() < 6; i++) {
            nic.write("IMS", RXQ0);
            nic.write("ICS", RXQ0);
            if (bench.takeMsix(0)) {
                if (last >= 0) {
                    gaps.add(Math.round((bench.nanos() - last) / 100_000.0) / 10.0);
                }
                last = bench.nanos();
            }
            bench.advanceMillis(0.5);
        }
        nic.write("IMC", ONES);
        nic.write("EITR0", 0);
        bench.advanceMillis(50);
        bench.takeMsixVectors(vectors);
        return gaps;
    }

    private Map<String, Object> busMasterOff() {
        nic.read("ICR");
        nic.write("EIAC", 0);
        nic.write("IMS", RXQ0);
        bench.configWrite(4, 2, 3);
        nic.write("ICS", RXQ0);
        Map<String, Object> off = new LinkedHashMap<>();
        off.put("vector0_fired", bench.takeMsix(0));
        off.put("pba", pba());
        bench.configWrite(4, 2, 7);
        nic.write("IMC", ONES);
        nic.read("ICR");
        bench.advanceMillis(20);
        return off;
    }
}
