package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * The accesses that drivers of the family have in common: PHY, EEPROM, I/O window, tables, statistics. Each checks what a driver
 * polls for.
 */
final class DriverAccess {
    private static final int SK = 1;
    private static final int CS = 2;
    private static final int DI = 4;
    private static final int DO = 8;
    private static final int REQUEST = 0x40;
    private static final int GRANT = 0x80;
    private static final int READ_OPCODE = 6;

    private final Bench bench;

    DriverAccess(Bench bench) {
        this.bench = bench;
    }

    /** A flush of posted writes: a read of STATUS, which changes nothing. */
    void flush() {
        bench.read(STATUS);
    }

    int phyRead(int register) {
        bench.write(MDIC, 1 << 27 | 1 << 21 | register << 16);
        int result = bench.read(MDIC);
        assertThat(result >>> 28 & 5)
                .as("READY, no ERROR, register %d", register)
                .isEqualTo(1);
        assertThat(result >>> 16 & 0x1F).as("register echoed").isEqualTo(register);
        return result & 0xFFFF;
    }

    void phyWrite(int register, int value) {
        bench.write(MDIC, 1 << 26 | 1 << 21 | register << 16 | value);
        assertThat(bench.read(MDIC) >>> 28 & 5)
                .as("READY, no ERROR, register %d", register)
                .isEqualTo(1);
    }

    /** A word by the pins of EECD: request, opcode 110b, six address bits, sixteen data bits, standby, release. */
    int microwire(int word) {
        int eecd = bench.read(EECD) | REQUEST;
        bench.write(EECD, eecd);
        assertThat(bench.read(EECD) & GRANT).as("granted").isEqualTo(GRANT);
        eecd = eecd & ~(SK | DI) | CS;
        pins(eecd);
        shiftOut(eecd, READ_OPCODE, 3);
        shiftOut(eecd, word, 6);
        int data = 0;
        for (int i = 0; i < 16; i++) {
            pins(eecd | SK);
            data = data << 1 | ((bench.read(EECD) & DO) != 0 ? 1 : 0);
            pins(eecd);
        }
        pins(eecd & ~CS);
        pins(eecd & ~CS | SK);
        pins(eecd);
        pins(eecd & ~CS);
        bench.write(EECD, eecd & ~(CS | REQUEST));
        assertThat(bench.read(EECD) & GRANT).as("released").isZero();
        return data;
    }

    private void shiftOut(int eecd, int value, int count) {
        for (int bit = count - 1; bit >= 0; bit--) {
            int level = eecd | ((value >>> bit & 1) != 0 ? DI : 0);
            pins(level);
            pins(level | SK);
            pins(level);
        }
    }

    private void pins(int eecd) {
        bench.write(EECD, eecd);
        flush();
    }

    /** A word by EERD in the layout of the 82574. */
    int nvm(int word) {
        bench.write(EERD, word << 2 | 1);
        int result = bench.read(EERD);
        assertThat(result & 2).as("DONE").isEqualTo(2);
        return result >>> 16;
    }

    /** A register write through IOADDR and IODATA, the second BAR of I/O kind. */
    void writeByIo(int register, int value) {
        bench.device.writeBar(2, 0, 4, register);
        bench.device.writeBar(2, 4, 4, value & 0xFFFF_FFFFL);
    }

    /** VFTA, fourteen unused RA entries and MTA cleared, our address into RA[0]. */
    void clearTables() {
        for (int i = 0; i < 128; i++) {
            bench.write(VFTA + 4 * i, 0);
            flush();
        }
        bench.write(RAL, 0x1200_5452);
        flush();
        bench.write(RAH, 1 << 31 | 0x5634);
        flush();
        for (int i = 1; i < 15; i++) {
            bench.write(RAL + 8 * i, 0);
            flush();
            bench.write(RAH + 8 * i, 0);
            flush();
        }
        for (int i = 127; i >= 0; i--) {
            bench.write(MTA + 4 * i, 0);
        }
        flush();
    }

    /** Flow control registers: type, address, timer, no thresholds. */
    void setUpFlowControl() {
        bench.write(FCT, 0x8808);
        bench.write(0x2C, 0x0100);
        bench.write(0x28, 0x00C2_8001);
        bench.write(0x170, 0xFFFF);
    }

    /** Reads the whole statistics block, which clears it. */
    void clearStatistics(int end) {
        for (int offset = 0x4000; offset < end; offset += 4) {
            bench.read(offset);
        }
        for (int offset = 0x4000; offset < end; offset += 4) {
            assertThat(bench.read(offset)).as("%x", offset).isZero();
        }
    }

    /** Gives {@code count} buffers of {@code size} bytes to descriptors of 16 bytes, zeroing their second half. */
    void fillReceiveRing(int count, int size) {
        for (int i = 0; i < count; i++) {
            bench.ram.writeLong(RX_RING + 16L * i, RX_BUFFERS + (long) size * i);
            bench.ram.writeLong(RX_RING + 16L * i + 8, 0);
        }
    }

    /** Sizes a BAR by writing ones, as every PCI core does, and returns the mask that reads back. */
    int sizeBar(int bar, int address) {
        int offset = 0x10 + 4 * bar;
        int old = bench.device.config().read(offset, 4);
        bench.device.config().write(offset, 4, -1);
        int mask = bench.device.config().read(offset, 4);
        bench.device.config().write(offset, 4, address == 0 ? old : address);
        return mask;
    }
}
