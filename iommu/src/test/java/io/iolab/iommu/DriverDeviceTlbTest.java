package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.TableMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The driver and functions with device TLBs: nothing stale is left in them, and one that does not cooperate is cut off. */
class DriverDeviceTlbTest {
    private static final int NIC = 0x0020;
    private static final int SECOND_HALF = 0x01A8;
    private static final long IOVA = 0x10_0000_0000L;
    private static final long HPA = 0x20_0000;

    /** Device TLBs are asked after the IOTLB (VT-d 6.5.3), by page and by block, and only the functions that have one. */
    @ParameterizedTest
    @EnumSource
    void shouldLeaveNothingStaleInDevices(TableMode mode) {
        try (Bench bench = new Bench(DriverMatrixTest.scalable(RemappingOptions.builder())
                .deviceTlb(true)
                .build())) {
            IommuDriver driver = DriverMatrixTest.driver(bench, mode);
            Domain domain = driver.createDomain();
            driver.attachWithDeviceTlb(NIC, domain);
            driver.attach(SECOND_HALF, domain);
            CachingFunction function = new CachingFunction(bench, NIC);
            domain.map(IOVA, HPA, 0x8000, MapRights.READ);
            assertThat(function.asked)
                    .as("nothing to forget when something appears")
                    .isZero();
            for (int page = 0; page < 8; page++) {
                assertThat(function.reads(IOVA + 4096L * page)).isTrue();
            }
            domain.unmap(IOVA + 0x3000, 0x1000);
            assertThat(function.asked).isEqualTo(1);
            assertThat(function.reads(IOVA + 0x3000)).isFalse();
            assertThat(function.reads(IOVA + 0x2000)).isTrue();
            domain.unmap(IOVA + 0x4000, 0x4000);
            for (int page = 4; page < 8; page++) {
                assertThat(function.reads(IOVA + 4096L * page)).isFalse();
            }
            assertThat(function.reads(IOVA)).isTrue();
            domain.flush();
            domain.map(IOVA + 0x10_0000, HPA, 0x1000, MapRights.READ);
            assertThat(function.reads(IOVA + 0x10_0000)).isTrue();
            driver.detach(NIC);
            assertThat(function.reads(IOVA + 0x10_0000)).isFalse();
            assertThat(driver.isolations()).isZero();
        }
    }

    /** A device that never completes its invalidations loses everything, and unmap returns all the same. */
    @ParameterizedTest
    @EnumSource
    void shouldCutOffDeviceThatDoesNotAnswer(TableMode mode) {
        try (Bench bench = new Bench(DriverMatrixTest.scalable(RemappingOptions.builder())
                .deviceTlb(true)
                .build())) {
            IommuDriver driver = DriverMatrixTest.driver(bench, mode);
            Domain domain = driver.createDomain();
            driver.attachWithDeviceTlb(NIC, domain);
            driver.attach(SECOND_HALF, domain);
            CachingFunction function = new CachingFunction(bench, NIC);
            domain.map(IOVA, HPA, 0x2000, MapRights.READ);
            assertThat(function.reads(IOVA)).isTrue();
            function.answers = false;
            domain.unmap(IOVA, 0x1000);
            assertThat(driver.isolations()).isEqualTo(1);
            assertThat(function.reads(IOVA)).as("what it still has cached").isFalse();
            assertThat(DriverMatrixTest.reads(bench, NIC, IOVA + 0x1000))
                    .as("all of it")
                    .isFalse();
            assertThat(DriverMatrixTest.reads(bench, SECOND_HALF, IOVA + 0x1000))
                    .as("its neighbour goes on")
                    .isTrue();
            domain.unmap(IOVA + 0x1000, 0x1000);
            assertThat(driver.isolations()).as("asked no more").isEqualTo(1);
            driver.detach(NIC);
            function.answers = true;
            driver.attach(NIC, domain);
            domain.map(IOVA, HPA, 0x1000, MapRights.READ);
            assertThat(DriverMatrixTest.reads(bench, NIC, IOVA)).isTrue();
        }
    }
}
