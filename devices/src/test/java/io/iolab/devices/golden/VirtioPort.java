package io.iolab.devices.golden;

import io.iolab.devices.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A virtio-pci function on a bench, found through its capabilities (virtio 1.2 4.1.4). */
final class VirtioPort {
    static final long VERSION_1 = 1L << 32;
    static final long RING_PACKED = 1L << 34;

    /** Fields of the common configuration: offset and size (virtio 1.2 4.1.4.3). */
    static final Map<String, int[]> COMMON = new LinkedHashMap<>();

    private static final String[] TYPES = {"", "COMMON", "NOTIFY", "ISR", "DEVICE", "PCI_CFG"};

    static {
        COMMON.put("device_feature_select", new int[] {0, 4});
        COMMON.put("device_feature", new int[] {4, 4});
        COMMON.put("driver_feature_select", new int[] {8, 4});
        COMMON.put("driver_feature", new int[] {12, 4});
        COMMON.put("config_msix_vector", new int[] {16, 2});
        COMMON.put("num_queues", new int[] {18, 2});
        COMMON.put("device_status", new int[] {20, 1});
        COMMON.put("config_generation", new int[] {21, 1});
        COMMON.put("queue_select", new int[] {22, 2});
        COMMON.put("queue_size", new int[] {24, 2});
        COMMON.put("queue_msix_vector", new int[] {26, 2});
        COMMON.put("queue_enable", new int[] {28, 2});
        COMMON.put("queue_notify_off", new int[] {30, 2});
        COMMON.put("queue_desc", new int[] {32, 8});
        COMMON.put("queue_driver", new int[] {40, 8});
        COMMON.put("queue_device", new int[] {48, 8});
    }

    private final Bench bench;
    private final Map<String, Region> regions = new LinkedHashMap<>();
    private final List<Object> capabilities = new ArrayList<>();
    private long notifyMultiplier;

    private record Region(int at, int bar, long offset) {}

    VirtioPort(Bench bench) {
        this.bench = bench;
        for (int[] capability : bench.capabilities()) {
            if (capability[0] == 9) {
                capability(capability[1]);
            }
        }
    }

    private void capability(int at) {
        ConfigSpace config = bench.function().config();
        int type = config.read(at + 3, 1);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("at", Facts.hex(at));
        facts.put("cap_len", config.read(at + 2, 1));
        facts.put("cfg_type", type);
        facts.put("bar", config.read(at + 4, 1));
        facts.put("id", config.read(at + 5, 1));
        facts.put("offset", Facts.hex(bench.config(at + 8, 4)));
        facts.put("length", Facts.hex(bench.config(at + 12, 4)));
        facts.put("name", type < TYPES.length ? TYPES[type] : "" + type);
        if (type == 2) {
            notifyMultiplier = bench.config(at + 16, 4);
            facts.put("notify_off_multiplier", notifyMultiplier);
        }
        capabilities.add(facts);
        if (type < TYPES.length) {
            regions.putIfAbsent(TYPES[type], new Region(at, config.read(at + 4, 1), bench.config(at + 8, 4)));
        }
    }

    List<Object> capabilities() {
        return capabilities;
    }

    private Region region(String type) {
        Region region = regions.get(type);
        if (region == null) {
            throw new AssertionError("no virtio capability " + type);
        }
        return region;
    }

    int capabilityOffset(String type) {
        return region(type).at;
    }

    int bar(String type) {
        return region(type).bar;
    }

    long offset(String type) {
        return region(type).offset;
    }

    long get(String name) {
        int[] field = COMMON.get(name);
        long at = offset("COMMON") + field[0];
        return field[1] == 8
                ? bench.read(bar("COMMON"), at, 4) | bench.read(bar("COMMON"), at + 4, 4) << 32
                : bench.read(bar("COMMON"), at, field[1]);
    }

    String hex(String name) {
        return Facts.hex(get(name));
    }

    void set(String name, long value) {
        int[] field = COMMON.get(name);
        long at = offset("COMMON") + field[0];
        if (field[1] == 8) {
            bench.write(bar("COMMON"), at, 4, value & 0xFFFF_FFFFL);
            bench.write(bar("COMMON"), at + 4, 4, value >>> 32);
        } else {
            bench.write(bar("COMMON"), at, field[1], value);
        }
    }

    Map<String, Object> fields(String prefix) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (String name : COMMON.keySet()) {
            if (name.startsWith(prefix)) {
                values.put(name, hex(name));
            }
        }
        return values;
    }

    long features() {
        set("device_feature_select", 0);
        long low = get("device_feature");
        set("device_feature_select", 1);
        return low | get("device_feature") << 32;
    }

    void accept(long features) {
        set("driver_feature_select", 0);
        set("driver_feature", features & 0xFFFF_FFFFL);
        set("driver_feature_select", 1);
        set("driver_feature", features >>> 32);
    }

    int isr() {
        return (int) bench.read(bar("ISR"), offset("ISR"), 1);
    }

    byte[] deviceConfig(int length) {
        Bytes bytes = new Bytes();
        for (int i = 0; i < length; i++) {
            bytes.u8((int) bench.read(bar("DEVICE"), offset("DEVICE") + i, 1));
        }
        return bytes.toArray();
    }

    /** Reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK; returns the status that stuck. */
    String start(long features) {
        set("device_status", 0);
        set("device_status", 1);
        set("device_status", 3);
        accept(features);
        set("device_status", 0xB);
        return hex("device_status");
    }

    void queue(int queue, int size, long area, int vector) {
        set("queue_select", queue);
        set("queue_size", size);
        set("queue_msix_vector", vector);
        set("queue_desc", area);
        set("queue_driver", area + 0x1000);
        set("queue_device", area + 0x2000);
        set("queue_enable", 1);
    }

    void kick(int queue) {
        set("queue_select", queue);
        long at = offset("NOTIFY") + get("queue_notify_off") * notifyMultiplier;
        bench.write(bar("NOTIFY"), at, 2, queue);
    }
}
