package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Queue pairs, automatic steering and RSS, virtio 1.2 sections 5.1.2 and 5.1.6.5.5 to 5.1.6.5.7; hash reports, 5.1.6.4.3. */
class MultiqueueTest {
    private static final int PAIRS = 4;
    private static final int CTRL = 8;
    private static final long CTRL_VQ = 1L << 17;
    private static final long MQ = 1L << 22;
    private static final long HASH_REPORT = 1L << 57;
    private static final long RSS = 1L << 60;
    private static final int OK = ControlPort.OK;
    private static final int ERR = ControlPort.ERR;

    private static final byte[] KEY =
            HexFormat.of().parseHex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");

    private final Lab lab = new Lab(
            VirtioNetOptions.defaults(Lab.MAC)
                    .withQueuePairs(PAIRS)
                    .withFeatures(NetFeatures.RSS | NetFeatures.HASH_REPORT),
            (l, dma) -> dma);
    private final ControlPort control = new ControlPort(lab, CTRL);

    @AfterEach
    void close() {
        lab.close();
    }

    private void start(long features) {
        lab.negotiate(features | CTRL_VQ);
        for (int i = 0; i <= CTRL; i++) {
            lab.enableQueue(i, 64);
        }
        lab.status(0xF);
        lab.device.poll(1);
        for (int pair = 0; pair < PAIRS; pair++) {
            for (int i = 0; i < 60; i++) {
                lab.rings[2 * pair].add(lab.allocate(200, 1), 200, 2);
            }
        }
    }

    private static byte[] flow(int number, boolean reversed) {
        PacketOracle oracle = new PacketOracle(new SplittableRandom(number));
        oracle.addresses4 = reversed
                ? new byte[] {10, 0, 1, (byte) number, 10, 0, 0, 2}
                : new byte[] {10, 0, 0, 2, 10, 0, 1, (byte) number};
        oracle.ports = reversed ? new int[] {80, 1000 + number} : new int[] {1000 + number, 80};
        return oracle.build(20, true);
    }

    /** Sends a frame to the device. @return the pair it was received on */
    private int pairFor(byte[] frame) {
        int[] before = new int[PAIRS];
        for (int i = 0; i < PAIRS; i++) {
            before[i] = lab.rings[2 * i].usedIdx();
        }
        assertThat(lab.arrive(frame)).isEqualTo(Delivery.ACCEPTED);
        int found = -1;
        for (int i = 0; i < PAIRS; i++) {
            if (lab.rings[2 * i].usedIdx() != before[i]) {
                assertThat(found).isEqualTo(-1);
                found = i;
            }
        }
        return found;
    }

    private void transmitOn(int pair, byte[] frame) {
        lab.rings[2 * pair + 1].add(lab.packet(frame), 12 + frame.length, 0);
        lab.kick(2 * pair + 1);
        lab.poll();
    }

    @Test
    @Spec(id = "V30.1", section = "virtio 1.2 5.1.6.5.6.2")
    @DisplayName("5.1.6.5.5: only receiveq1 and transmitq1 are used until VQ_PAIRS_SET; kicks of others are ignored")
    void shouldUseFirstPairOnlyUntilToldOtherwise() {
        start(MQ);
        for (int i = 0; i < 20; i++) {
            assertThat(pairFor(flow(i, true))).isZero();
        }
        transmitOn(2, flow(1, false));
        assertThat(lab.sent).isEmpty();
        assertThat(lab.device.counters().kicksDisabled()).isEqualTo(1);
        assertThat(lab.device.workPending()).isFalse();
        assertThat(control.send(4, 0, 3, 0)).isEqualTo(OK);
        lab.poll();
        assertThat(lab.sent)
                .as("what waited in the queue is found without a kick")
                .hasSize(1);
        assertThat(control.send(4, 0, 1, 0)).isEqualTo(OK);
        transmitOn(1, flow(1, false));
        assertThat(lab.sent).hasSize(1);
        for (int i = 0; i < 20; i++) {
            assertThat(pairFor(flow(i, true))).isZero();
        }
        control.send(4, 0, 4, 0);
        start(MQ);
        lab.sent.clear();
        transmitOn(1, flow(1, false));
        assertThat(lab.sent).as("after a reset").isEmpty();
    }

    @Test
    @Spec(id = "V30.3", section = "virtio 1.2 5.1.6.5.6")
    @DisplayName("5.1.6.5.5: a flow is received on the pair that sent for it last")
    void shouldReceiveFlowWhereItWasSent() {
        start(MQ);
        assertThat(control.send(4, 0, 4, 0)).isEqualTo(OK);
        for (int i = 0; i < 12; i++) {
            transmitOn(i % 4, flow(i, false));
            assertThat(pairFor(flow(i, true))).as("flow %d", i).isEqualTo(i % 4);
            transmitOn((i + 1) % 4, flow(i, false));
            assertThat(pairFor(flow(i, true))).as("flow %d moved", i).isEqualTo((i + 1) % 4);
        }
        assertThat(pairFor(Lab.frame(60, 1))).as("no IP").isZero();
    }

    @Test
    @DisplayName("5.1.6.5.5: flows that never sent spread over the pairs in use, each always to the same")
    void shouldSpreadFlowsWhenNothingIsKnown() {
        start(MQ);
        control.send(4, 0, 3, 0);
        int[] counts = new int[PAIRS];
        for (int i = 0; i < 45; i++) {
            int pair = pairFor(flow(i, true));
            counts[pair]++;
            assertThat(pairFor(flow(i, true))).isEqualTo(pair);
        }
        assertThat(counts[3]).isZero();
        assertThat(counts[0]).isBetween(5, 30);
        assertThat(counts[1]).isBetween(5, 30);
        assertThat(counts[2]).isBetween(5, 30);
    }

    @ParameterizedTest
    @CsvSource({"0,0", "5,0", "0,0x80", "255,255"})
    @Spec(id = "V30.2", section = "virtio 1.2 5.1.6.5.6.1")
    @DisplayName("5.1.6.5.5: a number of pairs that the device does not have is refused")
    void shouldRefusePairsWhenNumberIsImpossible(String low, String high) {
        start(MQ);
        control.send(4, 0, 2, 0);
        assertThat(control.send(4, 0, Integer.decode(low), Integer.decode(high)))
                .isEqualTo(ERR);
        transmitOn(1, flow(1, false));
        assertThat(lab.sent).as("still two pairs").hasSize(1);
    }

    @Test
    @DisplayName("5.1.2: without MQ and RSS queue 2 is the control queue and the others have no meaning")
    void shouldMoveControlQueueWhenNotMultiqueue() {
        lab.negotiate(CTRL_VQ);
        for (int i = 0; i <= CTRL; i++) {
            lab.enableQueue(i, 64);
        }
        lab.status(0xF);
        assertThat(new ControlPort(lab, 2).send(4, 0, 1, 0))
                .as("unknown, but answered")
                .isEqualTo(ERR);
        assertThat(lab.device.counters().commands()).isEqualTo(1);
        lab.rings[CTRL].add(lab.allocate(4, 1), 4, 2);
        lab.kick(CTRL);
        lab.poll();
        assertThat(lab.rings[CTRL].usedIdx()).isZero();
        assertThat(lab.device.counters().kicksDisabled()).isEqualTo(1);
    }

    @Test
    @DisplayName("5.1.6.5.5: every queue has its own vector")
    void shouldInterruptOnVectorOfQueueWhenMsixIsOn() {
        for (int v = 0; v < 10; v++) {
            lab.device.writeBar(1, 16L * v, 4, 0xFEE0_0000L);
            lab.device.writeBar(1, 16L * v + 8, 4, 0x40 + v);
            lab.device.writeBar(1, 16L * v + 12, 4, 0);
        }
        lab.device.config().write(0x98 + 2, 2, 0x8000);
        start(MQ);
        for (int i = 0; i <= CTRL; i++) {
            lab.common(Lab.QUEUE_SELECT, 2, i);
            lab.common(Lab.QUEUE_VECTOR, 2, i + 1);
        }
        control.send(4, 0, 4, 0);
        assertThat(lab.messages).extracting(Lab.Message::data).containsExactly(0x40 + CTRL + 1);
        lab.messages.clear();
        transmitOn(3, flow(1, false));
        assertThat(lab.messages).extracting(Lab.Message::data).containsExactly(0x48);
        lab.messages.clear();
        lab.arrive(flow(1, true));
        lab.poll();
        assertThat(lab.messages).extracting(Lab.Message::data).containsExactly(0x47);
    }

    @Test
    @DisplayName("poll serves all pairs: a full queue does not starve the others")
    void shouldServeEveryPairWhenOneHasMoreThanBudget() {
        start(MQ);
        control.send(4, 0, 4, 0);
        for (int pair = 0; pair < PAIRS; pair++) {
            for (int i = 0; i < 20; i++) {
                byte[] frame = Lab.frame(60, pair);
                lab.rings[2 * pair + 1].add(lab.packet(frame), 72, 0);
            }
            lab.kick(2 * pair + 1);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(lab.device.poll(10)).isEqualTo(10);
        }
        for (int pair = 0; pair < PAIRS; pair++) {
            assertThat(lab.rings[2 * pair + 1].usedIdx()).isEqualTo(10);
        }
    }

    private byte[] rss(int types, int[] table, int unclassified, int transmitters, byte[] key) {
        ByteBuffer command =
                ByteBuffer.allocate(2 + 8 + 2 * table.length + 3 + key.length).order(ByteOrder.LITTLE_ENDIAN);
        command.put((byte) 4).put((byte) 1).putInt(types);
        command.putShort((short) (table.length - 1)).putShort((short) unclassified);
        for (int entry : table) {
            command.putShort((short) entry);
        }
        return command.putShort((short) transmitters)
                .put((byte) key.length)
                .put(key)
                .array();
    }

    private static byte[] hashed(String source, int sourcePort, String destination, int port, boolean udp) {
        PacketOracle oracle = new PacketOracle(new SplittableRandom(1));
        oracle.udp = udp;
        String[] parts = (source + "." + destination).split("\\.", 8);
        for (int i = 0; i < 8; i++) {
            oracle.addresses4[i] = (byte) Integer.parseInt(parts[i]);
        }
        oracle.ports = new int[] {sourcePort, port};
        return oracle.build(10, true);
    }

    @ParameterizedTest
    @CsvSource({
        // The verification suite of Microsoft's RSS specification.
        "66.9.149.187, 2794, 161.142.100.80, 1766, 323e8fc2, 51ccc178",
        "199.92.111.2, 14230, 65.69.140.83, 4739, d718262a, c626b0ea",
        "24.19.198.95, 12898, 12.22.207.184, 38024, d2d0a5de, 5c2b394a",
        "38.27.205.30, 48228, 209.142.163.6, 2217, 82989176, afc7327f",
        "153.39.163.191, 44251, 202.188.127.2, 1303, 5d1809c5, 10e828a2",
    })
    @Spec(id = "V27.7", section = "virtio 1.2 5.1.6.4.4")
    @Spec(id = "V30.4", section = "virtio 1.2 5.1.6.5.7.3")
    @DisplayName("5.1.6.4.3: hash value and type are in the header, and choose the table's entry")
    void shouldReportHashAndSteerByItWhenConfigured(
            String source, int sourcePort, String destination, int port, String ipHash, String tcpHash) {
        start(RSS | HASH_REPORT);
        int[] table = {3, 1, 2, 0, 1, 1, 2, 2};
        byte[] tcp = hashed(source, sourcePort, destination, port, false);
        byte[] udp = hashed(source, sourcePort, destination, port, true);
        expectHash(rss(3, table, 1, 4, KEY), tcp, Integer.parseUnsignedInt(tcpHash, 16), 2, table);
        expectHash(rss(1, table, 1, 4, KEY), tcp, Integer.parseUnsignedInt(ipHash, 16), 1, table);
        expectHash(rss(3, table, 1, 4, KEY), udp, Integer.parseUnsignedInt(ipHash, 16), 1, table);
        expectHash(rss(7, table, 1, 4, KEY), udp, Integer.parseUnsignedInt(tcpHash, 16), 3, table);
        assertThat(control.send(rss(2, table, 3, 4, KEY))).isEqualTo(OK);
        assertThat(pairFor(udp)).as("of no type that is hashed").isEqualTo(3);
    }

    private void expectHash(byte[] command, byte[] frame, int hash, int report, int[] table) {
        assertThat(control.send(command, 3)).isEqualTo(OK);
        int pair = pairFor(frame);
        assertThat(pair).isEqualTo(table[hash & table.length - 1]);
        int used = lab.rings[2 * pair].usedIdx() - 1;
        assertThat(lab.rings[2 * pair].usedLength(used)).isEqualTo(20 + frame.length);
        int descriptor = lab.rings[2 * pair].usedId(used);
        long gpa = lab.ram.readLong(lab.rings[2 * pair].desc + 16L * descriptor);
        assertThat(lab.ram.readInt(gpa + 12)).isEqualTo(hash);
        assertThat(lab.ram.readInt(gpa + 16)).isEqualTo(report);
        assertThat(lab.bytes(gpa + 20, frame.length)).isEqualTo(frame);
    }

    @Test
    @DisplayName("5.1.6.5.7: transmit queues up to max_tx_vq are in use; VQ_PAIRS_SET goes back to automatic steering")
    void shouldUseTransmittersOfTableWhenConfigured() {
        start(RSS | MQ);
        assertThat(control.send(rss(3, new int[] {2, 2}, 2, 2, KEY))).isEqualTo(OK);
        transmitOn(1, flow(1, false));
        assertThat(lab.sent).hasSize(1);
        transmitOn(2, flow(1, false));
        assertThat(lab.sent).hasSize(1);
        assertThat(pairFor(flow(1, true))).isEqualTo(2);
        assertThat(control.send(4, 0, 1, 0)).isEqualTo(OK);
        assertThat(pairFor(flow(1, true))).isZero();
        assertThat(new ControlPort(lab, CTRL).send(rss(0, new int[] {1}, 3, 1, new byte[0])))
                .isEqualTo(OK);
        assertThat(pairFor(flow(1, true))).as("no type is hashed").isEqualTo(3);
    }

    @Test
    @DisplayName("5.1.6.5.7.1: a table that names what does not exist is refused, and nothing changes")
    void shouldRefuseTableWhenItIsMalformed() {
        start(RSS);
        assertThat(control.send(rss(3, new int[] {1, 1}, 1, 2, KEY))).isEqualTo(OK);
        byte[][] bad = {
            rss(3, new int[] {1, 4}, 1, 2, KEY),
            rss(3, new int[] {1, 1, 1}, 1, 2, KEY),
            rss(3, new int[256], 1, 2, KEY),
            rss(3, new int[] {1, 1}, 4, 2, KEY),
            rss(3, new int[] {1, 1}, 1, 0, KEY),
            rss(3, new int[] {1, 1}, 1, 5, KEY),
            rss(0x40, new int[] {1, 1}, 1, 2, KEY),
            rss(3, new int[] {1, 1}, 1, 2, new byte[41]),
            rss(3, new int[] {1, 1}, 1, 2, new byte[0]),
            java.util.Arrays.copyOf(rss(3, new int[] {1, 1}, 1, 2, KEY), 30),
            java.util.Arrays.copyOf(rss(3, new int[] {1, 1}, 1, 2, KEY), 60),
            {4, 1, 3, 0, 0, 0, (byte) 0xFF, (byte) 0xFF, 0, 0},
        };
        for (int i = 0; i < bad.length; i++) {
            assertThat(control.send(bad[i], 2)).as("%d", i).isEqualTo(ERR);
        }
        assertThat(pairFor(flow(1, true))).isEqualTo(1);
        assertThat(control.send(4, 0, 1, 0)).as("MQ was not negotiated").isEqualTo(ERR);
    }

    @Test
    @DisplayName("5.1.6.5.6.4: HASH_CONFIG reports hashes without steering by them")
    void shouldReportOnlyWhenHashIsConfigured() {
        start(HASH_REPORT | MQ);
        byte[] command = new byte[2 + 13 + 40];
        command[0] = 4;
        command[1] = 2;
        command[2] = 3;
        command[14] = 40;
        System.arraycopy(KEY, 0, command, 15, 40);
        assertThat(control.send(command)).isEqualTo(OK);
        byte[] frame = hashed("66.9.149.187", 2794, "161.142.100.80", 1766, false);
        expectHash(command, frame, 0x51ccc178, 2, new int[] {0});
        assertThat(control.send(rss(3, new int[] {1}, 1, 1, KEY)))
                .as("RSS was not negotiated")
                .isEqualTo(ERR);
    }

    @Test
    @DisplayName("a pair whose receive queue was not enabled is steered around")
    void shouldAvoidQueueWhenItIsNotThere() {
        lab.negotiate(MQ | RSS | CTRL_VQ);
        for (int i : new int[] {0, 1, 3, CTRL}) {
            lab.enableQueue(i, 64);
        }
        lab.status(0xF);
        lab.device.poll(1);
        for (int i = 0; i < 60; i++) {
            lab.rings[0].add(lab.allocate(200, 1), 200, 2);
        }
        assertThat(control.send(4, 0, 2, 0)).isEqualTo(OK);
        for (int i = 0; i < 20; i++) {
            assertThat(lab.arrive(flow(i, true))).isEqualTo(Delivery.ACCEPTED);
        }
        assertThat(lab.rings[0].usedIdx()).isEqualTo(20);
        assertThat(lab.status()).isEqualTo(0xF);
    }
}
