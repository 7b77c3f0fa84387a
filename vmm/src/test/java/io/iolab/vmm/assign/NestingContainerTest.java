package io.iolab.vmm.assign;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.NestedSpace;
import io.iolab.iommu.driver.TableMode;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A container whose mappings are the second level under a user's first-level tables (VT-d 3.8; linux/vfio.h, type 6). */
class NestingContainerTest {
    private static final int RID = 0x0100;
    private static final UserMemory MEMORY = (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size);
    private static final long IOVA = 0x2_3456_7000L;
    private static final long USER = 7;

    private final AssignmentBench bench = new AssignmentBench(
            RemappingOptions.builder()
                    .scalableMode(true)
                    .firstLevel(true)
                    .secondLevel(true)
                    .nested(true)
                    .build(),
            TableMode.SCALABLE_SECOND_LEVEL);
    private final ProbeFunction function = bench.build.function(
            bench.build.rootPort(1, 0, AccessControlServices.ISOLATION),
            0,
            0,
            dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
    private final VfioHost vfio = bench.start();
    private final VfioContainer container = vfio.openContainer();
    private VfioDevice device;

    @AfterEach
    void close() {
        bench.close();
    }

    private DmaFault write(long iova) {
        return function.dma().write(iova, new byte[] {0x5A}, 0, 1, DmaKind.PAYLOAD);
    }

    private VfioGroup open(VfioContainer.Extension type) {
        vfio.bind(RID, VfioHost.VFIO_DRIVER);
        VfioGroup group = vfio.openGroup(vfio.groupNumber(RID)).orElseThrow();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(type)).isEqualTo(Errno.OK);
        device = group.openDevice("0000:01:00.0").orElseThrow();
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
        return group;
    }

    /** Four levels at 0x10000, 0x11000, 0x12000, 0x13000 of the user's addresses, which lie at twice the megabyte. */
    private void firstLevelPage(long target) {
        for (int level = 4; level >= 1; level--) {
            long table = 0x8_0000 + (4 - level) * 0x1000L;
            long next = level > 1 ? 0x1_0000 + (5 - level) * 0x1000L : target;
            bench.memory.writeLong(table + 8 * (IOVA >>> 12 + 9 * (level - 1) & 511), next | USER);
        }
    }

    @Test
    @DisplayName("3.8: nothing passes at first; then through both levels, and no further than what is mapped")
    void shouldTranslateByBothLevels() {
        assertThat(container.checkExtension(6)).isEqualTo(1);
        open(VfioContainer.Extension.NESTING);
        assertThat(container.mapDma(MEMORY, 0x8_0000, 0x1_0000, 0x8000, MapRights.READ_WRITE))
                .isEqualTo(Errno.OK);
        assertThat(write(0x1_0000)).as("a mapping alone lets nothing through").isNotEqualTo(DmaFault.NONE);
        NestedSpace space = Objects.requireNonNull(container.nestedSpace(RID));
        firstLevelPage(0x1_5000);
        space.nest(0, 0x1_0000, 0);
        assertThat(write(IOVA + 8)).isEqualTo(DmaFault.NONE);
        assertThat(bench.memory.readByte(0x8_5008)).isEqualTo((byte) 0x5A);
        firstLevelPage(0x2_0000);
        space.invalidate(0);
        assertThat(write(IOVA)).as("not mapped in the container").isNotEqualTo(DmaFault.NONE);
    }

    @Test
    @DisplayName("3.8: what is unmapped in the container is out of reach through the first level too")
    void shouldForgetWhatIsUnmapped() {
        open(VfioContainer.Extension.NESTING);
        container.mapDma(MEMORY, 0x8_0000, 0x1_0000, 0x4000, MapRights.READ_WRITE);
        container.mapDma(MEMORY, 0x8_5000, 0x1_5000, 0x1000, MapRights.READ_WRITE);
        firstLevelPage(0x1_5000);
        Objects.requireNonNull(container.nestedSpace(RID)).nest(0, 0x1_0000, 0);
        assertThat(write(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(container.unmapDma(0x1_5000, 0x1000).bytes()).isEqualTo(0x1000);
        assertThat(write(IOVA)).isNotEqualTo(DmaFault.NONE);
    }

    @Test
    @DisplayName("9.1: with the group the space goes, and the function reaches nothing by what was in it")
    void shouldGiveTheSpaceBackWithTheGroup() {
        VfioGroup group = open(VfioContainer.Extension.NESTING);
        container.mapDma(MEMORY, 0x8_0000, 0x1_0000, 0x8000, MapRights.READ_WRITE);
        firstLevelPage(0x1_5000);
        Objects.requireNonNull(container.nestedSpace(RID)).nest(0, 0x1_0000, 0);
        assertThat(write(IOVA)).isEqualTo(DmaFault.NONE);
        device.close();
        assertThat(group.unsetContainer()).isEqualTo(Errno.OK);
        assertThat(container.nestedSpace(RID)).isNull();
        assertThat(bench.driver.domainOf(RID)).as("blocked again").isNull();
        assertThat(write(IOVA)).isNotEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldHaveNoSpaceInContainersOfAnotherType() {
        open(VfioContainer.Extension.TYPE1V2);
        assertThat(container.nestedSpace(RID)).isNull();
    }
}
