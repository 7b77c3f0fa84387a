package io.iolab.vmm.policy;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.IommuCounters;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.DmaCounters;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.vmm.memory.HostFrames;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;

/**
 * A network driver on one processor and a NIC behind the remapping unit. For every packet sent and every packet received a buffer is
 * mapped, used by one DMA request, and unmapped when its place in a ring of {@link #RING} comes round again. Large buffers are mapped
 * once for the 1024 packets that they hold; under shadow copy a packet always has a slot of its own, and what is large is the page
 * under the slots.
 *
 * <p>The clock is what the processor has spent so far, so a deferred flush comes when it would have come.
 */
public final class PolicyBench {
    /** Bits a second, each way. */
    public static final long LINE_RATE = 10_000_000_000L;

    /** Buffers mapped at once, each way. */
    public static final int RING = 128;

    private static final long MEMORY = 64L << 20;
    private static final long IOMMU_BASE = 0xFED9_0000L;
    private static final int NIC = 0x0020;
    private static final long PICOS_PER_NANO = 1000;
    private static final long PICOS_PER_SECOND = 1_000_000_000_000L;

    /** Preamble, start delimiter, frame check sequence and gap, bytes (IEEE 802.3 clause 4.4.2). */
    private static final int WIRE_OVERHEAD = 24;

    private final PolicyCase plan;
    private final CostProfile profile;
    private final RemappingUnit unit;
    private final DmaMapper mapper;
    private final DmaPort nic;
    private final HostFrames frames;
    private final byte[] packet;
    /** Invalidations that bringing the unit up has taken. */
    private final long invalidationsBefore;

    private long transmitted;
    private long received;

    private PolicyBench(PolicyCase plan, CostProfile profile, PhysicalMemory memory) {
        this.plan = plan;
        this.profile = profile;
        frames = new HostFrames(memory);
        packet = new byte[plan.packetBytes()];
        unit = new RemappingUnit(
                RemappingOptions.builder().pagingStructureCache(16, 4).build(), memory, (address, data) -> {});
        IommuDriver driver = new IommuDriver(
                new RegisterPage(unit.registers()), IOMMU_BASE, memory, new Frames(frames, plan.largeBuffers()));
        driver.enable();
        Domain domain =
                plan.policy() == DmaPolicy.PASS_THROUGH ? driver.createPassThroughDomain() : driver.createDomain();
        driver.attach(NIC, domain);
        mapper = driver.createMapper(domain, plan.policy(), this::nanos);
        nic = unit.portFor(NIC);
        invalidationsBefore = iotlbInvalidations();
    }

    /**
     * Runs a case.
     *
     * @param packets half of them sent, half received; 2 or more
     */
    public static PolicyResult run(PolicyCase plan, CostProfile profile, long packets) {
        if (packets < 2) {
            throw new IllegalArgumentException(packets + " packets");
        }
        try (PhysicalMemory memory = PhysicalMemory.allocate(MEMORY)) {
            return new PolicyBench(plan, profile, memory).run(packets / 2);
        }
    }

    private PolicyResult run(long each) {
        boolean whole = plan.largeBuffers() && plan.policy() != DmaPolicy.SHADOW;
        BufferRing transmit = ring(whole, DmaDirection.TO_DEVICE);
        BufferRing receive = ring(whole, DmaDirection.FROM_DEVICE);
        for (long i = 0; i < each; i++) {
            require(nic.read(transmit.next(), packet, 0, packet.length, DmaKind.PAYLOAD));
            transmitted++;
            require(nic.write(receive.next(), packet, 0, packet.length, DmaKind.PAYLOAD));
            received++;
            mapper.poll();
        }
        transmit.drain();
        receive.drain();
        mapper.flush();
        return result();
    }

    private BufferRing ring(boolean whole, DmaDirection direction) {
        return whole
                ? new LargeBuffers(mapper, frames, direction)
                : new PageBuffers(mapper, frames, direction, plan.packetBytes());
    }

    private static void require(DmaFault fault) {
        if (fault != DmaFault.NONE) {
            throw new IllegalStateException("the NIC was refused a mapped buffer: " + fault);
        }
    }

    private long iotlbInvalidations() {
        IommuCounters counters = unit.counters();
        return counters.invalidations(InvalidationKind.IOTLB_PAGE)
                + counters.invalidations(InvalidationKind.IOTLB_DOMAIN)
                + counters.invalidations(InvalidationKind.IOTLB_GLOBAL);
    }

    private long nanos() {
        return (dmaPicos() + stackPicos()) / PICOS_PER_NANO;
    }

    private long stackPicos() {
        return transmitted * profile.picos(Cost.GUEST_TX_PACKET) + received * profile.picos(Cost.GUEST_RX_PACKET);
    }

    private long dmaPicos() {
        DmaCounters counters = mapper.counters();
        long tables = plan.policy() == DmaPolicy.STRICT || plan.policy() == DmaPolicy.DEFERRED
                ? counters.maps() * profile.picos(Cost.IOMMU_MAP_PAGE)
                        + counters.unmaps() * profile.picos(Cost.IOMMU_UNMAP_PAGE)
                : 0;
        long deferred = plan.policy() == DmaPolicy.DEFERRED ? counters.unmaps() * profile.picos(Cost.IOMMU_DEFER) : 0;
        return tables
                + deferred
                + counters.addressesCached() * profile.picos(Cost.IOMMU_IOVA_CACHED)
                + counters.addressesSearched() * profile.picos(Cost.IOMMU_IOVA_ALLOC)
                + (iotlbInvalidations() - invalidationsBefore) * profile.picos(Cost.IOMMU_INVALIDATE)
                + counters.copies() * profile.picos(Cost.COPY_CALL)
                + counters.copiedBytes() * profile.picos(Cost.COPY_BYTE);
    }

    private PolicyResult result() {
        DmaCounters counters = mapper.counters();
        long packets = transmitted + received;
        long walks = unit.counters().walkAccesses();
        long wireBits = 8L * (plan.packetBytes() + WIRE_OVERHEAD);
        return new PolicyResult(
                plan,
                packets,
                dmaPicos(),
                stackPicos(),
                walks * profile.picos(Cost.IOMMU_WALK_ACCESS),
                packets * wireBits * (PICOS_PER_SECOND / LINE_RATE),
                iotlbInvalidations() - invalidationsBefore,
                unit.counters().iotlbMisses(),
                walks,
                counters.stalePageNanos(),
                counters.longestStaleNanos(),
                counters.neighbourBytes(),
                counters.copiedBytes());
    }

    /** Frames of the host, large ones only where the case has large pages. */
    private record Frames(HostFrames frames, boolean large) implements FrameSource {
        @Override
        public long allocatePage() {
            return frames.allocate();
        }

        @Override
        public void freePage(long hpa) {
            frames.free(hpa);
        }

        @Override
        public long allocateLargePage() {
            return large ? frames.allocateLarge() : NONE;
        }

        @Override
        public void freeLargePage(long hpa) {
            frames.freeLarge(hpa);
        }
    }

    /** A processor that reaches nothing but the unit's registers. */
    private record RegisterPage(MmioHandler registers) implements CpuPort {
        @Override
        public long load(long hpa, int width) {
            return registers.read(hpa - IOMMU_BASE, width);
        }

        @Override
        public void store(long hpa, int width, long value) {
            registers.write(hpa - IOMMU_BASE, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}
