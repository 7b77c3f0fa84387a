package io.iolab.vmm.viommu;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.AddressRange;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.List;

/**
 * What a guest's mappings cost it, by the way in which they take effect: each case maps and unmaps the same ranges, through real drivers
 * and units, and counts. Nothing is timed, so the figures are the same on every machine.
 */
public final class ViommuBench {
    /** Bytes of the guest that are mapped, over and over. */
    private static final long BUFFERS = 4 << 20;

    private static final long FIRST_IOVA = 0x1_0000_0000L;

    private ViommuBench() {}

    /**
     * Every mode with each number of pages.
     *
     * @param calls maps of each case, 1 to 4096
     * @param pages of 4 KiB a call, each a power of two up to 256
     */
    public static List<ViommuResult> run(int calls, List<Integer> pages, CostProfile profile) {
        List<ViommuResult> results = new ArrayList<>();
        for (ViommuMode mode : ViommuMode.values()) {
            for (int each : pages) {
                results.add(run(mode, calls, each, profile));
            }
        }
        return results;
    }

    private static ViommuResult run(ViommuMode mode, int calls, int pages, CostProfile profile) {
        long length = (long) pages * AddressRange.PAGE_SIZE;
        try (ViommuMachine machine = new ViommuMachine(mode, profile)) {
            // The first makes the tables, whose cost is not that of a mapping.
            machine.driver().map(FIRST_IOVA, 0, length);
            machine.driver().unmap(FIRST_IOVA, length);
            ViommuResult.Share start = machine.figures();
            for (int i = 0; i < calls; i++) {
                long gpa = i * length % BUFFERS;
                machine.driver().map(FIRST_IOVA + i * length, gpa, length);
                check(machine, FIRST_IOVA + i * length, true);
            }
            ViommuResult.Share mapped = machine.figures();
            for (int i = 0; i < calls; i++) {
                machine.driver().unmap(FIRST_IOVA + i * length, length);
                check(machine, FIRST_IOVA + i * length, false);
            }
            ViommuResult.Share end = machine.figures();
            return new ViommuResult(mode, pages, calls, mapped.minus(start), end.minus(mapped));
        }
    }

    /** A count of mappings that do not map would be worth nothing. */
    private static void check(ViommuMachine machine, long iova, boolean reachable) {
        DmaPort function = machine.function();
        boolean reached = function.write(iova, new byte[] {1}, 0, 1, DmaKind.PAYLOAD) == DmaFault.NONE;
        if (reached != reachable) {
            throw new IllegalStateException(
                    "iova 0x" + Long.toHexString(iova) + (reached ? " is still mapped" : " is not mapped"));
        }
    }
}
