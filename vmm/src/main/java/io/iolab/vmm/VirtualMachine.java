package io.iolab.vmm;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.memory.GuestMemory;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.vcpu.DeliveryMode;
import io.iolab.vmm.vcpu.GuestWindow;
import io.iolab.vmm.vcpu.IoApic;
import io.iolab.vmm.vcpu.LocalApic;
import io.iolab.vmm.vcpu.MsiDecoder;
import io.iolab.vmm.vcpu.Vcpu;
import java.util.function.LongFunction;

/** One virtual machine: RAM, a vCPU with its local APIC, an I/O APIC and a PCI bus. */
final class VirtualMachine {
    /** Software may use what is above the first megabyte. */
    static final long HEAP = 1L << 20;

    private static final int INTA = 1;

    private final GuestMemory memory;
    private final Vcpu vcpu;
    private final IoApic ioApic;
    private final MachineBus bus;
    private final long ipiPicos;
    private final long injectPicos;

    VirtualMachine(PathContext context, WorkAccount account) {
        memory = new GuestMemory(context.host().frames(), context.config().ramBytes());
        ioApic = new IoApic(
                (destination, logical, mode, vector, level) -> deliver(account, destination, logical, vector, level));
        bus = new MachineBus(ioApic::pin);
        LocalApic apic = new LocalApic(0, ioApic::endOfInterrupt, (sender, icr) -> {});
        vcpu = new Vcpu(context.name() + "-vcpu0", context.ledger(), context.profile(), apic, bus);
        bus.add(
                IoApic.BASE,
                IoApic.WINDOW_SIZE,
                new MachineBus.ServedWindow(
                        ioApic, GuestWindow.Trap.KERNEL, offset -> offset == 0 ? "IOREGSEL" : "IOWIN"));
        ipiPicos = context.profile().picos(Cost.IPI_KICK);
        injectPicos = context.profile().picos(Cost.IRQ_INJECT_SYSCALL);
    }

    GuestMemory memory() {
        return memory;
    }

    Vcpu vcpu() {
        return vcpu;
    }

    void plug(int slot, PciFunction function, FunctionWindow.TrapRule rule, DeviceHooks hooks) {
        bus.plug(slot, function, rule, hooks);
    }

    /** Puts a window of the platform where every access exits to the VMM process. */
    void trap(long base, long size, MmioHandler registers, LongFunction<String> names) {
        bus.add(base, size, new MachineBus.ServedWindow(registers, GuestWindow.Trap.USER, names));
    }

    /** INTA# of the device in a slot, raised by the VMM process with a system call. */
    InterruptPin pin(int slot, WorkAccount account) {
        InterruptPin pin = bus.pci().intx(slot, INTA);
        return asserted -> {
            account.spend(injectPicos);
            pin.set(asserted);
        };
    }

    /** Where a device of this machine writes its messages, as long as they get there without leaving the kernel. */
    MessagePort messages(WorkAccount account) {
        return messages(account, 0);
    }

    /** The same for a device of the VMM process or of another one, which needs a system call for each message. */
    MessagePort messagesBySystemCall(WorkAccount account) {
        return messages(account, injectPicos);
    }

    /** Whether a message is fixed or of lowest priority and for this machine's processor. */
    boolean postable(long address, int data) {
        if (MsiDecoder.format(address, data) != MsiDecoder.Format.VALID || MsiDecoder.level(data)) {
            return false;
        }
        DeliveryMode mode = MsiDecoder.mode(address, data);
        return (mode == DeliveryMode.FIXED || mode == DeliveryMode.LOWEST_PRIORITY)
                && vcpu.apic().matches(MsiDecoder.destination(address), MsiDecoder.logical(address));
    }

    private MessagePort messages(WorkAccount account, long picos) {
        return (address, data) -> {
            if (MsiDecoder.format(address, data) == MsiDecoder.Format.VALID) {
                account.spend(picos);
                deliver(account, MsiDecoder.destination(address), MsiDecoder.logical(address), data & 0xFF, false);
            }
        };
    }

    private boolean deliver(WorkAccount account, int destination, boolean logical, int vector, boolean level) {
        if (!vcpu.apic().matches(destination, logical)) {
            return false;
        }
        long now = account.nowPicos();
        boolean kicked = level ? vcpu.acceptLevel(vector, now) : vcpu.post(vector, now);
        if (kicked && account.isProcessor()) {
            account.spend(ipiPicos);
        }
        return true;
    }
}
