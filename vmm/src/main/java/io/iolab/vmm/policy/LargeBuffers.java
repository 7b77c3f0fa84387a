package io.iolab.vmm.policy;

import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.vmm.memory.HostFrames;

/** Two buffers of 2 MiB in turn: one is filled with packets while those of the other are still under way. */
final class LargeBuffers implements BufferRing {
    private static final int PACKETS = PolicyCase.LARGE_BUFFER / PolicyCase.PACKET_ROOM;
    private static final int BUFFERS = 2;

    private final DmaMapper mapper;
    private final DmaDirection direction;
    private final long[] hpas = new long[BUFFERS];
    private final long[] iovas = new long[BUFFERS];
    private long count;

    LargeBuffers(DmaMapper mapper, HostFrames frames, DmaDirection direction) {
        this.mapper = mapper;
        this.direction = direction;
        for (int buffer = 0; buffer < BUFFERS; buffer++) {
            hpas[buffer] = frames.allocateLarge();
            iovas[buffer] = DmaMapper.FAILED;
        }
    }

    @Override
    public long next() {
        int place = (int) (count % PACKETS);
        int buffer = (int) (count / PACKETS % BUFFERS);
        if (place == 0) {
            unmap(buffer);
            iovas[buffer] = mapper.map(hpas[buffer], PolicyCase.LARGE_BUFFER, direction);
            if (iovas[buffer] == DmaMapper.FAILED) {
                throw new IllegalStateException("no address for a buffer");
            }
        }
        count++;
        return iovas[buffer] + (long) place * PolicyCase.PACKET_ROOM;
    }

    private void unmap(int buffer) {
        if (iovas[buffer] != DmaMapper.FAILED) {
            mapper.unmap(iovas[buffer]);
            iovas[buffer] = DmaMapper.FAILED;
        }
    }

    @Override
    public void drain() {
        for (int buffer = 0; buffer < BUFFERS; buffer++) {
            unmap(buffer);
        }
        count = 0;
    }
}
