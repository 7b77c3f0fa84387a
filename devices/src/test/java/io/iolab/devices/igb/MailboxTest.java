package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The mailbox between physical and virtual functions (82576 datasheet 7.10.2.9 and 8.14). */
class MailboxTest {
    private static final int V2P = 0x0C40;
    private static final int P2V = 0x0C00;
    private static final int MBVFICR = 0x0C80;
    private static final int ICR = 0x1500;
    private static final int VMMB = 1 << 8;

    private final Bench bench = new Bench();

    @BeforeEach
    void enable() {
        bench.enableVfs(2);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private void ready() {
        bench.set(0x18, Bench.PFRSTD);
        bench.vfRead(0, V2P);
        bench.vfRead(1, V2P);
    }

    @Test
    @DisplayName("RSTI until the PF sets CTRL_EXT.PFRSTD, then RSTD until it is read")
    void shouldReportTheReset() {
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 6);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 6);
        bench.set(0x18, Bench.PFRSTD);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 7);
        assertThat(bench.vfRead(0, V2P)).isZero();
        bench.write(0x0, bench.read(0) | Bench.RST);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 6);
    }

    @Test
    void shouldShareSixteenWordsWithThePhysicalFunctionAlone() {
        for (int i = 0; i < 16; i++) {
            bench.vfWrite(1, 0x0800 + 4 * i, 0x1000_0000 + i);
            bench.vfWrite(0, 0x0800 + 4 * i, 0x2000_0000 + i);
        }
        for (int i = 0; i < 16; i++) {
            assertThat(bench.read(0x0840 + 4 * i)).isEqualTo(0x1000_0000 + i);
            assertThat(bench.read(0x0800 + 4 * i)).isEqualTo(0x2000_0000 + i);
        }
        bench.write(0x0844, 0x77);
        assertThat(bench.vfRead(1, 0x0804)).isEqualTo(0x77);
        assertThat(bench.vfRead(0, 0x0804)).isEqualTo(0x2000_0001);
    }

    @Test
    @DisplayName("VFU is taken only while PFU is clear, and the other way round; a write without the bit gives it back")
    void shouldLockOutTheOtherSide() {
        ready();
        bench.vfWrite(0, V2P, 1 << 2);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 2);
        assertThat(bench.read(P2V)).as("the PF sees VFU").isEqualTo(1 << 2);
        bench.write(P2V, 1 << 3);
        assertThat(bench.read(P2V)).isEqualTo(1 << 2);
        bench.vfWrite(0, V2P, 0);
        assertThat(bench.read(P2V)).isZero();
        bench.write(P2V, 1 << 3);
        assertThat(bench.vfRead(0, V2P)).as("the VF sees PFU").isEqualTo(1 << 3);
        bench.vfWrite(0, V2P, 1 << 2);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 3);
        bench.write(P2V, 0);
        bench.vfWrite(0, V2P, 1 << 2);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 2);
        assertThat(bench.vfRead(1, V2P)).as("another function's lock").isZero();
    }

    @Test
    @DisplayName("P2VMAILBOX.RVFU breaks the virtual function's lock")
    void shouldBreakALock() {
        ready();
        bench.vfWrite(0, V2P, 1 << 2);
        bench.write(P2V, 1 << 4);
        assertThat(bench.vfRead(0, V2P)).isZero();
        assertThat(bench.read(P2V)).isZero();
    }

    @Test
    @DisplayName("REQ and ACK set the bits of MBVFICR and ICR.VMMB; MBVFIMR holds the interrupt back")
    void shouldInterruptThePhysicalFunction() {
        ready();
        bench.read(ICR);
        bench.vfWrite(1, V2P, 1);
        assertThat(bench.read(MBVFICR)).isEqualTo(1 << 1);
        assertThat(bench.read(ICR) & VMMB).isEqualTo(VMMB);
        bench.vfWrite(0, V2P, 2);
        assertThat(bench.read(MBVFICR)).isEqualTo(1 << 1 | 1 << 16);
        bench.write(MBVFICR, 1 << 1);
        assertThat(bench.read(MBVFICR)).isEqualTo(1 << 16);
        bench.read(ICR);
        bench.write(0x0C84, 1 << 0);
        bench.vfWrite(1, V2P, 1);
        assertThat(bench.read(ICR) & VMMB).isZero();
        assertThat(bench.read(MBVFICR)).isEqualTo(1 << 1 | 1 << 16);
    }

    @Test
    @DisplayName("STS and ACK set PFSTS and PFACK, cleared by reading, and the vector of VTIVAR_MISC")
    void shouldInterruptTheVirtualFunction() {
        ready();
        bench.openVectors(bench.vf(0), 3, 0x40);
        bench.vfWrite(0, 0x1740, 0x82);
        bench.vfWrite(0, 0x152C, 7);
        bench.vfWrite(0, 0x1524, 7);
        bench.write(P2V, 1);
        assertThat(bench.takeMessages()).containsExactly(0x42);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 4);
        assertThat(bench.vfRead(0, V2P)).isZero();
        bench.write(P2V, 2);
        assertThat(bench.takeMessages()).containsExactly(0x42);
        assertThat(bench.vfRead(0, V2P)).isEqualTo(1 << 5);
    }

    @Test
    @DisplayName("VTCTRL.RST: VFRE and VFTE lose the bit, VFLRE gets it, the PF is told")
    void shouldTellThePhysicalFunctionOfAReset() {
        bench.openPools(2);
        bench.read(ICR);
        bench.vfWrite(1, V2P, 1 << 2);
        bench.vfWrite(1, 0, Bench.RST);
        assertThat(bench.read(0x0C88)).isEqualTo(2);
        assertThat(bench.read(0x0C8C)).isEqualTo(0xFD);
        assertThat(bench.read(0x0C90)).isEqualTo(0xFD);
        assertThat(bench.read(ICR) & VMMB).isEqualTo(VMMB);
        assertThat(bench.vfRead(1, 0)).as("self-clearing").isZero();
        assertThat(bench.read(P2V + 4)).as("its lock is gone").isZero();
    }
}
