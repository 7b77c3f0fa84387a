package io.iolab.vmm.remote;

import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** QEMU's names of virtio-net-pci properties. */
final class VirtioProperties {
    private static final int SMALLEST_QUEUE = 2;
    private static final int LARGEST_QUEUE = 32768;
    private static final int LARGEST_MTU = 65535;
    private static final int LARGEST_TABLE = 128;

    /** Properties that switch a feature, by the feature's bit (virtio 1.2 sections 5.1.3 and 6). */
    private static final Map<String, Integer> SWITCHES = new TreeMap<>(Map.ofEntries(
            Map.entry("csum", 0),
            Map.entry("guest_csum", 1),
            Map.entry("ctrl_guest_offloads", 2),
            Map.entry("guest_tso4", 7),
            Map.entry("guest_tso6", 8),
            Map.entry("guest_ecn", 9),
            Map.entry("guest_ufo", 10),
            Map.entry("host_tso4", 11),
            Map.entry("host_tso6", 12),
            Map.entry("host_ecn", 13),
            Map.entry("host_ufo", 14),
            Map.entry("mrg_rxbuf", 15),
            Map.entry("status", 16),
            Map.entry("ctrl_vq", 17),
            Map.entry("ctrl_rx", 18),
            Map.entry("ctrl_vlan", 19),
            Map.entry("ctrl_rx_extra", 20),
            Map.entry("guest_announce", 21),
            Map.entry("mq", 22),
            Map.entry("ctrl_mac_addr", 23),
            Map.entry("indirect_desc", 28),
            Map.entry("event_idx", 29),
            Map.entry("iommu_platform", 33),
            Map.entry("packed", 34),
            Map.entry("in_order", 35),
            Map.entry("notification_data", 38),
            Map.entry("queue_reset", 40),
            Map.entry("hash", 57),
            Map.entry("rss", 60)));

    private VirtioProperties() {}

    static VirtioNetOptions options(byte[] mac, Properties given, List<String> warnings) throws OptionException {
        VirtioNetOptions defaults = VirtioNetOptions.defaults(mac);
        long features = defaults.offeredFeatures();
        for (Map.Entry<String, Integer> entry : SWITCHES.entrySet()) {
            Boolean on = given.takeSwitch(entry.getKey());
            long bit = 1L << entry.getValue();
            if (on == null) {
                continue;
            }
            if (on && !RingFeatures.has(NetFeatures.IMPLEMENTED, bit)) {
                warnings.add(given.describe() + ": " + entry.getKey() + "=on is not offered, ignored");
            } else {
                features = on ? features | bit : features & ~bit;
            }
        }
        long receive = given.takeNumber("rx_queue_size", SMALLEST_QUEUE, LARGEST_QUEUE, defaults.queueSize());
        long size = given.takeNumber("tx_queue_size", SMALLEST_QUEUE, LARGEST_QUEUE, receive);
        if (size != receive) {
            warnings.add(given.describe() + ": both queues get " + size + " descriptors");
        }
        try {
            VirtioNetOptions options = new VirtioNetOptions(mac, (int) size, features);
            long mtu = given.takeNumber("host_mtu", 0, LARGEST_MTU, 0);
            options = mtu == 0 ? options : options.withMtu((int) mtu);
            options = options.withVectors((int) given.takeNumber("vectors", 1, LARGEST_TABLE, 0));
            long speed = given.takeNumber("speed", -1, Integer.MAX_VALUE, -1);
            return speed < 0 ? options : options.withLink(VirtioNetOptions.LinkMode.fullDuplex((int) speed));
        } catch (IllegalArgumentException e) {
            throw new OptionException(given.describe() + ": " + e.getMessage());
        }
    }
}
