package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Drives a virtio-net function as it was driven for the recording. */
final class VirtioReplay {
    private static final long RX = 0x20_0000;
    private static final long TX = 0x21_0000;
    private static final long TX_BUFFER = 0x23_0000;
    private static final long RX_BUFFER = 0x24_0000;
    private static final int NO_VECTOR = 0xFFFF;
    private static final long MAC_FEATURE = 1 << 5;
    private static final int PACKED_AVAILABLE = 1 << 7;
    private static final int PACKED_USED = 1 << 15;
    private static final byte[] FRAME = Bytes.join(Nic.BROADCAST, Nic.MAC, Nic.BODY);
    /** As the recorder sends it: to our address, and the rest of {@link #FRAME}. */
    private static final byte[] INCOMING = Bytes.join(Nic.MAC, Nic.MAC, Nic.BODY);

    private final Supplier<Bench> machines;
    private final Supplier<Bench> packedMachines;
    private final Map<String, Object> facts = new LinkedHashMap<>();

    /**
     * @param machines a new machine, just switched on, each time
     * @param packedMachines the same, where packed rings are offered
     */
    VirtioReplay(Supplier<Bench> machines, Supplier<Bench> packedMachines) {
        this.machines = machines;
        this.packedMachines = packedMachines;
    }

    Map<String, Object> run() {
        try (Bench bench = machines.get()) {
            identity(bench);
            bench.enable();
            VirtioPort port = new VirtioPort(bench);
            Map<String, Object> split = new LinkedHashMap<>();
            facts.put("split", split);
            offered(port, split);
            afterReset(port);
            facts.put("negotiation", negotiation(port));
            window(bench, port);
            splitRings(bench, port, split);
        }
        try (Bench bench = machines.get()) {
            facts.put("msix_path", messages(bench));
        }
        try (Bench bench = packedMachines.get()) {
            packedRings(bench);
        }
        return facts;
    }

    private void identity(Bench bench) {
        facts.put("pci_config_reset", PciFacts.config(bench, 0, 256));
        facts.put("pci_capabilities", PciFacts.capabilities(bench));
        facts.put("bars", PciFacts.bars(bench));
        int cap = bench.capability(0x11);
        Map<String, Object> msix = new LinkedHashMap<>();
        msix.put("control", Facts.hex(bench.config(cap + 2, 2)));
        msix.put("table", Facts.hex(bench.config(cap + 4, 4)));
        msix.put("pba", Facts.hex(bench.config(cap + 8, 4)));
        facts.put("msix", msix);
    }

    private static void offered(VirtioPort port, Map<String, Object> part) {
        long features = port.features();
        List<Object> bits = new ArrayList<>();
        for (int bit = 0; bit < 64; bit++) {
            if ((features >>> bit & 1) != 0) {
                bits.add(bit);
            }
        }
        part.put("device_features", Facts.hex(features));
        part.put("device_feature_bits", bits);
        port.set("device_feature_select", 2);
        part.put("device_feature_select_2", port.hex("device_feature"));
        port.set("device_feature_select", 0);
    }

    private void afterReset(VirtioPort port) {
        facts.put("virtio_caps", port.capabilities());
        facts.put("common_after_reset", port.fields(""));
        List<Object> queues = new ArrayList<>();
        for (int queue = 0; queue <= port.get("num_queues"); queue++) {
            port.set("queue_select", queue);
            queues.add(port.fields("queue_"));
        }
        facts.put("per_queue_after_reset", queues);
        facts.put("device_config", Bytes.hex(port.deviceConfig(24)));
    }

    private static Map<String, Object> negotiation(VirtioPort port) {
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("unoffered_feature_bit63_status", offer(port, VirtioPort.VERSION_1 | 1L << 63));
        seen.put("without_VERSION_1_status", offer(port, 0));
        port.set("device_status", 0);
        port.set("device_status", 3);
        port.accept(VirtioPort.VERSION_1 | VirtioPort.RING_PACKED);
        seen.put("driver_feature_readback_hi_with_packed_not_offered", port.hex("driver_feature"));
        port.set("device_status", 0);
        seen.put("status_after_reset", port.hex("device_status"));
        port.set("queue_select", 0);
        port.set("queue_size", 3);
        seen.put("queue_size_write_3", port.get("queue_size"));
        port.set("queue_size", 512);
        seen.put("queue_size_write_512", port.get("queue_size"));
        port.set("device_status", 0);
        seen.put("queue_size_after_reset", port.get("queue_size"));
        port.set("config_msix_vector", 77);
        seen.put("config_msix_vector_write_77", port.hex("config_msix_vector"));
        return seen;
    }

    private static String offer(VirtioPort port, long features) {
        port.set("device_status", 0);
        port.set("device_status", 3);
        port.accept(features);
        port.set("device_status", 0xB);
        return port.hex("device_status");
    }

    private void window(Bench bench, VirtioPort port) {
        int at = port.capabilityOffset("PCI_CFG");
        bench.configWrite(at + 4, 1, port.bar("COMMON"));
        bench.configWrite(at + 8, 4, port.offset("COMMON") + 18);
        bench.configWrite(at + 12, 4, 2);
        facts.put("pci_cfg_window_num_queues", Facts.hex(bench.config(at + 16, 2)));
    }

    /** Puts the queues in place and starts the device. */
    private static void start(Bench bench, VirtioPort port, Map<String, Object> part, long features) {
        part.put("status_after_FEATURES_OK", port.start(features));
        bench.fill(0x20_0000, 0x2_0000, 0);
        bench.write(TX_BUFFER, Bytes.join(new byte[12], FRAME));
        bench.fill(RX_BUFFER, 0x1000, 0xAA);
        port.queue(0, 8, RX, NO_VECTOR);
        port.queue(1, 8, TX, NO_VECTOR);
        port.set("device_status", 0xF);
        part.put("status_DRIVER_OK", port.hex("device_status"));
        port.isr();
    }

    private static byte[] descriptor(long iova, int length, int third, int fourth) {
        return new Bytes().le64(iova).le32(length).le16(third).le16(fourth).toArray();
    }

    private static byte[] ring(int... words) {
        Bytes bytes = new Bytes();
        for (int word : words) {
            bytes.le16(word);
        }
        return bytes.toArray();
    }

    private void splitRings(Bench bench, VirtioPort port, Map<String, Object> seen) {
        start(bench, port, seen, VirtioPort.VERSION_1 | MAC_FEATURE);
        bench.write(TX, Bytes.join(descriptor(TX_BUFFER, 12, 1, 1), descriptor(TX_BUFFER + 12, FRAME.length, 0, 0)));
        bench.write(TX + 0x1000, ring(0, 1, 0));
        port.kick(1);
        seen.put("tx_wire", Bytes.hex(bench.receive(1000)));
        bench.await(() -> bench.readShort(TX + 0x2002) == 1, 200, 5);
        seen.put("tx_used", bench.hex(TX + 0x2000, 12));
        seen.put("tx_isr", port.isr());
        seen.put("tx_isr_again", port.isr());
        bench.write(RX, descriptor(RX_BUFFER, 1600, 2, 0));
        bench.write(RX + 0x1000, ring(0, 1, 0));
        port.kick(0);
        bench.deliver(INCOMING);
        bench.await(() -> bench.readShort(RX + 0x2002) == 1, 200, 5);
        seen.put("rx_used", bench.hex(RX + 0x2000, 12));
        seen.put("rx_buffer", bench.hex(RX_BUFFER, 80));
        seen.put("rx_isr", port.isr());
        bench.write(TX + 0x1000, ring(1, 2, 0, 0));
        port.kick(1);
        bench.receive(1000);
        bench.await(() -> bench.readShort(TX + 0x2002) == 2, 200, 5);
        seen.put("tx_with_NO_INTERRUPT_isr", port.isr());
        brokenRing(bench, port, seen);
        List<Object> pin = new ArrayList<>();
        bench.pinLog().forEach(change -> pin.add(List.of(change, 21)));
        seen.put("ioapic_irq_lines", pin);
    }

    private static void brokenRing(Bench bench, VirtioPort port, Map<String, Object> seen) {
        bench.write(TX + 0x1000, ring(0, 3, 0, 0, 99));
        port.kick(1);
        bench.await(() -> (port.get("device_status") & 0x40) != 0, 40, 5);
        seen.put("status_after_bad_head_99", port.hex("device_status"));
        seen.put("isr_after_bad_head", port.isr());
        port.set("device_status", 0);
        seen.put("status_after_reset", port.hex("device_status"));
        port.set("queue_select", 1);
        seen.put("queue1_after_reset", port.fields("queue_"));
    }

    private static Map<String, Object> messages(Bench bench) {
        bench.enable();
        VirtioPort port = new VirtioPort(bench);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("vectors", bench.enableMsix());
        port.start(VirtioPort.VERSION_1);
        port.queue(1, 8, TX, 1);
        seen.put("queue_vector_readback", port.get("queue_msix_vector"));
        port.set("device_status", 0xF);
        bench.write(TX_BUFFER, Bytes.join(new byte[12], FRAME));
        bench.write(TX, descriptor(TX_BUFFER, 12 + FRAME.length, 0, 0));
        bench.write(TX + 0x1000, ring(0, 1, 0));
        bench.takeMsix(1);
        port.kick(1);
        seen.put("wire", bench.receive(1000).length > 0);
        bench.await(() -> bench.readShort(TX + 0x2002) == 1, 200, 5);
        seen.put("vector1_fired", bench.await(() -> bench.takeMsix(1), 20, 5));
        seen.put("isr", port.isr());
        return seen;
    }

    private void packedRings(Bench bench) {
        bench.enable();
        VirtioPort port = new VirtioPort(bench);
        Map<String, Object> seen = new LinkedHashMap<>();
        facts.put("packed", seen);
        offered(port, seen);
        start(bench, port, seen, VirtioPort.VERSION_1 | VirtioPort.RING_PACKED | MAC_FEATURE);
        bench.write(
                TX,
                Bytes.join(
                        descriptor(TX_BUFFER, 12, 7, 1 | PACKED_AVAILABLE),
                        descriptor(TX_BUFFER + 12, FRAME.length, 7, PACKED_AVAILABLE)));
        port.kick(1);
        seen.put("tx_wire", Bytes.hex(bench.receive(1000)));
        bench.await(() -> (bench.readShort(TX + 14) & PACKED_USED) != 0, 200, 5);
        seen.put("tx_ring_after", bench.hex(TX, 48));
        seen.put("tx_driver_event", bench.hex(TX + 0x1000, 4));
        seen.put("tx_device_event", bench.hex(TX + 0x2000, 4));
        seen.put("tx_isr", port.isr());
        bench.write(RX, descriptor(RX_BUFFER, 1600, 5, 2 | PACKED_AVAILABLE));
        port.kick(0);
        bench.deliver(INCOMING);
        bench.await(() -> (bench.readShort(RX + 14) & PACKED_USED) != 0, 200, 5);
        seen.put("rx_ring_after", bench.hex(RX, 32));
        seen.put("rx_buffer", bench.hex(RX_BUFFER, 80));
        seen.put("rx_isr", port.isr());
        List<Object> pin = new ArrayList<>();
        bench.pinLog().forEach(change -> pin.add(List.of(change, 21)));
        seen.put("ioapic_irq_lines", pin);
    }
}
