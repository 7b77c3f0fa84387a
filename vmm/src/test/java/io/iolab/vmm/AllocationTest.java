package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** DESIGN, "The rules of the machine" 7: nothing is allocated for a frame, from the program's call to the peer and back. */
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int FRAMES = 10_000;

    @ParameterizedTest
    @EnumSource(Path.class)
    void shouldAllocateNothingForAStream(Path path) throws Exception {
        assertThat(bytesPer10000(path, Labs.stream(60, Labs.MAX, Labs.rate(50_000))))
                .isLessThan(FRAMES);
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    void shouldAllocateNothingForARoundTrip(Path path) throws Exception {
        assertThat(bytesPer10000(path, new Workload.PingPong(1514, 0, 0))).isLessThan(FRAMES);
    }

    @Test
    void shouldAllocateNothingForAVirtualFunction() throws Exception {
        NicTuning nic = NicTuning.DEFAULTS.withAssigned(AssignedNic.IGBVF);
        Workload stream = Labs.stream(60, Labs.MAX, Labs.rate(50_000));
        assertThat(bytesPer10000(Labs.guest(Path.PASSTHROUGH, nic, stream, true)))
                .isLessThan(FRAMES);
    }

    private static long bytesPer10000(Path path, Workload workload) throws Exception {
        return bytesPer10000(Labs.guest(path, workload));
    }

    /** Bytes that 10,000 frames allocate; under one a frame there is nothing that every frame, or every burst, allocates. */
    private static long bytesPer10000(GuestConfig guest) throws Exception {
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, List.of(guest))) {
            lab.warmUp(50 * Labs.MILLISECOND);
            GuestLedger ledger = lab.ledgers().get(0);
            run(lab, ledger, FRAMES);
            long allocated = THREADS.getCurrentThreadAllocatedBytes();
            long frames = run(lab, ledger, FRAMES);
            allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
            return allocated * FRAMES / frames;
        }
    }

    /** Runs on until so many more frames have passed. */
    private static long run(Lab lab, GuestLedger ledger, int frames) {
        long before = ledger.frames(Direction.TX) + ledger.frames(Direction.RX);
        long passed = 0;
        while (passed < frames) {
            lab.advance(Labs.MILLISECOND);
            passed = ledger.frames(Direction.TX) + ledger.frames(Direction.RX) - before;
        }
        return passed;
    }
}
