package io.iolab.vmm.viommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.time.CostProfile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A guest's first-level tables on the physical unit (VT-d 3.8, 9.6: PASID entries of type nested). */
class NestedTranslationTest {
    private static final long IOVA = 0x2_3456_7000L;
    private static final long PAGE = 4096;

    private final ViommuMachine machine = machine();

    private static ViommuMachine machine() {
        try {
            return new ViommuMachine(ViommuMode.NESTED, CostProfile.bundled(CostProfile.DEFAULT));
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void release() {
        machine.close();
    }

    private DmaFault write(long iova) {
        return machine.function().write(iova, new byte[] {0x5A}, 0, 1, DmaKind.PAYLOAD);
    }

    private long faults(FaultReason reason) {
        return machine.physicalUnit().counters().faults(reason);
    }

    @Test
    void shouldReachWhatTheGuestMapsWithoutAnExit() {
        assertThat(write(IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(faults(FaultReason.FIRST_LEVEL_NOT_PRESENT)).isEqualTo(1);
        long exits = machine.ledger().exits().total();
        machine.driver().map(IOVA, 0x7000, 2 * PAGE);
        assertThat(write(IOVA + PAGE + 3)).isEqualTo(DmaFault.NONE);
        assertThat(machine.guestMemory().readByte(0x8003)).isEqualTo((byte) 0x5A);
        assertThat(machine.ledger().exits().total()).isEqualTo(exits);
    }

    @Test
    @DisplayName("6.5.2.4: an unmapping is forgotten by the physical unit when the guest's wait completes")
    void shouldForwardInvalidations() {
        machine.driver().map(IOVA, 0x7000, PAGE);
        machine.driver().map(IOVA + PAGE, 0x8000, PAGE);
        assertThat(write(IOVA)).isEqualTo(DmaFault.NONE);
        assertThat(write(IOVA + PAGE)).isEqualTo(DmaFault.NONE);
        machine.driver().unmap(IOVA, PAGE);
        assertThat(write(IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(write(IOVA + PAGE)).as("its neighbour").isEqualTo(DmaFault.NONE);
        assertThat(((NestedTranslation) machine.translation()).forwarded()).isPositive();
    }

    @Test
    @DisplayName("7.1.3: beyond the guest's memory the second level blocks, for pages and for tables")
    void shouldKeepTheGuestInItsMemory() {
        machine.driver().map(IOVA, 64L << 20, PAGE);
        assertThat(write(IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(faults(FaultReason.NESTED_DENIED)).isEqualTo(1);
    }

    @Test
    void shouldFollowTranslationEnable() {
        machine.unit().write(0x18, 4, 1 << 26);
        assertThat(write(0x7123)).as("off: guest physical").isEqualTo(DmaFault.NONE);
        assertThat(machine.guestMemory().readByte(0x7123)).isEqualTo((byte) 0x5A);
        machine.unit().write(0x18, 4, 1L << 31 | 1 << 26);
        assertThat(write(0x7123)).isNotEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldCountExitsByRegisterAndDirection() {
        long before = count("viommu.IQT write");
        machine.driver().map(IOVA, 0x7000, PAGE);
        machine.driver().unmap(IOVA, PAGE);
        assertThat(count("viommu.IQT write")).isEqualTo(before + 1);
        assertThat(count("viommu.GSTS read")).isPositive();
    }

    private long count(String detail) {
        return machine.ledger().exits().counters().stream()
                .filter(each -> each.reason() == ExitReason.EPT_MISCONFIG
                        && each.detail().equals(detail))
                .mapToLong(each -> each.count())
                .sum();
    }
}
