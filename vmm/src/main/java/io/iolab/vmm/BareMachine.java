package io.iolab.vmm;

import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.vcpu.GuestWindow.Trap;
import io.iolab.vmm.vcpu.LocalApic;
import io.iolab.vmm.vcpu.NativeCpu;

/** A processor, RAM and a PCI bus with nothing in between. */
final class BareMachine {
    private final NativeCpu cpu;
    /** INTx is wired to nothing: the NIC's driver uses messages. */
    private final MachineBus bus = new MachineBus(gsi -> InterruptPin.UNCONNECTED);

    private final long heap;

    BareMachine(PathContext context) {
        cpu = new NativeCpu(
                context.name() + "-cpu0",
                context.ledger(),
                context.profile(),
                new LocalApic(0, vector -> {}, (sender, icr) -> {}),
                bus);
        heap = allocate(context.host(), context.config().ramBytes());
    }

    /** Contiguous RAM out of the host's large frames. */
    private static long allocate(Host host, long bytes) {
        long first = host.frames().allocateLarge();
        for (long at = AddressRange.LARGE_PAGE_SIZE; at < bytes; at += AddressRange.LARGE_PAGE_SIZE) {
            if (host.frames().allocateLarge() != first + at) {
                throw new IllegalStateException("no " + bytes + " contiguous bytes of host memory");
            }
        }
        return first;
    }

    NativeCpu cpu() {
        return cpu;
    }

    /** First address of the machine's RAM. */
    long heap() {
        return heap;
    }

    void plug(int slot, PciFunction function, DeviceHooks hooks) {
        bus.plug(slot, function, (bar, offset, write) -> Trap.NONE, hooks);
    }

    MessagePort messages(WorkAccount account) {
        return (address, data) -> cpu.post(data & 0xFF, account.nowPicos());
    }
}
