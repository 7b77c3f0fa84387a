package io.iolab.vmm.ledger;

/** Basic VM-exit reasons that occur on our I/O paths: SDM volume 3, appendix C, by the names of KVM's tracepoints. */
public enum ExitReason {
    EXTERNAL_INTERRUPT(1),
    INTERRUPT_WINDOW(7),
    CPUID(10),
    HLT(12),
    VMCALL(18),
    IO_INSTRUCTION(30),
    MSR_READ(31),
    MSR_WRITE(32),
    APIC_ACCESS(44),
    EOI_INDUCED(45),
    EPT_VIOLATION(48),
    EPT_MISCONFIG(49),
    PREEMPTION_TIMER(52),
    APIC_WRITE(56);

    private final int number;

    ExitReason(int number) {
        this.number = number;
    }

    /** The basic exit reason, bits 15:0 of the exit-reason field. */
    public int number() {
        return number;
    }
}
