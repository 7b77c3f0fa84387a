package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.AddressMap.Region;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A virtual processor on VMX, without APICv unless it has a posted-interrupt descriptor: accesses to trapped windows exit, a
 * notification to a running vCPU kicks it out, an EOI is an MSR exit in x2APIC mode (SDM volume 3, sections 25.1.3 and 29.5). With a
 * descriptor interrupts come and end without exits, but for the EOI of a level-triggered one (29.1.4, 29.6). Each exit is counted and
 * timed by reason, register and handler.
 */
public final class Vcpu extends Processor {
    private static final long ALL_ONES = -1;
    /** KVM keeps one page of 24-byte records and leaves one free: 169 writes wait at most. */
    private static final int COALESCED_RING = 169;
    /** The registers of the largest device, 128 KiB; what lies further out in a window is looked up by name each time. */
    private static final int MAX_CACHED_WORDS = 1 << 15;

    private final GuestBus bus;
    private final ExitCounter externalInterrupt;
    private final ExitCounter interruptWindow;
    private final ExitCounter eoi;
    private final ExitCounter eoiInduced;
    private final ExitCounter hlt;
    private final ExitCounter timerArm;
    private final ExitCounter timerExpiry;
    private final MmioPages mmioPages = new MmioPages();
    private final Map<GuestWindow, @Nullable ExitCounter[][]> counters = new IdentityHashMap<>();
    private final GuestWindow[] coalescedWindow = new GuestWindow[COALESCED_RING];
    private final long[] coalescedOffset = new long[COALESCED_RING];
    private final int[] coalescedWidth = new int[COALESCED_RING];
    private final long[] coalescedValue = new long[COALESCED_RING];
    private int coalesced;
    private @Nullable GuestWindow lastWindow;
    private @Nullable ExitCounter @Nullable [][] lastCounters;
    private boolean packetCall;

    public Vcpu(String name, GuestLedger ledger, CostProfile profile, LocalApic apic, GuestBus bus) {
        super(name, ledger, profile, apic);
        this.bus = bus;
        externalInterrupt = ledger.exits().counter(ExitReason.EXTERNAL_INTERRUPT, "-", ExitHandler.KERNEL);
        interruptWindow = ledger.exits().counter(ExitReason.INTERRUPT_WINDOW, "-", ExitHandler.KERNEL);
        eoi = ledger.exits().counter(ExitReason.MSR_WRITE, "EOI", ExitHandler.KERNEL);
        eoiInduced = ledger.exits().counter(ExitReason.EOI_INDUCED, "-", ExitHandler.KERNEL);
        hlt = ledger.exits().counter(ExitReason.HLT, "-", ExitHandler.KERNEL);
        timerArm = ledger.exits().counter(ExitReason.MSR_WRITE, "TSC_DEADLINE", ExitHandler.KERNEL);
        timerExpiry = ledger.exits().counter(ExitReason.PREEMPTION_TIMER, "-", ExitHandler.KERNEL);
    }

    @Override
    public void packetCall(boolean inside) {
        packetCall = inside;
    }

    @Override
    public long load(long gpa, int width) {
        Region<GuestWindow> region = bus.memory(gpa, width);
        if (region == null) {
            return unclaimed(gpa, width);
        }
        GuestWindow window = region.target();
        long offset = gpa - region.base();
        GuestWindow.Trap trap = window.trap(offset, false);
        if (trap == GuestWindow.Trap.NONE) {
            charge(CpuShare.GUEST, profile.picos(Cost.MMIO_NATIVE_READ));
            return window.read(offset, width);
        }
        long began = nowPicos();
        boolean first = mmioPages.mark(gpa);
        ExitCounter counter = memoryCounter(window, offset, trap, first);
        enter(trap, first);
        long value = window.read(offset, width);
        leave(trap);
        ledger.exit(counter, nowPicos() - began);
        return value;
    }

    @Override
    public void store(long gpa, int width, long value) {
        Region<GuestWindow> region = bus.memory(gpa, width);
        if (region == null) {
            unclaimed(gpa, width);
            return;
        }
        GuestWindow window = region.target();
        long offset = gpa - region.base();
        GuestWindow.Trap trap = window.trap(offset, true);
        if (trap == GuestWindow.Trap.NONE) {
            if (!packetCall) {
                charge(CpuShare.GUEST, profile.picos(Cost.MMIO_NATIVE_WRITE));
            }
            window.write(offset, width, value);
            return;
        }
        if (trap == GuestWindow.Trap.COALESCED && coalesced == COALESCED_RING) {
            trap = GuestWindow.Trap.USER;
        }
        long began = nowPicos();
        boolean first = mmioPages.mark(gpa);
        ExitCounter counter = memoryCounter(window, offset, trap, first);
        enter(trap, first);
        if (trap == GuestWindow.Trap.COALESCED) {
            coalesce(window, offset, width, value);
        } else {
            window.write(offset, width, value);
        }
        leave(trap);
        ledger.exit(counter, nowPicos() - began);
    }

    private void coalesce(GuestWindow window, long offset, int width, long value) {
        coalescedWindow[coalesced] = window;
        coalescedOffset[coalesced] = offset;
        coalescedWidth[coalesced] = width;
        coalescedValue[coalesced] = value;
        coalesced++;
    }

    /** The world switch and, for a user exit, the writes that were waiting for one. */
    private void enter(GuestWindow.Trap trap, boolean first) {
        inExit(true);
        switch (trap) {
            case USER -> {
                exitCost(profile.picos(Cost.EXIT_USER) + profile.picos(Cost.EXIT_MMIO_DECODE));
                drainCoalesced();
            }
            case KERNEL, COALESCED -> exitCost(profile.picos(Cost.EXIT_KERNEL) + profile.picos(Cost.EXIT_MMIO_DECODE));
            // A page that is not marked yet is no misconfiguration: the access takes the long way to its ioeventfd.
            case FAST ->
                exitCost(
                        first
                                ? profile.picos(Cost.EXIT_KERNEL) + profile.picos(Cost.EXIT_MMIO_DECODE)
                                : profile.picos(Cost.EXIT_FAST_MMIO));
            case NONE -> throw new IllegalStateException("no exit");
        }
    }

    private void leave(GuestWindow.Trap trap) {
        if (trap == GuestWindow.Trap.USER) {
            bus.afterUserExit();
        }
        inExit(false);
    }

    private void drainCoalesced() {
        for (int i = 0; i < coalesced; i++) {
            coalescedWindow[i].write(coalescedOffset[i], coalescedWidth[i], coalescedValue[i]);
        }
        coalesced = 0;
    }

    private void exitCost(long picos) {
        charge(CpuShare.EXIT, picos + profile.picos(Cost.INDIRECT_EXIT));
    }

    private long unclaimed(long gpa, int width) {
        long began = nowPicos();
        boolean first = mmioPages.mark(gpa);
        enter(GuestWindow.Trap.USER, first);
        leave(GuestWindow.Trap.USER);
        ExitCounter counter = ledger.exits().counter(reason(first), "unclaimed", ExitHandler.USER);
        ledger.exit(counter, nowPicos() - began);
        return width == 8 ? ALL_ONES : (1L << 8 * width) - 1;
    }

    /** KVM marks an MMIO page on its first access, which shows as a violation; each later one is a misconfiguration. */
    private static ExitReason reason(boolean first) {
        return first ? ExitReason.EPT_VIOLATION : ExitReason.EPT_MISCONFIG;
    }

    private ExitCounter memoryCounter(GuestWindow window, long offset, GuestWindow.Trap trap, boolean first) {
        ExitHandler handler = trap == GuestWindow.Trap.USER ? ExitHandler.USER : ExitHandler.KERNEL;
        int word = (int) (offset >>> 2);
        if (first || offset >>> 2 >= MAX_CACHED_WORDS) {
            return ledger.exits().counter(reason(first), window.detail(offset), handler);
        }
        @Nullable ExitCounter[][] ofWindow = countersOf(window);
        @Nullable ExitCounter[] ofWord = ofWindow[handler.ordinal()];
        if (word >= ofWord.length) {
            ofWord = java.util.Arrays.copyOf(ofWord, word + 64);
            ofWindow[handler.ordinal()] = ofWord;
        }
        ExitCounter counter = ofWord[word];
        if (counter == null) {
            counter = ledger.exits().counter(ExitReason.EPT_MISCONFIG, window.detail(offset), handler);
            ofWord[word] = counter;
        }
        return counter;
    }

    private @Nullable ExitCounter[][] countersOf(GuestWindow window) {
        @Nullable ExitCounter[][] cached = lastCounters;
        if (cached != null && lastWindow == window) {
            return cached;
        }
        @Nullable
        ExitCounter[][] found = counters.computeIfAbsent(window, w -> new ExitCounter[ExitHandler.values().length][64]);
        lastWindow = window;
        lastCounters = found;
        return found;
    }

    @Override
    public int in(int port, int width) {
        long began = nowPicos();
        inExit(true);
        exitCost(profile.picos(Cost.EXIT_USER));
        drainCoalesced();
        Region<GuestWindow> region = bus.ports(port, width);
        int value = region == null
                ? (int) (width == 4 ? ALL_ONES : (1L << 8 * width) - 1)
                : (int) region.target().read(port - region.base(), width);
        bus.afterUserExit();
        inExit(false);
        ledger.exit(portCounter(port, region), nowPicos() - began);
        return value;
    }

    @Override
    public void out(int port, int width, int value) {
        long began = nowPicos();
        inExit(true);
        exitCost(profile.picos(Cost.EXIT_USER));
        drainCoalesced();
        Region<GuestWindow> region = bus.ports(port, width);
        if (region != null) {
            region.target().write(port - region.base(), width, value & 0xFFFF_FFFFL);
        }
        bus.afterUserExit();
        inExit(false);
        ledger.exit(portCounter(port, region), nowPicos() - began);
    }

    private ExitCounter portCounter(int port, @Nullable Region<GuestWindow> region) {
        String detail = region == null ? "unclaimed" : region.target().detail(port - region.base());
        return ledger.exits().counter(ExitReason.IO_INSTRUCTION, detail, ExitHandler.USER);
    }

    @Override
    protected long wakeLatencyPicos() {
        return profile.picos(Cost.WAKE_VCPU);
    }

    @Override
    protected void onKick() {
        if (!virtualDelivery()) {
            exit(externalInterrupt, Cost.EXIT_EXTERNAL_INTERRUPT);
        }
    }

    @Override
    protected void onInterruptWindow() {
        if (!virtualDelivery()) {
            exit(interruptWindow, Cost.EXIT_INTERRUPT_WINDOW);
        }
    }

    @Override
    protected void onInject() {
        if (!virtualDelivery()) {
            charge(CpuShare.EXIT, profile.picos(Cost.INJECT_EVENT));
        }
    }

    @Override
    protected void onEoi(boolean level) {
        if (!virtualDelivery()) {
            exit(eoi, Cost.EXIT_EOI);
        } else if (level) {
            exit(eoiInduced, Cost.EXIT_EOI);
        }
    }

    @Override
    protected void onTimerArmed() {
        exit(timerArm, Cost.EXIT_MSR_WRITE);
    }

    @Override
    protected void onTimerExpired() {
        exit(timerExpiry, Cost.EXIT_EXTERNAL_INTERRUPT);
    }

    @Override
    protected void onHalt() {
        exit(hlt, Cost.EXIT_HLT);
    }

    private void exit(ExitCounter counter, Cost cost) {
        long began = nowPicos();
        exitCost(profile.picos(cost));
        ledger.exit(counter, nowPicos() - began);
    }
}
