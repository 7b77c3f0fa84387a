package io.iolab.vmm.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.igb.Igb82576;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.BridgeHeader;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.groups.PciTree;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** SR-IOV 1.1 sections 2.1, 3.3: a physical function on bus 0 or behind a port, beside a peer that looks for its virtual functions. */
@DisplayName("SR-IOV in a hierarchy")
class SriovTopologyTest {
    private static final int CONTROL = 0x160 + 0x08;
    private static final int NUM_VFS = 0x160 + 0x10;
    private static final int VF_BAR0 = 0x160 + 0x24;
    private static final int ENABLE = 1;
    private static final int MEMORY = 1 << 3;
    private static final int ARI = 1 << 4;
    private static final int WINDOW = 0x4000;
    private static final int PORT_CONTROL_2 = 0x54 + 0x28;
    private static final int ARI_FORWARDING = 1 << 5;

    private final RecordingRoot memory = new RecordingRoot();
    private final PciTopology.Builder build = new PciTopology.Builder(memory);

    private Igb82576 controller(@Nullable Bridge above, int device) {
        return build.physicalFunction(
                above,
                device,
                0,
                ports -> Igb82576.create(
                        new byte[] {2, 0, 0, 0, 0, 1},
                        ports,
                        InterruptPin.UNCONNECTED,
                        (frame, offset, length) -> Delivery.ACCEPTED,
                        () -> 0));
    }

    private static void enable(ConfigAccess config, int rid, int count) {
        config.write(rid, NUM_VFS, 2, count);
        config.write(rid, CONTROL, 2, ARI);
        config.write(rid, CONTROL, 2, ARI | ENABLE | MEMORY);
    }

    @Test
    @DisplayName(
            "PCI Express Base 6.12.3: a peer's request reaches the window of a virtual function as long as it answers")
    void shouldBeReachedByPeers() {
        Bridge first = build.rootPort(1, 0, 0);
        Bridge second = build.rootPort(1, 1, 0);
        controller(first, 0);
        ProbeFunction probe =
                build.function(second, 0, 0, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        PciTopology topology = build.build();
        topology.start();
        ConfigAccess config = topology.host().configAccess();
        config.write(second.secondaryBus() << 8, ConfigSpace.COMMAND, 2, 6);
        int controller = first.secondaryBus() << 8;
        long window = config.read(controller, VF_BAR0, 4) & 0xFFFF_FFF0L;
        long status = window + WINDOW + 8;
        byte[] read = new byte[4];
        assertThat(probe.dma().read(status, read, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.UNSUPPORTED_REQUEST);
        enable(config, controller, 2);
        assertThat(probe.dma().read(status, read, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(probe.dma().read(status + WINDOW, read, 0, 4, DmaKind.PAYLOAD))
                .as("there are two")
                .isEqualTo(DmaFault.UNSUPPORTED_REQUEST);
        config.write(controller, CONTROL, 2, ARI | ENABLE);
        assertThat(probe.dma().read(status, read, 0, 4, DmaKind.PAYLOAD))
                .as("VF MSE")
                .isEqualTo(DmaFault.UNSUPPORTED_REQUEST);
    }

    @Test
    @DisplayName("SR-IOV 2.2.1: a reset of the bus above takes VF Enable, and so the virtual functions")
    void shouldForgetThemWithABusReset() {
        Bridge root = build.rootPort(1, 0, 0);
        Igb82576 controller = controller(root, 0);
        PciTopology topology = build.build();
        topology.start();
        ConfigAccess config = topology.host().configAccess();
        config.write(root.rid(), PORT_CONTROL_2, 2, ARI_FORWARDING);
        enable(config, 0x0100, 8);
        long window = config.read(0x0100, VF_BAR0, 4) & 0xFFFF_FFF0L;
        assertThat(topology.host().function(0x018E))
                .isSameAs(controller.functions().get(8));
        assertThat(topology.host().function(0x0181)).as("between two of them").isNull();
        assertThat(topology.host().findMemory(window + 7 * WINDOW, 4)).isNotNull();
        config.write(root.rid(), BridgeHeader.BRIDGE_CONTROL, 2, BridgeHeader.SECONDARY_BUS_RESET);
        config.write(root.rid(), BridgeHeader.BRIDGE_CONTROL, 2, 0);
        assertThat(topology.host().function(0x018E)).isNull();
        assertThat(topology.host().findMemory(window + 7 * WINDOW, 4)).isNull();
    }

    @Test
    @DisplayName(
            "PCI Express Base 6.12.1.1: a virtual function that gives itself out for another bus's is stopped by source validation")
    void shouldForgeAsAVirtualFunction() {
        Bridge root = build.rootPort(1, 0, AccessControlServices.ISOLATION);
        Igb82576 controller = controller(root, 0);
        PciTopology topology = build.build();
        topology.start();
        ConfigAccess config = topology.host().configAccess();
        enable(config, 0x0100, 2);
        PciFunction virtual = controller.functions().get(2);
        FunctionPort port = topology.port(virtual).orElseThrow();
        assertThat(port.rid()).isEqualTo(0x0182);
        byte[] word = new byte[4];
        assertThat(port.read(0x1000, word, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(port.forging(0x0308).read(0x2000, word, 0, 4, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.NONE);
        PciTree.scan(config).enableAccessControl(false);
        assertThat(port.forging(0x0308).read(0x3000, word, 0, 4, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.ACS_VIOLATION);
        assertThat(port.forging(0x0180).read(0x4000, word, 0, 4, DmaKind.PAYLOAD))
                .as("its neighbour's is of the same bus: nothing here can tell")
                .isEqualTo(DmaFault.NONE);
        assertThat(memory.seen).containsExactly("0182 read 0x1000+4", "0308 read 0x2000+4", "0180 read 0x4000+4");
        config.write(0x0100, CONTROL, 2, 0);
        assertThat(topology.port(virtual)).as("disabled").isEmpty();
    }

    @Test
    @DisplayName("SR-IOV 2.1.2: on bus 0 too")
    void shouldAnswerOnBus0() {
        Igb82576 controller = controller(null, 4);
        PciTopology topology = build.build();
        topology.start();
        enable(topology.host().configAccess(), 4 << 3, 1);
        assertThat(topology.host().function((4 << 3) + 0x80))
                .isSameAs(controller.functions().get(1));
        assertThat(topology.host().decoded()).anyMatch(bar -> bar.rid() == (4 << 3) + 0x80 && bar.isMemory());
    }
}
