package io.iolab.devices.driver;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.pci.NetworkFunction;
import java.util.Map;

/**
 * The least device that a driver of the 82540EM or the 82574L takes for one, with faults to order. Written from the manual
 * for these tests, apart from the model, so that driver and model cannot share a mistake unseen.
 */
final class FakeE1000 implements NetworkFunction {
    private static final Map<Integer, String> NAMES = Map.ofEntries(
            Map.entry(0x00, "CTRL"),
            Map.entry(0x08, "STATUS"),
            Map.entry(0x10, "EECD"),
            Map.entry(0x14, "EERD"),
            Map.entry(0x20, "MDIC"),
            Map.entry(0xC0, "ICR"),
            Map.entry(0xC8, "ICS"),
            Map.entry(0xD0, "IMS"),
            Map.entry(0xD8, "IMC"),
            Map.entry(0x100, "RCTL"),
            Map.entry(0x400, "TCTL"),
            Map.entry(0x2818, "RDT"),
            Map.entry(0x3810, "TDH"),
            Map.entry(0x3818, "TDT"));
    private static final int LSC = 1 << 2;
    private static final int RXQ0 = 1 << 20;
    private static final int TXQ0 = 1 << 22;
    private static final int OTHER = 1 << 24;
    private static final int QUEUE_CAUSES = RXQ0 | TXQ0 | OTHER;

    private final boolean pcie;
    private final ConfigSpace config;
    private final DmaPort dma;
    private final InterruptPin pin;
    private final FramePort wire;
    private final MsixTable msix;
    private final int[] registers = new int[0x8000];
    final int[] nvm = new int[64];
    private final int[] phy = new int[32];
    private final byte[] descriptor = new byte[16];
    private final byte[] frame = new byte[16384];
    private int icr;
    private int ims;
    private int ioAddress;
    private int clockedBits;
    private int shifted;
    private int output;
    boolean stuck;
    boolean refusesGrant;
    boolean ignoresExtcnf;
    boolean unplugged;

    FakeE1000(boolean pcie, byte[] mac, DmaPort port, InterruptPin pin, FramePort wire) {
        this.pcie = pcie;
        this.pin = pin;
        this.wire = wire;
        config = new ConfigSpace(0x8086, pcie ? 0x10D3 : 0x100E, 0, 0x020000).interruptPin(1);
        dma = new BusMasterGate(config, port);
        config.bar(new Bar(0, Bar.Kind.MEMORY32, 0x20000, false)).bar(new Bar(2, Bar.Kind.IO, 64, false));
        if (pcie) {
            config.bar(new Bar(3, Bar.Kind.MEMORY32, 0x4000, false)).capability(0xE0, 0x10);
        }
        msix = new MsixTable(config, 0xA0, 5, 3, 0, 3, 0x2000, dma);
        config.seal();
        for (int i = 0; i < 3; i++) {
            nvm[i] = mac[2 * i] & 0xFF | (mac[2 * i + 1] & 0xFF) << 8;
        }
        nvm[0x3F] = 0xBABA - nvm[0] - nvm[1] - nvm[2] & 0xFFFF;
        phy[2] = 0x0141;
        phy[3] = pcie ? 0x0CB1 : 0x0C25;
        registers[0x10 >> 2] = pcie ? 1 << 9 : 0;
    }

    void phyId(int low) {
        phy[3] = low;
    }

    void pause(boolean held) {
        registers[8 >> 2] = register(8) & ~0x10 | (held ? 0x10 : 0);
    }

    int register(int offset) {
        return registers[offset >> 2];
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        if (bar == 3) {
            return offset < 0x2000 ? msix.readTable(offset, width) : msix.readPending(offset - 0x2000, width);
        }
        if (bar == 2) {
            return offset == 0 ? ioAddress : read(ioAddress) & 0xFFFF_FFFFL;
        }
        return read((int) offset) & 0xFFFF_FFFFL;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (bar == 3) {
            msix.writeTable(offset, width, value);
        } else if (bar == 2 && offset == 0) {
            ioAddress = (int) value;
        } else {
            write(bar == 2 ? ioAddress : (int) offset, (int) value);
        }
    }

    private int read(int offset) {
        return switch (offset) {
            case 0xC0 -> {
                int value = icr;
                icr = 0;
                evaluate();
                yield value;
            }
            case 0xD0 -> ims;
            default -> registers[offset >> 2];
        };
    }

    private void write(int offset, int value) {
        int old = registers[offset >> 2];
        registers[offset >> 2] = value;
        switch (offset) {
            case 0x00 -> control(value);
            case 0x08 -> registers[offset >> 2] = old;
            case 0x10 -> eecd(old, value);
            case 0x14 -> eerd(value);
            case 0x20 -> mdic(value);
            case 0xC8 -> raise(value);
            case 0xD0 -> unmask(value);
            case 0xD8 -> {
                ims &= ~value;
                evaluate();
            }
            case 0xF00 -> registers[offset >> 2] = ignoresExtcnf ? old : value;
            default -> {}
        }
    }

    private void control(int value) {
        if ((value & 1 << 26) != 0) {
            int eecd = registers[0x10 >> 2];
            java.util.Arrays.fill(registers, 0);
            registers[0x10 >> 2] = eecd;
            icr = 0;
            ims = 0;
            evaluate();
        }
    }

    /** Microwire: CS starts a command, bits go in on rising clock edges, and come out on them after nine. */
    private void eecd(int old, int value) {
        int grant = (value & 1 << 6) != 0 && !refusesGrant ? 1 << 7 : 0;
        boolean selected = (value & 2) != 0;
        if (selected && (old & 2) == 0) {
            clockedBits = 0;
            shifted = 0;
        }
        int out = old & 8;
        if (selected && (value & 1) != 0 && (old & 1) == 0) {
            if (clockedBits < 9) {
                shifted = shifted << 1 | value >>> 2 & 1;
                output = ++clockedBits == 9 && shifted >>> 6 == 6 ? nvm[shifted & 0x3F] : 0;
            } else {
                out = output >>> 12 & 8;
                output <<= 1;
            }
        }
        registers[0x10 >> 2] = value & 0x47 | grant | out | (pcie ? 1 << 9 : 0);
    }

    private void eerd(int value) {
        int word = nvm[value >>> 2 & 0x3F];
        registers[0x14 >> 2] = value & 0xFFFC | word << 16 | 2;
    }

    private void mdic(int value) {
        int number = value >>> 16 & 0x1F;
        if ((value & 1 << 26) != 0) {
            phy[number] = value & 0x7FFF;
            if (number == 0 && (value & 1 << 9) != 0) {
                setLink(true);
            }
        }
        registers[0x20 >> 2] = value & 0xFFFF_0000 | phy[number] | 1 << 28;
    }

    private void raise(int causes) {
        int fresh = causes & ~icr;
        icr |= causes;
        if (pcie) {
            icr |= (causes & LSC) != 0 ? OTHER : 0;
            fire((fresh | icr & OTHER) & ims);
        } else {
            evaluate();
        }
    }

    private void unmask(int causes) {
        int fresh = causes & ~ims;
        ims |= causes;
        if (pcie) {
            fire(icr & fresh);
        } else {
            evaluate();
        }
    }

    private void evaluate() {
        if (!pcie) {
            pin.set((icr & ims) != 0);
        }
    }

    private void fire(int causes) {
        int ivar = register(0xE4);
        fireOne(causes & RXQ0, ivar);
        fireOne(causes & TXQ0, ivar >>> 8);
        fireOne(causes & OTHER, ivar >>> 16);
    }

    private void fireOne(int cause, int entry) {
        if (cause == 0 || (entry & 8) == 0) {
            return;
        }
        icr &= ~(cause & register(0xDC));
        if ((register(0x18) & 1 << 24) != 0) {
            ims &= ~(cause & register(0xE0) & QUEUE_CAUSES);
        }
        msix.fire(entry & 7);
    }

    @Override
    public int poll(int budget) {
        int sent = 0;
        while (workPending() && sent < budget && !stuck && transmitOne()) {
            sent++;
        }
        if (sent > 0) {
            raise(pcie ? TXQ0 : 1);
        }
        return sent;
    }

    private boolean transmitOne() {
        int head = register(0x3810);
        long ring = register(0x3800) & 0xFFFF_FFF0L | (long) register(0x3804) << 32;
        dma.read(ring + 16L * head, descriptor, 0, 16, DmaKind.DESCRIPTOR);
        int length = LittleEndian.getShort(descriptor, 8);
        dma.read(LittleEndian.getLong(descriptor, 0), frame, 0, length, DmaKind.PAYLOAD);
        if (wire.send(frame, 0, length) == Delivery.BUSY) {
            return false;
        }
        descriptor[12] |= 1;
        dma.write(ring + 16L * head + 12, descriptor, 12, 1, DmaKind.DESCRIPTOR);
        registers[0x3810 >> 2] = 16 * (head + 1) == register(0x3808) ? 0 : head + 1;
        return true;
    }

    @Override
    public Delivery send(byte[] bytes, int offset, int length) {
        if ((register(0x100) & 2) == 0) {
            return Delivery.FILTERED;
        }
        int total = length + ((register(0x100) & 1 << 26) != 0 ? 0 : 4);
        int room = 2048 >> (register(0x100) >>> 16 & 3);
        System.arraycopy(bytes, offset, frame, 0, length);
        for (int done = 0; done < total; done += room) {
            if (register(0x2810) == register(0x2818)) {
                return Delivery.DROPPED;
            }
            receiveOne(done, Math.min(room, total - done), done + room >= total);
        }
        raise(pcie ? RXQ0 : 1 << 7);
        return Delivery.ACCEPTED;
    }

    private void receiveOne(int from, int length, boolean last) {
        int head = register(0x2810);
        long at = (register(0x2800) & 0xFFFF_FFF0L | (long) register(0x2804) << 32) + 16L * head;
        dma.read(at, descriptor, 0, 16, DmaKind.DESCRIPTOR);
        dma.write(LittleEndian.getLong(descriptor, 0), frame, from, length, DmaKind.PAYLOAD);
        boolean extended = (register(0x5008) & 1 << 15) != 0;
        LittleEndian.putLong(descriptor, extended ? 0 : 8, 0xABAD_1DEAL);
        LittleEndian.putShort(descriptor, extended ? 12 : 8, length);
        LittleEndian.putInt(descriptor, extended ? 8 : 12, 1 | (last ? 2 : 0));
        dma.write(at, descriptor, 0, 16, DmaKind.DESCRIPTOR);
        registers[0x2810 >> 2] = 16 * (head + 1) == register(0x2808) ? 0 : head + 1;
    }

    @Override
    public void setLink(boolean connected) {
        int status = connected && !unplugged ? 2 : 0;
        if ((register(8) & 2) != status) {
            registers[8 >> 2] = register(8) & ~2 | status;
            raise(LSC);
        }
    }

    @Override
    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return (register(0x400) & 2) != 0 && register(0x3810) != register(0x3818);
    }

    @Override
    public void reset() {
        config.reset();
    }

    @Override
    public String registerName(int bar, long offset) {
        return bar == 0 ? NAMES.getOrDefault((int) offset, "unimplemented") : "BAR" + bar;
    }
}
