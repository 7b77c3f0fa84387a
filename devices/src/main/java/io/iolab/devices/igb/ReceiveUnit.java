package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.PacketBuffer;
import io.iolab.devices.register.RegisterFile;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * Receives frames: from the wire, and from other pools (82576 datasheet 7.1 and 7.10.3). Each pool's copy goes into that pool's queue;
 * a copy that finds no descriptor is lost if the queue drops when full, and else waits in packet memory for its turn.
 */
final class ReceiveUnit {
    private static final int MIN_LENGTH = 60;
    private static final int FCS = 4;
    /** No pool takes more (VMOLR.RLPML has 14 bits, FCS included). */
    private static final int MAX_LENGTH = VMOLR_RLPML - FCS;

    private static final int PACKET_MEMORY = 64 << 10;
    /** Pools of a waiting frame; above them its status bits. */
    private static final int MARK_POOLS = 0xFF;

    private static final int MARK_LOOPED = 1 << 8;
    private static final int MARK_HASH_ONLY = 1 << 9;
    private static final int MARK_GROUP = 1 << 10;

    private final RegisterFile registers;
    private final Igb82576Counters counters;
    private final PoolSwitch pools;
    private final LinkUnit link;
    private final InterruptUnit interrupts;
    private final ReceiveQueue[] queues;
    private final VfStatistics vfStatistics;
    private final PfStatistics statistics;
    private final ReceiveOffload offload;
    private final ReceiveReport report = new ReceiveReport();
    private final PacketBuffer waiting = new PacketBuffer(PACKET_MEMORY);
    private final byte[] padded = new byte[MIN_LENGTH];
    private final byte[] staged = new byte[MAX_LENGTH + FCS];
    private final CRC32 crc = new CRC32();
    /** Pools whose copy the last {@link #store} gave up. */
    private int lost;

    ReceiveUnit(Core core, PoolSwitch pools, LinkUnit link, InterruptUnit interrupts, ReceiveQueue[] queues) {
        this.registers = core.registers();
        this.counters = core.counters();
        this.statistics = core.statistics();
        this.vfStatistics = core.vfStatistics();
        this.pools = pools;
        this.link = link;
        this.interrupts = interrupts;
        this.queues = queues;
        this.offload = new ReceiveOffload(registers);
    }

    void reset() {
        waiting.clear();
        offload.reset();
    }

    private boolean on() {
        return (registers.get(RCTL) & RCTL_EN) != 0 && link.masterEnabled();
    }

    /** A frame from the wire. */
    Delivery arrive(byte[] frame, int offset, int length) {
        if (!link.linkUp()) {
            counters.rxLinkDown++;
            return Delivery.FILTERED;
        }
        if (!on()) {
            counters.rxDisabled++;
            return Delivery.FILTERED;
        }
        if (length < EthernetFrame.HEADER_BYTES || length > MAX_LENGTH) {
            counters.rxBadLength++;
            statistics.add(length < EthernetFrame.HEADER_BYTES ? RUC : ROC, 1);
            return Delivery.FILTERED;
        }
        statistics.add(TPR, 1);
        if (length >= MIN_LENGTH) {
            return distribute(frame, offset, length);
        }
        System.arraycopy(frame, offset, padded, 0, length);
        Arrays.fill(padded, length, MIN_LENGTH, (byte) 0);
        return distribute(padded, 0, MIN_LENGTH);
    }

    private Delivery distribute(byte[] frame, int offset, int length) {
        int wanted = pools.route(frame, offset, length, -1);
        if (wanted == 0) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        int fitting = fitting(wanted, length);
        if (fitting == 0) {
            counters.rxBadLength++;
            statistics.add(ROC, 1);
            return Delivery.FILTERED;
        }
        statistics.received(frame, offset, length);
        return take(frame, offset, length, fitting | marks(frame, offset)) ? Delivery.ACCEPTED : Delivery.DROPPED;
    }

    /**
     * A frame of one pool for others.
     *
     * @param source the pool that sent it; it gets none itself unless its loopback bit says so
     * @return whether some pool got it or had lost it for want of room; false if it is nobody's here
     */
    boolean loop(byte[] frame, int offset, int length, int source) {
        if (!on() || length > MAX_LENGTH) {
            return false;
        }
        int fitting = fitting(pools.route(frame, offset, length, source), length);
        if (fitting == 0) {
            return false;
        }
        take(frame, offset, length, fitting | marks(frame, offset) | MARK_LOOPED);
        return true;
    }

    private int marks(byte[] frame, int offset) {
        boolean group = MacAddress.isMulticast(EthernetFrame.destination(frame, offset));
        return (pools.hashOnly() ? MARK_HASH_ONLY : 0) | (group ? MARK_GROUP : 0);
    }

    private int fitting(int wanted, int length) {
        int fitting = wanted;
        for (int left = wanted; left != 0; left &= left - 1) {
            int pool = Integer.numberOfTrailingZeros(left);
            if (pools.tooLong(length, pool)) {
                fitting &= ~(1 << pool);
            }
        }
        return fitting;
    }

    /** @return false if no pool got its copy and none waits */
    private boolean take(byte[] frame, int offset, int length, int marks) {
        int stored = store(frame, offset, length, marks, waiting.isEmpty());
        int left = marks & MARK_POOLS & ~stored & ~lost;
        if (left != 0 && waiting.offer(frame, offset, length, marks & ~MARK_POOLS | left)) {
            counters.rxWaited++;
            statistics.add(RNBC, 1);
            return true;
        }
        countOverruns(left | lost);
        if ((left | lost) != 0) {
            statistics.add(MPC, 1);
        }
        if (stored != 0) {
            counters.rxFrames++;
            counters.rxBytes += length;
        }
        return stored != 0;
    }

    private void countOverruns(int lostBy) {
        for (int left = lostBy; left != 0; left &= left - 1) {
            counters.rxOverruns++;
            counters.overrunsOfPool[Integer.numberOfTrailingZeros(left)]++;
        }
    }

    /**
     * Puts a copy into the queue of each pool in {@code marks}.
     *
     * @param inTurn whether no earlier frame waits: otherwise only queues that drop when full are served
     * @return the pools that got theirs
     */
    private int store(byte[] frame, int offset, int length, int marks, boolean inTurn) {
        lost = 0;
        int stored = 0;
        offload.examine(frame, offset, length);
        int all = marks & MARK_POOLS;
        boolean replicated = (marks & MARK_GROUP) != 0 && Integer.bitCount(all) > 1;
        for (int left = all; left != 0; left &= left - 1) {
            int pool = Integer.numberOfTrailingZeros(left);
            ReceiveQueue queue = queueOf(pool);
            boolean strips = stripsTag(pool, replicated);
            boolean keeps = keepsFcs(pool, replicated);
            int size = size(length, strips, keeps);
            boolean drops = queue.dropsWhenFull();
            if ((inTurn || drops) && queue.hasRoom(size)) {
                if (copy(queue, frame, offset, length, marks, strips, keeps)) {
                    stored |= 1 << pool;
                    boolean looped = (marks & MARK_LOOPED) != 0;
                    counters.rxCopies++;
                    if (pools.divided()) {
                        vfStatistics.received(pool, length, (marks & MARK_GROUP) != 0, looped);
                    }
                } else {
                    lost |= 1 << pool;
                }
            } else if (drops || !queue.everHasRoom(size)) {
                queue.countDrop();
                lost |= 1 << pool;
            }
        }
        return stored;
    }

    private static int size(int length, boolean strips, boolean keeps) {
        return length - (strips ? EthernetFrame.TAG_BYTES : 0) + (keeps ? FCS : 0);
    }

    private ReceiveQueue queueOf(int pool) {
        if (!pools.divided()) {
            return queues[offload.redirection()];
        }
        boolean spreads = (registers.get(MRQC) & MRQC_ENABLE) == MRQC_VMDQ_RSS
                && (registers.get(VMOLR + 4 * pool) & VMOLR_RSSE) != 0;
        return queues[spreads ? pool + POOLS * (offload.redirection() & 1) : pool];
    }

    private boolean stripsTag(int pool, boolean replicated) {
        if (!offload.tagged()) {
            return false;
        }
        if (!pools.divided()) {
            return (registers.get(CTRL) & CTRL_VME) != 0;
        }
        return (registers.get(replicated ? RPLOLR : VMOLR + 4 * pool) & VMOLR_STRVLAN) != 0;
    }

    private boolean keepsFcs(int pool, boolean replicated) {
        boolean stripped = (registers.get(RCTL) & RCTL_SECRC) != 0
                || pools.divided() && (registers.get(replicated ? RPLOLR : VMOLR + 4 * pool) & VMOLR_STRCRC) != 0;
        return !stripped;
    }

    private boolean copy(
            ReceiveQueue queue, byte[] frame, int offset, int length, int marks, boolean strips, boolean keeps) {
        byte[] bytes = frame;
        int start = offset;
        int size = length;
        if (strips || keeps) {
            size = stage(frame, offset, length, strips, keeps);
            bytes = staged;
            start = 0;
        }
        int status = ((marks & MARK_LOOPED) != 0 ? ReceiveReport.LB : 0)
                | ((marks & MARK_HASH_ONLY) != 0 ? ReceiveReport.PIF : 0);
        offload.report(report, bytes, start, size, strips, status);
        return queue.put(bytes, start, size, report);
    }

    /** The bytes as software sees them: without the tag, with the FCS of the frame as it was on the wire. @return how many */
    private int stage(byte[] frame, int offset, int length, boolean strips, boolean keeps) {
        int size = length;
        if (strips) {
            System.arraycopy(frame, offset, staged, 0, EthernetFrame.TYPE);
            int rest = EthernetFrame.TYPE + EthernetFrame.TAG_BYTES;
            System.arraycopy(frame, offset + rest, staged, EthernetFrame.TYPE, length - rest);
            size -= EthernetFrame.TAG_BYTES;
        } else {
            System.arraycopy(frame, offset, staged, 0, length);
        }
        if (keeps) {
            crc.reset();
            crc.update(frame, offset, length);
            LittleEndian.putInt(staged, size, (int) crc.getValue());
            size += FCS;
        }
        return size;
    }

    boolean workPending(int queueMask) {
        for (int left = queueMask; left != 0; left &= left - 1) {
            if (queues[Integer.numberOfTrailingZeros(left)].completed()) {
                return true;
            }
        }
        return !waiting.isEmpty() && on() && firstCanMove();
    }

    /** Whether {@link #poll} gets on with the oldest waiting frame: some pool of it has room, or never will have. */
    private boolean firstCanMove() {
        offload.examine(waiting.bytes(), waiting.firstOffset(), waiting.firstLength());
        int all = waiting.firstMarks() & MARK_POOLS;
        boolean replicated = (waiting.firstMarks() & MARK_GROUP) != 0 && Integer.bitCount(all) > 1;
        for (int left = all; left != 0; left &= left - 1) {
            int pool = Integer.numberOfTrailingZeros(left);
            ReceiveQueue queue = queueOf(pool);
            int size = size(waiting.firstLength(), stripsTag(pool, replicated), keepsFcs(pool, replicated));
            if (queue.dropsWhenFull() || queue.hasRoom(size) || !queue.everHasRoom(size)) {
                return true;
            }
        }
        return false;
    }

    /** Stores frames that waited for descriptors, oldest first. */
    int poll(int budget) {
        int frames = 0;
        while (frames < budget && !waiting.isEmpty() && on()) {
            int marks = waiting.firstMarks();
            int length = waiting.firstLength();
            int stored = store(waiting.bytes(), waiting.firstOffset(), length, marks, true);
            countOverruns(lost);
            if (waiting.isEmpty()) {
                // Its buffer was a register of ours, and the store a reset.
                break;
            }
            int left = marks & MARK_POOLS & ~stored & ~lost;
            if (stored != 0) {
                counters.rxFrames++;
                counters.rxBytes += length;
            }
            if (left != 0) {
                waiting.firstMarks(marks & ~MARK_POOLS | left);
                break;
            }
            waiting.removeFirst();
            frames++;
        }
        return frames;
    }

    /** Interrupts for what was completed in these queues. */
    void flush() {
        for (ReceiveQueue queue : queues) {
            if (queue.takeCompleted()) {
                interrupts.raiseQueue(queue.index, false);
            }
        }
    }
}
