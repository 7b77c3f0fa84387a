package io.iolab.iommu.explain;

import io.iolab.iommu.fault.FaultReason;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A walk and how it ended.
 *
 * @param mode what the root pointer says: {@code legacy}, {@code scalable}, {@code abort} or {@code reserved}; {@code interrupt} for an
 *     interrupt request
 * @param rootHpa where the root table lies, or the interrupt-remapping table
 * @param steps in the order of the unit's reads
 * @param reason why the request is blocked; null if it is not
 * @param decision what decided, in words
 * @param hpa where the address leads in host memory; -1 if blocked or no memory request
 * @param pageShift 12, 21 or 30; 0 if there is no page
 */
public record TableWalk(
        WalkRequest request,
        String mode,
        long rootHpa,
        List<TableStep> steps,
        @Nullable FaultReason reason,
        String decision,
        long hpa,
        int pageShift) {
    public TableWalk {
        steps = List.copyOf(steps);
    }
}
