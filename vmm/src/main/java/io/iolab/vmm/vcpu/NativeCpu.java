package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.AddressMap;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;

/** A processor with no VMM under it: the yardstick. Register accesses cost what they cost on bare metal, and nothing exits. */
public final class NativeCpu extends Processor {
    private final GuestBus bus;
    private boolean packetCall;

    public NativeCpu(String name, GuestLedger ledger, CostProfile profile, LocalApic apic, GuestBus bus) {
        super(name, ledger, profile, apic);
        this.bus = bus;
    }

    @Override
    public void packetCall(boolean inside) {
        packetCall = inside;
    }

    @Override
    public long load(long hpa, int width) {
        charge(CpuShare.GUEST, profile.picos(Cost.MMIO_NATIVE_READ));
        AddressMap.Region<GuestWindow> region = bus.memory(hpa, width);
        return region == null ? ones(width) : region.target().read(hpa - region.base(), width);
    }

    @Override
    public void store(long hpa, int width, long value) {
        if (!packetCall) {
            charge(CpuShare.GUEST, profile.picos(Cost.MMIO_NATIVE_WRITE));
        }
        AddressMap.Region<GuestWindow> region = bus.memory(hpa, width);
        if (region != null) {
            region.target().write(hpa - region.base(), width, value);
        }
    }

    @Override
    public int in(int port, int width) {
        charge(CpuShare.GUEST, profile.picos(Cost.MMIO_NATIVE_READ));
        AddressMap.Region<GuestWindow> region = bus.ports(port, width);
        return (int) (region == null ? ones(width) : region.target().read(port - region.base(), width));
    }

    @Override
    public void out(int port, int width, int value) {
        charge(CpuShare.GUEST, profile.picos(Cost.MMIO_NATIVE_READ));
        AddressMap.Region<GuestWindow> region = bus.ports(port, width);
        if (region != null) {
            region.target().write(port - region.base(), width, value & 0xFFFF_FFFFL);
        }
    }

    private static long ones(int width) {
        return width == 8 ? -1 : (1L << 8 * width) - 1;
    }

    @Override
    protected long wakeLatencyPicos() {
        return 0;
    }

    @Override
    protected void onKick() {
        charge(CpuShare.GUEST, profile.picos(Cost.IRQ_NATIVE));
    }

    @Override
    protected void onInterruptWindow() {}

    @Override
    protected void onInject() {}

    @Override
    protected void onEoi(boolean level) {}

    @Override
    protected void onTimerArmed() {}

    @Override
    protected void onTimerExpired() {}

    @Override
    protected void onHalt() {}
}
