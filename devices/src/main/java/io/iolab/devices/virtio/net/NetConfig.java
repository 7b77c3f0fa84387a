package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.Toeplitz;
import java.util.Arrays;

/** The device configuration structure (virtio 1.2 section 5.1.4). Fields whose feature is not offered read 0. */
final class NetConfig {
    private static final int LINK_UP = 1;
    private static final int ANNOUNCE = 2;
    private static final long ANY_HASH = NetFeatures.RSS | NetFeatures.HASH_REPORT;

    /** In the order of the structure. */
    private enum Field {
        MAC(0, 6, NetFeatures.MAC),
        STATUS(6, 2, NetFeatures.STATUS | NetFeatures.GUEST_ANNOUNCE),
        MAX_VIRTQUEUE_PAIRS(8, 2, NetFeatures.MQ | NetFeatures.RSS),
        MTU(10, 2, NetFeatures.MTU),
        SPEED(12, 4, NetFeatures.SPEED_DUPLEX),
        DUPLEX(16, 1, NetFeatures.SPEED_DUPLEX),
        RSS_MAX_KEY_SIZE(17, 1, ANY_HASH),
        RSS_MAX_INDIRECTION_TABLE_LENGTH(18, 2, NetFeatures.RSS),
        SUPPORTED_HASH_TYPES(20, 4, ANY_HASH);

        static final Field[] ALL = values();

        final int offset;
        final int bytes;
        /** Any of these makes the field exist. */
        final long features;

        final String specName = name().toLowerCase(java.util.Locale.ROOT);

        Field(int offset, int bytes, long features) {
            this.offset = offset;
            this.bytes = bytes;
            this.features = features;
        }

        boolean offered(long offeredFeatures) {
            return (features & offeredFeatures) != 0;
        }
    }

    private final VirtioNetOptions options;
    private final byte[] structure;
    private long mac;
    private boolean linkUp = true;
    private boolean announce;

    NetConfig(VirtioNetOptions options) {
        this.options = options;
        int bytes = Field.MTU.offset + Field.MTU.bytes;
        for (Field field : Field.ALL) {
            if (field.offered(options.offeredFeatures())) {
                bytes = Math.max(bytes, field.offset + field.bytes);
            }
        }
        structure = new byte[bytes];
        fill(Field.MAX_VIRTQUEUE_PAIRS, options.queuePairs());
        fill(Field.MTU, options.mtu());
        fill(Field.SPEED, options.link().megabits());
        fill(Field.DUPLEX, options.link().duplex());
        fill(Field.RSS_MAX_KEY_SIZE, Toeplitz.KEY_BYTES);
        fill(Field.RSS_MAX_INDIRECTION_TABLE_LENGTH, Steering.MAX_TABLE);
        fill(Field.SUPPORTED_HASH_TYPES, PacketHash.SUPPORTED_TYPES);
        reset();
    }

    private void fill(Field field, int value) {
        if (!field.offered(options.offeredFeatures())) {
            return;
        }
        for (int i = 0; i < field.bytes; i++) {
            structure[field.offset + i] = (byte) (value >>> 8 * i);
        }
    }

    /** Up to and including mtu, or the last field that is offered. */
    int bytes() {
        return structure.length;
    }

    int read(int offset) {
        return structure[offset] & 0xFF;
    }

    static String fieldAt(int offset) {
        String name = Field.MAC.specName;
        for (Field field : Field.ALL) {
            name = offset >= field.offset ? field.specName : name;
        }
        return name;
    }

    /** Device reset: the station address is that of the options again; a request to announce is void; the link stays. */
    void reset() {
        announce = false;
        fillStatus();
        mac(permanentMac());
    }

    long mac() {
        return mac;
    }

    /** The one that a reset restores. */
    long permanentMac() {
        return MacAddress.get(options.mac(), 0);
    }

    void mac(long address) {
        mac = address;
        if (Field.MAC.offered(options.offeredFeatures())) {
            MacAddress.put(structure, Field.MAC.offset, address);
        } else {
            Arrays.fill(structure, 0, Field.MAC.bytes, (byte) 0);
        }
    }

    boolean linkUp() {
        return linkUp;
    }

    void linkUp(boolean up) {
        linkUp = up;
        fillStatus();
    }

    boolean announce() {
        return announce;
    }

    void announce(boolean wanted) {
        announce = wanted;
        fillStatus();
    }

    private void fillStatus() {
        int link = linkUp && options.offers(NetFeatures.STATUS) ? LINK_UP : 0;
        LittleEndian.putShort(structure, Field.STATUS.offset, link | (announce ? ANNOUNCE : 0));
    }
}
