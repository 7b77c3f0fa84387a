package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.register.RegisterFile;

/**
 * One transmit ring (82540 SDM 3.3 and 3.4). Hardware owns the descriptors from TDH up to, not including, TDT. They are fetched
 * in blocks of up to sixteen, never past TDT or the end of the ring; completed ones that ask for it (RS) get DD and are written
 * back in runs, whole, at the latest when {@link #run} returns, so before any interrupt.
 *
 * <p>What cannot be walked is not walked: with a length of 0, or head or tail beyond the ring, the queue stands still. One call
 * handles at most {@code budget} frames, and sixteen times as many descriptors, however little they carry.
 */
final class TransmitQueue {
    private static final int DESCRIPTOR = 16;
    private static final int BLOCK = 16;
    /** Descriptors that a call may handle for each frame of its budget: rings may hold many that carry nothing. */
    private static final int DESCRIPTORS_PER_FRAME = 16;

    private final RegisterFile registers;
    private final int distance;
    private final DmaPort dma;
    private final TransmitOutput output;
    private final E1000Counters counters;
    private final Statistics statistics;

    private final OutgoingPacket packet;
    private final OffloadContext plainContext = new OffloadContext();
    private final OffloadContext segmentContext = new OffloadContext();
    private final Segmenter segmenter;

    private final byte[] block = new byte[BLOCK * DESCRIPTOR];
    private int fetched;
    private int next;
    private int runStart;
    private boolean everyDescriptor;

    private long ringIova;
    private int ringSize;
    private int head;
    /** The ring could not be read, or was moved: nothing goes until the next doorbell. */
    private boolean stalled;

    private boolean inPacket;
    private boolean segmenting;
    private boolean discarding;
    private int options;
    private boolean tagWanted;
    private int tag;
    /** Bytes of the current descriptor that are in the packet already. */
    private int consumed;
    /** Payload bytes in the segment that is ready. */
    private int segmentPayload;
    /** The packet is complete, and the wire side has not taken it yet. */
    private boolean ready;

    private boolean busy;
    /** The ring was programmed anew since {@link #step} began: by a write of this device to itself, or a looped frame. */
    private boolean reprogrammed;

    /** An RS descriptor without IDE was written back. */
    final Mark reportedNow = new Mark();
    /** One with IDE was. */
    final Mark reportedLater = new Mark();
    /** The head moved. */
    final Mark progressed = new Mark();

    TransmitQueue(Core core, int index, DmaPort dma, TransmitOutput output) {
        this.registers = core.registers();
        this.distance = index * E1000Registers.QUEUE_STRIDE;
        this.dma = dma;
        this.output = output;
        this.counters = core.counters();
        this.statistics = core.statistics();
        this.packet = new OutgoingPacket(dma);
        this.segmenter = new Segmenter(core.model(), packet, segmentContext);
        registers.onRead(E1000Registers.TDH + distance, () -> head);
        registers.onWrite(E1000Registers.TDH + distance, (written, previous) -> headMoved());
        registers.onWrite(E1000Registers.TDBAL + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.TDBAH + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.TDLEN + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.TDT + distance, (written, previous) -> doorbell());
    }

    void reset() {
        head = 0;
        ringSize = 0;
        forget();
    }

    private void forget() {
        reprogrammed = true;
        fetched = 0;
        next = 0;
        runStart = 0;
        stalled = false;
        closePacket();
        consumed = 0;
        ready = false;
    }

    private void ringChanged() {
        ringIova = registers.get64(E1000Registers.TDBAL + distance);
        ringSize = registers.get(E1000Registers.TDLEN + distance) / DESCRIPTOR;
        head = registers.get(E1000Registers.TDH + distance);
        forget();
    }

    /** Where the unit runs, which 82540 SDM 13.4 (TDH) forbids, what lies up to the old tail was never asked for. */
    private void headMoved() {
        ringChanged();
        stalled = (registers.get(E1000Registers.TCTL) & E1000Registers.TCTL_EN) != 0;
    }

    private void doorbell() {
        stalled = false;
        if (!walkable()) {
            counters.ringFaults++;
        }
    }

    private int tail() {
        return registers.get(E1000Registers.TDT + distance);
    }

    private boolean walkable() {
        return head < ringSize && tail() < ringSize;
    }

    boolean hasWork() {
        return ready || !stalled && walkable() && head != tail();
    }

    /** Descriptors that hardware owns now. */
    int backlog() {
        int span = tail() - head;
        return span < 0 ? span + ringSize : span;
    }

    boolean isEmpty() {
        return head == tail();
    }

    /**
     * Sends up to {@code budget} frames.
     *
     * @param every write back and report every descriptor, RS or not (IVAR bit 31)
     * @return frames sent
     */
    int run(int budget, boolean every) {
        everyDescriptor = every;
        busy = false;
        int frames = 0;
        int handled = 0;
        while (frames < budget && handled / DESCRIPTORS_PER_FRAME < budget && !busy && (next < fetched || fetch())) {
            frames += step(budget - frames);
            handled++;
        }
        writeBack();
        registers.set(E1000Registers.TDH + distance, head);
        return frames;
    }

    private boolean fetch() {
        writeBack();
        int tail = tail();
        if (stalled || !walkable() || head == tail) {
            return false;
        }
        int count = Math.min(BLOCK, (tail > head ? tail : ringSize) - head);
        DmaFault fault =
                dma.read(ringIova + (long) DESCRIPTOR * head, block, 0, count * DESCRIPTOR, DmaKind.DESCRIPTOR);
        if (fault != DmaFault.NONE) {
            counters.dmaFaults++;
            stalled = true;
            return false;
        }
        counters.descriptorFetches++;
        counters.descriptorsFetched += count;
        fetched = count;
        next = 0;
        runStart = 0;
        return true;
    }

    /** Writes {@code [runStart, next)} of the block, all of which carry DD; does nothing if there are none. */
    private void writeBack() {
        int count = next - runStart;
        if (count > 0) {
            // The head is at block index next; its ring index may have wrapped.
            int first = (head == 0 ? ringSize : head) - count;
            DmaFault fault = dma.write(
                    ringIova + (long) DESCRIPTOR * first,
                    block,
                    runStart * DESCRIPTOR,
                    count * DESCRIPTOR,
                    DmaKind.DESCRIPTOR);
            counters.dmaFaults += fault == DmaFault.NONE ? 0 : 1;
            counters.writeBacks++;
            counters.descriptorsWrittenBack += count;
            runStart = next;
        }
    }

    private void complete(int command) {
        boolean report = everyDescriptor || (command & TransmitDescriptor.CMD_RS) != 0;
        if (report) {
            block[next * DESCRIPTOR + TransmitDescriptor.STA_OFFSET] |= TransmitDescriptor.STA_DD;
            ((command & TransmitDescriptor.CMD_IDE) != 0 ? reportedLater : reportedNow).set();
        } else {
            writeBack();
            runStart = next + 1;
        }
        if (reprogrammed) {
            // Neither position nor packet are those of the descriptor in hand any more.
            runStart = next;
            return;
        }
        next++;
        consumed = 0;
        progressed.set();
        head = head + 1 == ringSize ? 0 : head + 1;
    }

    /** Handles the descriptor at {@code next}, or as much of it as {@code allowance} frames allow. */
    private int step(int allowance) {
        reprogrammed = false;
        int at = next * DESCRIPTOR;
        long high = LittleEndian.getLong(block, at + 8);
        int command = TransmitDescriptor.command(high);
        if ((command & TransmitDescriptor.CMD_DEXT) == 0) {
            return plain(at, high, command, TransmitDescriptor.legacyLength(high));
        }
        int type = TransmitDescriptor.type(high);
        if (type == TransmitDescriptor.TYPE_DATA) {
            if (!inPacket) {
                beginExtended(high, command);
            }
            return segmenting && !discarding
                    ? segments(at, command, allowance)
                    : plain(at, high, command, TransmitDescriptor.dataLength(high));
        }
        if (type == TransmitDescriptor.TYPE_CONTEXT) {
            // In the middle of a packet its effect is undefined: it has none, since the segmenter relies on its
            // context.
            if (!inPacket) {
                ((command & TransmitDescriptor.CMD_TSE) != 0 ? segmentContext : plainContext)
                        .load(LittleEndian.getLong(block, at), high);
            }
        } else {
            counters.txMalformed++;
            discarding = inPacket;
        }
        complete(command);
        return 0;
    }

    /** The first data descriptor of a packet chooses the options, and with TSE the tag (82540 SDM 3.3.7). */
    private void beginExtended(long high, int command) {
        inPacket = true;
        options = TransmitDescriptor.options(high);
        segmenting = (command & TransmitDescriptor.CMD_TSE) != 0;
        if (segmenting) {
            setTag(high, command);
            segmenter.begin();
            if (!segmenter.contextUsable()) {
                counters.txMalformed++;
                statistics.count(Statistics.Fact.TSO_FAILED);
                discarding = true;
            }
        }
    }

    private void setTag(long high, int command) {
        tagWanted = (command & TransmitDescriptor.CMD_VLE) != 0
                && (registers.get(E1000Registers.CTRL) & E1000Registers.CTRL_VME) != 0;
        tag = TransmitDescriptor.special(high);
    }

    /** A descriptor of a packet that leaves as one frame. */
    private int plain(int at, long high, int command, int length) {
        if (!ready) {
            inPacket = true;
            if (!discarding && packet.append(LittleEndian.getLong(block, at), length) != DmaFault.NONE) {
                counters.dmaFaults++;
            }
            if ((command & TransmitDescriptor.CMD_EOP) == 0) {
                complete(command);
                return 0;
            }
            if (!finish(high, command)) {
                closePacket();
                complete(command);
                return 0;
            }
            ready = true;
        }
        if (!output.send(packet)) {
            busy = true;
            return 0;
        }
        ready = false;
        closePacket();
        complete(command);
        return 1;
    }

    /** @return false if there is nothing to send */
    private boolean finish(long high, int command) {
        if (discarding || !intact()) {
            return false;
        }
        if ((command & TransmitDescriptor.CMD_DEXT) != 0) {
            plainContext.insertChecksums(packet, options);
            if (TransmitDescriptor.wantsStamp(high)) {
                packet.requestStamp();
            }
        } else if ((command & TransmitDescriptor.CMD_IC) != 0) {
            packet.insertChecksum(TransmitDescriptor.checksumStart(high), TransmitDescriptor.checksumOffset(high), 0);
        }
        if ((command & TransmitDescriptor.CMD_VLE) != 0) {
            setTag(high, command);
            tagIfWanted();
        }
        return longEnough();
    }

    private boolean intact() {
        if (packet.oversized()) {
            counters.txMalformed++;
            return false;
        }
        if (packet.unreachable()) {
            counters.txUnreachable++;
            return false;
        }
        // A null descriptor carries nothing (82540 SDM 3.3.3).
        return packet.length() != 0;
    }

    private void tagIfWanted() {
        if (tagWanted) {
            packet.insertTag(registers.get(E1000Registers.VET), tag);
        }
    }

    private boolean longEnough() {
        if ((registers.get(E1000Registers.TCTL) & E1000Registers.TCTL_PSP) != 0) {
            packet.pad();
        }
        if (packet.length() < OutgoingPacket.HEADER_LENGTH) {
            counters.txMalformed++;
            return false;
        }
        return true;
    }

    /** A descriptor of a packet that is cut into segments; it may yield many frames, and is resumed where it stopped. */
    private int segments(int at, int command, int allowance) {
        long iova = LittleEndian.getLong(block, at);
        int length = TransmitDescriptor.dataLength(LittleEndian.getLong(block, at + 8));
        boolean last = (command & TransmitDescriptor.CMD_EOP) != 0;
        int frames = 0;
        while (true) {
            if (ready) {
                if (frames == allowance || !sendSegment()) {
                    return frames;
                }
                frames++;
                if (reprogrammed) {
                    return frames;
                }
            }
            int room = segmenter.room();
            int take = Math.min(room, length - consumed);
            if (take > 0 && !fetchSegment(iova + consumed, take)) {
                break;
            }
            consumed += Math.max(take, 0);
            boolean exhausted = room <= 0 || consumed == length;
            if (segmenter.segmentComplete(last && exhausted)) {
                segmentPayload = segmenter.payloadOfSegment();
                segmenter.seal(
                        last && exhausted,
                        (options & TransmitDescriptor.POPTS_IXSM) != 0,
                        (options & TransmitDescriptor.POPTS_TXSM) != 0);
                tagIfWanted();
                longEnough();
                ready = true;
            } else if (exhausted) {
                break;
            }
        }
        if (last) {
            endSegmenting();
        }
        complete(command);
        return frames;
    }

    private boolean fetchSegment(long iova, int take) {
        if (packet.append(iova, take) != DmaFault.NONE) {
            counters.dmaFaults++;
            counters.txUnreachable++;
            statistics.count(Statistics.Fact.TSO_FAILED);
            discarding = true;
            return false;
        }
        segmenter.fetched();
        return true;
    }

    private boolean sendSegment() {
        if (!output.send(packet)) {
            busy = true;
            return false;
        }
        ready = false;
        if (!reprogrammed) {
            segmenter.next(segmentPayload);
        }
        return true;
    }

    private void endSegmenting() {
        if (!discarding) {
            boolean done = segmenter.headerComplete() && segmenter.allSent();
            statistics.count(done ? Statistics.Fact.TSO_DONE : Statistics.Fact.TSO_FAILED);
            counters.txMalformed += segmenter.headerComplete() ? 0 : 1;
        }
        closePacket();
    }

    private void closePacket() {
        inPacket = false;
        segmenting = false;
        discarding = false;
        options = 0;
        tagWanted = false;
        packet.clear();
    }
}
