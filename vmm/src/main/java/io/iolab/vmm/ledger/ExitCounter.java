package io.iolab.vmm.ledger;

/** Exits of one reason, register and handler. Written by the vCPU that exits. */
public final class ExitCounter {
    private final ExitReason reason;
    private final String detail;
    private final ExitHandler handler;
    private long count;
    private long picos;

    ExitCounter(ExitReason reason, String detail, ExitHandler handler) {
        this.reason = reason;
        this.detail = detail;
        this.handler = handler;
    }

    /** @param picos time from leaving the guest to being back in it, without the time a halted vCPU slept */
    public void add(long picos) {
        count++;
        this.picos += picos;
    }

    public ExitReason reason() {
        return reason;
    }

    /** The register or port touched ({@code TDT}, {@code 0xcfc}), or {@code "-"} where the reason says it all. */
    public String detail() {
        return detail;
    }

    public ExitHandler handler() {
        return handler;
    }

    public long count() {
        return count;
    }

    public long picos() {
        return picos;
    }
}
