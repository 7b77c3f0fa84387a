package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Addresses that mappers never hand out: VT-d 3.14 (interrupt range), 8.4 (RMRR), and bridge windows. */
class ReservedAddressTest {
    private static final int NIC = 0x0020;
    private static final long BUFFER = 0x20_0000;
    private static final long PAGE = 4096;
    private static final long FOUR_GIB = 1L << 32;

    private final Bench bench = new Bench(RemappingOptions.defaults(), 24 << 20);
    private final IommuDriver driver = new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames);

    @AfterEach
    void release() {
        bench.close();
    }

    private static boolean overlap(long iova, long bytes, long first, long end) {
        return iova < end && iova + bytes > first;
    }

    @ParameterizedTest
    @EnumSource(names = {"STRICT", "DEFERRED", "SHADOW"})
    @DisplayName("addresses come from below a window, not from it, however it lies to the free ranges")
    void shouldLeaveBridgeWindowsAlone(DmaPolicy policy) {
        Domain domain = driver.createDomain();
        // From the middle of a page, over the interrupt range, to beyond 4 GiB.
        domain.reserve(0xC000_0800L, 0x4000_0000L);
        DmaMapper mapper = driver.createMapper(domain, policy, () -> 0);
        for (int i = 0; i < 300; i++) {
            long iova = mapper.map(BUFFER, 2000, DmaDirection.TO_DEVICE);
            assertThat(iova).isNotEqualTo(DmaMapper.FAILED);
            assertThat(overlap(iova, 2000, 0xC000_0000L, 0x1_0000_1000L))
                    .as("0x%x", iova)
                    .isFalse();
        }
    }

    @Test
    @DisplayName("two free holes below 4 GiB are used to the last page, and what is reserved around them never")
    void shouldUseEverythingElse() {
        Domain domain = driver.createDomain();
        domain.reserve(0x5000, 0x8000_0000L - 0x5000);
        domain.reserve(0x8000_4000L, FOUR_GIB - 0x8000_4000L);
        DmaMapper mapper = driver.createMapper(domain, DmaPolicy.STRICT, () -> 0);
        List<Long> low = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            long iova = mapper.map(BUFFER + i * PAGE, PAGE, DmaDirection.TO_DEVICE);
            if (iova < FOUR_GIB) {
                low.add(iova);
            } else {
                assertThat(i).as("only when the holes are full").isEqualTo(8);
            }
        }
        assertThat(low)
                .containsExactlyInAnyOrder(
                        0x1000L, 0x2000L, 0x3000L, 0x4000L, 0x8000_0000L, 0x8000_1000L, 0x8000_2000L, 0x8000_3000L);
    }

    @Test
    @DisplayName("3.14: no buffer lies where a write would be a message, even if everything else below 4 GiB is taken")
    void shouldNeverHandOutTheInterruptRange() {
        Domain domain = driver.createDomain();
        domain.reserve(0x1000, 0xFEE0_0000L - 0x1000);
        domain.reserve(0xFEF0_0000L, FOUR_GIB - 0xFEF0_0000L);
        DmaMapper mapper = driver.createMapper(domain, DmaPolicy.STRICT, () -> 0);
        assertThat(mapper.map(BUFFER, PAGE, DmaDirection.TO_DEVICE)).isGreaterThanOrEqualTo(FOUR_GIB);
    }

    @Test
    @DisplayName(
            "8.4: what firmware reserved for a device stays where it is for the device, and no buffer is put there")
    void shouldMapReservedMemoryToItself() {
        driver.enable();
        Domain domain = driver.createDomain();
        long rmrr = 0x30_0000;
        domain.reserveIdentity(rmrr, 2 * PAGE);
        // All that is left below 4 GiB is a page on each side.
        domain.reserve(0x1000, rmrr - PAGE - 0x1000);
        domain.reserve(rmrr + 3 * PAGE, FOUR_GIB - rmrr - 3 * PAGE);
        driver.attach(NIC, domain);
        DmaMapper mapper = driver.createMapper(domain, DmaPolicy.STRICT, () -> 0);
        assertThat(List.of(
                        mapper.map(BUFFER, PAGE, DmaDirection.TO_DEVICE),
                        mapper.map(BUFFER + PAGE, PAGE, DmaDirection.TO_DEVICE)))
                .containsExactlyInAnyOrder(rmrr - PAGE, rmrr + 2 * PAGE);
        byte[] datum = {0x5A};
        assertThat(bench.unit.portFor(NIC).write(rmrr + 0x1234, datum, 0, 1, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.NONE);
        assertThat(bench.memory.readByte(rmrr + 0x1234)).isEqualTo((byte) 0x5A);
        assertThatThrownBy(() -> domain.map(rmrr, BUFFER, PAGE, MapRights.READ))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldRefuseWhatIsNoRange() {
        Domain domain = driver.createDomain();
        assertThatThrownBy(() -> domain.reserve(0x1000, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> domain.reserve(-1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> domain.reserveIdentity(0x1234, PAGE)).isInstanceOf(IllegalArgumentException.class);
    }
}
