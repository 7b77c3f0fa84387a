package io.iolab.vmm.ledger;

/** Where an exit is finished. */
public enum ExitHandler {
    /** Inside the kernel module: the guest resumes without a return to the VMM process. */
    KERNEL,
    /** In the VMM process, as KVM_RUN returning. */
    USER
}
