package io.iolab.vmm.remote;

import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.vmm.pci.PciHost;
import java.util.ArrayList;
import java.util.List;

/** What differs between the two machines: the host bridge, where configuration space is mapped, and how INTx pins are wired. */
abstract sealed class Chipset {
    private static final int NOWHERE = -1;

    private final HostBridge bridge;

    private Chipset(HostBridge bridge) {
        this.bridge = bridge;
    }

    static Chipset of(MachineType type, InterruptLines lines) {
        return type == MachineType.Q35 ? new Q35() : new Pc(lines);
    }

    /** Puts the chipset's own functions on the bus. */
    void plugInto(PciHost pci) {
        pci.add(0, 0, bridge);
    }

    ConfigSpace bridgeConfig() {
        return bridge.config();
    }

    /** First address of the memory-mapped configuration space, or -1 while there is none. */
    abstract long ecamBase();

    /** Its length in bytes. */
    abstract long ecamSize();

    /** A new source on the line of a slot's pin. */
    abstract InterruptPin intx(PciHost pci, int device, int pin);

    void reset() {
        bridge.reset();
    }

    /** Pins go straight to inputs 16 to 23 of the I/O APIC. */
    private static final class Q35 extends Chipset {
        private static final int ENABLED = 1;
        /** Bit 35 and up of a base address do not exist. */
        private static final long BASE_BITS = 0xF_FC00_0000L;

        Q35() {
            super(HostBridge.q35());
        }

        private int register() {
            return bridgeConfig().get(HostBridge.PCIEXBAR, 4);
        }

        @Override
        long ecamBase() {
            // Length 3 is reserved and decodes nothing.
            if ((register() & ENABLED) == 0 || (register() >>> 1 & 3) == 3) {
                return NOWHERE;
            }
            long base = register() & 0xFFFF_FFFFL | (long) bridgeConfig().get(HostBridge.PCIEXBAR + 4, 4) << 32;
            return base & BASE_BITS & -ecamSize();
        }

        @Override
        long ecamSize() {
            return PciHost.ECAM_SIZE >>> (register() >>> 1 & 3);
        }

        @Override
        InterruptPin intx(PciHost pci, int device, int pin) {
            return pci.intx(device, pin);
        }
    }

    /** Pins share four wires, which the ISA bridge leads to ISA interrupts or nowhere. */
    private static final class Pc extends Chipset {
        private static final int PIRQS = 4;
        private static final int ROUTE_DISABLED = 0x80;

        private final HostBridge isaBridge = HostBridge.piix3();
        private final InterruptLines lines;
        private final List<Wire> wires = new ArrayList<>();

        Pc(InterruptLines lines) {
            super(HostBridge.i440fx());
            this.lines = lines;
        }

        @Override
        void plugInto(PciHost pci) {
            super.plugInto(pci);
            pci.add(1, 0, isaBridge);
            isaBridge.config().onWrite(HostBridge.PIRQ_ROUTE, PIRQS, () -> wires.forEach(Wire::route));
        }

        @Override
        long ecamBase() {
            return NOWHERE;
        }

        @Override
        long ecamSize() {
            return 0;
        }

        /** Slot 1 takes the wires in order, each further slot starts one later. */
        @Override
        InterruptPin intx(PciHost pci, int device, int pin) {
            Wire wire = new Wire(device - 1 + pin - 1 & PIRQS - 1);
            wires.add(wire);
            return wire;
        }

        @Override
        void reset() {
            super.reset();
            isaBridge.reset();
        }

        private final class Wire implements InterruptPin {
            private final int pirq;
            private InterruptPin routed = UNCONNECTED;
            private int line = NOWHERE;
            private boolean level;

            Wire(int pirq) {
                this.pirq = pirq;
            }

            @Override
            public void set(boolean asserted) {
                level = asserted;
                routed.set(asserted);
            }

            void route() {
                int route = isaBridge.config().get(HostBridge.PIRQ_ROUTE + pirq, 1);
                int next = (route & ROUTE_DISABLED) != 0 ? NOWHERE : route & 0xF;
                if (next != line) {
                    line = next;
                    routed.set(false);
                    routed = next == NOWHERE ? UNCONNECTED : lines.source(next);
                    routed.set(level);
                }
            }
        }
    }
}
