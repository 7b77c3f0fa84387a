package io.iolab.vmm.viommu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.iommu.register.VtdRegisters;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;

/**
 * A guest's processor as far as its driver of the remapping unit needs one: each load and store of the window is an exit to the VMM,
 * counted in the guest's ledger by register and direction ({@code viommu.IQT write}) with what the profile charges for it. The page's
 * first access is an EPT violation, each later one a misconfiguration, as for every trapped page.
 */
public final class TrappedUnit implements CpuPort {
    private final VirtualUnit unit;
    private final long base;
    private final GuestLedger ledger;
    private final long picos;
    private boolean marked;

    /** @param base guest physical address of the window */
    public TrappedUnit(VirtualUnit unit, long base, GuestLedger ledger, CostProfile profile) {
        this.unit = unit;
        this.base = base;
        this.ledger = ledger;
        picos = profile.picos(Cost.EXIT_USER)
                + profile.picos(Cost.EXIT_MMIO_DECODE)
                + profile.picos(Cost.INDIRECT_EXIT);
    }

    private void exit(long offset, String direction) {
        ExitReason reason = marked ? ExitReason.EPT_MISCONFIG : ExitReason.EPT_VIOLATION;
        marked = true;
        ExitCounter counter =
                ledger.exits().counter(reason, "viommu." + unit.registerName(offset) + direction, ExitHandler.USER);
        ledger.exit(counter, picos);
    }

    private boolean claims(long gpa, int width) {
        return AddressRange.contains(base, VtdRegisters.WINDOW, gpa, width);
    }

    @Override
    public long load(long gpa, int width) {
        if (!claims(gpa, width)) {
            return -1L >>> 64 - 8 * width;
        }
        exit(gpa - base, " read");
        return unit.read(gpa - base, width);
    }

    @Override
    public void store(long gpa, int width, long value) {
        if (claims(gpa, width)) {
            exit(gpa - base, " write");
            unit.write(gpa - base, width, value);
        }
    }

    @Override
    public int in(int port, int width) {
        return -1 >>> 32 - 8 * width;
    }

    @Override
    public void out(int port, int width, int value) {}
}
