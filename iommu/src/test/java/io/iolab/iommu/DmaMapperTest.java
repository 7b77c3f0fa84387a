package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.invalidate.InvalidationKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What each policy promises, seen by the device: VT-d 6.5 for invalidation, Linux's DMA API for the rest. */
class DmaMapperTest {
    private static final int NIC = 0x0020;
    private static final long BUFFER = 0x20_0000;
    private static final int SECRET = 0x5EC4E7;

    private final Bench bench = new Bench(RemappingOptions.defaults(), 24 << 20);
    private final IommuDriver driver = new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames);
    private long now = 1_000;

    @AfterEach
    void release() {
        bench.close();
    }

    private DmaMapper mapper(DmaPolicy policy) {
        driver.enable();
        Domain domain = policy == DmaPolicy.PASS_THROUGH ? driver.createPassThroughDomain() : driver.createDomain();
        driver.attach(NIC, domain);
        return driver.createMapper(domain, policy, () -> now);
    }

    private DmaFault read(long iova, byte[] into) {
        return bench.unit.portFor(NIC).read(iova, into, 0, into.length, DmaKind.PAYLOAD);
    }

    private boolean reads(long iova) {
        return read(iova, new byte[4]) == DmaFault.NONE;
    }

    private boolean writes(long iova, byte... data) {
        return bench.unit.portFor(NIC).write(iova, data, 0, data.length, DmaKind.PAYLOAD) == DmaFault.NONE;
    }

    private List<FaultReport> faults() {
        List<FaultReport> reports = new ArrayList<>();
        driver.handleFaults(reports::add);
        return reports;
    }

    @ParameterizedTest
    @EnumSource
    void shouldMoveDataBothWays(DmaPolicy policy) {
        DmaMapper mapper = mapper(policy);
        long hpa = BUFFER + 0x123;
        bench.memory.write(hpa, new byte[] {1, 2, 3, 4, 5}, 0, 5);
        long iova = mapper.map(hpa, 5, DmaDirection.TO_DEVICE);
        byte[] seen = new byte[5];
        assertThat(read(iova, seen)).isEqualTo(DmaFault.NONE);
        assertThat(seen).containsExactly(1, 2, 3, 4, 5);
        mapper.unmap(iova);

        iova = mapper.map(hpa, 5, DmaDirection.FROM_DEVICE);
        assertThat(writes(iova, (byte) 9, (byte) 8)).isTrue();
        mapper.unmap(iova);
        bench.memory.read(hpa, seen, 0, 5);
        assertThat(seen).as("what the device did not write stays").containsExactly(9, 8, 3, 4, 5);
        assertThat(mapper.mapped()).isZero();
        assertThat(mapper.counters().maps()).isEqualTo(2);
        mapper.close();
    }

    @ParameterizedTest
    @EnumSource
    void shouldCrossPagesAndKeepLargeBuffersContiguous(DmaPolicy policy) {
        DmaMapper mapper = mapper(policy);
        byte[] data = new byte[50_000];
        new SplittableRandom(7).nextBytes(data);
        bench.memory.write(BUFFER + 0xFF0, data, 0, data.length);
        long iova = mapper.map(BUFFER + 0xFF0, data.length, DmaDirection.BIDIRECTIONAL);
        byte[] seen = new byte[data.length];
        assertThat(read(iova, seen)).isEqualTo(DmaFault.NONE);
        assertThat(seen).isEqualTo(data);
        assertThat(writes(iova + 40_000, (byte) 77)).isTrue();
        mapper.syncForProcessor(iova);
        assertThat(bench.memory.readByte(BUFFER + 0xFF0 + 40_000)).isEqualTo((byte) 77);
        bench.memory.writeByte(BUFFER + 0xFF0, (byte) 78);
        mapper.syncForDevice(iova);
        assertThat(bench.unit.portFor(NIC).read(iova, seen, 0, 1, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.NONE);
        assertThat(seen[0]).isEqualTo((byte) 78);
        mapper.unmap(iova);
    }

    /** Strict: what unmap has returned from is gone, and the record says why. */
    @Test
    void shouldBeUnreachableOnceStrictUnmapReturns() {
        DmaMapper mapper = mapper(DmaPolicy.STRICT);
        for (int round = 0; round < 300; round++) {
            long iova = mapper.map(BUFFER, 64, DmaDirection.TO_DEVICE);
            assertThat(reads(iova)).isTrue();
            assertThat(writes(iova, (byte) 1)).as("read-only").isFalse();
            mapper.unmap(iova);
            faults();
            assertThat(reads(iova)).isFalse();
            assertThat(faults()).containsExactly(new FaultReport(NIC, iova, Access.READ, 6));
        }
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_PAGE))
                .isEqualTo(300);
        assertThat(mapper.counters().stalePageNanos()).isZero();
        assertThat(mapper.nextFlushNanos()).isEqualTo(DmaMapper.NEVER);
    }

    /** Deferred: the IOTLB still has it, until 250 unmaps have come together or 10 ms have passed. */
    @Test
    void shouldLeaveWindowUntilTimeIsUpWhenDeferred() {
        DmaMapper mapper = mapper(DmaPolicy.DEFERRED);
        bench.memory.writeInt(BUFFER, SECRET);
        long iova = mapper.map(BUFFER, 4, DmaDirection.TO_DEVICE);
        assertThat(reads(iova)).isTrue();
        long unmapped = now;
        mapper.unmap(iova);
        assertThat(mapper.nextFlushNanos()).isEqualTo(unmapped + 10_000_000);
        now += 9_999_999;
        mapper.poll();
        assertThat(reads(iova)).as("stale, as the policy allows").isTrue();
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_DOMAIN))
                .isZero();
        now++;
        mapper.poll();
        assertThat(reads(iova)).isFalse();
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_DOMAIN))
                .isEqualTo(1);
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_PAGE))
                .isZero();
        assertThat(mapper.counters().stalePageNanos()).isEqualTo(10_000_000);
        assertThat(mapper.counters().longestStaleNanos()).isEqualTo(10_000_000);
        assertThat(mapper.nextFlushNanos()).isEqualTo(DmaMapper.NEVER);
    }

    @Test
    void shouldFlushOnceForTwoHundredFiftyUnmaps() {
        DmaMapper mapper = mapper(DmaPolicy.DEFERRED);
        Map<Long, Boolean> given = new HashMap<>();
        for (int i = 1; i <= 1_000; i++) {
            long iova = mapper.map(BUFFER + 4096L * (i % 16), 4096, DmaDirection.FROM_DEVICE);
            assertThat(given.put(iova, true)).as("not reused before its flush").isNull();
            mapper.unmap(iova);
            assertThat(mapper.counters().flushes()).isEqualTo(i / 250);
            if (i % 250 == 0) {
                given.clear();
            }
        }
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_DOMAIN))
                .isEqualTo(4);
    }

    /** A walk of the unit may still be under way in a table that a deferred unmap took out: its frame stays until the flush. */
    @Test
    void shouldKeepTablesUntilDeferredFlush() {
        DmaMapper mapper = mapper(DmaPolicy.DEFERRED);
        long nearlyLarge = (2 << 20) - 4096;
        long first = mapper.map(BUFFER + 4096, nearlyLarge, DmaDirection.TO_DEVICE);
        long second = mapper.map(BUFFER + 4096, nearlyLarge, DmaDirection.TO_DEVICE);
        mapper.unmap(first);
        mapper.unmap(second);
        mapper.flush();
        int before = bench.frames.inUse;
        mapper.unmap(mapper.map(BUFFER + 4096, 2 << 20, DmaDirection.TO_DEVICE));
        long promoted = mapper.map(BUFFER, 2 << 20, DmaDirection.TO_DEVICE);
        assertThat(bench.frames.inUse).as("two tables wait").isEqualTo(before);
        assertThat(reads(promoted + 0x12_3000)).isTrue();
        mapper.flush();
        assertThat(bench.frames.inUse).isEqualTo(before - 2);
        assertThat(reads(promoted + 0x12_3000)).isTrue();
    }

    /** The neighbour on the page is shown by whole-page policies and hidden by shadow copy. */
    @Test
    void shouldShowNeighboursOnThePageExceptUnderShadowCopy() {
        for (DmaPolicy policy : new DmaPolicy[] {DmaPolicy.STRICT, DmaPolicy.DEFERRED, DmaPolicy.SHADOW}) {
            try (Bench own = new Bench()) {
                IommuDriver host = new IommuDriver(own.cpu, Bench.BASE, own.memory, own.frames);
                host.enable();
                Domain domain = host.createDomain();
                host.attach(NIC, domain);
                DmaMapper mapper = host.createMapper(domain, policy, () -> 0);
                own.memory.writeInt(BUFFER + 0x800, SECRET);
                long iova = mapper.map(BUFFER, 64, DmaDirection.TO_DEVICE);
                byte[] page = new byte[4096];
                assertThat(own.unit.portFor(NIC).read(iova & -4096, page, 0, 4096, DmaKind.PAYLOAD))
                        .isEqualTo(DmaFault.NONE);
                boolean shown = page[0x800] == (byte) SECRET && page[0x802] == (byte) (SECRET >> 16);
                assertThat(shown).as(policy.label()).isEqualTo(policy != DmaPolicy.SHADOW);
                assertThat(mapper.counters().neighbourBytes()).isEqualTo(shown ? 4096 - 64 : 0);
            }
        }
    }

    /** A slot's earlier user must not show through what the device left unwritten, nor a write after unmap reach the buffer. */
    @Test
    void shouldKeepSlotsOfShadowCopyApart() {
        DmaMapper mapper = mapper(DmaPolicy.SHADOW);
        long iova = mapper.map(BUFFER, 64, DmaDirection.FROM_DEVICE);
        assertThat(writes(iova, new byte[] {1, 1, 1, 1, 1, 1, 1, 1})).isTrue();
        mapper.unmap(iova);
        long other = BUFFER + 0x1000;
        long again = mapper.map(other, 64, DmaDirection.FROM_DEVICE);
        assertThat(again).as("the slot comes back at once").isEqualTo(iova);
        assertThat(reads(again)).as("write-only pool").isFalse();
        mapper.unmap(again, 4);
        assertThat(bench.memory.readLong(other)).isZero();
        assertThat(writes(iova, (byte) 5)).as("the pool stays mapped").isTrue();
        assertThat(bench.memory.readByte(other)).as("and leads to no buffer").isZero();
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_PAGE))
                .isZero();
        assertThat(mapper.counters().copiedBytes()).isEqualTo(64 + 64 + 64 + 4);
        assertThat(mapper.map(BUFFER, 65_537, DmaDirection.TO_DEVICE)).isEqualTo(DmaMapper.FAILED);
        int before = bench.frames.inUse;
        mapper.close();
        assertThat(before - bench.frames.inUse).as("frames of the pool").isGreaterThanOrEqualTo(512);
        assertThat(writes(iova, (byte) 5)).isFalse();
    }

    @Test
    void shouldRunOutOfSlotsWithoutHarm() {
        DmaMapper mapper = mapper(DmaPolicy.SHADOW);
        List<Long> taken = new ArrayList<>();
        long iova;
        while ((iova = mapper.map(BUFFER, 64, DmaDirection.TO_DEVICE)) != DmaMapper.FAILED) {
            taken.add(iova);
        }
        assertThat(taken).hasSize(512).doesNotHaveDuplicates();
        assertThat(mapper.counters().refused()).isEqualTo(1);
        mapper.unmap(taken.get(99));
        assertThat(mapper.map(BUFFER, 64, DmaDirection.TO_DEVICE)).isEqualTo(taken.get(99));
    }

    /** From the top below 4 GiB, aligned to their size, never the interrupt range (VT-d 3.14) and never 0. */
    @Test
    void shouldGiveOutAddressesFromTheTopBelowFourGiB() {
        DmaMapper mapper = mapper(DmaPolicy.STRICT);
        long first = mapper.map(BUFFER, 4096, DmaDirection.TO_DEVICE);
        assertThat(first).isEqualTo(0xFFFF_F000L);
        assertThat(mapper.map(BUFFER, 4096, DmaDirection.TO_DEVICE)).isEqualTo(0xFFFF_E000L);
        assertThat(mapper.map(BUFFER, 3 * 4096, DmaDirection.TO_DEVICE)).isEqualTo(0xFFFF_8000L);
        assertThat(mapper.map(BUFFER, 2 << 20, DmaDirection.TO_DEVICE)).isEqualTo(0xFFC0_0000L);
        mapper.unmap(first);
        assertThat(mapper.map(BUFFER + 5, 9, DmaDirection.TO_DEVICE))
                .as("cached")
                .isEqualTo(first + 5);
        for (int i = 0; i < 16; i++) {
            long iova = mapper.map(0, 8 << 20, DmaDirection.TO_DEVICE);
            assertThat(iova < 0xFEE0_0000L - (7 << 20) || iova >= 0xFEF0_0000L)
                    .as("%x", iova)
                    .isTrue();
        }
        long large = mapper.map(0, 4L << 30, DmaDirection.TO_DEVICE);
        assertThat(large).as("no room below").isGreaterThanOrEqualTo(4L << 30);
        assertThat(mapper.map(0, 1L << 48, DmaDirection.TO_DEVICE)).isEqualTo(DmaMapper.FAILED);
    }

    @Test
    void shouldMapAlignedBufferWithLargePage() {
        DmaMapper mapper = mapper(DmaPolicy.STRICT);
        long iova = mapper.map(4 << 20, 2 << 20, DmaDirection.TO_DEVICE);
        for (int page = 0; page < 512; page++) {
            assertThat(reads(iova + 4096L * page)).isTrue();
        }
        assertThat(bench.unit.counters().iotlbMisses())
                .as("one translation serves it")
                .isEqualTo(1);
        mapper.unmap(iova);
        assertThat(reads(iova + 0x10_0000)).isFalse();
        assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_PAGE))
                .isEqualTo(1);
    }

    /** Random use against a plain list: mapped buffers are reachable with their own bytes, and no address is given out twice. */
    @ParameterizedTest
    @EnumSource
    void shouldSurviveRandomUse(DmaPolicy policy) {
        long seed = 42;
        SplittableRandom random = new SplittableRandom(seed);
        DmaMapper mapper = mapper(policy);
        Map<Long, long[]> live = new HashMap<>();
        for (int step = 0; step < 5_000; step++) {
            now += random.nextInt(100_000);
            mapper.poll();
            if (live.size() < 40 && random.nextBoolean()) {
                long hpa = BUFFER + random.nextInt(1 << 20);
                long length = 1L + random.nextInt(random.nextInt(8) == 0 ? 60_000 : 3_000);
                long iova = mapper.map(hpa, length, DmaDirection.TO_DEVICE);
                boolean isNew = policy == DmaPolicy.PASS_THROUGH || live.put(iova, new long[] {hpa, length}) == null;
                assertThat(isNew).as("seed %d, step %d", seed, step).isTrue();
                if (policy == DmaPolicy.PASS_THROUGH) {
                    mapper.unmap(iova);
                } else {
                    byte[] first = new byte[1];
                    assertThat(read(iova + length - 1, first)).isEqualTo(DmaFault.NONE);
                    assertThat(first[0]).isEqualTo(bench.memory.readByte(hpa + length - 1));
                }
            } else if (!live.isEmpty()) {
                long iova = live.keySet().stream()
                        .skip(random.nextInt(live.size()))
                        .findFirst()
                        .orElseThrow();
                live.remove(iova);
                mapper.unmap(iova);
                if (policy == DmaPolicy.STRICT) {
                    assertThat(reads(iova)).as("seed %d, step %d", seed, step).isFalse();
                }
            }
        }
        live.keySet().forEach(mapper::unmap);
        mapper.close();
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseNonsense(DmaPolicy policy) {
        DmaMapper mapper = mapper(policy);
        assertThatThrownBy(() -> mapper.map(BUFFER, 0, DmaDirection.TO_DEVICE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> mapper.map(-1, 5, DmaDirection.TO_DEVICE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> mapper.unmap(0x5000)).isInstanceOf(IllegalStateException.class);
        long iova = mapper.map(BUFFER, 5, DmaDirection.TO_DEVICE);
        assertThatThrownBy(mapper::close).isInstanceOf(IllegalStateException.class);
        mapper.unmap(iova);
        assertThatThrownBy(() -> mapper.unmap(iova)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldRefusePolicyThatDoesNotSuitTheDomain() {
        driver.enable();
        Domain translated = driver.createDomain();
        Domain open = driver.createPassThroughDomain();
        assertThatThrownBy(() -> driver.createMapper(translated, DmaPolicy.PASS_THROUGH, () -> 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> driver.createMapper(open, DmaPolicy.SHADOW, () -> 0))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
