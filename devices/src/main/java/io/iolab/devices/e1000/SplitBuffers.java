package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;

/**
 * The four buffers of a packet split descriptor (82574 datasheet 7.1): headers go into the first, data into the others. A frame
 * that is not cut fills the first and then the rest; later descriptors of a cut frame leave the first one empty.
 */
final class SplitBuffers {
    private static final int BUFFERS = 4;
    private static final int HEADER_SPLIT = 1 << 15;

    private final DmaPort dma;
    private final int[] sizes = new int[BUFFERS];
    private final long[] iovas = new long[BUFFERS];
    private final int[] lengths = new int[BUFFERS];
    private int headerStatus;
    private int stored;

    SplitBuffers(DmaPort dma) {
        this.dma = dma;
    }

    /** PSRCTL: the first size in 128 bytes, the others in 1024. */
    void configure(int psrctl) {
        sizes[0] = (psrctl & 0x7F) * 128;
        for (int i = 1; i < BUFFERS; i++) {
            sizes[i] = (psrctl >>> 8 * i & 0x3F) * 1024;
        }
    }

    /** Bytes that one descriptor holds whatever the frame looks like. */
    int capacity() {
        return sizes[1] + sizes[2] + sizes[3];
    }

    void load(byte[] block, int at) {
        for (int i = 0; i < BUFFERS; i++) {
            iovas[i] = LittleEndian.getLong(block, at + 8 * i);
        }
    }

    /**
     * Stores what fits of {@code bytes} from {@code done} on.
     *
     * @param header length of the headers; 0 not to cut
     */
    DmaFault store(byte[] bytes, int offset, int length, int done, int header) {
        boolean cut = header > 0 && header <= sizes[0];
        int at = done;
        DmaFault fault = DmaFault.NONE;
        headerStatus = cut && done == 0 ? header | HEADER_SPLIT : 0;
        for (int i = 0; i < BUFFERS; i++) {
            // Behind the headers nothing is left for the first buffer of a later descriptor.
            int limit = i == 0 && cut ? header : length;
            int take = iovas[i] == 0 ? 0 : Math.max(0, Math.min(sizes[i], limit - at));
            lengths[i] = take;
            if (take > 0) {
                DmaFault result = dma.write(iovas[i], bytes, offset + at, take, DmaKind.PAYLOAD);
                fault = result == DmaFault.NONE ? fault : result;
                at += take;
            }
        }
        stored = at - done;
        return fault;
    }

    int stored() {
        return stored;
    }

    /** The second half of the write-back. */
    void fill(byte[] block, int at, int tag) {
        LittleEndian.putInt(block, at + 12, lengths[0] | tag << 16);
        LittleEndian.putInt(block, at + 16, headerStatus | lengths[1] << 16);
        LittleEndian.putInt(block, at + 20, lengths[2] | lengths[3] << 16);
        LittleEndian.putLong(block, at + 24, 0);
    }
}
