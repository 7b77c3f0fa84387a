package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.Toeplitz;
import io.iolab.devices.virtio.queue.RingFeatures;

/**
 * What the commands of the control queue do (virtio 1.2 section 5.1.6.5; notification coalescing of 1.3 section 5.1.6.5.8).
 * A command is checked in full, its length included, before anything changes; one of a feature that was not negotiated is an
 * unknown one.
 */
final class Commands {
    /** The most that a command may carry: lists of more than two thousand addresses. */
    static final int MAX_BYTES = 16384;

    /** The most that a command answers behind its ack. */
    static final int MAX_RESULT = 8;

    /** What {@link #execute} answers for a command that was refused. */
    static final int REFUSED = -1;

    private static final int HEADER = 2;

    private static final int RX = 0;
    private static final int MAC = 1;
    private static final int VLAN = 2;
    private static final int ANNOUNCE = 3;
    private static final int MQ = 4;
    private static final int GUEST_OFFLOADS = 5;
    private static final int NOTF_COAL = 6;

    private static final int RX_ALLMULTI = 1;
    private static final int MAC_TABLE_SET = 0;
    private static final int MAC_ADDR_SET = 1;
    private static final int VLAN_ADD = 0;
    private static final int VLAN_DEL = 1;
    private static final int ANNOUNCE_ACK = 0;
    private static final int MQ_VQ_PAIRS_SET = 0;
    private static final int MQ_RSS_CONFIG = 1;
    private static final int MQ_HASH_CONFIG = 2;
    private static final int GUEST_OFFLOADS_SET = 0;
    private static final int COAL_TX_SET = 0;
    private static final int COAL_RX_SET = 1;
    private static final int COAL_VQ_SET = 2;
    private static final int COAL_VQ_GET = 3;

    private static final int DONE = 0;
    private static final int LIMITS = 8;
    private static final int RSS_TABLE = 8;

    /** What commands change. */
    interface Target {
        /** The configuration structure changed by the driver's own wish. */
        void configurationChanged();

        /** Other queue pairs are in use. */
        void pairsChanged();

        /** Whether a queue exists, is for packets, and was enabled. */
        boolean carriesPackets(int queue);
    }

    private final Target target;
    private final int queuePairs;
    private final NetConfig config;
    private final ReceiveFilter filter;
    private final PacketHash hash;
    private final Steering steering;
    private final ReceivePath receivePath;
    private final Moderation moderation;
    private final byte[] result = new byte[MAX_RESULT];
    private byte[] bytes = {};
    private int length;
    private long features;

    Commands(
            Target target,
            int queuePairs,
            NetConfig config,
            ReceiveFilter filter,
            PacketHash hash,
            Steering steering,
            ReceivePath receivePath,
            Moderation moderation) {
        this.target = target;
        this.queuePairs = queuePairs;
        this.config = config;
        this.filter = filter;
        this.hash = hash;
        this.steering = steering;
        this.receivePath = receivePath;
        this.moderation = moderation;
    }

    void start(long negotiated) {
        features = negotiated;
    }

    byte[] result() {
        return result;
    }

    /**
     * Carries out a command.
     *
     * @param command class, command and data
     * @return bytes in {@link #result}, mostly 0, or {@link #REFUSED}
     */
    int execute(byte[] command, int commandLength) {
        if (commandLength < HEADER) {
            return REFUSED;
        }
        bytes = command;
        length = commandLength - HEADER;
        int code = command[1] & 0xFF;
        return switch (command[0] & 0xFF) {
            case RX -> receiveMode(code);
            case MAC -> mac(code);
            case VLAN -> vlan(code);
            case ANNOUNCE -> announce(code);
            case MQ -> pairs(code);
            case GUEST_OFFLOADS -> guestOffloads(code);
            case NOTF_COAL -> coalescing(code);
            default -> REFUSED;
        };
    }

    private boolean has(long feature) {
        return RingFeatures.has(features, feature);
    }

    private int getShort(int at) {
        return LittleEndian.getShort(bytes, HEADER + at);
    }

    private long getUnsigned(int at) {
        return LittleEndian.getInt(bytes, HEADER + at) & 0xFFFF_FFFFL;
    }

    private static int done(boolean performed) {
        return performed ? DONE : REFUSED;
    }

    private int receiveMode(int code) {
        boolean known = code <= RX_ALLMULTI
                ? has(NetFeatures.CTRL_RX)
                : code < ReceiveFilter.MODES && has(NetFeatures.CTRL_RX_EXTRA);
        if (!known || length != 1) {
            return REFUSED;
        }
        filter.mode(code, bytes[HEADER] != 0);
        return DONE;
    }

    private int mac(int code) {
        return switch (code) {
            case MAC_TABLE_SET -> done(macTable());
            case MAC_ADDR_SET -> done(has(NetFeatures.CTRL_MAC_ADDR) && macAddress());
            default -> REFUSED;
        };
    }

    /** Two lists, each behind its count. */
    private boolean macTable() {
        long unicasts = length >= 4 ? getUnsigned(0) : MAX_BYTES;
        long second = 4 + MacAddress.LENGTH * unicasts;
        if (second + 4 > length) {
            return false;
        }
        long multicasts = getUnsigned((int) second);
        if (second + 4 + MacAddress.LENGTH * multicasts != length) {
            return false;
        }
        filter.addresses(bytes, HEADER + 4, (int) unicasts, HEADER + (int) second + 4, (int) multicasts);
        return true;
    }

    private boolean macAddress() {
        if (length != MacAddress.LENGTH || MacAddress.isMulticast(MacAddress.get(bytes, HEADER))) {
            return false;
        }
        config.mac(MacAddress.get(bytes, HEADER));
        target.configurationChanged();
        return true;
    }

    private int vlan(int code) {
        if (!has(NetFeatures.CTRL_VLAN)
                || code != VLAN_ADD && code != VLAN_DEL
                || length != 2
                || getShort(0) >= ReceiveFilter.VLANS) {
            return REFUSED;
        }
        filter.vlan(getShort(0), code == VLAN_ADD);
        return DONE;
    }

    private int announce(int code) {
        if (!has(NetFeatures.GUEST_ANNOUNCE) || code != ANNOUNCE_ACK || length != 0 || !config.announce()) {
            return REFUSED;
        }
        config.announce(false);
        target.configurationChanged();
        return DONE;
    }

    private int pairs(int code) {
        return switch (code) {
            case MQ_VQ_PAIRS_SET -> done(has(NetFeatures.MQ) && length == 2 && setPairs(getShort(0)));
            case MQ_RSS_CONFIG -> done(has(NetFeatures.RSS) && configureScaling());
            case MQ_HASH_CONFIG -> done(has(NetFeatures.HASH_REPORT) && length >= 13 && configureHash(12));
            default -> REFUSED;
        };
    }

    private boolean setPairs(int wanted) {
        if (wanted < 1 || wanted > queuePairs) {
            return false;
        }
        steering.automatic(wanted);
        target.pairsChanged();
        return true;
    }

    /** Types, mask, default queue, table, transmit queues, key: section 5.1.6.5.7.1. */
    private boolean configureScaling() {
        if (length < RSS_TABLE) {
            return false;
        }
        int entries = getShort(4) + 1;
        int unclassified = getShort(6);
        int behind = RSS_TABLE + 2 * entries;
        if (Integer.bitCount(entries) != 1
                || entries > Steering.MAX_TABLE
                || length < behind + 3
                || unclassified >= queuePairs) {
            return false;
        }
        for (int i = 0; i < entries; i++) {
            if (getShort(RSS_TABLE + 2 * i) >= queuePairs) {
                return false;
            }
        }
        int transmitters = getShort(behind);
        if (transmitters < 1 || transmitters > queuePairs || !configureHash(behind + 2)) {
            return false;
        }
        steering.byTable(bytes, HEADER + RSS_TABLE, entries, unclassified, transmitters);
        target.pairsChanged();
        return true;
    }

    /** The types lead the data, length and key end it. */
    private boolean configureHash(int keyLengthAt) {
        long types = getUnsigned(0);
        int keyLength = bytes[HEADER + keyLengthAt] & 0xFF;
        if ((types & ~(long) PacketHash.SUPPORTED_TYPES) != 0
                || keyLength > Toeplitz.KEY_BYTES
                || keyLength == 0 && types != 0
                || length != keyLengthAt + 1 + keyLength) {
            return false;
        }
        hash.configure((int) types, bytes, HEADER + keyLengthAt + 1, keyLength);
        return true;
    }

    /** Offloads that were not negotiated, or lack what they require, cannot be switched on (section 5.1.6.5.6). */
    private int guestOffloads(int code) {
        if (!has(NetFeatures.CTRL_GUEST_OFFLOADS) || code != GUEST_OFFLOADS_SET || length != 8) {
            return REFUSED;
        }
        long wanted = LittleEndian.getLong(bytes, HEADER);
        if (!RingFeatures.has(features & NetFeatures.GUEST_OFFLOADS, wanted) || !NetFeatures.complete(wanted)) {
            return REFUSED;
        }
        receivePath.offloads(wanted);
        return DONE;
    }

    private int coalescing(int code) {
        return switch (code) {
            case COAL_TX_SET, COAL_RX_SET -> done(has(NetFeatures.NOTF_COAL) && setDirection(code == COAL_RX_SET));
            case COAL_VQ_SET -> done(has(NetFeatures.VQ_NOTF_COAL) && setQueue());
            case COAL_VQ_GET -> has(NetFeatures.VQ_NOTF_COAL) ? getQueue() : REFUSED;
            default -> REFUSED;
        };
    }

    private boolean setDirection(boolean receive) {
        if (length != LIMITS) {
            return false;
        }
        if (receive) {
            moderation.setReceive(getUnsigned(0), getUnsigned(4));
        } else {
            moderation.setTransmit(getUnsigned(0), getUnsigned(4));
        }
        return true;
    }

    private boolean setQueue() {
        if (length != 4 + LIMITS || !target.carriesPackets(getShort(0))) {
            return false;
        }
        moderation.set(getShort(0), getUnsigned(4), getUnsigned(8));
        return true;
    }

    /** The queue's number may come alone or with its padding: revisions of the specification differ. */
    private int getQueue() {
        if (length != 2 && length != 4 || !target.carriesPackets(getShort(0))) {
            return REFUSED;
        }
        LittleEndian.putInt(result, 0, (int) moderation.packets(getShort(0)));
        LittleEndian.putInt(result, 4, (int) moderation.micros(getShort(0)));
        return LIMITS;
    }
}
