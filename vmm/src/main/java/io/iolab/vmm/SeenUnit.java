package io.iolab.vmm;

import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import java.util.List;

/**
 * A remapping unit as its guest sees it.
 *
 * <p>Threading: between the steps of a run.
 */
public interface SeenUnit {
    /**
     * A fault that the guest's driver has read.
     *
     * @param report in the guest's names of requester and page
     * @param registers what the guest's processor read for the first one like it
     * @param records how many were like it
     */
    record Fault(FaultReport report, Registers registers, long records) {}

    /**
     * The registers of a fault (VT-d 10.4.9, 10.4.14).
     *
     * @param status FSTS
     * @param index of the fault recording register
     * @param high upper half of FRCD
     * @param low lower half
     */
    record Registers(int status, int index, long high, long low) {}

    /** The guest's name. */
    String guest();

    /** Faults that the guest's driver has read and cleared, in order of appearance, and no more than 1024 different ones. */
    List<Fault> faults();

    /** The guest's memory, from address 0. */
    long memoryBytes();

    /** The walk behind a fault, by the guest's tables as they are now. */
    TableWalk explain(FaultReport report);
}
