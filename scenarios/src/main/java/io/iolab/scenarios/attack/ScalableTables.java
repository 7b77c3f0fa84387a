package io.iolab.scenarios.attack;

import io.iolab.iommu.register.VtdRegisters;

/**
 * Scalable-mode tables as host software builds them: two functions, each with an empty second-level table of four levels, so that every
 * page of theirs is absent (VT-d 9.2 to 9.6).
 */
final class ScalableTables {
    /** PRE of a context entry: page requests are taken. */
    private static final int PAGE_REQUESTS = 1 << 4;

    private static final int DEVICE_TLB = 1 << 2;
    private static final int SECOND_LEVEL = 2 << 6;
    private static final int WIDTH_48 = 2 << 2;
    private static final int SCALABLE = 1 << 10;
    private static final int SET_ROOT = 1 << 30;
    private static final int TRANSLATION = 1 << 31;

    private final AttackedHost host;
    private final long rootHpa;
    private int domain = 1;

    ScalableTables(AttackedHost host) {
        this.host = host;
        rootHpa = host.frame();
    }

    /** @param pageRequests whether the function may send page requests */
    void add(int rid, boolean pageRequests) {
        long directory = host.frame();
        long pasids = host.frame();
        long context = host.frame();
        host.memory.writeLong(pasids, host.frame() | SECOND_LEVEL | WIDTH_48 | 1);
        host.memory.writeLong(pasids + 8, domain++);
        host.memory.writeLong(directory, pasids | 1);
        long entry = context + 32L * (rid & 0x7F);
        host.memory.writeLong(entry, directory | DEVICE_TLB | (pageRequests ? PAGE_REQUESTS : 0) | 1);
        host.memory.writeLong(rootHpa + 16L * (rid >>> 8), context | 1);
    }

    /** Translation by these tables from now on. */
    void enable() {
        host.driver.disable();
        host.store64(VtdRegisters.RTADDR, rootHpa | SCALABLE);
        host.command(SET_ROOT);
        host.command(TRANSLATION);
    }
}
