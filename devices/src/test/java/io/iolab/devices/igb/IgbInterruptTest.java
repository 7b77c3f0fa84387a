package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Causes, vectors, automatic clearing and masking, moderation (82576 datasheet 7.3 and 8.8). */
class IgbInterruptTest {
    private static final int EICS = 0x1520;
    private static final int EIMS = 0x1524;
    private static final int EIAC = 0x152C;
    private static final int EIAM = 0x1530;
    private static final int EICR = 0x1580;

    private final Bench bench = new Bench();

    @BeforeEach
    void open() {
        bench.openPools(2);
        bench.openReceive(0);
        bench.openTransmit(0);
        bench.openVectors(bench.device, 10, 0x100);
        bench.openVectors(bench.vf(0), 3, 0x40);
        bench.openVectors(bench.vf(1), 3, 0x50);
        // TX0 to vector 0, RX0 to vector 1, mailbox to vector 2, as igbvf has it.
        bench.vfWrite(0, 0x1700, 0x8081);
        bench.vfWrite(0, 0x1740, 0x82);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private void frameForVf() {
        bench.arrive(Bench.frame(Bench.macOf(0), Bench.PEER, 60));
    }

    @Test
    void shouldSendTheMessageOfTheQueueUnderTheFunctionsOwnId() {
        bench.vfWrite(0, EIMS, 7);
        frameForVf();
        assertThat(bench.messages).containsExactly(new Bench.Message(0x80, Bench.MESSAGES, 0x41));
        bench.messages.clear();
        bench.transmit(0, Bench.frame(Bench.PEER, Bench.macOf(0), 60));
        assertThat(bench.takeMessages()).containsExactly(0x40);
    }

    @Test
    @DisplayName("A cause that is pending does not fire again until it is cleared; VTEICR is cleared by reading")
    void shouldFireOnceForAPendingCause() {
        bench.vfWrite(0, EIMS, 7);
        frameForVf();
        frameForVf();
        assertThat(bench.takeMessages()).hasSize(1);
        assertThat(bench.vfRead(0, EICR)).isEqualTo(2);
        assertThat(bench.vfRead(0, EICR)).isZero();
        frameForVf();
        assertThat(bench.takeMessages()).hasSize(1);
        bench.vfWrite(0, EICR, 2);
        frameForVf();
        assertThat(bench.takeMessages()).hasSize(1);
    }

    @Test
    @DisplayName("EIAC clears the cause with its message, EIAM masks it; EIMS lets a cause through that came meanwhile")
    void shouldClearAndMaskAutomatically() {
        bench.vfWrite(0, EIAC, 7);
        bench.vfWrite(0, EIAM, 7);
        bench.vfWrite(0, EIMS, 7);
        frameForVf();
        assertThat(bench.takeMessages()).containsExactly(0x41);
        assertThat(bench.vfRead(0, EIMS)).isEqualTo(5);
        frameForVf();
        assertThat(bench.takeMessages()).isEmpty();
        bench.vfWrite(0, EIMS, 2);
        assertThat(bench.takeMessages()).containsExactly(0x41);
        bench.vfWrite(0, EIMS, 2);
        assertThat(bench.takeMessages()).isEmpty();
    }

    @Test
    void shouldFireByVteics() {
        bench.vfWrite(1, EIAC, 7);
        bench.vfWrite(1, EIMS, 7);
        bench.vfWrite(1, EICS, 5);
        assertThat(bench.takeMessages()).containsExactly(0x50, 0x52);
    }

    @Test
    @DisplayName("VTIVAR without its valid bit: no message")
    void shouldStaySilentWithoutAValidEntry() {
        bench.vfWrite(0, 0x1700, 0x8001);
        bench.vfWrite(0, EIMS, 7);
        frameForVf();
        assertThat(bench.takeMessages()).isEmpty();
    }

    @Test
    @DisplayName("EITR 488 is 122 us: a second message waits that long, and is not lost")
    void shouldModerate() {
        bench.vfWrite(0, 0x1684, 488);
        bench.vfWrite(0, EIAC, 7);
        bench.vfWrite(0, EIMS, 7);
        frameForVf();
        frameForVf();
        assertThat(bench.takeMessages()).hasSize(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 122_000);
        bench.now += 121_999;
        bench.device.poll(1);
        assertThat(bench.takeMessages()).isEmpty();
        bench.now += 1;
        bench.device.poll(1);
        assertThat(bench.takeMessages()).hasSize(1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("PCI 3.0 6.8.2: a masked entry sets its pending bit; PBACL takes it back")
    void shouldRememberMaskedVectors() {
        bench.vf(0).writeBar(3, 16 + 12, 4, 1);
        bench.vfWrite(0, EIMS, 7);
        frameForVf();
        assertThat(bench.takeMessages()).isEmpty();
        assertThat(bench.vf(0).readBar(3, 0x2000, 4)).isEqualTo(2);
        bench.vfWrite(0, 0x0F04, 2);
        assertThat(bench.vf(0).readBar(3, 0x2000, 4)).isZero();
        bench.vfWrite(0, EICR, 2);
        frameForVf();
        bench.vf(0).writeBar(3, 16 + 12, 4, 0);
        assertThat(bench.takeMessages()).containsExactly(0x41);
    }

    @Test
    @DisplayName("Messages of a function without bus mastering are lost")
    void shouldLoseMessagesWithoutBusMastering() {
        bench.vfWrite(0, EIMS, 7);
        bench.vf(0).config().write(4, 2, 0);
        bench.vfWrite(0, EICS, 4);
        assertThat(bench.takeMessages()).isEmpty();
        bench.vf(0).config().write(4, 2, 4);
        assertThat(bench.takeMessages()).isEmpty();
    }

    @Test
    @DisplayName("The PF's queues by IVAR, its other causes by IVAR_MISC 15:8; EIAM needs GPIE.EIAME there")
    void shouldServeThePhysicalFunction() {
        bench.openReceive(2);
        bench.write(0x1708, 0x81);
        bench.write(0x1740, 0x8000);
        bench.write(EIAC, 3);
        bench.write(EIAM, 3);
        bench.write(EIMS, 3);
        bench.arrive(Bench.frame(Bench.macOf(2), Bench.PEER, 60));
        assertThat(bench.messages).containsExactly(new Bench.Message(0, Bench.MESSAGES, 0x101));
        bench.messages.clear();
        assertThat(bench.read(EIMS)).as("no EIAME").isEqualTo(3);
        bench.write(0x1514, 1 << 30 | 1 << 4);
        bench.arrive(Bench.frame(Bench.macOf(2), Bench.PEER, 60));
        assertThat(bench.takeMessages()).containsExactly(0x101);
        assertThat(bench.read(EIMS)).isEqualTo(1);
        bench.read(0x1500);
        bench.write(0x1508, 1 << 2);
        bench.device.setLink(false);
        assertThat(bench.takeMessages()).as("LSC").containsExactly(0x100);
        assertThat(bench.read(0x1500)).isEqualTo(1 << 31 | 1 << 2);
        assertThat(bench.read(0x1500)).isZero();
    }

    /** Bytes of IVAR[n]: receive queue n, transmit queue n, receive queue n + 8, transmit queue n + 8. */
    @Test
    @DisplayName("82576 7.3: IVAR[2] routes queues 2 and 10 of the PF")
    void shouldRouteEachByteOfIvar() {
        bench.write(0x1708, 0x8483_8281);
        bench.write(EIMS, 0x1E);
        bench.openReceive(2);
        bench.arrive(Bench.frame(Bench.macOf(2), Bench.PEER, 60));
        assertThat(bench.takeMessages()).containsExactly(0x101);
        bench.openTransmit(2);
        bench.transmit(2, Bench.frame(Bench.PEER, Bench.macOf(2), 60));
        assertThat(bench.takeMessages()).containsExactly(0x102);
        bench.openTransmit(10);
        bench.transmit(10, Bench.frame(Bench.PEER, Bench.macOf(2), 60));
        assertThat(bench.takeMessages()).containsExactly(0x104);
    }

    @Test
    @DisplayName(
            "82576 8.26: VTIVAR's byte 0 is receive queue 0, 1 transmit 0, 2 receive 1, 3 transmit 1; each VF has its own")
    void shouldRouteEachByteOfVtivar() {
        bench.vfWrite(0, 0x1700, 0x8281_8080);
        bench.vfWrite(0, EIMS, 7);
        bench.vfWrite(0, EIAC, 7);
        bench.vfWrite(1, 0x1700, 0x82);
        bench.vfWrite(1, EIMS, 7);
        frameForVf();
        assertThat(bench.takeMessages()).containsExactly(0x40);
        bench.transmit(0, Bench.frame(Bench.PEER, Bench.macOf(0), 60));
        assertThat(bench.takeMessages()).containsExactly(0x40);
        bench.openTransmit(8);
        bench.transmit(8, Bench.frame(Bench.PEER, Bench.macOf(0), 60));
        assertThat(bench.takeMessages())
                .as("transmit queue 1 of VF 0 is queue 8")
                .containsExactly(0x42);
        bench.openReceive(1);
        bench.arrive(Bench.frame(Bench.macOf(1), Bench.PEER, 60));
        assertThat(bench.takeMessages()).containsExactly(0x52);
    }

    @Test
    @DisplayName("VTCTRL.RST clears causes, masks and routes of that function alone")
    void shouldForgetOnReset() {
        bench.vfWrite(0, EIMS, 7);
        bench.vfWrite(1, EIMS, 7);
        bench.vfWrite(0, 0, Bench.RST);
        assertThat(bench.vfRead(0, EIMS)).isZero();
        assertThat(bench.vfRead(0, 0x1700)).isZero();
        assertThat(bench.vfRead(0, 0x1740)).isZero();
        assertThat(bench.vfRead(1, EIMS)).isEqualTo(7);
    }
}
