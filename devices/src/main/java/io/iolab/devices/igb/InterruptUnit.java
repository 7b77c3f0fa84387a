package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.pci.IntxLine;
import io.iolab.devices.pci.MsiCapability;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;
import java.util.Arrays;

/**
 * Causes and messages (82576 datasheet 7.3 and 8.8). Queue causes, and what IVAR_MISC names, become one of 25 bits of EICR. While a
 * virtual function is enabled, three of the bits are its own: vector v of VF n is bit 22-3n+v, and VTEICR, VTEIMS, VTEIAC, VTEIAM and
 * VTEITR are windows onto those bits.
 *
 * <pre>
 *   queue --IVAR | VTIVAR--&gt; EICR --EIMS, EITR--&gt; MSI-X vector --&gt; EIAC clears EICR, EIAM clears EIMS
 *   ICR &amp; IMS --IVAR_MISC--^       mailbox of VF n --VTIVAR_MISC--^
 *   without MSI-X: ICR &amp; IMS --&gt; INTx pin | MSI
 * </pre>
 */
final class InterruptUnit {
    static final int CAUSES = 25;

    private static final int ALL_CAUSES = (1 << CAUSES) - 1;
    private static final int VF_VECTORS = 3;
    private static final int VF_MASK = (1 << VF_VECTORS) - 1;
    private static final int VALID = 1 << 7;
    private static final int VECTOR = 0x1F;
    private static final int EITR_INTERVAL = 0x7FFC;
    private static final int EITR_SHIFT = 2;
    private static final long MICROSECOND = 1_000;

    private final RegisterFile registers;
    private final Clock clock;
    private final MsixTable msix;
    private final MsiCapability msi;
    private final IntxLine pin;
    private final MsixTable[] vfMsix = new MsixTable[POOLS];
    private final long[] earliest = new long[CAUSES];
    private int activeVfs;
    private int icr;
    private int ims;
    private int eicr;
    private int eims;
    /** Due, but within the interval of their EITR. */
    private int throttled;

    private boolean asserted;

    InterruptUnit(RegisterFile registers, Clock clock, MsixTable msix, MsiCapability msi, IntxLine pin) {
        this.registers = registers;
        this.clock = clock;
        this.msix = msix;
        this.msi = msi;
        this.pin = pin;
        attach();
        for (int vf = 0; vf < POOLS; vf++) {
            attachVf(vf);
        }
    }

    void connect(int vf, MsixTable table) {
        vfMsix[vf] = table;
    }

    /** The lowest bit of EICR that is a vector of this virtual function. */
    static int firstCause(int vf) {
        return CAUSES - VF_VECTORS - VF_VECTORS * vf;
    }

    private void attach() {
        registers.onRead(ICR, this::readIcr);
        registers.onWrite(ICR, (written, previous) -> {
            icr &= ~written;
            level();
        });
        registers.onRead(ICS, () -> icr);
        registers.onWrite(ICS, (written, previous) -> raise(written & ~ICR_INTA));
        registers.onRead(IMS, () -> ims);
        registers.onWrite(IMS, (written, previous) -> {
            int newly = written & ~ims;
            ims |= written;
            signal(icr & newly);
        });
        registers.onRead(IMC, () -> 0);
        registers.onWrite(IMC, (written, previous) -> {
            ims &= ~written;
            level();
        });
        registers.onRead(EICR, () -> takeEicr(ALL_CAUSES));
        registers.onWrite(EICR, (written, previous) -> eicr &= ~written);
        registers.onRead(EICS, () -> eicr);
        registers.onWrite(EICS, (written, previous) -> raiseExtended(written & ALL_CAUSES));
        registers.onRead(EIMS, () -> eims);
        registers.onWrite(EIMS, (written, previous) -> unmask(written & ALL_CAUSES));
        registers.onRead(EIMC, () -> 0);
        registers.onWrite(EIMC, (written, previous) -> mask(written & ALL_CAUSES));
        registers.onWrite(PBACLR, (written, previous) -> clearPending(msix, written));
    }

    private void attachVf(int vf) {
        int base = VF_STRIDE * vf;
        int first = firstCause(vf);
        registers.onWrite(PVTEICS + base, (written, previous) -> raiseExtended((written & VF_MASK) << first));
        registers.onRead(PVTEICS + base, () -> eicr >>> first & VF_MASK);
        registers.onRead(PVTEIMS + base, () -> eims >>> first & VF_MASK);
        registers.onWrite(PVTEIMS + base, (written, previous) -> unmask((written & VF_MASK) << first));
        registers.onWrite(PVTEIMC + base, (written, previous) -> mask((written & VF_MASK) << first));
        registers.onRead(PVTEICR + base, () -> takeEicr(VF_MASK << first) >>> first);
        registers.onWrite(PVTEICR + base, (written, previous) -> eicr &= ~((written & VF_MASK) << first));
        attachView(PVTEIAC + base, EIAC, first);
        attachView(PVTEIAM + base, EIAM, first);
    }

    private void attachView(int offset, int whole, int first) {
        registers.onRead(offset, () -> registers.get(whole) >>> first & VF_MASK);
        registers.onWrite(
                offset,
                (written, previous) -> registers.set(
                        whole, registers.get(whole) & ~(VF_MASK << first) | (written & VF_MASK) << first));
    }

    /** As many virtual functions have their vectors from now on. */
    void activeVfs(int count) {
        activeVfs = count;
    }

    void reset() {
        icr = 0;
        ims = 0;
        eicr = 0;
        eims = 0;
        throttled = 0;
        Arrays.fill(earliest, 0);
        level();
    }

    /** The three bits of one virtual function, and where its causes go, back to their reset values. */
    void resetVf(int vf) {
        int bits = VF_MASK << firstCause(vf);
        eicr &= ~bits;
        eims &= ~bits;
        throttled &= ~bits;
        registers.set(EIAC, registers.get(EIAC) & ~bits);
        registers.set(EIAM, registers.get(EIAM) & ~bits);
        registers.set(VTIVAR + VF_STRIDE * vf, 0);
        registers.set(VTIVAR_MISC + VF_STRIDE * vf, 0);
        for (int v = 0; v < VF_VECTORS; v++) {
            registers.set(EITR + 4 * (firstCause(vf) + v), 0);
            earliest[firstCause(vf) + v] = 0;
        }
    }

    private int readIcr() {
        boolean active = (icr & ims) != 0;
        int value = icr | (active ? ICR_INTA : 0);
        if ((registers.get(GPIE) & GPIE_NSICR) != 0 || ims == 0 || active) {
            icr = 0;
        }
        if (active && (registers.get(CTRL_EXT) & CTRL_EXT_IAME) != 0) {
            ims &= ~registers.get(IAM);
        }
        level();
        return value;
    }

    private int takeEicr(int bits) {
        int value = eicr & bits;
        eicr &= ~bits;
        throttled &= ~bits;
        return value;
    }

    /** Other causes: link, mailbox, spoofing. */
    void raise(int causes) {
        int newly = causes & ~icr;
        icr |= causes;
        signal(newly & ims);
    }

    private void signal(int newlyActive) {
        if (msix.enabled()) {
            int entry = registers.get(IVAR_MISC) >>> 8;
            if ((newlyActive & ims) != 0 && (entry & VALID) != 0 && (entry & VECTOR) < CAUSES) {
                raiseExtended(1 << (entry & VECTOR));
            }
            return;
        }
        if ((newlyActive & ims) != 0) {
            msi.fire();
        }
        level();
    }

    private void level() {
        boolean active = (icr & ims) != 0 && !msix.enabled();
        if (active != asserted) {
            asserted = active;
            pin.request(active);
        }
    }

    /** A completion on a queue: receive, or transmit. */
    void raiseQueue(int queue, boolean transmit) {
        int pool = queue & POOLS - 1;
        int column = (queue >>> 3) * 2 + (transmit ? 1 : 0);
        if (pool < activeVfs) {
            raiseVf(pool, registers.get(VTIVAR + VF_STRIDE * pool) >>> 8 * column);
            return;
        }
        int entry = registers.get(IVAR + 4 * pool) >>> 8 * column;
        if ((entry & VALID) != 0 && (entry & VECTOR) < CAUSES) {
            raiseExtended(1 << (entry & VECTOR));
        }
        if (!msix.enabled()) {
            raise(transmit ? ICR_TXDW : ICR_RXDW);
        }
    }

    /** The PF has written to the mailbox of this virtual function. */
    void raiseMailbox(int vf) {
        if (vf < activeVfs) {
            raiseVf(vf, registers.get(VTIVAR_MISC + VF_STRIDE * vf));
        }
    }

    private void raiseVf(int vf, int entry) {
        int vector = entry & 3;
        if ((entry & VALID) != 0 && vector < VF_VECTORS) {
            raiseExtended(1 << firstCause(vf) + vector);
        }
    }

    private void raiseExtended(int causes) {
        int newly = causes & ~eicr;
        eicr |= causes;
        deliver(newly & eims);
    }

    private void unmask(int causes) {
        int newly = causes & ~eims;
        eims |= causes;
        deliver(eicr & newly);
    }

    private void mask(int causes) {
        eims &= ~causes;
        throttled &= ~causes;
    }

    private void deliver(int causes) {
        for (int left = causes; left != 0; left &= left - 1) {
            deliverOne(Integer.numberOfTrailingZeros(left));
        }
    }

    private void deliverOne(int cause) {
        int bit = 1 << cause;
        int interval = (registers.get(EITR + 4 * cause) & EITR_INTERVAL) >>> EITR_SHIFT;
        if (interval != 0) {
            long now = clock.nanos();
            if (now < earliest[cause]) {
                throttled |= bit;
                return;
            }
            earliest[cause] = now + interval * MICROSECOND;
        }
        throttled &= ~bit;
        int vf = (CAUSES - 1 - cause) / VF_VECTORS;
        boolean virtual = vf < activeVfs;
        MsixTable table = virtual ? vfMsix[vf] : msix;
        if (!table.enabled()) {
            return;
        }
        // Before the message: a handler that runs at once finds the registers as the message left them.
        if ((registers.get(EIAC) & bit) != 0) {
            eicr &= ~bit;
        }
        if ((registers.get(EIAM) & bit) != 0 && (virtual || (registers.get(GPIE) & GPIE_EIAME) != 0)) {
            eims &= ~bit;
        }
        table.fire(virtual ? cause - firstCause(vf) : cause);
    }

    void clearPending(MsixTable table, int vectors) {
        for (int v = 0; v < table.vectors(); v++) {
            if ((vectors >>> v & 1) != 0) {
                table.clearPending(v);
            }
        }
    }

    /** Sends what waited for its interval to end. */
    void poll(long now) {
        for (int left = throttled; left != 0; left &= left - 1) {
            int cause = Integer.numberOfTrailingZeros(left);
            if (now >= earliest[cause]) {
                throttled &= ~(1 << cause);
                if ((eicr & eims & 1 << cause) != 0) {
                    deliverOne(cause);
                }
            }
        }
    }

    long deadline() {
        long next = Long.MAX_VALUE;
        for (int left = throttled; left != 0; left &= left - 1) {
            next = Math.min(next, earliest[Integer.numberOfTrailingZeros(left)]);
        }
        return next;
    }
}
