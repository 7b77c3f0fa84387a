package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.PacketBuffer;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The receiver (82540 SDM 3.2): is it on, is the length right, do the filters match; then straight into receive buffers, or into
 * the packet buffer while no descriptor is free.
 *
 * <p>Frames come without padding and FCS from a port of ours: short ones are padded to 60 bytes, and the FCS is computed when
 * software wants to see it (RCTL.SECRC clear).
 */
final class ReceiveUnit {
    private static final int MIN_LENGTH = 60;
    private static final int HEADER_LENGTH = 14;
    private static final int FCS = 4;
    /** Largest frame without RCTL.LPE, and with it; both without FCS (82540 SDM 13.4, RCTL.LPE). */
    private static final int MAX_LENGTH = 1522 - FCS;

    private static final int MAX_LONG_LENGTH = 16384 - FCS;
    private static final int KILOBYTE = 1024;

    /** What is remembered about a frame: it passed the hash filter only, it is a PAUSE frame, it has a time stamp. */
    private static final int MARK_HASH_ONLY = 1;

    private static final int MARK_PAUSE = 1 << 1;
    private static final int MARK_STAMPED = 1 << 2;

    private final E1000Model model;
    private final RegisterFile registers;
    private final ConfigSpace config;
    private final LinkUnit link;
    private final FlowControl flow;
    private final TimeSync time;
    private final InterruptUnit interrupts;
    private final Clock clock;
    private final E1000Counters counters;
    private final Statistics statistics;
    private final ReceiveFilter filter;
    private final ReceiveOffload offload;
    private final PacketBuffer waiting;
    private final ReceiveQueue[] queues;
    private final byte[] staged = new byte[MAX_LONG_LENGTH + FCS];
    private final CRC32 crc = new CRC32();
    private final DelayTimer delay = new DelayTimer();
    private final DelayTimer ackDelay = new DelayTimer();
    private int pendingCauses;

    /** What the receiver works with, beside the ports. */
    record Parts(LinkUnit link, InterruptUnit interrupts, FlowControl flow, TimeSync time) {}

    ReceiveUnit(Core core, ConfigSpace config, DmaPort dma, Parts parts) {
        this.model = core.model();
        this.registers = core.registers();
        this.config = config;
        this.link = parts.link();
        this.flow = parts.flow();
        this.time = parts.time();
        this.interrupts = parts.interrupts();
        this.clock = core.clock();
        this.counters = core.counters();
        this.statistics = core.statistics();
        this.filter = new ReceiveFilter(registers);
        this.offload = new ReceiveOffload(model, registers);
        this.waiting = new PacketBuffer(ReceiveLimits.packetMemory(model) * KILOBYTE);
        this.queues = new ReceiveQueue[model.queues()];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new ReceiveQueue(core, i, dma);
        }
        attach();
    }

    private void attach() {
        registers.onWrite(E1000Registers.RCTL, (written, previous) -> configure());
        registers.onWrite(E1000Registers.PBA, (written, previous) -> resize());
        registers.onWrite(E1000Registers.RDTR, (written, previous) -> {
            if ((written & E1000Registers.DELAY_FPD) != 0 && delay.running()) {
                flush();
                delay.cancel();
                interrupts.raise(InterruptCause.RXT0);
            }
        });
        if (model == E1000Model.I82574L) {
            registers.onWrite(E1000Registers.RFCTL, (written, previous) -> configure());
            registers.onWrite(E1000Registers.PSRCTL, (written, previous) -> configure());
        }
    }

    /** The power-on content of the registers is in force again. */
    void reset() {
        for (ReceiveQueue queue : queues) {
            queue.reset();
        }
        waiting.clear();
        delay.cancel();
        ackDelay.cancel();
        pendingCauses = 0;
        filter.rebuild();
        offload.reset();
        configure();
        resize();
    }

    ReceiveFilter filter() {
        return filter;
    }

    void cancelDelays() {
        delay.cancel();
        ackDelay.cancel();
    }

    private void configure() {
        for (ReceiveQueue queue : queues) {
            queue.configure(
                    ReceiveLimits.layout(model, registers),
                    ReceiveLimits.bufferSize(model, registers.get(E1000Registers.RCTL)),
                    model == E1000Model.I82574L ? registers.get(E1000Registers.PSRCTL) : 0);
        }
    }

    /** PBA: what receive does not take is transmit's; a share larger than the memory is cut to all of it. */
    private void resize() {
        int whole = ReceiveLimits.packetMemory(model);
        int share = Math.min(registers.get(E1000Registers.PBA) & 0x7F, whole);
        registers.set(E1000Registers.PBA, (whole - share) << 16 | share);
        waiting.limit(share * KILOBYTE);
    }

    private boolean on() {
        return (registers.get(E1000Registers.RCTL) & E1000Registers.RCTL_EN) != 0
                && config.busMaster()
                && link.masterEnabled();
    }

    /** A frame from the wire. */
    Delivery arrive(byte[] frame, int offset, int length) {
        if (!link.linkUp()) {
            counters.rxLinkDown++;
            return Delivery.FILTERED;
        }
        return accept(frame, offset, length);
    }

    /** A frame of our own, looped back: it needs no link. */
    Delivery accept(byte[] frame, int offset, int length) {
        if (!on()) {
            counters.rxDisabled++;
            return Delivery.FILTERED;
        }
        int rctl = registers.get(E1000Registers.RCTL);
        if (!lengthFits(length, rctl)) {
            counters.rxBadLength++;
            return Delivery.FILTERED;
        }
        if (length >= MIN_LENGTH) {
            return sift(frame, offset, length, rctl);
        }
        System.arraycopy(frame, offset, staged, 0, length);
        Arrays.fill(staged, length, MIN_LENGTH, (byte) 0);
        return sift(staged, 0, MIN_LENGTH, rctl);
    }

    private boolean lengthFits(int length, int rctl) {
        if (length < HEADER_LENGTH) {
            statistics.count(Statistics.Fact.UNDERSIZE);
            return false;
        }
        // With SBP a long frame is stored like a good one; nothing beyond the packet buffer's 16 KB ever is.
        boolean longAllowed = (rctl & (E1000Registers.RCTL_LPE | E1000Registers.RCTL_SBP)) != 0;
        if (length > MAX_LONG_LENGTH || length > MAX_LENGTH && !longAllowed) {
            statistics.count(Statistics.Fact.OVERSIZE);
            return false;
        }
        return true;
    }

    private Delivery sift(byte[] frame, int offset, int length, int rctl) {
        FlowControl.Verdict verdict = flow.examine(frame, offset, length, rctl);
        ReceiveFilter.Match match =
                verdict == FlowControl.Verdict.PASS ? ReceiveFilter.Match.EXACT : filter.match(frame, offset, rctl);
        if (match == ReceiveFilter.Match.NONE || verdict == FlowControl.Verdict.DISCARD) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        int marks = match == ReceiveFilter.Match.HASH_ONLY ? MARK_HASH_ONLY : 0;
        marks |= verdict == FlowControl.Verdict.PAUSE ? MARK_PAUSE : 0;
        marks |= time.received(frame, offset, length) ? MARK_STAMPED : 0;
        if (waiting.isEmpty() && store(frame, offset, length, marks)) {
            return Delivery.ACCEPTED;
        }
        if (waiting.offer(frame, offset, length, marks)) {
            counters.rxWaited++;
            statistics.count(Statistics.Fact.NO_BUFFER);
            flow.filled(waiting.used());
            return Delivery.ACCEPTED;
        }
        overrun();
        return Delivery.DROPPED;
    }

    private void overrun() {
        counters.rxOverruns++;
        statistics.count(Statistics.Fact.MISSED);
        pendingCauses |= InterruptCause.RXO;
    }

    /** @return false if there are too few descriptors now */
    private boolean store(byte[] frame, int offset, int length, int marks) {
        offload.examine(frame, offset, length);
        ReceiveQueue queue = queues[offload.queue()];
        boolean keepFcs = keepsFcs();
        int size = storedSize(length);
        if (!queue.prepare(size)) {
            if (queue.everHasRoom(size)) {
                return false;
            }
            // No refill can ever make room: waiting for it would block all frames behind this one.
            overrun();
            return true;
        }
        offload.finish((marks & MARK_HASH_ONLY) != 0, (marks & MARK_STAMPED) != 0);
        boolean changed = offload.stripsTag() || keepFcs;
        byte[] bytes = changed ? stage(frame, offset, length, keepFcs) : frame;
        int start = changed ? 0 : offset;
        offload.addChecksum(bytes, start, size);
        boolean whole = queue.put(bytes, start, size, offload.status());
        if (!whole) {
            overrun();
            return true;
        }
        counters.rxFrames++;
        counters.rxBytes += length;
        if ((marks & MARK_PAUSE) == 0) {
            statistics.received(frame, offset, length);
        }
        noteCauses(length);
        return true;
    }

    /** The bytes as software sees them: without the tag, with the FCS of the frame as it was on the wire. */
    private byte[] stage(byte[] frame, int offset, int length, boolean keepFcs) {
        int end = length;
        int fcs = 0;
        if (keepFcs) {
            crc.reset();
            crc.update(frame, offset, length);
            fcs = (int) crc.getValue();
        }
        if (offload.stripsTag()) {
            System.arraycopy(frame, offset, staged, 0, 12);
            System.arraycopy(frame, offset + 16, staged, 12, length - 16);
            end -= 4;
        } else if (frame != staged) {
            System.arraycopy(frame, offset, staged, 0, length);
        }
        if (keepFcs) {
            LittleEndian.putInt(staged, end, fcs);
        }
        return staged;
    }

    private void noteCauses(int length) {
        int small = registers.get(E1000Registers.RSRPD);
        if (small != 0 && length + FCS <= small) {
            pendingCauses |= InterruptCause.SRPD;
        }
        if (offload.raisesAck()) {
            int wait = interrupts.inVectorMode() ? 0 : registers.get(E1000Registers.RAID);
            if (wait == 0) {
                pendingCauses |= InterruptCause.ACK;
            } else {
                ackDelay.restart(clock.nanos(), wait, 0);
            }
        }
    }

    boolean workPending() {
        if (pendingCauses != 0) {
            return true;
        }
        for (ReceiveQueue queue : queues) {
            if (queue.hasUnwritten()) {
                return true;
            }
        }
        return !waiting.isEmpty() && on() && roomForFirst();
    }

    /** Whether {@link #poll} can move the oldest waiting frame: its own queue has room, or never will have. */
    private boolean roomForFirst() {
        offload.examine(waiting.bytes(), waiting.firstOffset(), waiting.firstLength());
        ReceiveQueue queue = queues[offload.queue()];
        int size = storedSize(waiting.firstLength());
        return queue.hasRoom(size) || !queue.everHasRoom(size);
    }

    private boolean keepsFcs() {
        return (registers.get(E1000Registers.RCTL) & E1000Registers.RCTL_SECRC) == 0;
    }

    /** Bytes that software sees of the frame just examined. */
    private int storedSize(int length) {
        return length - (offload.stripsTag() ? 4 : 0) + (keepsFcs() ? FCS : 0);
    }

    /** Stores frames that waited for descriptors. */
    int poll(int budget) {
        int frames = 0;
        while (frames < budget && !waiting.isEmpty() && on()) {
            int offset = waiting.firstOffset();
            if (!store(waiting.bytes(), offset, waiting.firstLength(), waiting.firstMarks())) {
                break;
            }
            frames++;
            if (waiting.isEmpty()) {
                // Its buffer was a register of ours, and the store a reset.
                break;
            }
            waiting.removeFirst();
            flow.filled(waiting.used());
        }
        return frames;
    }

    /** Writes descriptors back, then interrupts (82540 SDM 3.2.6 and 3.2.7). */
    void flush() {
        int causes = pendingCauses;
        pendingCauses = 0;
        for (int i = 0; i < queues.length; i++) {
            queues[i].flush();
            if (queues[i].takeCompleted()) {
                causes |= causesOfCompletion(i);
            }
        }
        if (causes != 0) {
            interrupts.raise(causes);
        }
    }

    private int causesOfCompletion(int index) {
        if (interrupts.inVectorMode()) {
            return InterruptCause.RXQ0 << index;
        }
        int causes = 0;
        if (queues[index].isLow()) {
            causes = InterruptCause.RXDMT0;
            statistics.count(Statistics.Fact.RX_LOW);
        }
        int wait = registers.get(E1000Registers.RDTR);
        if (wait == 0) {
            return causes | InterruptCause.RXT0;
        }
        counters.moderated++;
        delay.restart(clock.nanos(), wait, registers.get(E1000Registers.RADV));
        return causes;
    }

    void pollTimers(long now) {
        int causes = 0;
        if (delay.expire(now)) {
            causes = InterruptCause.RXT0;
            statistics.count(
                    delay.absoluteEnded() ? Statistics.Fact.RX_ABSOLUTE_TIMER : Statistics.Fact.RX_PACKET_TIMER);
        }
        causes |= ackDelay.expire(now) ? InterruptCause.ACK : 0;
        if (causes != 0) {
            interrupts.raise(causes);
        }
    }

    long deadline() {
        return Math.min(delay.deadline(), ackDelay.deadline());
    }
}
