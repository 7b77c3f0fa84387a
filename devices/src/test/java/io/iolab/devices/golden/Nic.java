package io.iolab.devices.golden;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Registers of an e1000 on a bench, by the names and offsets that the recording gives them. */
final class Nic {
    static final long TX_RING = 0x10_0000;
    static final long RX_RING = 0x11_0000;
    static final long TX_BUFFER = 0x12_0000;
    static final byte[] MAC = Bytes.hex("525400123456");
    static final byte[] PEER = Bytes.hex("525400aabbcc");
    static final byte[] BROADCAST = Bytes.hex("ffffffffffff");
    /** EtherType 88B5 (local experimental) and 46 bytes. */
    static final byte[] BODY = Bytes.join(Bytes.hex("88b5"), Bytes.ramp(46));

    private static final String FIRST_STATISTIC = "CRCERRS";

    private final Bench bench;
    private final Map<String, Object> recording;
    private final Map<String, Integer> registers = new LinkedHashMap<>();
    private final Map<String, Integer> statistics = new LinkedHashMap<>();

    Nic(Bench bench, Map<String, Object> recording) {
        this.bench = bench;
        this.recording = recording;
        boolean counting = false;
        for (Object row : Json.array(recording.get("registers_reset"))) {
            List<Object> columns = Json.array(row);
            String name = (String) columns.get(1);
            counting |= name.equals(FIRST_STATISTIC);
            (counting ? statistics : registers).put(name, Integer.decode((String) columns.get(0)));
        }
    }

    Bench bench() {
        return bench;
    }

    /** A part of the recording that names or places what is replayed. */
    Object recorded(String part) {
        return recording.get(part);
    }

    Map<String, Integer> registers() {
        return registers;
    }

    Map<String, Integer> statistics() {
        return statistics;
    }

    int offset(String name) {
        Integer offset = registers.get(name);
        return offset != null ? offset : statistics.get(name);
    }

    long read(String name) {
        return bench.read(0, offset(name), 4);
    }

    String hex(String name) {
        return Facts.hex(read(name));
    }

    void write(String name, long value) {
        bench.write(0, offset(name), 4, value);
    }

    void readAllStatistics() {
        statistics.keySet().forEach(this::read);
    }

    /** An MDIC cycle; operation 1 writes, 2 reads (82540 SDM 13.4.9). */
    void mdic(int operation, int phy, int register, int data) {
        write("MDIC", operation << 26 | phy << 21 | register << 16 | data);
    }

    String mdicRead(int register) {
        mdic(2, 1, register, 0);
        return hex("MDIC");
    }

    static byte[] legacyDescriptor(long iova, int length, int command) {
        return legacyDescriptor(iova, length, command, 0, 0, 0);
    }

    /** A legacy transmit descriptor (82540 SDM 3.3.3). */
    static byte[] legacyDescriptor(long iova, int length, int command, int cso, int css, int special) {
        return new Bytes()
                .le64(iova)
                .le16(length)
                .u8(cso, command, 0, css)
                .le16(special)
                .toArray();
    }

    /** A TCP/IP context descriptor for Ethernet II and headers without options (82540 SDM 3.3.6). */
    static byte[] contextDescriptor(long payloadAndCommand, int headerLength, int mss) {
        return new Bytes()
                .u8(14, 24)
                .le16(33)
                .u8(34, 50)
                .le16(0)
                .le32(payloadAndCommand)
                .u8(0, headerLength)
                .le16(mss)
                .toArray();
    }

    /** A data descriptor; command is the DCMD byte (82540 SDM 3.3.7). */
    static byte[] dataDescriptor(long iova, int length, int command, int options) {
        return new Bytes()
                .le64(iova)
                .le32(length | 1L << 20 | (long) command << 24)
                .u8(0, options)
                .le16(0)
                .toArray();
    }
}
