package io.iolab.devices.virtio.net;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.virtio.net.VirtioNetOptions.ReceiveMode;
import io.iolab.devices.virtio.queue.RingFeatures;

/**
 * Which frames from the wire are for the driver (virtio 1.2 sections 5.1.6.5.1 to 5.1.6.5.3).
 *
 * <pre>
 *   promiscuous -------------------------------------------------------------> pass
 *   VLAN tag, CTRL_VLAN negotiated, id not listed ---------------------------> drop
 *   broadcast:  NOBCAST -> drop, else pass
 *   multicast:  NOMULTI -> drop,  ALLMULTI or too many listed -> pass,  listed -> pass
 *   unicast:    NOUNI   -> drop,  ALLUNI or too many listed   -> pass,  listed or the station's -> pass
 * </pre>
 */
final class ReceiveFilter {
    /** Addresses of a kind that are remembered; a longer list opens the filter for all addresses of that kind. */
    static final int MAX_ADDRESSES = 64;

    static final int VLANS = 4096;

    /** Modes by their command number in the RX class. */
    private static final int PROMISCUOUS = 0;

    private static final int ALL_MULTICAST = 1;
    private static final int ALL_UNICAST = 2;
    private static final int NO_MULTICAST = 3;
    private static final int NO_UNICAST = 4;
    private static final int NO_BROADCAST = 5;
    static final int MODES = 6;

    private final NetConfig config;
    private final VirtioNetOptions options;
    private final VirtioNetCounters counters;
    private final boolean[] modes = new boolean[MODES];
    private final AddressList unicast = new AddressList();
    private final AddressList multicast = new AddressList();
    private final long[] vlans = new long[VLANS / Long.SIZE];
    private boolean vlanFiltering;

    /** Addresses of one kind. */
    private static final class AddressList {
        private final long[] addresses = new long[MAX_ADDRESSES];
        private int count;
        private boolean overflow;

        void clear() {
            count = 0;
            overflow = false;
        }

        void set(byte[] bytes, int offset, int entries) {
            overflow = entries > MAX_ADDRESSES;
            count = overflow ? 0 : entries;
            for (int i = 0; i < count; i++) {
                addresses[i] = MacAddress.get(bytes, offset + MacAddress.LENGTH * i);
            }
        }

        boolean holds(long mac) {
            if (overflow) {
                return true;
            }
            for (int i = 0; i < count; i++) {
                if (addresses[i] == mac) {
                    return true;
                }
            }
            return false;
        }
    }

    ReceiveFilter(NetConfig config, VirtioNetOptions options, VirtioNetCounters counters) {
        this.config = config;
        this.options = options;
        this.counters = counters;
        start(0);
    }

    /** After a reset: tables empty, modes off but for the first, as the options have it. */
    void start(long features) {
        java.util.Arrays.fill(modes, false);
        modes[PROMISCUOUS] =
                options.receiveMode() == ReceiveMode.PROMISCUOUS || !RingFeatures.has(features, NetFeatures.CTRL_RX);
        unicast.clear();
        multicast.clear();
        java.util.Arrays.fill(vlans, 0);
        vlanFiltering = RingFeatures.has(features, NetFeatures.CTRL_VLAN);
    }

    /** Whether everything passes. */
    boolean open() {
        return modes[PROMISCUOUS];
    }

    void mode(int command, boolean on) {
        modes[command] = on;
    }

    /** Takes the place of both lists; each is {@code 6 * entries} bytes. */
    void addresses(byte[] bytes, int unicastAt, int unicasts, int multicastAt, int multicasts) {
        unicast.set(bytes, unicastAt, unicasts);
        multicast.set(bytes, multicastAt, multicasts);
    }

    /** @param id 0 to 4095 */
    void vlan(int id, boolean listed) {
        long bit = 1L << id;
        vlans[id / Long.SIZE] = listed ? vlans[id / Long.SIZE] | bit : vlans[id / Long.SIZE] & ~bit;
    }

    /** @param length at least 14 */
    boolean accepts(byte[] frame, int at, int length) {
        if (modes[PROMISCUOUS]) {
            return true;
        }
        if (vlanFiltering && length >= EthernetFrame.HEADER_BYTES + 2 && EthernetFrame.isTagged(frame, at)) {
            int id = EthernetFrame.vlanId(frame, at);
            if ((vlans[id / Long.SIZE] & 1L << id) == 0) {
                counters.rxVlanFiltered++;
                return false;
            }
        }
        boolean accepted = accepts(EthernetFrame.destination(frame, at));
        counters.rxAddressFiltered += accepted ? 0 : 1;
        return accepted;
    }

    private boolean accepts(long mac) {
        if (MacAddress.isBroadcast(mac)) {
            return !modes[NO_BROADCAST];
        }
        if (MacAddress.isMulticast(mac)) {
            return !modes[NO_MULTICAST] && (modes[ALL_MULTICAST] || multicast.holds(mac));
        }
        return !modes[NO_UNICAST] && (modes[ALL_UNICAST] || mac == config.mac() || unicast.holds(mac));
    }
}
