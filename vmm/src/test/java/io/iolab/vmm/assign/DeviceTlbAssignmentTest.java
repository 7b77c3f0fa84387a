package io.iolab.vmm.assign;

import static io.iolab.vmm.assign.VfioContainer.Extension.TYPE1V2;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.ats.AddressTranslation;
import io.iolab.devices.ats.DeviceTlb;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.TableMode;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.FunctionPort;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A function with translation services under VFIO (fact sheet 8 and 9.5; PCI Express Base 10.5.1; VT-d 4.1). */
@DisplayName("Translation services of an assigned function")
class DeviceTlbAssignmentTest {
    private static final UserMemory MEMORY = (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size);
    private static final int RID = 0x0100;
    private static final long IOVA = 0x4000_0000;

    private AssignmentBench bench;
    private ProbeFunction function;
    private DeviceTlb tlb;
    private VfioGroup group;
    private VfioContainer container;
    private VfioDevice device;

    @AfterEach
    void close() {
        bench.close();
    }

    private void start(boolean offered, TableMode mode) {
        RemappingOptions options = RemappingOptions.builder()
                .scalableMode(true)
                .secondLevel(true)
                .firstLevel(true)
                .deviceTlb(offered)
                .build();
        bench = new AssignmentBench(options, mode);
        Bridge root = bench.build.rootPort(1, 0, AccessControlServices.ISOLATION);
        function = bench.build.function(root, 0, 0, dma -> {
            tlb = new DeviceTlb(((FunctionPort) dma).translation());
            AddressTranslation services = new AddressTranslation(tlb);
            ProbeFunction made = new ProbeFunction(Kind.EXPRESS, 0, services.port());
            services.addTo(made.config());
            return made;
        });
        VfioHost vfio = bench.start();
        vfio.bind(RID, VfioHost.VFIO_DRIVER);
        group = vfio.openGroup(vfio.groupNumber(RID)).orElseThrow();
        container = vfio.openContainer();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.OK);
        device = group.openDevice("0000:01:00.0").orElseThrow();
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
        assertThat(container.mapDma(MEMORY, 0, IOVA, 0x4000, MapRights.READ_WRITE))
                .isEqualTo(Errno.OK);
    }

    private DmaFault read(long iova) {
        return function.dma().read(iova, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    @ParameterizedTest
    @EnumSource(TableMode.class)
    @DisplayName("9.5: after UNMAP nothing succeeds, by way of the device TLB neither")
    void shouldTranslateUntilUnmapped(TableMode mode) {
        start(true, mode);
        assertThat(read(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(read(IOVA + 8)).isEqualTo(DmaFault.NONE);
        assertThat(tlb.counters().translations()).isEqualTo(1);
        assertThat(tlb.counters().translatedRequests()).isEqualTo(2);
        assertThat(container.unmapDma(IOVA, 0x4000).errno()).isEqualTo(Errno.OK);
        assertThat(tlb.held()).isZero();
        assertThat(read(IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(bench.driver.isolations()).as("it answered").isZero();
    }

    @Test
    @DisplayName(
            "10.5.1: a reset clears the services, and the host puts them back; the next user has nothing of the last")
    void shouldKeepServicesOverResets() {
        start(true, TableMode.LEGACY);
        assertThat(read(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(device.reset()).isEqualTo(Errno.OK);
        assertThat(tlb.held()).isZero();
        assertThat(tlb.enabled()).isTrue();
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
        assertThat(read(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(tlb.held()).isEqualTo(1);
        device.close();
        assertThat(group.close()).isEqualTo(Errno.OK);
        assertThat(tlb.held()).isZero();
        assertThat(tlb.enabled()).isFalse();
    }

    @Test
    @DisplayName("a unit without device TLBs: requests go out untranslated")
    void shouldLeaveServicesOffWithoutSupport() {
        start(false, TableMode.LEGACY);
        assertThat(tlb.enabled()).isFalse();
        assertThat(read(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(tlb.counters().translations()).isZero();
    }

    @Test
    @DisplayName("the capability is not the user's")
    void shouldHideTheCapability() {
        start(true, TableMode.LEGACY);
        int at = ExtendedCapability.find(function.config(), ExtendedCapability.ADDRESS_TRANSLATION);
        assertThat(device.readRegion(VfioDevice.CONFIG_REGION, at, 4)).isZero();
        device.writeRegion(VfioDevice.CONFIG_REGION, at + 6, 2, 0);
        assertThat(tlb.enabled()).isTrue();
    }
}
