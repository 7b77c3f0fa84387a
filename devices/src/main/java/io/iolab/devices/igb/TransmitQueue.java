package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.OffloadPort;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketSegmenter;
import io.iolab.devices.register.RegisterFile;

/**
 * A transmit ring (82576 datasheet 7.2): legacy, advanced context and advanced data descriptors. A packet is put together in a buffer
 * of the queue, then it, or its segments one by one, goes to the {@link TransmitOutput}. The descriptor with EOP stays at head until
 * all of it is out.
 */
final class TransmitQueue extends DescriptorQueue {
    private static final int DTYP_SHIFT = 20;
    private static final int CONTEXT = 2;
    private static final int DATA = 3;
    private static final int EOP = 1 << 24;
    private static final int RS = 1 << 27;
    private static final int DEXT = 1 << 29;
    private static final int VLE = 1 << 30;
    private static final int TSE = 1 << 31;
    private static final int IDX_SHIFT = 4;
    private static final int IXSM = 1 << 8;
    private static final int TXSM = 1 << 9;
    private static final int PAYLEN_SHIFT = 14;
    private static final int DD = 1;
    private static final int HEAD_WRITE_BACK = 1;
    private static final int STATUS = 12;
    /** The longest plain packet; below what a {@code FramePort} takes, with room for a tag. */
    private static final int MAX_FRAME = 16_288;

    private static final int MIN_FRAME = 60;
    /** A tag is inserted in front of the packet, over these bytes. */
    private static final int FRONT = EthernetFrame.TAG_BYTES;

    private static final int VMVIR_MODE_SHIFT = 30;
    private static final int VMVIR_ALWAYS = 1;
    /** Descriptors that one frame of a poll's budget may cost. */
    private static final int DESCRIPTORS_PER_FRAME = 32;

    private final TransmitOutput output;
    private final TransmitContext[] contexts = {new TransmitContext(), new TransmitContext()};
    private final PacketOffload offload = new PacketOffload();
    private final PacketSegmenter segmenter = new PacketSegmenter();
    private final byte[] padded = new byte[MIN_FRAME];
    private final byte[] headBytes = new byte[4];
    /** Taken when the queue is first enabled: most never are. */
    private byte[] packet = {};

    private int length;
    private boolean begun;
    private boolean malformed;
    private boolean unreachable;
    private int command;
    private int options;
    private int tag = -1;
    private boolean cutting;
    /** The frame that goes next, if {@link #ready}. */
    private boolean ready;

    private int frameStart;
    private int frameLength;

    TransmitQueue(int index, RegisterFile registers, DmaPort dma, Igb82576Counters counters, TransmitOutput output) {
        super(index, TDBAL + QUEUE_STRIDE * index, 0, registers, dma, counters);
        this.output = output;
    }

    @Override
    void reset() {
        super.reset();
        registers.set(TXCTL + QUEUE_STRIDE * index, 0x2A00);
    }

    @Override
    void opened() {
        if (packet.length == 0) {
            packet = new byte[FRONT + OffloadPort.LONGEST_PACKET];
        }
    }

    @Override
    void forgetPacket() {
        length = 0;
        begun = false;
        malformed = false;
        unreachable = false;
        ready = false;
        cutting = false;
        tag = -1;
    }

    boolean workPending() {
        return ready || available() > 0;
    }

    /** Sends up to {@code budget} frames. @return frames that left */
    int poll(int budget) {
        int frames = 0;
        int descriptors = DESCRIPTORS_PER_FRAME * budget;
        while (frames < budget) {
            if (ready) {
                if (!sendOne()) {
                    break;
                }
                frames++;
            } else if (descriptors-- <= 0 || !load()) {
                break;
            } else {
                take();
            }
        }
        return frames;
    }

    private void take() {
        int low = LittleEndian.getInt(block, at() + 8);
        boolean extended = (low & DEXT) != 0;
        int kind = extended ? low >>> DTYP_SHIFT & 0xF : DATA;
        if (kind == CONTEXT) {
            long high = LittleEndian.getLong(block, at() + 8);
            contexts[(int) (high >>> 32 + IDX_SHIFT) & 1].load(LittleEndian.getLong(block, at()), high);
            finishDescriptor(low);
            return;
        }
        if (!begun) {
            begun = true;
            command = low;
            options = extended ? LittleEndian.getInt(block, at() + STATUS) : 0;
            if ((low & VLE) != 0) {
                tag = extended ? context().tag() : LittleEndian.getInt(block, at() + STATUS) >>> 16;
            }
        }
        int started = generation();
        if (kind == DATA) {
            append(LittleEndian.getLong(block, at()), low & 0xFFFF);
        } else {
            malformed = true;
        }
        if (generation() != started) {
            return;
        }
        if ((low & EOP) == 0) {
            finishDescriptor(low);
        } else if (!prepare()) {
            drop(low);
        }
    }

    private TransmitContext context() {
        return contexts[options >>> IDX_SHIFT & 1];
    }

    private boolean segments() {
        return (command & DEXT) != 0 && (command & TSE) != 0;
    }

    /** A packet that grew too long, or of which a part could not be read, fetches nothing more. */
    private void append(long iova, int bytes) {
        if (malformed || unreachable || bytes == 0) {
            return;
        }
        if (length + bytes > (segments() ? OffloadPort.LONGEST_PACKET : MAX_FRAME)) {
            malformed = true;
            return;
        }
        DmaFault fault = dma.read(iova, packet, FRONT + length, bytes, DmaKind.PAYLOAD);
        if (fault == DmaFault.NONE) {
            length += bytes;
        } else {
            counters.dmaFaults++;
            unreachable = true;
        }
    }

    /** All of the packet is here: its first frame is made. @return false if it is to be dropped */
    private boolean prepare() {
        if (malformed || unreachable || length < EthernetFrame.HEADER_BYTES) {
            return false;
        }
        if (segments()) {
            return startCutting();
        }
        if ((options & TXSM) != 0) {
            context().insertTransportChecksum(offload, packet, FRONT, length);
        }
        if ((options & IXSM) != 0) {
            context().insertIpChecksum(packet, FRONT, length);
        }
        offer(FRONT, length);
        return true;
    }

    private boolean startCutting() {
        int announced = context().headerLength() + (options >>> PAYLEN_SHIFT);
        length = Math.min(length, announced);
        cutting = length >= EthernetFrame.HEADER_BYTES
                && context().describeSegments(offload)
                && segmenter.begin(packet, FRONT, length, offload, MAX_FRAME) == PacketSegmenter.Check.FINE
                && segmenter.next();
        if (cutting) {
            offer(segmenter.offset(), segmenter.length());
        }
        return cutting;
    }

    /** Makes a frame the next to go, with its tag; bytes before it have left already. */
    private void offer(int start, int bytes) {
        frameStart = start;
        frameLength = bytes;
        int virtualTag = registers.get(VMVIR + 4 * (index & POOLS - 1));
        boolean always = virtualTag >>> VMVIR_MODE_SHIFT == VMVIR_ALWAYS && output.divided();
        int inserted = always ? virtualTag & 0xFFFF : tag;
        if (inserted >= 0) {
            System.arraycopy(packet, start, packet, start - FRONT, EthernetFrame.TYPE);
            frameStart = start - FRONT;
            frameLength = bytes + FRONT;
            BigEndian.putShort(packet, frameStart + EthernetFrame.TYPE, registers.get(VET) & 0xFFFF);
            BigEndian.putShort(packet, frameStart + EthernetFrame.HEADER_BYTES, inserted);
        }
        ready = true;
    }

    /** @return false if the wire has no room now */
    private boolean sendOne() {
        int started = generation();
        byte[] bytes = packet;
        int start = frameStart;
        int size = frameLength;
        if (size < MIN_FRAME) {
            // Not in place: what follows may be the next segment's payload.
            System.arraycopy(packet, frameStart, padded, 0, size);
            java.util.Arrays.fill(padded, size, MIN_FRAME, (byte) 0);
            bytes = padded;
            start = 0;
            size = MIN_FRAME;
        }
        if (!output.send(index, bytes, start, size)) {
            return false;
        }
        if (generation() != started) {
            return true;
        }
        if (cutting && segmenter.next()) {
            offer(segmenter.offset(), segmenter.length());
            return true;
        }
        int low = LittleEndian.getInt(block, at() + 8);
        forgetPacket();
        finishDescriptor(low);
        return true;
    }

    private void drop(int low) {
        if (unreachable) {
            counters.txUnreachable++;
            counters.txUnreachableOfPool[index & IgbRegisters.POOLS - 1]++;
        } else {
            counters.txMalformed++;
            counters.txMalformedOfPool[index & IgbRegisters.POOLS - 1]++;
        }
        forgetPacket();
        finishDescriptor(low);
    }

    /** Steps over the descriptor at head, and reports it if RS asks for that (82576 datasheet 7.2.3). */
    private void finishDescriptor(int low) {
        long iova = iova();
        int status = LittleEndian.getInt(block, at() + STATUS);
        int started = generation();
        advance();
        if ((low & RS) == 0) {
            return;
        }
        int headWriteBack = registers.get(TDWBAL + QUEUE_STRIDE * index);
        DmaFault fault;
        if ((headWriteBack & HEAD_WRITE_BACK) != 0) {
            LittleEndian.putInt(headBytes, 0, head());
            long address = registers.get64(TDWBAL + QUEUE_STRIDE * index) & ~3L;
            fault = dma.write(address, headBytes, 0, 4, DmaKind.DESCRIPTOR);
        } else {
            fault = dma.storeShortRelease(iova + STATUS, status & 0xFFFF | DD, DmaKind.DESCRIPTOR);
        }
        counters.dmaFaults += fault == DmaFault.NONE ? 0 : 1;
        if (generation() == started) {
            complete();
        }
    }
}
