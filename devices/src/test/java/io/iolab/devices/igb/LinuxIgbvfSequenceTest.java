package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What Linux's igbvf does to a virtual function, access by access, with a physical function that answers as igb does; each read is
 * checked for what the driver needs to see there.
 */
class LinuxIgbvfSequenceTest {
    private static final int VTCTRL = 0x0000;
    private static final int VTSTATUS = 0x0008;
    private static final int VMB = 0x0800;
    private static final int V2P = 0x0C40;
    private static final int P2V = 0x0C00;
    private static final int REQ = 1;
    private static final int ACK = 2;
    private static final int VFU = 4;
    private static final int PFSTS = 1 << 4;
    private static final int PFACK = 1 << 5;
    private static final int VF = 1;
    private static final int CTS = 1 << 29;
    private static final byte[] MAC = Bench.macOf(VF);

    private final Bench bench = new Bench();

    @BeforeEach
    void open() {
        bench.openPools(2);
        bench.openVectors(bench.vf(VF), 3, 0x40);
        bench.write(0x0C8C, 0xFD);
        bench.write(0x0C90, 0xFD);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private int read(int offset) {
        return bench.vfRead(VF, offset);
    }

    private void write(int offset, int value) {
        bench.vfWrite(VF, offset, value);
    }

    /** Lock, words, REQ; the PF side takes them under its own lock and acknowledges. */
    private int[] request(int... words) {
        write(V2P, VFU);
        assertThat(read(V2P) & VFU).as("locked").isEqualTo(VFU);
        for (int i = 0; i < words.length; i++) {
            write(VMB + 4 * i, words[i]);
        }
        write(V2P, REQ);
        assertThat(bench.read(0x1500) & 1 << 8).as("VMMB").isNotZero();
        assertThat(bench.read(0x0C80) & 1 << VF).as("MBVFICR").isNotZero();
        bench.write(0x0C80, 1 << VF);
        bench.write(P2V + 4 * VF, 1 << 3);
        assertThat(bench.read(P2V + 4 * VF) & 1 << 3).as("locked by the PF").isNotZero();
        int[] seen = new int[words.length];
        for (int i = 0; i < words.length; i++) {
            seen[i] = bench.read(VMB + 0x40 * VF + 4 * i);
        }
        bench.write(P2V + 4 * VF, 2);
        assertThat(read(V2P) & PFACK).as("PFACK").isEqualTo(PFACK);
        return seen;
    }

    private void answer(int... words) {
        bench.write(P2V + 4 * VF, 1 << 3);
        for (int i = 0; i < words.length; i++) {
            bench.write(VMB + 0x40 * VF + 4 * i, words[i]);
        }
        bench.write(P2V + 4 * VF, 1);
        assertThat(read(V2P) & PFSTS).as("PFSTS").isEqualTo(PFSTS);
        write(V2P, VFU);
        assertThat(read(V2P) & VFU).isEqualTo(VFU);
        for (int i = 0; i < words.length; i++) {
            assertThat(read(VMB + 4 * i)).isEqualTo(words[i]);
        }
        write(V2P, ACK);
        assertThat(bench.read(0x0C80) & 1 << 16 + VF).as("VFACK").isNotZero();
        bench.write(0x0C80, 1 << 16 + VF);
    }

    private void probe() {
        write(0x1528, ~0);
        write(0x152C, 0);
        reset();
        reset();
        request(0x02, 0x0000_0002, 0x0110);
        answer(0xA000_0002);
    }

    private void reset() {
        write(VTCTRL, read(VTCTRL) | 1 << 26);
        read(V2P);
        assertThat(read(V2P) & 0xC0).as("neither RSTI nor RSTD").isZero();
        assertThat(request(0x01)).containsExactly(0x01);
        assertThat(bench.read(0x0C88)).as("VFLRE").isEqualTo(1 << VF);
        bench.write(0x0C88, 1 << VF);
        bench.set(0x0C90, 1 << VF);
        bench.set(0x0C8C, 1 << VF);
        answer(0x8000_0001, 0x0000_0002, 0x0110);
    }

    private void openRings() {
        request(0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        answer(0xA000_0003);
        write(0x3828, read(0x3828) & ~Bench.ENABLE);
        read(VTSTATUS);
        write(0x3808, 16 * Bench.RING);
        write(0x3800, (int) bench.txRing(VF));
        write(0x3804, 0);
        write(0x3810, 0);
        write(0x3818, 0);
        int txctrl = read(0x3814);
        assertThat(txctrl).isEqualTo(0x2A00);
        write(0x3814, txctrl & ~(1 << 11));
        write(0x3828, read(0x3828) | Bench.ENABLE);
        write(0x280C, 0x8200_0002);
        write(0x2828, read(0x2828) & ~Bench.ENABLE);
        write(0x2800, (int) bench.rxRing(VF));
        write(0x2804, 0);
        write(0x2808, 16 * Bench.RING);
        write(0x2810, 0);
        write(0x2818, 0);
        request(0x05, 1522);
        answer(0xA000_0005);
        write(0x2828, 0x0201_0810);
        assertThat(read(0x2828)).isEqualTo(0x0201_0810);
        for (int i = 0; i < Bench.RING; i++) {
            bench.ram.writeLong(bench.rxRing(VF) + 16L * i, bench.rxBuffer(VF, i));
            bench.ram.writeLong(bench.rxRing(VF) + 16L * i + 8, 0);
        }
        write(0x2818, Bench.RING - 1);
        write(0x1700, read(0x1700) & ~0xFF00 | 0x8000);
        write(0x1700, read(0x1700) & ~0xFF | 0x81);
        write(0x1740, 0x82);
        assertThat(read(0x1700)).isEqualTo(0x8081);
        write(0x1684, 488);
        write(0x1680, 488);
        read(0x1580);
        write(0x152C, 7);
        write(0x1530, 7);
        write(0x1524, 7);
        bench.messages.clear();
    }

    @Test
    void shouldProbeOpenAndCarryTraffic() {
        probe();
        openRings();
        byte[] in = Bench.frame(MAC, Bench.PEER, 100);
        bench.arrive(in);
        assertThat(bench.takeMessages()).as("the receive vector").containsExactly(0x41);
        assertThat(bench.rxBytes(VF, 0)).isEqualTo(in);
        write(0x1524, 2);
        byte[] out = Bench.frame(Bench.PEER, MAC, 200);
        bench.describe(
                VF, bench.fill(VF, out), 200 | Bench.DATA | Bench.EOP | Bench.IFCS | Bench.RS | Bench.DEXT, 200 << 14);
        write(0x3818, 1);
        bench.vf(VF).poll(16);
        assertThat(bench.sent.getFirst()).isEqualTo(out);
        assertThat(bench.takeMessages()).as("the transmit vector").containsExactly(0x40);
        assertThat(bench.txStatus(VF, 0) & 1).isEqualTo(1);
    }

    @Test
    @DisplayName("The watchdog: LU, CTS in the word that lies in the mailbox, and the receive vector by EICS")
    void shouldKeepTheLinkUp() {
        probe();
        openRings();
        assertThat(read(VTSTATUS) & 2).isEqualTo(2);
        write(V2P, VFU);
        assertThat(read(V2P) & VFU).isEqualTo(VFU);
        assertThat(read(VMB) & CTS).isEqualTo(CTS);
        write(V2P, ACK);
        write(0x1520, 2);
        assertThat(bench.takeMessages()).containsExactly(0x41);
    }

    @Test
    @DisplayName("A ping of the PF (0100h with CTS) comes on the mailbox vector")
    void shouldReceiveAPing() {
        probe();
        openRings();
        answer(0x0100 | CTS);
        assertThat(bench.takeMessages()).containsExactly(0x42);
    }
}
