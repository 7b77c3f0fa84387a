package io.iolab.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Extended capabilities: PCI Express Base sections 7.6 to 7.8, 9.3 and 10.5; reset: section 6.6.2. */
class ExtendedCapabilityTest {
    private final ConfigSpace config = new ConfigSpace(0x8086, 0x10C9, 1, 0x020000);
    private final List<String> seen = new ArrayList<>();

    @Test
    void shouldReadZeroAt0x100WithoutExtendedCapabilities() {
        config.seal();
        assertThat(config.read(0x100, 4)).as("7.6.1: an empty list").isZero();
        assertThat(ExtendedCapability.find(config, ExtendedCapability.ACCESS_CONTROL))
                .isZero();
    }

    @Test
    void shouldLinkHeadersInOrder() {
        config.extendedCapability(0x100, 0x01, 2)
                .extendedCapability(0x150, 0x0E, 1)
                .extendedCapability(0x140, 0x0D, 1)
                .seal();
        assertThat(config.read(0x100, 4)).as("id, version, next").isEqualTo(0x1502_0001);
        assertThat(config.read(0x150, 4)).isEqualTo(0x1401_000E);
        assertThat(config.read(0x140, 4)).as("0 ends the list").isEqualTo(0x0001_000D);
        assertThat(ExtendedCapability.find(config, 0x0D)).isEqualTo(0x140);
        assertThat(ExtendedCapability.find(config, 0x10)).isZero();
    }

    @Test
    void shouldRefuseAListThatDoesNotStartAt0x100() {
        assertThatIllegalArgumentException().isThrownBy(() -> config.extendedCapability(0x110, 1, 1));
        config.extendedCapability(0x100, 1, 1);
        assertThatIllegalArgumentException().isThrownBy(() -> config.extendedCapability(0x100, 2, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> config.extendedCapability(0x102, 2, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> config.extendedCapability(0x1000, 2, 1));
    }

    /** Sheet section 7: the control register has the capability register's bits and is 0 after reset. */
    @Test
    void shouldSwitchOnOnlyTheAcsServicesThatAreThere() {
        AccessControlServices acs = new AccessControlServices(config, 0x100, AccessControlServices.ISOLATION, 0);
        config.seal();
        assertThat(config.read(0x104, 2)).isEqualTo(0x1D);
        assertThat(acs.enabled(AccessControlServices.SOURCE_VALIDATION)).isFalse();
        config.write(0x106, 2, 0xFFFF);
        assertThat(config.read(0x106, 2)).isEqualTo(0x1D);
        assertThat(acs.enabled(AccessControlServices.ISOLATION)).isTrue();
        config.reset();
        assertThat(config.read(0x106, 2)).isZero();
    }

    @Test
    void shouldKeepAnEgressVectorOfAsManyBitsAsItSays() {
        AccessControlServices acs = new AccessControlServices(config, 0x100, AccessControlServices.ALL, 40);
        config.seal();
        config.write(0x108, 4, -1);
        config.write(0x10C, 4, -1);
        assertThat(config.read(0x104, 2)).as("bits 15:8: vector size").isEqualTo(40 << 8 | 0x7F);
        assertThat(config.read(0x108, 4)).isEqualTo(-1);
        assertThat(config.read(0x10C, 4)).isEqualTo(0xFF);
        assertThat(acs.egressBlocked(39)).isTrue();
        assertThat(acs.egressBlocked(40)).isFalse();
        assertThat(acs.egressBlocked(-1)).isFalse();
    }

    @Test
    void shouldResetTheFunctionOnInitiateFunctionLevelReset() {
        new PciExpress(config, 0x40, PciExpress.Type.ENDPOINT, () -> {
            seen.add("reset");
            config.reset();
        });
        config.seal();
        assertThat(config.read(0x44, 4) >>> 28 & 1).as("DEVCAP.FLR").isEqualTo(1);
        config.write(ConfigSpace.COMMAND, 2, 6);
        config.write(0x48, 2, 0x8000);
        assertThat(seen).containsExactly("reset");
        assertThat(config.read(0x48, 2) >>> 15).as("reads 0").isZero();
        assertThat(config.read(ConfigSpace.COMMAND, 2)).isZero();
    }

    @Test
    void shouldIgnoreInitiateResetWhereThereIsNone() {
        new PciExpress(config, 0x40, PciExpress.Type.ENDPOINT, null);
        config.seal();
        config.write(0x48, 2, 0xFFFF);
        assertThat(config.read(0x48, 2)).isEqualTo(0x7FFF);
        assertThat(config.read(0x44, 4) >>> 28 & 1).isZero();
    }

    @Test
    void shouldResetThroughAdvancedFeatures() {
        AdvancedFeatures.add(config, 0x40, () -> seen.add("reset"));
        config.seal();
        assertThat(config.read(0x40, 4)).as("length 6, TP and FLR").isEqualTo(0x0306_0013);
        config.write(0x44, 1, 1);
        assertThat(seen).containsExactly("reset");
        assertThat(config.read(0x44, 1)).isZero();
    }

    /** Sheet section 8; 7.8.9, 10.5.1. */
    @Test
    void shouldReportWhatSoftwareSwitchedOn() {
        PasidCapability pasid = new PasidCapability(config, 0x100, 20, PasidCapability.EXECUTE, () -> {});
        AddressTranslationServices ats = new AddressTranslationServices(config, 0x110, 32, true, () -> seen.add("ats"));
        config.seal();
        assertThat(config.read(0x104, 2)).isEqualTo(0x1402);
        assertThat(config.read(0x114, 2))
                .as("depth 0 = 32, page aligned, global")
                .isEqualTo(0x60);
        config.write(0x106, 2, 0xFFFF);
        assertThat(config.read(0x106, 2)).as("no privileged mode").isEqualTo(3);
        assertThat(pasid.enabled()).isTrue();
        assertThat(pasid.limit()).isEqualTo(1 << 20);
        config.write(0x116, 2, 0x8001);
        assertThat(ats.enabled()).isTrue();
        assertThat(ats.smallestUnitShift()).isEqualTo(13);
        assertThat(seen).containsExactly("ats");
        config.reset();
        assertThat(ats.enabled()).as("a reset clears all three").isFalse();
        assertThat(pasid.enabled()).isFalse();
    }

    @Test
    void shouldResetPageRequestsOnlyWhileTheyAreOff() {
        PageRequestInterface pri = new PageRequestInterface(config, 0x100, 8, true, () -> seen.add("reset"));
        config.seal();
        assertThat(config.read(0x106, 2)).as("stopped, PASID required").isEqualTo(0x8100);
        config.write(0x10C, 4, 100);
        assertThat(pri.allocation()).as("never more than the capacity").isEqualTo(8);
        pri.responseFailed();
        config.write(0x104, 2, 3);
        assertThat(seen).isEmpty();
        assertThat(pri.failed()).isTrue();
        config.write(0x104, 2, 2);
        assertThat(seen).containsExactly("reset");
        assertThat(pri.failed()).isFalse();
        pri.unexpectedGroup();
        config.write(0x106, 2, 2);
        assertThat(config.read(0x106, 2)).as("write one to clear").isEqualTo(0x8100);
    }

    /** 82576 datasheet 9.6.4: 8 VFs at offset 128, stride 2; PCIe 9.3.3. */
    @Test
    void shouldPlaceVirtualFunctions() {
        List<Bar> bars =
                List.of(new Bar(0, Bar.Kind.MEMORY64, 0x4000, false), new Bar(3, Bar.Kind.MEMORY64, 0x4000, false));
        SingleRootVirtualization sriov = new SingleRootVirtualization(
                config,
                0x100,
                new SingleRootVirtualization.Layout(8, 0x180, 0x80, 2, 0x10CA, bars),
                count -> seen.add(count + " VFs"));
        config.seal();
        assertThat(config.read(0x10E, 2)).isEqualTo(8);
        assertThat(config.read(0x11A, 2)).isEqualTo(0x10CA);
        config.write(0x124, 4, -1);
        assertThat(config.read(0x124, 4)).as("sizing").isEqualTo(0xFFFF_C004);
        config.write(0x124, 4, 0xE000_0000);
        config.write(0x110, 2, 7);
        config.write(0x108, 2, 9);
        config.write(0x110, 2, 3);
        assertThat(config.read(0x110, 2))
                .as("NumVFs is locked while VF Enable is set")
                .isEqualTo(7);
        assertThat(sriov.active()).isEqualTo(7);
        assertThat(sriov.memoryEnabled()).isTrue();
        assertThat(sriov.routingIdOffset(3)).isEqualTo(0x186);
        assertThat(sriov.indexAt(0x18C)).isEqualTo(6);
        assertThat(sriov.indexAt(0x18E)).as("there are seven").isEqualTo(-1);
        assertThat(sriov.indexAt(0x181)).isEqualTo(-1);
        config.write(0x108, 2, 0x19);
        assertThat(sriov.routingIdOffset(0))
                .as("routing ids do not move under functions that are there")
                .isEqualTo(0x180);
        assertThat(sriov.barAddress(2, 0)).isEqualTo(0xE000_8000L);
        assertThat(sriov.barAddress(2, 1)).isZero();
        assertThat(seen).containsExactly("7 VFs");
        config.reset();
        assertThat(sriov.active()).isZero();
        assertThat(seen).containsExactly("7 VFs", "0 VFs");
        config.write(0x108, 2, 0x10);
        assertThat(sriov.routingIdOffset(0)).as("ARI Capable Hierarchy").isEqualTo(0x80);
    }

    @Test
    void shouldForwardOnlyWhatIsInsideItsWindows() {
        ConfigSpace bridge = new ConfigSpace(0x1B36, 0x000C, 0, 0x060400);
        BridgeHeader header = new BridgeHeader(bridge, () -> seen.add("bus reset"));
        bridge.seal();
        bridge.write(0x18, 4, 0x0005_0200);
        bridge.write(0x20, 4, 0xC010_C000);
        assertThat(header.leadsTo(2)).isTrue();
        assertThat(header.leadsTo(5)).isTrue();
        assertThat(header.leadsTo(6)).isFalse();
        assertThat(header.memoryWindowContains(0xC01F_FFFCL, 4)).isTrue();
        assertThat(header.memoryWindowContains(0xC01F_FFFDL, 4)).isFalse();
        assertThat(header.memoryWindowContains(0xBFFF_FFFFL, 1)).isFalse();
        bridge.write(0x20, 4, 0xC000_C010);
        assertThat(header.memoryWindowContains(0xC000_0000L, 4))
                .as("limit below base")
                .isFalse();
        bridge.write(0x3E, 2, 0x40);
        bridge.write(0x3E, 2, 0x40);
        assertThat(seen).containsExactly("bus reset");
        assertThat(header.resetHeld()).isTrue();
        bridge.write(0x3E, 2, 0);
        assertThat(header.resetHeld()).isFalse();
    }
}
