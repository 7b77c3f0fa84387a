package io.iolab.scenarios.attack;

import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.AccessControlServices;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntToLongFunction;

/** What a device still knows of the guest before. */
final class ReassignmentWithoutReset implements Attack {
    private static final int RID = 0x0100;
    private static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    private static final int RDBAL = 0x2800;
    private static final int TDBAL = 0x3800;
    private static final long RECEIVE_RING = 0x1122_3344_5560L;
    private static final long TRANSMIT_RING = 0x7766_5544_3380L;

    @Override
    public String name() {
        return "reassignment-without-reset";
    }

    @Override
    public String what() {
        return "A NIC is taken from guest B and given to guest A, who reads its registers before doing anything else. "
                + "They still hold the addresses of B's rings, which tell where B keeps its memory.";
    }

    @Override
    public String defence() {
        return "reset on release: FLR, or D3hot and secondary bus where there is none, as for the 82574L"
                + " (VFIO resets when a device is opened and closed)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.leaked(2 * Long.BYTES);
    }

    @Override
    public Verdict run(AttackedHost host) {
        E1000 nic = host.build.function(
                host.build.rootPort(1, 0, AccessControlServices.ISOLATION),
                0,
                0,
                dma -> E1000.create(
                        E1000Model.I82574L,
                        MAC,
                        dma,
                        InterruptPin.UNCONNECTED,
                        (frame, offset, length) -> Delivery.ACCEPTED,
                        () -> 0));
        host.start(true);
        AssignedDevice first = host.open(RID);
        program(first, RDBAL, RECEIVE_RING);
        program(first, TDBAL, TRANSMIT_RING);
        host.note("guest B's driver set RDBA to 0x%x and TDBA to 0x%x", RECEIVE_RING, TRANSMIT_RING);
        byte[] rings = registers(register -> register == 0 ? RECEIVE_RING : TRANSMIT_RING);
        byte[] loot;
        if (host.defended()) {
            String method = first.device().resetMethod();
            first.close();
            AssignedDevice second = host.open(RID);
            host.note("closed by B, opened by A: reset by %s", method);
            loot = registers(register -> read(second, register == 0 ? RDBAL : TDBAL));
        } else {
            host.driver.detach(RID);
            host.attach(RID);
            host.note("guest A has the same registers mapped now; nothing was reset");
            loot = registers(register -> {
                int low = register == 0 ? RDBAL : TDBAL;
                return nic.readBar(0, low, 4) | nic.readBar(0, low + 4L, 4) << 32;
            });
        }
        return Verdict.leaked(host.seen("guest B's ring addresses", rings, 0, loot));
    }

    private static void program(AssignedDevice device, int low, long value) {
        device.device().writeRegion(0, low, 4, value & 0xFFFF_FFFFL);
        device.device().writeRegion(0, low + 4L, 4, value >>> 32);
    }

    private static long read(AssignedDevice device, int low) {
        return device.device().readRegion(0, low, 4) | device.device().readRegion(0, low + 4L, 4) << 32;
    }

    /** Both ring addresses as they lie in a register file. */
    private static byte[] registers(IntToLongFunction source) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(source.applyAsLong(0)).putLong(source.applyAsLong(1));
        return bytes.array();
    }
}
