package io.iolab.vmm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.vmm.time.Profiles;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a NIC may do with the addresses that its guest's kernel gives it. */
class KernelDmaTest {
    private static final long UNIT = 0xFED9_0000L;
    private static final int NIC = 0x0018;
    private static final long BUFFER = 0x20_0000;
    private static final long RING = 0x30_0000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(32 << 20);
    private final RemappingUnit unit = new RemappingUnit(RemappingOptions.defaults(), memory, (address, data) -> {});
    private final IommuDriver driver = new IommuDriver(new Registers(), UNIT, memory, new FrameSource() {
        private long next = 16 << 20;

        @Override
        public long allocatePage() {
            next += 4096;
            return next;
        }

        @Override
        public void freePage(long pa) {}
    });

    private final class Registers implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return unit.registers().read(pa - UNIT, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            unit.registers().write(pa - UNIT, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"STRICT", "DEFERRED", "SHADOW"})
    @DisplayName("VT-d 3.7: what is to be sent can be read only, what is to be filled is written only, rings are both")
    void shouldGiveNoMoreRightsThanTheTransferTakes(DmaPolicy policy) {
        driver.enable();
        Domain domain = driver.createDomain();
        driver.attach(NIC, domain);
        KernelDma dma = new KernelDma(
                driver, driver.createMapper(domain, policy, () -> 0), domain, Profiles.free(), picos -> {}, false);
        DmaPort nic = unit.portFor(NIC);
        byte[] some = new byte[64];

        long sent = dma.mapTransfer(BUFFER, 64, false);
        assertThat(nic.read(sent, some, 0, 64, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(nic.write(sent, some, 0, 64, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NO_WRITE);
        long filled = dma.mapTransfer(BUFFER + 4096, 64, true);
        assertThat(nic.write(filled, some, 0, 64, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(nic.read(filled, some, 0, 64, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NO_READ);
        long ring = dma.mapShared(RING, 4096);
        assertThat(nic.write(ring, some, 0, 64, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.NONE);
        assertThat(nic.read(ring, some, 0, 64, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.NONE);
    }
}
