package io.iolab.vmm.inject;

import static io.iolab.vmm.ledger.Path.EMULATED;
import static io.iolab.vmm.ledger.Path.NATIVE;
import static io.iolab.vmm.ledger.Path.PASSTHROUGH;
import static io.iolab.vmm.ledger.Path.VIRTIO;

import io.iolab.vmm.ledger.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The bugs that can be injected, each met in a real project. All are deterministic: one strikes after a number of events, and from
 * then on each time. Every sentence here is printed by {@code iolab inject}.
 */
public enum Bug {
    MISSED_KICK_RECHECK(
            Party.DEVICE,
            EnumSet.of(VIRTIO),
            true,
            "100 times that the device ran its transmit queue dry",
            "The device runs the transmit queue dry, writes avail_event and goes to sleep without looking at avail.idx again. The"
                    + " driver published in between: it compared with the old avail_event and did not kick. The index has passed the"
                    + " event now, so no later frame kicks either.",
            "Transmission stops while the ring fills; kicks stop; TX_HANG from the driver, TX_TIMEOUT once the ring is full. Reception"
                    + " goes on.",
            "https://github.com/qemu/qemu/pull/267",
            "After writing avail_event: a full fence, then read avail.idx once more (virtio 1.2 section 2.7.10)."),
    MISSED_INTERRUPT_RECHECK(
            Party.DRIVER,
            EnumSet.of(VIRTIO),
            true,
            "100 re-arms of the receive queue",
            "The driver empties the used ring, writes used_event and ends its poll without looking at used.idx again. A frame came in"
                    + " between: the device compared with the old used_event and did not interrupt, and has passed the new one.",
            "Reception stops with frames in the used ring: RX_STALL; interrupts stop; later RX_NO_BUFFER, when the ring is full.",
            "https://github.com/asterinas/asterinas/pull/2493",
            "After writing used_event: a full fence, then read used.idx once more, and poll again if it has moved (virtio 1.2"
                    + " section 2.7.10)."),
    USED_EVENT_TOO_EARLY(
            Party.DEVICE,
            EnumSet.of(VIRTIO),
            true,
            "100 interrupt decisions for the receive queue",
            "The device reads used_event first and publishes used.idx after that. The driver re-armed in between, saw the old used.idx"
                    + " and went to sleep; the device decides by what the driver had wished before.",
            "Reception stops with frames in the used ring: RX_STALL; interrupts stop; later RX_NO_BUFFER, when the ring is full.",
            "https://github.com/cloud-hypervisor/cloud-hypervisor/pull/897",
            "Publish used.idx, then a full fence, then read used_event (virtio 1.2 section 2.7.10)."),
    SPURIOUS_INTERRUPTS(
            Party.DEVICE,
            EnumSet.of(VIRTIO),
            true,
            "100 interrupt decisions for the transmit queue",
            "The device interrupts for every buffer that it returns on the transmit queue and ignores used_event, which the driver"
                    + " keeps far ahead because it takes finished frames back by itself.",
            "Interrupts and their exits per packet go up by an order of magnitude; processor time goes up with them, no frame is lost and no"
                    + " watchdog barks: only the figures show it.",
            "https://github.com/cartesi/machine-emulator/pull/301",
            "Interrupt only if used_event lies in what was returned since the last decision (virtio 1.2 section 2.7.7.2)."),
    USED_LENGTH_OVERREPORTED(
            Party.DEVICE,
            EnumSet.of(VIRTIO),
            false,
            "100 received buffers",
            "used.len is 2048 bytes more than the device wrote into the buffer, as when a whole frame's length is reported for one"
                    + " buffer of several. A driver that trusts it reads a neighbour's memory.",
            "The driver throws every frame away: RX_ERRORS, drops as corrupt, no latency samples for reception.",
            "https://github.com/snabbco/snabb/pull/935",
            "Report what was written into this chain, and no more (virtio 1.2 section 2.7.8.2); drivers check it against their"
                    + " buffer."),
    RING_FULL_NEVER_RECOVERS(
            Party.DRIVER,
            EnumSet.of(VIRTIO),
            false,
            "100 received frames; the guest is then kept from looking until the ring is full",
            "The driver compares ring positions modulo the ring's size, and so cannot tell a full ring from an empty one: all buffers"
                    + " are used, it sees none, gives none back, and the device has none left to go on with.",
            "Reception stops for good: RX_NO_BUFFER from the host, drops as queue_full. The guest's own watchdog sees an idle ring.",
            "https://github.com/Solo5/solo5/pull/98",
            "Let indices run free over 16 bits and subtract them; take the remainder only to address a slot (virtio 1.2 section"
                    + " 2.7.8)."),
    RDT_OFF_BY_ONE(
            Party.DRIVER,
            EnumSet.of(EMULATED, PASSTHROUGH, NATIVE),
            false,
            "100 buffers given back",
            "The driver gives back all buffers of the receive ring, none kept, and writes RDT on the slot that comes next. Once"
                    + " everything is taken RDT equals RDH, which to the hardware is an empty ring.",
            "Reception stops for good with no frame in the ring: RX_NO_BUFFER from the host, drops as no_descriptor; interrupts stop.",
            "https://github.com/SerenityOS/serenity/pull/6669",
            "Keep one slot empty: RDT is the last slot filled, never the one that RDH will reach next (8254x SDM section 3.2.6)."),
    IMS_NOT_RESTORED(
            Party.DRIVER,
            EnumSet.of(EMULATED, PASSTHROUGH, NATIVE),
            false,
            "100 writes of IMS",
            "The interrupt handler has causes masked (IMC, or the message's own automatic mask), and the poll that ran dry does not"
                    + " write IMS.",
            "The interrupt fires once more and never again: RX_STALL with frames in the ring, RX_NO_BUFFER when it is full; TX_TIMEOUT"
                    + " when the transmit ring is full and its wake-up does not come.",
            "https://github.com/cahirwpz/mimiker/issues/63",
            "End each poll that ran dry by writing IMS; a cause latched meanwhile interrupts at once (8254x SDM section 13.4.20)."),
    LEVEL_NOT_REARMED(
            Party.HOST,
            EnumSet.of(EMULATED),
            false,
            "100 assertions of INTA#",
            "The end of interrupt is not passed on to the I/O APIC: Remote IRR of the level-triggered entry stays set, and the entry"
                    + " is not delivered again.",
            "The interrupt fires a last time: interrupts and EOI exits stop, RX_STALL with frames in the ring, RX_NO_BUFFER when it is"
                    + " full.",
            "https://github.com/nextbsd/nextbsd-kernel/pull/110",
            "Clear Remote IRR at the EOI of the entry's vector, and deliver again if the line is still asserted (82093AA section"
                    + " 3.2.4)."),
    INTERRUPT_STORM(
            Party.DRIVER,
            EnumSet.of(EMULATED),
            false,
            "100 reads of ICR",
            "The handler takes the interrupt for another device's and does not read ICR. The line stays asserted, so each EOI brings"
                    + " the next interrupt.",
            "INTERRUPT_STORM: hundreds of interrupts a millisecond and hardly a frame; reception starves (RX_STALL, RX_NO_BUFFER), and"
                    + " what exits cost eats the processor, until KVM's I/O APIC slows the line down after 10,000 in a row.",
            "https://github.com/CTSRD-CHERI/qemu/pull/246",
            "Read ICR in the handler, which acknowledges the causes and lets the line go (8254x SDM section 13.4.17)."),
    TRANSMIT_HANG(
            Party.DEVICE,
            EnumSet.of(EMULATED, PASSTHROUGH, NATIVE),
            false,
            "100 writes of TDT",
            "A write of TDT is lost: the register shows it, and the transmit unit does not start. The driver's frames wait in the ring"
                    + " for a unit that has nothing to do.",
            "TX_HANG with the block \"Detected Tx Unit Hang\" as Linux prints it: TDH stands still behind TDT, next_to_use runs ahead of"
                    + " next_to_clean. TX_TIMEOUT once the ring is full. Reception goes on.",
            "https://github.com/home-assistant/operating-system/issues/4491",
            "The device works from TDH to TDT after every write of TDT; a driver that finds a hang resets the device."),
    TX_STALL_AFTER_BUSY(
            Party.DEVICE,
            EnumSet.of(EMULATED, VIRTIO),
            false,
            "100 frames put on the wire",
            "The back end is told EAGAIN, keeps the frame and waits for an event that it never asked for: the frame is not offered"
                    + " again, and all others wait behind it.",
            "Transmission stops: TX_HANG from the driver, TX_TIMEOUT once the ring is full. Reception goes on.",
            "https://github.com/cloud-hypervisor/cloud-hypervisor/issues/2807",
            "After EAGAIN have the tap tell when it is writable (EPOLLOUT), and go on with the frame that was kept."),
    WRONG_DMA_DIRECTION(
            Party.HOST,
            EnumSet.of(PASSTHROUGH),
            false,
            "0 events: from the start",
            "The guest's memory is mapped for the device to write only (DMA_FROM_DEVICE). Descriptors and frames that it must read are"
                    + " out of its reach.",
            "Nothing moves: TX_HANG, and DMA faults with reason 06h, \"PTE Read access is not set\". Switching the IOMMU off hides it.",
            "https://github.com/Avnu/igb_avb/pull/11",
            "Map with the direction of the transfer: to the device for what it reads, both for rings (R and W of the entry, VT-d"
                    + " section 9.8).");

    /** How many events pass before a bug strikes; enough that a healthy part comes first. */
    static final int AFTER = 100;

    private final Party fault;
    private final Set<Path> paths;
    private final boolean needsEventIndex;
    private final String strikesAfter;
    private final String wrong;
    private final String symptom;
    private final String met;
    private final String fix;

    Bug(
            Party fault,
            Set<Path> paths,
            boolean needsEventIndex,
            String strikesAfter,
            String wrong,
            String symptom,
            String met,
            String fix) {
        this.fault = fault;
        this.paths = Set.copyOf(paths);
        this.needsEventIndex = needsEventIndex;
        this.strikesAfter = strikesAfter;
        this.wrong = wrong;
        this.symptom = symptom;
        this.met = met;
        this.fix = fix;
    }

    /** As on the command line: {@code transmit-hang}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Optional<Bug> of(String label) {
        return Arrays.stream(values()).filter(bug -> bug.label().equals(label)).findFirst();
    }

    public Party fault() {
        return fault;
    }

    /** The paths on which it exists, in their order. */
    public List<Path> paths() {
        return Arrays.stream(Path.values()).filter(paths::contains).toList();
    }

    /** Whether it is one of VIRTIO_F_EVENT_IDX, which the driver must have negotiated. */
    public boolean needsEventIndex() {
        return needsEventIndex;
    }

    /** Whether it is one of split virtqueues. */
    public boolean needsSplitRing() {
        return paths.equals(Set.of(VIRTIO));
    }

    /** What it lets pass first. */
    public String strikesAfter() {
        return strikesAfter;
    }

    public String wrong() {
        return wrong;
    }

    public String symptom() {
        return symptom;
    }

    /** Where it, or one of its kind, was met: an address. */
    public String met() {
        return met;
    }

    public String fix() {
        return fix;
    }

    /** When it strikes. */
    Trigger trigger() {
        Trigger trigger = new Trigger(this == WRONG_DMA_DIRECTION ? 0 : AFTER);
        if (this == WRONG_DMA_DIRECTION) {
            trigger.strikes();
        }
        return trigger;
    }

    Defect defect(PluggedFunction function, SplitRings rings, Trigger trigger) {
        return switch (this) {
            case MISSED_KICK_RECHECK -> new KickRaceLost(rings, trigger);
            case MISSED_INTERRUPT_RECHECK -> new InterruptRaceLost(rings, trigger);
            case USED_EVENT_TOO_EARLY -> new EventReadEarly(rings, trigger);
            case SPURIOUS_INTERRUPTS -> new SuppressionIgnored(rings, trigger);
            case USED_LENGTH_OVERREPORTED -> new LengthOverReported(rings, trigger);
            case RING_FULL_NEVER_RECOVERS -> new FullLooksEmpty(rings, trigger);
            case RDT_OFF_BY_ONE -> new TailMeetsHead(function, trigger);
            case IMS_NOT_RESTORED -> new MaskNotRestored(function, trigger);
            case LEVEL_NOT_REARMED -> new LineNotRearmed(trigger);
            case INTERRUPT_STORM -> new UnacknowledgedInterrupt(function, trigger);
            case TRANSMIT_HANG -> new LostTail(function, trigger);
            case TX_STALL_AFTER_BUSY -> new FrameNotRetried(trigger);
            case WRONG_DMA_DIRECTION -> new WrongDirection();
        };
    }
}
