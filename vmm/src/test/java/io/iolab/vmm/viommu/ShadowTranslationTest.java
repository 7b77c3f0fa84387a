package io.iolab.vmm.viommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.memory.GuestMemory;
import io.iolab.vmm.memory.HostFrames;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest with a legacy-mode unit of its own, and what its assigned function reaches. Sections are those of VT-d. */
class ShadowTranslationTest {
    private static final long BASE = 0xFED9_0000L;
    private static final int RID = 0x0020;
    private static final int GUEST_RID = 0x0010;
    private static final long RAM = 16 << 20;
    private static final long PAGE = 4096;
    private static final long IOVA = 0x1_2345_6000L;

    private final PhysicalMemory hostMemory = PhysicalMemory.allocate(64 << 20);
    private final HostFrames hostFrames = HostFrames.scattered(hostMemory, 7);
    private final GuestMemory guest = new GuestMemory(hostFrames, RAM);
    private final RemappingUnit physical =
            new RemappingUnit(RemappingOptions.defaults(), hostMemory, (address, data) -> {});
    private final IommuDriver host =
            new IommuDriver(new Processor(physical.registers()), BASE, hostMemory, new Frames(hostFrames::allocate));
    private final ShadowTranslation shadow;
    private final VirtualUnit unit;
    private final Processor cpu;
    private long nextFrame = 8 << 20;
    private final IommuDriver driver;

    ShadowTranslationTest() {
        RemappingOptions options = RemappingOptions.builder().cachingMode(true).build();
        host.enable();
        shadow = new ShadowTranslation(host, new GuestRam(guest), RAM, guest, options.capabilities());
        shadow.assign(RID, GUEST_RID);
        unit = new VirtualUnit(options, guest, (address, data) -> {}, shadow);
        cpu = new Processor(unit);
        driver = new IommuDriver(cpu, BASE, guest, new Frames(() -> nextFrame += PAGE));
    }

    @AfterEach
    void release() {
        guest.close();
        hostMemory.close();
    }

    /** A processor that knows one window. */
    private record Processor(MmioHandler window) implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return window.read(pa - BASE, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            window.write(pa - BASE, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }

    private record Frames(java.util.function.LongSupplier next) implements FrameSource {
        @Override
        public long allocatePage() {
            return next.getAsLong();
        }

        @Override
        public void freePage(long pa) {}
    }

    private DmaFault write(long iova, int value) {
        return physical.portFor(RID).write(iova, new byte[] {(byte) value}, 0, 1, DmaKind.PAYLOAD);
    }

    private DmaFault read(long iova) {
        return physical.portFor(RID).read(iova, new byte[1], 0, 1, DmaKind.PAYLOAD);
    }

    private void assertReaches(long iova, long gpa) {
        guest.writeByte(gpa, (byte) 0);
        assertThat(write(iova, 0x5A)).as("iova 0x%x", iova).isEqualTo(DmaFault.NONE);
        assertThat(guest.readByte(gpa)).as("gpa 0x%x", gpa).isEqualTo((byte) 0x5A);
    }

    private void assertBlocked(long iova) {
        assertThat(read(iova)).as("iova 0x%x", iova).isNotEqualTo(DmaFault.NONE);
        assertThat(write(iova, 1)).as("iova 0x%x", iova).isNotEqualTo(DmaFault.NONE);
    }

    private Domain attached() {
        driver.enable();
        Domain domain = driver.createDomain();
        driver.attach(GUEST_RID, domain);
        return domain;
    }

    @Test
    @DisplayName(
            "10.4.4: with TE clear a request reaches the guest's memory as it is, and with TE set nothing unattached does")
    void shouldFollowTranslationEnable() {
        assertReaches(0x5432, 0x5432);
        assertReaches(RAM - 1, RAM - 1);
        assertBlocked(RAM);
        driver.enable();
        assertBlocked(0x5432);
        driver.disable();
        assertReaches(0x5432, 0x5432);
    }

    @Test
    void shouldFollowMapsAndUnmaps() {
        Domain domain = attached();
        assertBlocked(IOVA);
        domain.map(IOVA, 0x7000, 3 * PAGE, MapRights.READ_WRITE);
        assertReaches(IOVA + 5, 0x7005);
        assertReaches(IOVA + 2 * PAGE, 0x9000);
        assertBlocked(IOVA + 3 * PAGE);
        domain.unmap(IOVA + PAGE, PAGE);
        assertReaches(IOVA, 0x7000);
        assertBlocked(IOVA + PAGE);
        assertReaches(IOVA + 2 * PAGE, 0x9000);
    }

    @Test
    @DisplayName("9.8: R and W of the guest's entries bind the function")
    void shouldKeepRights() {
        Domain domain = attached();
        domain.map(IOVA, 0x7000, PAGE, MapRights.READ);
        domain.map(IOVA + PAGE, 0x8000, PAGE, MapRights.WRITE);
        assertThat(read(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(write(IOVA, 1)).isEqualTo(DmaFault.NO_WRITE);
        assertThat(read(IOVA + PAGE)).isEqualTo(DmaFault.NO_READ);
        assertThat(write(IOVA + PAGE, 1)).isEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldCopyLargePages() {
        Domain domain = attached();
        domain.map(0x4000_0000L, 2 << 20, 4 << 20, MapRights.READ_WRITE);
        assertThat(shadow.maps())
                .as("two pages of 2 MiB, and the memory at first")
                .isEqualTo(3);
        assertReaches(0x4000_0000L + 0x2F_1234, (2 << 20) + 0x2F_1234);
        domain.unmap(0x4000_0000L, 2 << 20);
        assertBlocked(0x4000_0000L);
        assertReaches(0x4020_0000L, 4 << 20);
    }

    @Test
    void shouldFollowDetachAndAttachToAnotherDomain() {
        Domain first = attached();
        first.map(IOVA, 0x7000, PAGE, MapRights.READ_WRITE);
        Domain second = driver.createDomain();
        second.map(IOVA, 0x9000, PAGE, MapRights.READ_WRITE);
        assertReaches(IOVA, 0x7000);
        driver.detach(GUEST_RID);
        assertBlocked(IOVA);
        driver.attach(GUEST_RID, second);
        assertReaches(IOVA, 0x9000);
        driver.detach(GUEST_RID);
        driver.attach(GUEST_RID, driver.createPassThroughDomain());
        assertReaches(0x7777, 0x7777);
    }

    @Test
    @DisplayName("6.1: a change without invalidation does not count, which is why caching mode must be on")
    void shouldNotNoticeWhatIsNotInvalidated() {
        Domain domain = attached();
        domain.map(IOVA, 0x7000, PAGE, MapRights.READ_WRITE);
        long walks = shadow.walks();
        // All of the guest's tables at once.
        for (long at = 8 << 20; at < nextFrame + PAGE; at += 8) {
            guest.writeLong(at, 0);
        }
        assertReaches(IOVA, 0x7000);
        assertThat(shadow.walks()).isEqualTo(walks);
        assertThatThrownBy(() -> new ShadowTranslation(
                        host,
                        new GuestRam(guest),
                        RAM,
                        guest,
                        RemappingOptions.defaults().capabilities()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldLeaveOutWhatIsNotTheGuestsMemory() {
        Domain domain = attached();
        domain.map(IOVA, RAM, PAGE, MapRights.READ_WRITE);
        domain.map(IOVA + PAGE, 0x7000, PAGE, MapRights.READ_WRITE);
        assertBlocked(IOVA);
        assertReaches(IOVA + PAGE, 0x7000);
        assertThat(shadow.unbacked()).isPositive();
    }

    @Test
    void shouldGiveFunctionsBack() {
        attached().map(IOVA, 0x7000, PAGE, MapRights.READ_WRITE);
        shadow.release();
        assertThat(host.domainOf(RID)).isNull();
        assertBlocked(IOVA);
    }

    /** What the guest's own walk says is what the function gets, whatever was done before. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldAgreeWithTheGuestsTablesAfterEveryStep(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Domain domain = attached();
        List<long[]> mapped = new ArrayList<>();
        for (int step = 0; step < 300; step++) {
            if (mapped.isEmpty() || random.nextInt(3) != 0) {
                long length = random.nextInt(8) == 0 ? 2 << 20 : PAGE * (1 + random.nextInt(20));
                long iova = random.nextInt(64) * (1L << 20) & -(length == 2 << 20 ? length : PAGE);
                long gpa = random.nextInt(1600) * PAGE & -(length == 2 << 20 ? length : PAGE);
                try {
                    domain.map(iova, gpa, length, MapRights.READ_WRITE);
                    mapped.add(new long[] {iova, length});
                } catch (IllegalStateException occupied) {
                    continue;
                }
            } else {
                long[] gone = mapped.remove(random.nextInt(mapped.size()));
                domain.unmap(gone[0], gone[1]);
            }
            for (int probe = 0; probe < 8; probe++) {
                long iova = random.nextInt(1 << 26);
                boolean backed = domain.translate(iova) >= 0;
                assertThat(read(iova) == DmaFault.NONE)
                        .as("seed %d, step %d, iova 0x%x", seed, step, iova)
                        .isEqualTo(backed);
                if (backed) {
                    assertReaches(iova, domain.translate(iova));
                }
            }
        }
    }

    // ---- hostile guests

    @Test
    void shouldNotWalkForEverThroughATableThatLeadsToItself() {
        long root = 0x10_0000;
        long context = 0x10_1000;
        long table = 0x10_2000;
        guest.writeLong(root, context | 1);
        guest.writeLong(context + 16 * GUEST_RID + 8, 2 | 5 << 8);
        guest.writeLong(context + 16 * GUEST_RID, table | 1);
        for (int i = 0; i < 512; i++) {
            guest.writeLong(table + 8 * i, table | 3);
        }
        cpu.store(BASE + 0x20, 8, root);
        cpu.store32(BASE + 0x18, 1 << 30);
        cpu.store32(BASE + 0x18, 1 << 31);
        assertThat(shadow.exhausted()).isPositive();
        assertThat(shadow.refused()).isPositive();
        assertReaches(0, table);
        cpu.store32(BASE + 0x18, 0);
        assertReaches(0x5000, 0x5000);
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void shouldSurviveRandomRegistersAndTables(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] offsets = {0x18, 0x20, 0x28, 0x2C, 0x34, 0x38, 0x88, 0x90, 0xF0, 0xF4, 0xF8, 0xFC, 0xB8};
        for (int round = 0; round < 400; round++) {
            for (int i = 0; i < 64; i++) {
                long entry = random.nextLong() & 0xFF_F003L | random.nextInt(16);
                guest.writeLong(0x1000L * random.nextInt(8) + 8 * random.nextInt(512), entry);
            }
            int offset = offsets[random.nextInt(offsets.length)];
            int width = random.nextBoolean() ? 8 : 4;
            long value =
                    random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(8) * 0x1000L | random.nextInt(8) << 4;
            unit.write(offset, width, value);
            unit.write(0x18, 4, random.nextInt() & 0xFF80_0000L);
            unit.read(random.nextInt(0x300), width);
            long iova = random.nextInt(1 << 24);
            assertThat(read(iova)).as("seed %d, round %d", seed, round).isNotNull();
        }
    }
}
