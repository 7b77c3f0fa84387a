package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.PacketHeaders;
import java.util.Arrays;

/**
 * Which queue pairs are in use, and on which of them a packet is received: automatically, on the pair that last sent for its
 * flow (virtio 1.2 section 5.1.6.5.5), or by hash and table (5.1.6.5.7). After a reset only the first pair is in use.
 *
 * <p>Automatic steering remembers {@value #FLOWS} flows, each in the place that its hash gives, so two that collide share the
 * memory of the one that sent last. A flow that never sent goes where its hash says.
 */
final class Steering {
    /** Entries of the largest indirection table. */
    static final int MAX_TABLE = 128;

    private static final int FLOWS = 1024;
    private static final byte UNKNOWN = -1;
    private static final int GOLDEN_RATIO = 0x9E37_79B9;
    private static final int FLOW_SHIFT = 22;

    private final PacketHeaders sentHeaders = new PacketHeaders();
    private final byte[] flows = new byte[FLOWS];
    private final int[] table = new int[MAX_TABLE];
    private final PacketHash hash;
    private int mask;
    private int unclassified;
    private int pairs = 1;
    private int transmitPairs = 1;
    private boolean byTable;
    /** Receive queues that a table may name: bit by pair. */
    private int receivePairs = 1;

    Steering(PacketHash hash) {
        this.hash = hash;
    }

    void reset() {
        automatic(1);
    }

    /** Automatic steering over the first pairs. */
    void automatic(int inUse) {
        pairs = inUse;
        transmitPairs = inUse;
        receivePairs = (1 << inUse) - 1;
        byTable = false;
        Arrays.fill(flows, UNKNOWN);
    }

    /** Steering by table. All numbers were checked; the table has a power of two of entries, {@code entries} in all. */
    void byTable(byte[] bytes, int tableAt, int entries, int forUnclassified, int transmitters) {
        mask = entries - 1;
        unclassified = forUnclassified;
        receivePairs = 1 << forUnclassified;
        for (int i = 0; i < entries; i++) {
            table[i] = LittleEndian.getShort(bytes, tableAt + 2 * i);
            receivePairs |= 1 << table[i];
        }
        transmitPairs = transmitters;
        byTable = true;
    }

    boolean transmits(int pair) {
        return pair < transmitPairs;
    }

    boolean receives(int pair) {
        return (receivePairs & 1 << pair) != 0;
    }

    /** Whether a packet must be looked at before it can be steered. */
    boolean chooses() {
        return byTable || pairs > 1;
    }

    /** Whether {@link #transmitted} wants to know. */
    boolean learns() {
        return pairs > 1 && !byTable;
    }

    void transmitted(int pair, byte[] frame, int at, int length) {
        sentHeaders.parse(frame, at, length);
        if (sentHeaders.ipVersion() != 0) {
            flows[flow(sentHeaders, frame, at) >>> FLOW_SHIFT] = (byte) pair;
        }
    }

    /** The pair that a packet should be received on. */
    int receivePair(PacketHeaders headers, byte[] frame, int at) {
        if (byTable) {
            return hash.found() ? table[hash.value() & mask] : unclassified;
        }
        if (headers.ipVersion() == 0) {
            return 0;
        }
        int flow = flow(headers, frame, at);
        int sender = flows[flow >>> FLOW_SHIFT];
        return sender != UNKNOWN ? sender : (flow >>> 8 & 0xFFFF) % pairs;
    }

    /** The same for both directions of a flow: addresses and ports are only added up. */
    private static int flow(PacketHeaders headers, byte[] frame, int at) {
        int sum = headers.protocol();
        int addresses = at + headers.addresses();
        for (int i = 0; i < headers.addressesLength(); i += 4) {
            sum += BigEndian.getInt(frame, addresses + i);
        }
        if (headers.transport() != 0) {
            int ports = at + headers.transport();
            sum += (BigEndian.getShort(frame, ports) + BigEndian.getShort(frame, ports + 2)) * GOLDEN_RATIO;
        }
        sum ^= sum >>> 15;
        return sum * GOLDEN_RATIO;
    }
}
