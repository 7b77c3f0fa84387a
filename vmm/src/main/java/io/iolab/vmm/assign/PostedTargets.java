package io.iolab.vmm.assign;

/** Finds where a guest's interrupt messages can be posted. */
@FunctionalInterface
public interface PostedTargets {
    /** Nothing is posted. */
    PostedTargets NONE = (address, data) -> -1;

    /**
     * Where a message can be posted: one that is fixed or of lowest priority and for a single vCPU.
     *
     * @return host physical address of that vCPU's descriptor, or -1
     */
    long descriptorFor(long address, int data);
}
