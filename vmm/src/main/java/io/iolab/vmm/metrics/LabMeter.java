package io.iolab.vmm.metrics;

import static io.iolab.vmm.metrics.MeterTag.CAUSE;
import static io.iolab.vmm.metrics.MeterTag.DIRECTION;
import static io.iolab.vmm.metrics.MeterTag.GUEST;
import static io.iolab.vmm.metrics.MeterTag.HANDLER;
import static io.iolab.vmm.metrics.MeterTag.KIND;
import static io.iolab.vmm.metrics.MeterTag.OP;
import static io.iolab.vmm.metrics.MeterTag.OUTCOME;
import static io.iolab.vmm.metrics.MeterTag.PATH;
import static io.iolab.vmm.metrics.MeterTag.QUEUE;
import static io.iolab.vmm.metrics.MeterTag.REASON;
import static io.iolab.vmm.metrics.MeterTag.RESULT;
import static io.iolab.vmm.metrics.MeterTag.SHARE;
import static io.iolab.vmm.metrics.MeterTag.VERSION;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Every meter of the lab: the one place for names, units, descriptions and tags. Times are the run's: see {@link #CLOCK}. */
public enum LabMeter {
    EXITS(
            Kind.COUNTER,
            "iolab.exits",
            null,
            "VM exits, by basic exit reason and by who finished them",
            PATH,
            GUEST,
            REASON,
            HANDLER),
    EXIT_HANDLING(
            Kind.TIMER,
            "iolab.exit.handling",
            Unit.SECONDS,
            "Time from leaving the guest to being back in it, in the run's clock",
            PATH,
            GUEST),
    FRAMES(
            Kind.COUNTER,
            "iolab.net.frames",
            null,
            "Frames that guest programs sent or received",
            PATH,
            GUEST,
            DIRECTION),
    BYTES(
            Kind.COUNTER,
            "iolab.net.bytes",
            Unit.BYTES,
            "Bytes of frames that guest programs sent or received, without preamble and FCS",
            PATH,
            GUEST,
            DIRECTION),
    DROPS(
            Kind.COUNTER,
            "iolab.net.drops",
            null,
            "Frames that never reached the program they were for",
            PATH,
            GUEST,
            DIRECTION,
            CAUSE),
    KICKS(
            Kind.COUNTER,
            "iolab.kicks",
            null,
            "Doorbells that drivers rang (sent) and those the device had asked not to have (suppressed)",
            PATH,
            GUEST,
            OUTCOME),
    WAKEUPS(
            Kind.COUNTER,
            "iolab.wakeups",
            null,
            "Times that a sleeping thread serving the guest's device was woken; a back end that polls never sleeps",
            PATH,
            GUEST,
            CAUSE),
    INTERRUPTS(
            Kind.COUNTER,
            "iolab.interrupts",
            null,
            "Interrupts that devices wanted, by what became of them; one interrupt may count in several outcomes",
            PATH,
            GUEST,
            OUTCOME),
    COPIED(
            Kind.COUNTER,
            "iolab.copied.bytes",
            Unit.BYTES,
            "Bytes that a host processor moved between guest memory and host buffers",
            PATH,
            GUEST),
    DMA(
            Kind.COUNTER,
            "iolab.dma.bytes",
            Unit.BYTES,
            "Bytes that a physical device moved by DMA",
            PATH,
            GUEST,
            OP,
            KIND),
    IOTLB(
            Kind.COUNTER,
            "iolab.iotlb.lookups",
            null,
            "Translations that the IOMMU looked for in its IOTLB",
            PATH,
            GUEST,
            RESULT),
    WALKS(
            Kind.COUNTER,
            "iolab.iommu.walk.accesses",
            null,
            "Table entries that the IOMMU read from memory",
            PATH,
            GUEST),
    FAULTS(Kind.COUNTER, "iolab.iommu.faults", null, "DMA requests that the IOMMU blocked", PATH, GUEST, REASON),
    INVALIDATIONS(
            Kind.COUNTER,
            "iolab.iommu.invalidations",
            null,
            "Invalidations that the IOMMU carried out, over all devices",
            KIND),
    LATENCY(
            Kind.TIMER,
            "iolab.packet.latency",
            Unit.SECONDS,
            "Time from the sending program's call to the receiving program's return, in the run's clock; a round trip"
                    + " counts as received",
            PATH,
            GUEST,
            DIRECTION),
    OCCUPANCY(
            Kind.GAUGE,
            "iolab.ring.occupancy",
            null,
            "Frames handed to the device that the driver has not seen completed",
            PATH,
            GUEST,
            QUEUE),
    CPU(
            Kind.COUNTER,
            "iolab.cpu.seconds",
            Unit.SECONDS,
            "Processor time spent for the guest by the cost profile, by whose it is",
            PATH,
            GUEST,
            SHARE),
    WATCHDOG(
            Kind.COUNTER,
            "iolab.watchdog.events",
            null,
            "Looks of watchdogs, the guest's and the host's, that found something wrong, by what it was",
            PATH,
            GUEST,
            KIND),
    CLOCK(
            Kind.GAUGE,
            "iolab.clock.virtual",
            Unit.SECONDS,
            "Time of the run since it began: modelled seconds on the virtual clock, real ones on the wall clock"),
    BUILD(Kind.GAUGE, "iolab.build.info", null, "Always 1; the version is in the label", VERSION);

    /** What a meter is. */
    public enum Kind {
        /** Only grows. */
        COUNTER,
        /** Durations: count, total, and buckets where the registry has them. */
        TIMER,
        /** Goes up and down. */
        GAUGE
    }

    private static final class Unit {
        static final String SECONDS = "seconds";
        static final String BYTES = "bytes";
    }

    private final Kind kind;
    private final String meterName;
    private final @Nullable String unit;
    private final String description;
    private final List<MeterTag> tags;

    LabMeter(Kind kind, String meterName, @Nullable String unit, String description, MeterTag... tags) {
        this.kind = kind;
        this.meterName = meterName;
        this.unit = unit;
        this.description = description;
        this.tags = List.of(tags);
    }

    public Kind kind() {
        return kind;
    }

    /** With dots, as Micrometer names it. */
    public String meterName() {
        return meterName;
    }

    /** The base unit, or null for a plain number. */
    public @Nullable String unit() {
        return unit;
    }

    public String description() {
        return description;
    }

    public List<MeterTag> tags() {
        return tags;
    }

    /** The family in Prometheus: underscores, the unit at the end; a counter's {@code _total} is not part of it. */
    public String family() {
        String name = meterName.replace('.', '_');
        return unit == null || name.endsWith("_" + unit) ? name : name + "_" + unit;
    }

    /** The series in Prometheus, as queries name them. */
    public List<String> series() {
        return switch (kind) {
            case COUNTER -> List.of(family() + "_total");
            case GAUGE -> List.of(family());
            case TIMER -> List.of(family() + "_bucket", family() + "_sum", family() + "_count");
        };
    }
}
