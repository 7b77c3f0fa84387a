package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** 82574 datasheet 7.4 and 10.2: INTx, MSI and MSI-X with IVAR, auto-clear, auto-mask and EITR. */
class I82574InterruptTest {
    private static final int LSC = 4;
    private static final int RXQ0 = 1 << 20;
    private static final int RXQ1 = 1 << 21;
    private static final int TXQ0 = 1 << 22;
    private static final int TXQ1 = 1 << 23;
    private static final int OTHER = 1 << 24;
    private static final int ASSERTED = 1 << 31;
    private static final int EIAME = 1 << 24;
    private static final int IAME = 1 << 27;
    private static final int PBA_CLR = 1 << 31;
    /** rxq0 to 0, rxq1 to 3, txq0 to 1, txq1 to 4, other to 2. */
    private static final int ROUTES = 0x000A_C9B8;

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82574l();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    /** Vectors that arrived since the last call; vector v carries data 40h + v. */
    private List<Integer> vectors() {
        List<Integer> seen = bench.messages.stream().map(m -> m.data() - 0x40).toList();
        bench.messages.clear();
        return seen;
    }

    private void enableMsix() {
        for (int v = 0; v < 5; v++) {
            bench.device.writeBar(3, 16 * v, 4, 0xFEE0_0000L);
            bench.device.writeBar(3, 16 * v + 8, 4, 0x40 + v);
            bench.device.writeBar(3, 16 * v + 12, 4, 0);
        }
        bench.device.config().write(0xA2, 2, 0x8000);
        bench.write(IVAR, ROUTES);
    }

    private long pending() {
        return bench.device.readBar(3, 0x2000, 8);
    }

    @Nested
    class WithoutVectors {
        @Test
        @DisplayName("Rule 1: INT_ASSERTED stands for an unmasked pending cause")
        void shouldShowAsserted() {
            bench.write(ICS, LSC);
            assertThat(bench.read(ICS)).isEqualTo(LSC);
            bench.write(IMS, LSC);
            assertThat(bench.read(ICS)).isEqualTo(ASSERTED | LSC);
            assertThat(bench.pin).isTrue();
            assertThat(bench.read(ICR)).isEqualTo(ASSERTED | LSC);
            assertThat(bench.read(ICR)).isZero();
            assertThat(bench.pin).isFalse();
        }

        @Test
        @DisplayName("Rule 5: a read with only masked causes pending clears nothing, unless IMS is 0")
        void shouldKeepMaskedCausesOnRead() {
            bench.write(IMS, 0x80);
            bench.write(ICS, LSC);
            assertThat(bench.read(ICR)).isEqualTo(LSC);
            assertThat(bench.read(ICR)).isEqualTo(LSC);
            bench.write(IMC, -1);
            assertThat(bench.read(ICR)).isEqualTo(LSC);
            assertThat(bench.read(ICR)).isZero();
        }

        @Test
        @DisplayName("IMS: the bits that stick are 01F782D7")
        void shouldKeepExistingMaskBits() {
            bench.write(IMS, -1);
            assertThat(bench.read(IMS)).isEqualTo(0x01F7_82D7);
            bench.write(IMC, -1);
            bench.write(IMS, 0x9D);
            assertThat(bench.read(IMS)).as("no RXSEQ").isEqualTo(0x95);
        }

        @Test
        @DisplayName("Rule 6: with IAME an access to ICR while asserted masks what IAM names")
        void shouldAutoMaskOnAccess() {
            bench.write(CTRL_EXT, IAME);
            bench.write(IAM, LSC);
            bench.write(IMS, LSC | 0x80);
            bench.write(ICS, LSC);
            assertThat(bench.read(ICR)).isEqualTo(ASSERTED | LSC);
            assertThat(bench.read(IMS)).isEqualTo(0x80);
            bench.read(ICR);
            bench.write(IMS, LSC);
            bench.read(ICR);
            assertThat(bench.read(IMS)).as("nothing asserted: nothing masked").isEqualTo(LSC | 0x80);
            bench.write(ICS, LSC);
            bench.write(ICR, LSC);
            assertThat(bench.read(IMS)).as("a write does it too").isEqualTo(0x80);
        }

        @Test
        @DisplayName("Rule 2: MSI sends a message for each newly active cause, and the pin stays quiet")
        void shouldSendMsi() {
            bench.device.config().write(0xD4, 4, 0xFEE0_1000);
            bench.device.config().write(0xDC, 2, 0x4051);
            bench.device.config().write(0xD2, 2, 1);
            bench.write(IMS, LSC | 0x80);
            bench.write(ICS, LSC);
            assertThat(bench.messages).containsExactly(new Message(0xFEE0_1000L, 0x4051));
            bench.write(ICS, LSC);
            assertThat(bench.messages).as("active already").hasSize(1);
            bench.write(ICS, 0x80);
            assertThat(bench.messages).hasSize(2);
            bench.read(ICR);
            bench.write(ICS, LSC);
            assertThat(bench.messages).hasSize(3);
            assertThat(bench.pinRises).isZero();
            assertThat(bench.read(0x4100)).as("IAC").isEqualTo(3);
        }

        @Test
        @DisplayName("Rule 2: ITR holds for MSI")
        void shouldModerateMsi() {
            bench.device.config().write(0xD4, 4, 0xFEE0_1000);
            bench.device.config().write(0xD2, 2, 1);
            bench.write(ITR, 100);
            bench.write(IMS, LSC | 0x80);
            bench.write(ICS, LSC);
            bench.write(ICS, 0x80);
            assertThat(bench.messages).hasSize(1);
            assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 25_600);
            bench.now += 25_600;
            bench.poll();
            assertThat(bench.messages).hasSize(2);
        }

        @Test
        @DisplayName("Traffic raises RXT0 and TXDW, not queue causes")
        void shouldRaiseLegacyCauses() {
            bench.openReceive(8);
            bench.openTransmit(8);
            bench.arrive(frame(MAC, 60));
            assertThat(bench.read(ICR)).isEqualTo(0x80);
            bench.queue(frame(PEER, 60));
            bench.kick();
            assertThat(bench.read(ICR)).isEqualTo(0x3);
        }
    }

    @Test
    @DisplayName("3.2: IVAR routes each cause to its vector")
    void shouldRouteCauses() {
        enableMsix();
        bench.write(IMS, 0x1F0_0000);
        for (int cause : new int[] {RXQ0, TXQ0, OTHER, RXQ1, TXQ1}) {
            bench.write(ICS, cause);
        }
        assertThat(vectors()).containsExactly(0, 1, 2, 3, 4);
        assertThat(bench.pin).isFalse();
        assertThat(bench.read(ICS)).isEqualTo(0x81F0_0000);
    }

    @Test
    @DisplayName("Rule 3: an active cause does not fire again; cleared, or masked and unmasked, it does")
    void shouldFireOncePerActivation() {
        enableMsix();
        bench.write(IMS, RXQ0);
        bench.write(ICS, RXQ0);
        bench.write(ICS, RXQ0);
        assertThat(vectors()).containsExactly(0);
        bench.write(ICR, RXQ0);
        bench.write(ICS, RXQ0);
        assertThat(vectors()).containsExactly(0);
        bench.write(IMC, RXQ0);
        bench.write(IMS, RXQ0);
        assertThat(vectors()).containsExactly(0);
        bench.write(IMS, RXQ0);
        assertThat(vectors()).isEmpty();
    }

    @Test
    @DisplayName("3.2: an invalid entry or a vector that does not exist sends nothing, and the cause stays")
    void shouldIgnoreInvalidRoutes() {
        enableMsix();
        bench.write(IMS, 0x1F0_0000);
        bench.write(EIAC, 0x1F0_0000);
        bench.write(IVAR, 0x0002_C9B8);
        bench.write(ICS, OTHER);
        assertThat(vectors()).isEmpty();
        assertThat(bench.read(ICS)).isEqualTo(ASSERTED | OTHER);
        bench.write(ICR, -1);
        bench.write(IVAR, 0x000F_C9B8);
        bench.write(ICS, OTHER);
        assertThat(vectors()).isEmpty();
    }

    @Test
    @DisplayName("3.1: LSC and its like also set OTHER, even masked themselves; clearing OTHER clears them")
    void shouldGatherOtherCauses() {
        enableMsix();
        bench.write(IMS, OTHER);
        bench.device.setLink(false);
        assertThat(vectors()).containsExactly(2);
        assertThat(bench.read(ICS)).isEqualTo(ASSERTED | OTHER | LSC);
        bench.write(ICR, OTHER);
        assertThat(bench.read(ICS)).isZero();
    }

    @Test
    @DisplayName("Rule 4: EIAC clears the cause, EIAME with IAM masks it, by the message that it sent and for it alone")
    void shouldAutoClearAndAutoMask() {
        enableMsix();
        bench.write(EIAC, RXQ0 | TXQ0);
        bench.write(IMS, 0x1F0_0000);
        bench.write(ICS, RXQ0);
        bench.write(ICS, RXQ0);
        assertThat(vectors()).as("cleared: each event fires").containsExactly(0, 0);
        assertThat(bench.read(ICS)).isZero();
        assertThat(bench.read(IMS)).as("EIAC alone masks nothing").isEqualTo(0x1F0_0000);

        bench.write(CTRL_EXT, EIAME);
        bench.write(IAM, -1);
        bench.write(ICS, TXQ0);
        assertThat(vectors()).containsExactly(1);
        assertThat(bench.read(IMS)).isEqualTo(0x1F0_0000 & ~TXQ0);
        assertThat(bench.read(IAM)).as("IAM itself stays").isEqualTo(-1);
        bench.write(ICS, TXQ0);
        assertThat(vectors()).isEmpty();
        bench.write(IMS, TXQ0);
        assertThat(vectors()).as("re-enabled by its own bit").containsExactly(1);
    }

    @Test
    @DisplayName("Rule 5: in MSI-X mode a read with an unmasked cause pending clears all, queue causes too")
    void shouldClearQueueCausesOnRead() {
        enableMsix();
        bench.write(IMS, OTHER);
        bench.write(ICS, RXQ0 | LSC);
        assertThat(bench.read(ICR)).isEqualTo(ASSERTED | RXQ0 | OTHER | LSC);
        assertThat(bench.read(ICR)).isZero();
    }

    @Test
    @DisplayName(
            "Rule 8: PBA_CLR lets IMS take a pending bit back, PBACLR takes it by vector; the next event pends again")
    void shouldClearPendingBits() {
        enableMsix();
        bench.device.writeBar(3, 12, 4, 1);
        bench.write(CTRL_EXT, PBA_CLR);
        bench.write(IMS, RXQ0);
        bench.write(ICS, RXQ0);
        assertThat(pending()).isEqualTo(1);
        bench.write(0x5B68, 1);
        assertThat(pending()).isZero();
        bench.write(ICS, RXQ0);
        assertThat(pending()).isEqualTo(1);
        bench.write(IMS, RXQ0);
        assertThat(pending()).isZero();
        bench.write(ICS, RXQ0);
        bench.device.writeBar(3, 12, 4, 0);
        assertThat(vectors()).containsExactly(0);
        assertThat(pending()).isZero();
    }

    @Test
    @DisplayName("Rule 8: a masked entry hands its cause to the PBA, so that auto-clear does not lose the next one")
    void shouldAutoClearWhileEntryIsMasked() {
        enableMsix();
        bench.write(EIAC, RXQ0);
        bench.write(IMS, RXQ0);
        bench.device.writeBar(3, 12, 4, 1);
        bench.write(ICS, RXQ0);
        bench.write(ICS, RXQ0);
        assertThat(pending()).isEqualTo(1);
        bench.device.writeBar(3, 12, 4, 0);
        bench.write(ICS, RXQ0);
        assertThat(vectors()).containsExactly(0, 0);
    }

    @Test
    @DisplayName("Rule 9: the switch to MSI-X drops running delay timers")
    void shouldDropDelaysOnSwitch() {
        bench.openTransmit(8);
        bench.write(TIDV, 1000);
        bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
        bench.kick();
        assertThat(bench.device.nextDeadlineNanos()).isNotEqualTo(Long.MAX_VALUE);
        enableMsix();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("Rule 10: EITR spaces the messages of its vector; one that waits is not lost; 0 is off")
    void shouldModerateVectors() {
        enableMsix();
        bench.write(EITR, 100);
        bench.write(EIAC, 0x1F0_0000);
        bench.write(IMS, 0x1F0_0000);
        bench.write(ICS, RXQ0);
        bench.write(ICS, RXQ0);
        bench.write(ICS, RXQ0);
        bench.write(ICS, TXQ0);
        bench.write(ICS, TXQ0);
        assertThat(vectors()).containsExactly(0, 1, 1);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 25_600);
        bench.now += 25_599;
        bench.poll();
        assertThat(vectors()).isEmpty();
        bench.now++;
        bench.poll();
        assertThat(vectors()).containsExactly(0);
        assertThat(bench.read(ICS)).isZero();
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
        assertThat(bench.device.counters().moderated()).isEqualTo(1);
    }

    @Test
    @DisplayName("Requests with bus mastering off are lost, messages too: nothing stays pending")
    void shouldLoseMessagesWithoutBusMaster() {
        enableMsix();
        bench.write(IMS, RXQ0);
        bench.device.config().write(0x04, 2, 0x3);
        bench.write(ICS, RXQ0);
        bench.device.config().write(0x04, 2, 0x7);
        bench.poll();
        assertThat(vectors()).isEmpty();
        assertThat(pending()).isZero();
    }

    @Test
    @DisplayName("3.1: in MSI-X mode traffic raises queue causes only, and IDE does not delay")
    void shouldRaiseQueueCauses() {
        enableMsix();
        bench.openReceive(8);
        bench.openTransmit(8);
        bench.write(TIDV, 1000);
        bench.write(RDTR, 1000);
        bench.write(IMS, 0x1F0_0000);
        bench.arrive(frame(MAC, 60));
        bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
        bench.kick();
        assertThat(vectors()).containsExactly(0, 1);
        assertThat(bench.read(ICS)).isEqualTo(ASSERTED | RXQ0 | TXQ0 | 2);
        assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("3.2: IVAR bit 31 writes back and reports every transmit descriptor")
    void shouldReportEveryDescriptor() {
        enableMsix();
        bench.write(IVAR, ROUTES | 1 << 31);
        bench.openTransmit(8);
        bench.write(IMS, TXQ0);
        bench.queue(frame(PEER, 60), EOP | IFCS);
        bench.kick();
        assertThat(bench.txStatus(0)).isEqualTo(1);
        assertThat(vectors()).containsExactly(1);
    }

    @Test
    @DisplayName("A second queue has its own ring and causes")
    void shouldRunSecondTransmitQueue() {
        enableMsix();
        bench.write(IMS, TXQ1);
        byte[] frame = frame(PEER, 60);
        bench.ram.write(TX_BUFFERS, frame, 0, 60);
        bench.describe(0, TX_BUFFERS, legacy(60, EOP | IFCS | RS));
        bench.write(0x3900, (int) TX_RING);
        bench.write(0x3908, 128);
        bench.write(TCTL, TX_EN);
        bench.write(0x3918, 1);
        bench.poll();
        assertThat(bench.sent).containsExactly(frame);
        assertThat(bench.read(0x3910)).isEqualTo(1);
        assertThat(bench.read(TDH)).isZero();
        assertThat(vectors()).containsExactly(4);
    }
}
