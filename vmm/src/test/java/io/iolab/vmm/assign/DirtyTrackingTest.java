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
import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Dirty logging (fact sheet 9.1) by the dirty bits of second-level entries (VT-d 3.7, 9.6 SLADE, 9.8), and without them. */
@DisplayName("DIRTY_PAGES")
class DirtyTrackingTest {
    private static final UserMemory MEMORY = (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size);
    private static final long PAGE = 4096;
    private static final long IOVA = 0x4000_0000;
    /** A 2 MiB page of the program's memory. */
    private static final long LARGE = 4 << 20;

    private AssignmentBench bench;
    private ProbeFunction function;
    private DeviceTlb tlb;
    private VfioGroup group;
    private VfioContainer container;

    @AfterEach
    void close() {
        bench.close();
    }

    private static RemappingOptions.Builder scalable() {
        return RemappingOptions.builder().scalableMode(true).secondLevel(true);
    }

    private void start(RemappingOptions options, TableMode mode) {
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
        vfio.bind(0x0100, VfioHost.VFIO_DRIVER);
        group = vfio.openGroup(vfio.groupNumber(0x0100)).orElseThrow();
        container = vfio.openContainer();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.OK);
        VfioDevice device = group.openDevice("0000:01:00.0").orElseThrow();
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
    }

    private void startWithDirtyBits() {
        start(scalable().secondLevelAccessedDirty(true).build(), TableMode.SCALABLE_SECOND_LEVEL);
        assertThat(container.dirtySource()).isEqualTo(DirtySource.WRITTEN);
    }

    private void map(long vaddr, long iova, long size) {
        assertThat(container.mapDma(MEMORY, vaddr, iova, size, MapRights.READ_WRITE))
                .isEqualTo(Errno.OK);
    }

    private DmaFault write(long iova) {
        return function.dma().write(iova, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    private void mustWrite(long iova) {
        assertThat(write(iova)).isEqualTo(DmaFault.NONE);
    }

    private void mustRead(long iova) {
        assertThat(function.dma().read(iova, new byte[8], 0, 8, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.NONE);
    }

    private long dirty(int pages) {
        VfioContainer.Dirty dirty = container.dirtyBitmap(IOVA, pages * PAGE, PAGE);
        assertThat(dirty.errno()).isEqualTo(Errno.OK);
        assertThat(dirty.source()).isEqualTo(DirtySource.WRITTEN);
        return dirty.bitmap()[0];
    }

    @Test
    @DisplayName("with SLADS: pages that were written, not those that were read; reading clears")
    void shouldReportPagesWritten() {
        startWithDirtyBits();
        map(0, IOVA, 8 * PAGE);
        mustWrite(IOVA);
        assertThat(container.startDirtyTracking()).isEqualTo(Errno.OK);
        assertThat(dirty(8)).as("written before").isZero();
        mustRead(IOVA + PAGE);
        mustWrite(IOVA + 2 * PAGE);
        mustWrite(IOVA + 5 * PAGE);
        mustWrite(IOVA + 5 * PAGE + 8);
        assertThat(dirty(8)).isEqualTo(0b0010_0100);
        assertThat(dirty(8)).as("cleared").isZero();
        assertThat(container.startDirtyTracking()).as("no-op").isEqualTo(Errno.OK);
        mustWrite(IOVA + 5 * PAGE);
        assertThat(dirty(8))
                .as("again: the unit has forgotten that it was dirty")
                .isEqualTo(0b0010_0000);
        mustWrite(IOVA + PAGE);
        assertThat(dirty(8)).as("read first, then written").isEqualTo(0b10);
    }

    @Test
    @DisplayName("what was written while tracking was off is not reported when it is on again")
    void shouldStartFromNothing() {
        startWithDirtyBits();
        map(0, IOVA, 8 * PAGE);
        container.startDirtyTracking();
        mustWrite(IOVA);
        assertThat(container.stopDirtyTracking()).isEqualTo(Errno.OK);
        assertThat(container.dirtyBitmap(IOVA, 8 * PAGE, PAGE).errno()).isEqualTo(Errno.EINVAL);
        mustWrite(IOVA + PAGE);
        container.startDirtyTracking();
        assertThat(dirty(8)).isZero();
        mustWrite(IOVA + PAGE);
        mustWrite(IOVA);
        assertThat(dirty(8)).isEqualTo(0b11);
    }

    @Test
    @DisplayName("a large page is dirty as a whole")
    void shouldReportLargePages() {
        startWithDirtyBits();
        map(LARGE, IOVA, 2 << 20);
        container.startDirtyTracking();
        mustWrite(IOVA + 77 * PAGE);
        VfioContainer.Dirty dirty = container.dirtyBitmap(IOVA, 2 << 20, PAGE);
        assertThat(BitSet.valueOf(dirty.bitmap()).cardinality()).isEqualTo(512);
        mustRead(IOVA);
        assertThat(BitSet.valueOf(container.dirtyBitmap(IOVA, 2 << 20, PAGE).bitmap())
                        .cardinality())
                .isZero();
    }

    @Test
    @DisplayName("UNMAP_DMA with GET_DIRTY_BITMAP: the last writes are in it")
    void shouldTellDirtyPagesWhenUnmapping() {
        startWithDirtyBits();
        map(0, IOVA, 4 * PAGE);
        map(0, IOVA + 8 * PAGE, 4 * PAGE);
        container.startDirtyTracking();
        mustWrite(IOVA + PAGE);
        mustWrite(IOVA + 11 * PAGE);
        VfioContainer.Dirty dirty = container.unmapDma(IOVA, 16 * PAGE, PAGE);
        assertThat(dirty.errno()).isEqualTo(Errno.OK);
        assertThat(dirty.bitmap()).containsExactly(1 << 1 | 1 << 11);
        assertThat(write(IOVA + PAGE)).isNotEqualTo(DmaFault.NONE);
        assertThat(container.info().available()).isEqualTo(VfioContainer.DMA_ENTRY_LIMIT);
    }

    @Test
    @DisplayName("a function that joins later is tracked too")
    void shouldTrackGroupThatJoinsLater() {
        startWithDirtyBits();
        map(0, IOVA, 8 * PAGE);
        container.startDirtyTracking();
        bench.driver.detach(0x0100);
        bench.driver.attach(0x0100, java.util.Objects.requireNonNull(container.domain()));
        mustWrite(IOVA + 3 * PAGE);
        assertThat(dirty(8)).isEqualTo(0b1000);
    }

    @Test
    @DisplayName("writes with addresses that the function translated itself are noted too (VT-d 4.1)")
    void shouldSeeWritesThroughDeviceTlb() {
        start(scalable().secondLevelAccessedDirty(true).deviceTlb(true).build(), TableMode.SCALABLE_SECOND_LEVEL);
        map(0, IOVA, 8 * PAGE);
        bench.driver.detach(0x0100);
        bench.driver.attachWithDeviceTlb(0x0100, java.util.Objects.requireNonNull(container.domain()));
        int ats = ExtendedCapability.find(function.config(), ExtendedCapability.ADDRESS_TRANSLATION);
        function.config().write(ats + 6, 2, 1 << 15);
        mustWrite(IOVA);
        container.startDirtyTracking();
        mustWrite(IOVA);
        mustWrite(IOVA + 2 * PAGE);
        mustWrite(IOVA + 2 * PAGE);
        assertThat(tlb.counters().translatedRequests()).isEqualTo(4);
        assertThat(dirty(8)).isEqualTo(0b101);
        assertThat(dirty(8)).isZero();
        mustWrite(IOVA + 2 * PAGE);
        assertThat(dirty(8)).isEqualTo(0b100);
    }

    @Test
    @DisplayName("without SLADS, and in legacy mode: all that is mapped, each time, and the bitmap says so")
    void shouldReportAllThatIsMappedWithoutDirtyBits() {
        for (TableMode mode : TableMode.values()) {
            RemappingOptions options = mode == TableMode.LEGACY
                    ? RemappingOptions.defaults()
                    : scalable()
                            .firstLevel(true)
                            .secondLevelAccessedDirty(mode == TableMode.SCALABLE_FIRST_LEVEL)
                            .build();
            start(options, mode);
            map(0, IOVA, 3 * PAGE);
            container.startDirtyTracking();
            for (int i = 0; i < 2; i++) {
                VfioContainer.Dirty dirty = container.dirtyBitmap(IOVA, 8 * PAGE, PAGE);
                assertThat(dirty.bitmap()).as(mode.name()).containsExactly(0b111);
                assertThat(dirty.source()).isEqualTo(DirtySource.MAPPED);
            }
            assertThat(container.unmapDma(IOVA, 8 * PAGE, PAGE).bitmap()).containsExactly(0b111);
            bench.close();
        }
    }

    /** Random writes, reads and harvests against a set of pages: exactly those written since are reported, none twice. */
    @Test
    void shouldAgreeWithASetOfPages() {
        long seed = 17;
        SplittableRandom random = new SplittableRandom(seed);
        startWithDirtyBits();
        map(0, IOVA, 64 * PAGE);
        container.startDirtyTracking();
        long written = 0;
        for (int step = 0; step < 5000; step++) {
            int page = random.nextInt(64);
            switch (random.nextInt(8)) {
                case 0 -> {
                    assertThat(dirty(64)).as("seed %d step %d", seed, step).isEqualTo(written);
                    written = 0;
                }
                case 1, 2, 3 -> mustRead(IOVA + page * PAGE);
                default -> {
                    mustWrite(IOVA + page * PAGE);
                    written |= 1L << page;
                }
            }
        }
    }
}
