package io.iolab.scenarios.scenario;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.schema.JsonSchema;
import io.iolab.vmm.AssignedNic;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.InterruptDelivery;
import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.VirtioTuning.Backend;
import io.iolab.vmm.VirtioTuning.Ring;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.config.Quantity;
import io.iolab.vmm.ledger.Path;
import java.util.List;

/** Every key that a scenario file may hold. Defaults stand in the descriptions and are applied by the reader. */
final class ScenarioKeys {
    /** Ethernet frames without FCS: IEEE 802.3 clause 3.2.7, minFrameSize 64 and maxBasicFrameSize 1518 less 4. */
    static final int MIN_FRAME = 60;

    static final int MAX_FRAME = 1514;

    private static final long SECOND = 1_000_000_000_000L;
    private static final long MIB = 1 << 20;

    private ScenarioKeys() {}

    /** The cable between a guest's NIC and the switch. */
    static final class Link {
        static final Key<Long> BANDWIDTH = Key.quantity(
                "bandwidth",
                "Of the cable; default 1Gbit/s.",
                Quantity.BANDWIDTH,
                1_000_000L,
                SECOND,
                "1Mbit/s to 1000Gbit/s");
        static final Key<Long> DELAY = Key.quantity(
                "delay", "Propagation delay, one way; default 500ns.", Quantity.TIME, 0, SECOND, "0ns to 1s");
        static final Key<Integer> QUEUE =
                Key.powerOfTwo("queue", "Frames that may wait to enter the wire; default 256.", 2, 65536);
        static final List<Key<?>> ALL = List.of(BANDWIDTH, DELAY, QUEUE);

        private Link() {}
    }

    /** Driver and device settings. */
    static final class Nic {
        static final Key<Integer> RING =
                Key.powerOfTwo("ring", "Descriptors per ring; a virtqueue holds at most 256; default 256.", 8, 4096);
        static final Key<Integer> ITR = Key.timer(
                "itr",
                "e1000, e1000e, igbvf: least time between interrupts (ITR, EITR); default 0ns, none.",
                256_000,
                "256ns");
        static final Key<Integer> TX_DELAY = Key.timer(
                "tx_delay", "e1000, e1000e: transmit interrupt delay (TIDV); default 0ns.", 1_024_000, "1024ns");
        static final Key<Integer> RX_DELAY = Key.timer(
                "rx_delay", "e1000, e1000e: receive interrupt delay (RDTR); default 0ns.", 1_024_000, "1024ns");
        static final Key<Boolean> TX_INTERRUPTS = Key.flag(
                "tx_interrupts",
                "e1000, e1000e, igbvf: interrupt for each transmission, not only while the ring is full; default false.");
        static final Key<Boolean> EVENT_INDEX =
                Key.flag("event_index", "virtio: negotiate VIRTIO_F_EVENT_IDX; default true.");
        static final Key<Boolean> MERGEABLE =
                Key.flag("mergeable", "virtio: negotiate VIRTIO_NET_F_MRG_RXBUF; default true.");
        static final Key<Boolean> COALESCED_MMIO = Key.flag(
                "coalesced_mmio",
                "emulated: writes to registers without immediate effect wait in the kernel's ring; default true.");
        static final List<Key<?>> ALL =
                List.of(RING, ITR, TX_DELAY, RX_DELAY, TX_INTERRUPTS, EVENT_INDEX, MERGEABLE, COALESCED_MMIO);

        private Nic() {}
    }

    /** A virtio device and its back end. */
    static final class Virtio {
        static final Key<Backend> BACKEND = Key.choice(
                "backend",
                "user: a kick exits to the VMM process and is served there; vhost (the default): an ioeventfd wakes a thread of"
                        + " the host's kernel; poll: a thread looks at the rings all the time and kicks are off.",
                Backend.class);
        static final Key<Ring> RING = Key.choice("ring", "The form of the virtqueues; default split.", Ring.class);
        static final Key<Boolean> IN_ORDER = Key.flag(
                "in_order",
                "Negotiate VIRTIO_F_IN_ORDER, so that one used element may stand for several buffers; default false.");
        static final Key<Integer> QUEUE_SIZE = Key.powerOfTwo(
                "queue_size",
                "Descriptors a virtqueue has at most; default: those of the NIC's rings, 256 at most.",
                8,
                1024);
        static final List<Key<?>> ALL = List.of(BACKEND, RING, IN_ORDER, QUEUE_SIZE);

        private Virtio() {}
    }

    /** Where an assigned NIC has its MSI-X table. */
    static final class Msix {
        static final Key<Boolean> SHARED_PAGE = Key.flag(
                "shared_page",
                "The table lies in the page of the NIC's transmit registers, so that page cannot be mapped into the guest and"
                        + " each access to it exits; default false: in a BAR of its own.");
        static final List<Key<?>> ALL = List.of(SHARED_PAGE);

        private Msix() {}
    }

    /** What a guest's own kernel does about its NIC's DMA. */
    static final class Iommu {
        static final Key<Viommu> VIOMMU = Key.choice(
                "viommu",
                "passthrough: the remapping unit that the guest sees; shadow (the default there): one with caching mode, whose tables"
                        + " the VMM copies into the NIC's domain; nested: one in scalable mode, whose first-level tables the host's unit"
                        + " walks itself, each address in them through the host's table of the guest's memory. On the native path the"
                        + " kernel drives the host's unit.",
                Viommu.class);
        static final Key<Policy> POLICY = Key.choice(
                "policy",
                "How the kernel maps each packet's buffer: none, passthrough (a domain that reaches everything), strict (unmapped and"
                        + " invalidated at once; the default), deferred (invalidated 250 at a time or after 10ms), shadow (bounce"
                        + " buffers).",
                Policy.class);
        static final List<Key<?>> ALL = List.of(VIOMMU, POLICY);

        private Iommu() {}
    }

    /** One direction of a stream. */
    static final class Flow {
        static final Key<Long> RATE = Key.rate("rate", "Packets per second such as 50kpps, or max (the default).");
        static final Key<Long> BURST =
                Key.integer("burst", "Frames handed to the driver per doorbell; default 1.", 1, 64);
        static final Key<Long> COUNT =
                Key.integer("count", "Frames in all; 0 (the default) for no limit.", 0, Long.MAX_VALUE);
        static final List<Key<?>> ALL = List.of(RATE, BURST, COUNT);

        private Flow() {}
    }

    /** The traffic; which keys may stand there depends on {@code kind}. */
    static final class Traffic {
        static final Key<WorkloadKind> KIND =
                Key.choice("kind", "What kind of traffic.", WorkloadKind.class).required();
        static final Key<Long> SIZE = Key.quantity(
                "size",
                "Frame bytes without FCS.",
                Quantity.SIZE,
                MIN_FRAME,
                MAX_FRAME,
                MIN_FRAME + "B to " + MAX_FRAME + "B");
        static final Key<List<Integer>> SIZES =
                Key.sizes("sizes", "Frame sizes without FCS, sent in turn.", MIN_FRAME, MAX_FRAME);
        static final Key<ConfigNode> TRANSMIT =
                Key.section("transmit", "What the guest sends; absent: nothing.", () -> Key.mapping(Flow.ALL));
        static final Key<ConfigNode> RECEIVE = Key.section(
                "receive", "What the peer sends to the guest; absent: nothing.", () -> Key.mapping(Flow.ALL));
        static final Key<Long> COUNT =
                Key.integer("count", "Round trips in all; 0 (the default) for no limit.", 0, Long.MAX_VALUE);
        static final Key<Long> THINK = Key.quantity(
                "think",
                "Pause between a response and the next request; default 0ns.",
                Quantity.TIME,
                0,
                SECOND,
                "0ns to 1s");
        static final Key<String> FILE =
                Key.text("file", "A pcap or pcapng file of Ethernet frames, relative to the scenario file.");
        static final Key<String> CAPTURE = Key.text("capture", "A capture that comes with the lab, instead of file.");
        static final Key<Boolean> FLAT_OUT = Key.flag("flat_out", "Ignore the capture's timing; default false.");
        static final Key<Boolean> BOTH_SIDES = Key.flag(
                "both_sides",
                "The guest sends what the first frame's sender sent and the peer the rest; default false: the guest sends all.");
        static final Key<Long> LOOPS = Key.integer(
                "loops", "How often the capture is replayed; 0 (the default) as long as the run lasts.", 0, 1L << 32);
        static final Key<Long> RATE = Key.rate("rate", "Requests per second such as 50kpps, or max (the default).");

        private Traffic() {}

        static List<Key<?>> of(WorkloadKind kind) {
            return switch (kind) {
                case UDP_STREAM -> List.of(KIND, SIZE, SIZES, TRANSMIT, RECEIVE);
                case PING_PONG -> List.of(KIND, SIZE.required(), COUNT, THINK);
                case REPLAY -> List.of(KIND, FILE, CAPTURE, FLAT_OUT, BOTH_SIDES, LOOPS);
                case ECHO -> List.of(KIND, SIZE.required(), RATE);
            };
        }

        static ObjectNode schema() {
            ObjectNode schema = JsonNodeFactory.instance.objectNode();
            ArrayNode kinds = schema.putArray("oneOf");
            for (WorkloadKind kind : WorkloadKind.values()) {
                ObjectNode mapping = Key.mapping(of(kind));
                ((ObjectNode) mapping.get("properties"))
                        .set(
                                KIND.name(),
                                JsonSchema.described(
                                        "What kind of traffic.", JsonSchema.constant(ConfigNode.nameOf(kind))));
                switch (kind) {
                    case UDP_STREAM -> {
                        exactlyOne(mapping, SIZE, SIZES);
                        atLeastOne(mapping, TRANSMIT, RECEIVE);
                    }
                    case REPLAY -> exactlyOne(mapping, FILE, CAPTURE);
                    case PING_PONG, ECHO -> {}
                }
                kinds.add(mapping);
            }
            return schema;
        }

        private static void exactlyOne(ObjectNode mapping, Key<?>... keys) {
            alternatives(mapping.putArray("oneOf"), keys);
        }

        private static void atLeastOne(ObjectNode mapping, Key<?>... keys) {
            alternatives(mapping.putArray("anyOf"), keys);
        }

        private static void alternatives(ArrayNode list, Key<?>... keys) {
            for (Key<?> key : keys) {
                list.addObject().putArray("required").add(key.name());
            }
        }
    }

    /** Host memory. */
    static final class Host {
        static final Key<String> FILE = Key.text(
                        "file", "Keep the host's memory in this mapped file, relative to the scenario file.")
                .required();
        static final List<Key<?>> ALL = List.of(FILE);

        private Host() {}
    }

    static final Key<ConfigNode> LINK =
            Key.section("link", "The cable between NIC and switch.", () -> Key.mapping(Link.ALL));
    static final Key<ConfigNode> NIC = Key.section("nic", "Driver and device settings.", () -> Key.mapping(Nic.ALL));
    static final Key<ConfigNode> VIRTIO =
            Key.section("virtio", "virtio: the device and its back end.", () -> Key.mapping(Virtio.ALL));
    static final Key<ConfigNode> WORKLOAD =
            Key.section("workload", "The traffic between each guest and its peer.", Traffic::schema);
    static final Key<Long> RAM = Key.quantity(
            "ram",
            "A guest's memory, a multiple of 2MiB; default 64MiB.",
            Quantity.SIZE,
            4 * MIB,
            1L << 34,
            "4MiB to 16GiB");

    /** One guest. */
    static final class Guest {
        static final Key<String> NAME = Key.text(
                "name",
                "Unique in the lab; default: the path's name.",
                "[A-Za-z0-9][A-Za-z0-9-]{0,23}",
                "up to 24 letters, digits and hyphens");
        static final Key<Path> PATH = Key.choice("path", "How the guest reaches the network.", Path.class)
                .required();
        static final Key<Boolean> MAPPED = Key.flag(
                "mapped",
                "passthrough: set up the device's DMA mappings; false leaves its IOMMU domain empty, which with iommu is the guest's"
                        + " kernel's doing; default true.");
        static final Key<ConfigNode> MSIX =
                Key.section("msix", "passthrough: the NIC's MSI-X table.", () -> Key.mapping(Msix.ALL));
        static final Key<AssignedNic> DEVICE = Key.choice(
                "device",
                "passthrough: e1000e (the default): an 82574L of the guest's own; igbvf: a virtual function of an 82576, whose one"
                        + " port all such guests share, seven at most.",
                AssignedNic.class);
        static final Key<InterruptDelivery> INTERRUPTS = Key.choice(
                "interrupts",
                "passthrough: forwarded (the default): the host hears each interrupt and injects it; remapped: so too, through an"
                        + " interrupt-remapping table; posted: the IOMMU posts it to a vCPU with APICv, without an exit.",
                InterruptDelivery.class);
        static final Key<Boolean> DEVICE_TLB = Key.flag(
                "device_tlb",
                "passthrough: the 82574L gets address translation services (ATS), which the part itself lacks, and caches translations"
                        + " of its own. Translation requests are counted; of their round trip no price is known, so only the walks"
                        + " that they cause take time. A unit that the guest sees offers no such services: the host invalidates what the"
                        + " NIC has cached when the guest unmaps. Default false.");
        static final Key<ConfigNode> IOMMU = Key.section(
                "iommu",
                "passthrough, native: the guest's kernel drives a remapping unit for its NIC; default: it knows of none.",
                () -> Key.mapping(Iommu.ALL));
        static final List<Key<?>> ALL = List.of(
                NAME, PATH, RAM, LINK, NIC, VIRTIO, WORKLOAD, MAPPED, DEVICE, MSIX, INTERRUPTS, DEVICE_TLB, IOMMU);

        private Guest() {}
    }

    static final Key<Long> VERSION =
            Key.integer("version", "Of this format.", 1, 1).required();
    static final Key<String> NAME = Key.text(
            "name",
            "Default: the file's name.",
            "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            "up to 64 letters, digits, dots, hyphens and underscores");
    static final Key<String> DESCRIPTION = Key.text("description", "What it shows, in a sentence.");
    static final Key<Long> SEED = Key.integer("seed", "Of everything random; default 1.", 0, Long.MAX_VALUE);
    static final Key<String> PROFILE = Key.text(
            "profile",
            "The cost profile: a bundled name, or a .yaml file relative to the scenario; default sandy-bridge-2013.");
    static final Key<ClockMode> CLOCK = Key.choice("clock", "Default virtual.", ClockMode.class);
    static final Key<Long> WARMUP = Key.quantity(
            "warmup",
            "Traffic before the figures start; default 5ms.",
            Quantity.TIME,
            0,
            3600 * SECOND,
            "0ns to 60min");
    static final Key<Long> DURATION = Key.quantity(
            "duration", "Of the measured part; default 50ms.", Quantity.TIME, 1_000_000, 3600 * SECOND, "1us to 60min");
    static final Key<ConfigNode> MEMORY = Key.section("memory", "The host's memory.", () -> Key.mapping(Host.ALL));
    static final Key<List<ConfigNode>> GUESTS = Key.sections(
            "guests", "Default: one guest each on emulated, virtio and passthrough.", () -> Key.mapping(Guest.ALL));

    static final List<Key<?>> ALL = List.of(
            VERSION,
            NAME,
            DESCRIPTION,
            SEED,
            PROFILE,
            CLOCK,
            WARMUP,
            DURATION,
            MEMORY,
            LINK,
            NIC,
            VIRTIO,
            RAM,
            WORKLOAD,
            GUESTS);
}
