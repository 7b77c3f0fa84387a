package io.iolab.vmm.policy;

import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.vmm.memory.HostFrames;

/** A page a packet: mapped for it, and unmapped when its place comes round again. */
final class PageBuffers implements BufferRing {
    private final DmaMapper mapper;
    private final DmaDirection direction;
    private final int packetBytes;
    private final int bufferBytes;
    private final long[] hpas = new long[PolicyBench.RING];
    private final long[] iovas = new long[PolicyBench.RING];
    private long count;

    PageBuffers(DmaMapper mapper, HostFrames frames, DmaDirection direction, int packetBytes) {
        this.mapper = mapper;
        this.direction = direction;
        this.packetBytes = packetBytes;
        // What will be received is not known: a whole packet must fit.
        bufferBytes = direction == DmaDirection.TO_DEVICE ? packetBytes : PolicyCase.PACKET_ROOM;
        for (int place = 0; place < hpas.length; place++) {
            hpas[place] = frames.allocate();
        }
    }

    @Override
    public long next() {
        int place = (int) (count % PolicyBench.RING);
        if (count >= PolicyBench.RING) {
            mapper.unmap(iovas[place], packetBytes);
        }
        long iova = mapper.map(hpas[place], bufferBytes, direction);
        if (iova == DmaMapper.FAILED) {
            throw new IllegalStateException("no address for a buffer");
        }
        iovas[place] = iova;
        count++;
        return iova;
    }

    @Override
    public void drain() {
        for (int place = 0; place < Math.min(count, PolicyBench.RING); place++) {
            mapper.unmap(iovas[place], packetBytes);
        }
        count = 0;
    }
}
