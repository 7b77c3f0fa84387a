package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import org.junit.jupiter.api.Test;

/** Domains and their ids, and what the driver refuses (VT-d 3.4.3, 6, 9.3). */
class IommuDriverDomainTest {
    private static final int NIC = 0x0020;
    private static final int OTHER = 0x0100;
    private static final long IOVA = 0x10_0000_0000L;
    private static final long HPA = 0x20_0000;

    private static IommuDriver driver(Bench bench) {
        IommuDriver driver = new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames);
        driver.enable();
        return driver;
    }

    private static boolean reads(Bench bench, int rid, long iova) {
        return bench.unit.portFor(rid).read(iova, new byte[4], 0, 4, DmaKind.PAYLOAD) == DmaFault.NONE;
    }

    /** The next owner of a domain id inherits nothing. */
    @Test
    void shouldLeaveNothingBehindUnderReusedDomainId() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            Domain first = driver.createDomain();
            first.map(IOVA, HPA, 4096, MapRights.READ);
            driver.attach(NIC, first);
            assertThat(reads(bench, NIC, IOVA)).isTrue();
            driver.detach(NIC);
            first.destroy();
            Domain second = driver.createDomain();
            assertThat(second.id()).isEqualTo(first.id());
            driver.attach(OTHER, second);
            assertThat(reads(bench, OTHER, IOVA)).isFalse();
        }
    }

    @Test
    void shouldPassThroughWhereAsked() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createPassThroughDomain();
            driver.attach(NIC, domain);
            assertThat(reads(bench, NIC, HPA)).isTrue();
            assertThat(bench.unit.portFor(NIC).write(1L << 40, new byte[1], 0, 1, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThatThrownBy(() -> domain.map(IOVA, HPA, 4096, MapRights.READ))
                    .isInstanceOf(IllegalStateException.class);
            driver.detach(NIC);
            assertThat(reads(bench, NIC, HPA)).isFalse();
        }
        try (Bench bench =
                new Bench(RemappingOptions.builder().passThrough(false).build())) {
            IommuDriver driver = driver(bench);
            assertThat(driver.supportsPassThrough()).isFalse();
            assertThatThrownBy(driver::createPassThroughDomain).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void shouldRefuseBadRequestsBeforeChangingAnything() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createDomain();
            domain.map(IOVA, HPA, 2 << 20, MapRights.READ);
            long[][] bad = {
                {IOVA + 1, HPA, 4096},
                {IOVA, HPA + 8, 4096},
                {IOVA, HPA, 100},
                {IOVA, HPA, 0},
                {IOVA, HPA, -4096},
                {domain.limit(), HPA, 4096},
                {domain.limit() - 4096, HPA, 8192},
                {-4096, HPA, 4096},
                {IOVA, -4096, 4096}
            };
            for (long[] args : bad) {
                assertThatThrownBy(() -> domain.map(args[0], args[1], args[2], MapRights.READ))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            assertThatThrownBy(() -> domain.map(IOVA - 4096, HPA, 8192, MapRights.READ))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(domain.translate(IOVA - 4096)).isEqualTo(-1);
            assertThatThrownBy(() -> domain.unmap(IOVA, 4096)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> domain.unmap(IOVA + 4096, 2 << 20)).isInstanceOf(IllegalArgumentException.class);
            assertThat(domain.mappedBytes()).isEqualTo(2 << 20);
            domain.map(domain.limit() - 4096, HPA, 4096, MapRights.READ);
            assertThat(domain.unmap(domain.limit() - 4096, 4096)).isEqualTo(4096);
            driver.attach(NIC, domain);
            assertThatThrownBy(() -> driver.attach(NIC, domain)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(domain::destroy).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> driver.detach(OTHER)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void shouldTakeOverUnitThatWasLeftRunning() {
        try (Bench bench = new Bench()) {
            IommuDriver first = driver(bench);
            Domain open = first.createDomain();
            open.map(IOVA, HPA, 4096, MapRights.READ_WRITE);
            first.attach(NIC, open);
            assertThat(reads(bench, NIC, IOVA)).isTrue();
            driver(bench);
            assertThat(reads(bench, NIC, IOVA)).isFalse();
        }
    }

    @Test
    void shouldRefuseAddressWithoutUnit() {
        try (Bench bench = new Bench()) {
            assertThatThrownBy(() -> new IommuDriver(bench.cpu, 0x1_0000_0000L, bench.memory, bench.frames))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void shouldRunOutOfDomainIds() {
        try (Bench bench = new Bench(RemappingOptions.builder().domainIdBits(4).build())) {
            IommuDriver driver = driver(bench);
            for (int i = 1; i < 16; i++) {
                assertThat(driver.createDomain().id()).isEqualTo(i);
            }
            assertThatThrownBy(driver::createDomain).isInstanceOf(IllegalStateException.class);
        }
    }
}
