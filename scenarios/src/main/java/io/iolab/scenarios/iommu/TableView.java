package io.iolab.scenarios.iommu;

import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;

/** The tables of a remapping unit that is there for a moment, to be asked meanwhile. */
public interface TableView {
    /** Explains a DMA request. */
    TableWalk explain(WalkRequest request);

    /**
     * Explains an interrupt request.
     *
     * @param rid the source, 16 bits
     * @param index of the interrupt-remapping entry that it names
     */
    TableWalk interrupt(int rid, int index);
}
