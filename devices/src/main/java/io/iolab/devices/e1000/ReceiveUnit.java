package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.Delivery;
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
 * software wants to see it (RCTL.SECRC clear). Flow control is counted, not obeyed.
 */
final class ReceiveUnit {
    private static final int MIN_LENGTH = 60;
    private static final int HEADER_LENGTH = 14;
    private static final int FCS = 4;
    /** Largest frame without RCTL.LPE, and with it; both without FCS (82540 SDM 13.4, RCTL.LPE). */
    private static final int MAX_LENGTH = 1522 - FCS;

    private static final int MAX_LONG_LENGTH = 16384 - FCS;
    private static final int KILOBYTE = 1024;

    private final E1000Model model;
    private final RegisterFile registers;
    private final ConfigSpace config;
    private final LinkUnit link;
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

    ReceiveUnit(Core core, ConfigSpace config, DmaPort dma, LinkUnit link, InterruptUnit interrupts) {
        this.model = core.model();
        this.registers = core.registers();
        this.config = config;
        this.link = link;
        this.interrupts = interrupts;
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
        ReceiveFilter.Match match = filter.match(frame, offset, rctl);
        if (match == ReceiveFilter.Match.NONE || isControlForUs(frame, offset, rctl)) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        boolean hashOnly = match == ReceiveFilter.Match.HASH_ONLY;
        if (waiting.isEmpty() && store(frame, offset, length, hashOnly)) {
            return Delivery.ACCEPTED;
        }
        if (waiting.offer(frame, offset, length, hashOnly)) {
            counters.rxWaited++;
            statistics.count(Statistics.Fact.NO_BUFFER);
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

    /** MAC control frames (type in FCT) end here: pause frames with DPF, others unless PMCF passes them. */
    private boolean isControlForUs(byte[] frame, int offset, int rctl) {
        int controlType = registers.get(E1000Registers.FCT);
        if (controlType == 0 || BigEndian.getShort(frame, offset + 12) != controlType) {
            return false;
        }
        boolean pause = BigEndian.getShort(frame, offset + 14) == 1;
        if (!pause) {
            statistics.count(Statistics.Fact.OTHER_CONTROL_RECEIVED);
            return (rctl & E1000Registers.RCTL_PMCF) == 0;
        }
        if ((registers.get(E1000Registers.CTRL) & E1000Registers.CTRL_RFCE) != 0) {
            boolean on = BigEndian.getShort(frame, offset + 16) == 0;
            statistics.count(on ? Statistics.Fact.XON_RECEIVED : Statistics.Fact.XOFF_RECEIVED);
        }
        return (rctl & E1000Registers.RCTL_DPF) != 0;
    }

    /** @return false if there are too few descriptors now */
    private boolean store(byte[] frame, int offset, int length, boolean hashOnly) {
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
        offload.finish(hashOnly);
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
        statistics.received(frame, offset, length);
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
            if (!store(waiting.bytes(), offset, waiting.firstLength(), waiting.firstHashOnly())) {
                break;
            }
            waiting.removeFirst();
            frames++;
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
        int causes = queues[index].isLow() ? InterruptCause.RXDMT0 : 0;
        int wait = registers.get(E1000Registers.RDTR);
        if (wait == 0) {
            return causes | InterruptCause.RXT0;
        }
        counters.moderated++;
        delay.restart(clock.nanos(), wait, registers.get(E1000Registers.RADV));
        return causes;
    }

    void pollTimers(long now) {
        int causes = delay.expire(now) ? InterruptCause.RXT0 : 0;
        causes |= ackDelay.expire(now) ? InterruptCause.ACK : 0;
        if (causes != 0) {
            interrupts.raise(causes);
        }
    }

    long deadline() {
        return Math.min(delay.deadline(), ackDelay.deadline());
    }
}
