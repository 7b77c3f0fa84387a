package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.net.VirtioNetOptions.ReceiveMode;
import io.iolab.devices.virtio.queue.SplitRing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The control queue and what its commands change, virtio 1.2 section 5.1.6.5. */
class ControlQueueTest {
    private static final int CTRL = 2;
    private static final long CTRL_VQ = 1L << 17;
    private static final long CTRL_RX = 1L << 18;
    private static final long CTRL_VLAN = 1L << 19;
    private static final long CTRL_RX_EXTRA = 1L << 20;
    private static final long ANNOUNCE = 1L << 21;
    private static final long CTRL_MAC_ADDR = 1L << 23;
    private static final long RX_FEATURES = CTRL_VQ | CTRL_RX | CTRL_VLAN | CTRL_RX_EXTRA;

    private static final int OK = ControlPort.OK;
    private static final int ERR = ControlPort.ERR;

    private final VirtioNetOptions offered = VirtioNetOptions.defaults(Lab.MAC).withFeatures(NetFeatures.USUAL);
    private Lab lab = new Lab(offered, (l, dma) -> dma);
    private ControlPort control = new ControlPort(lab, CTRL);

    @AfterEach
    void close() {
        lab.close();
    }

    private void filtering() {
        lab.close();
        lab = new Lab(offered.withReceiveMode(ReceiveMode.FILTERING), (l, dma) -> dma);
        control = new ControlPort(lab, CTRL);
    }

    private void start(long features) {
        lab.negotiate(features | CTRL_VQ);
        lab.enableQueue(Lab.RX, 64);
        lab.enableQueue(Lab.TX, 16);
        lab.enableQueue(CTRL, 64);
        lab.status(0xF);
        lab.device.poll(1);
    }

    private static byte[] to(long mac) {
        byte[] frame = Lab.frame(60, 3);
        for (int i = 0; i < 6; i++) {
            frame[i] = (byte) (mac >>> 40 - 8 * i);
        }
        frame[12] = 8;
        frame[13] = 0;
        return frame;
    }

    private static byte[] tagged(long mac, int vlan) {
        byte[] frame = to(mac);
        PacketOracle.put16(frame, 12, 0x8100);
        PacketOracle.put16(frame, 14, 0xE000 | vlan);
        return frame;
    }

    private boolean passes(byte[] frame) {
        lab.receiveBuffer(2000);
        Delivery delivery = lab.arrive(frame);
        assertThat(delivery).isIn(Delivery.ACCEPTED, Delivery.FILTERED);
        return delivery == Delivery.ACCEPTED;
    }

    private boolean passes(long mac) {
        return passes(to(mac));
    }

    private static final long STATION = 0x525400123456L;
    private static final long OTHER = 0x020000000001L;
    private static final long GROUP = 0x01005E000001L;
    private static final long BROADCAST = 0xFFFFFFFFFFFFL;

    @Test
    @Spec(id = "V31.3", section = "virtio 1.2 5.1.6.5.1.1")
    @DisplayName("5.1.6.5.1.1: promiscuous mode off leaves the station and broadcast; each mode does what it says")
    void shouldFilterByModeWhenModesAreSet() {
        start(RX_FEATURES);
        assertThat(passes(OTHER)).as("promiscuous after a reset").isTrue();
        assertThat(control.send(0, 0, 0)).isEqualTo(OK);
        assertThat(passes(OTHER)).isFalse();
        assertThat(passes(GROUP)).isFalse();
        assertThat(passes(STATION)).isTrue();
        assertThat(passes(BROADCAST)).isTrue();

        assertThat(control.send(0, 1, 1)).isEqualTo(OK);
        assertThat(passes(GROUP)).as("ALLMULTI").isTrue();
        assertThat(passes(OTHER)).isFalse();
        assertThat(control.send(0, 2, 1)).isEqualTo(OK);
        assertThat(passes(OTHER)).as("ALLUNI").isTrue();
        assertThat(control.send(0, 3, 1)).isEqualTo(OK);
        assertThat(passes(GROUP)).as("NOMULTI").isFalse();
        assertThat(control.send(0, 4, 1)).isEqualTo(OK);
        assertThat(passes(STATION)).as("NOUNI").isFalse();
        assertThat(control.send(0, 5, 1)).isEqualTo(OK);
        assertThat(passes(BROADCAST)).as("NOBCAST").isFalse();
        assertThat(control.send(0, 0, 1)).isEqualTo(OK);
        assertThat(passes(STATION)).as("promiscuous again").isTrue();
        assertThat(passes(OTHER)).isTrue();
        assertThat(lab.device.counters().rxAddressFiltered()).isEqualTo(6);
    }

    private static byte[] macTable(int unicasts, int multicasts) {
        byte[] command = new byte[10 + 6 * (unicasts + multicasts)];
        command[0] = 1;
        command[2] = (byte) unicasts;
        command[3] = (byte) (unicasts >>> 8);
        for (int i = 0; i < unicasts; i++) {
            command[6 + 6 * i] = 2;
            command[11 + 6 * i] = (byte) (1 + i);
        }
        int second = 6 + 6 * unicasts;
        command[second] = (byte) multicasts;
        command[second + 1] = (byte) (multicasts >>> 8);
        for (int i = 0; i < multicasts; i++) {
            command[second + 4 + 6 * i] = 1;
            command[second + 9 + 6 * i] = (byte) (1 + i);
        }
        return command;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 60})
    @Spec(id = "V31.2", section = "virtio 1.2 5.1.6.5.2.1")
    @DisplayName("5.1.6.5.2: the MAC table takes the place of the old one; the command comes in any number of pieces")
    void shouldPassListedAddressesWhenTableIsSet(int pieces) {
        start(RX_FEATURES);
        control.send(0, 0, 0);
        assertThat(passes(0x020000000002L))
                .as("the table is empty after a reset")
                .isFalse();
        assertThat(control.send(macTable(3, 2), pieces)).isEqualTo(OK);
        assertThat(passes(0x020000000003L)).isTrue();
        assertThat(passes(0x020000000004L)).isFalse();
        assertThat(passes(0x010000000002L)).isTrue();
        assertThat(passes(0x010000000003L)).isFalse();
        assertThat(passes(STATION)).as("always").isTrue();
        assertThat(control.send(macTable(0, 1), pieces)).isEqualTo(OK);
        assertThat(passes(0x020000000003L)).isFalse();
        assertThat(passes(0x010000000001L)).isTrue();
        start(RX_FEATURES);
        control.send(0, 0, 0);
        assertThat(passes(0x010000000001L)).as("after a reset").isFalse();
    }

    @Test
    @DisplayName("5.1.6.5.2: more addresses than there is room for open the filter for their kind only")
    void shouldPassAllOfKindWhenTableOverflows() {
        start(RX_FEATURES);
        control.send(0, 0, 0);
        assertThat(control.send(macTable(64, 64), 3)).isEqualTo(OK);
        assertThat(passes(0x020000000040L)).isTrue();
        assertThat(passes(0x020000000041L)).isFalse();
        assertThat(control.send(macTable(65, 1), 3)).isEqualTo(OK);
        assertThat(passes(0x0200000000FFL)).isTrue();
        assertThat(passes(0x010000000002L)).isFalse();
        assertThat(control.send(macTable(1, 1000), 3)).isEqualTo(OK);
        assertThat(passes(0x0200000000FFL)).isFalse();
        assertThat(passes(0x0100000000FFL)).isTrue();
    }

    @Test
    @Spec(id = "V31.1", section = "virtio 1.2 5.1.6.5.3")
    @DisplayName("5.1.6.5.3: untagged frames pass, tagged ones with a listed id only; the table is empty after a reset")
    void shouldFilterVlansWhenNegotiated() {
        start(RX_FEATURES);
        control.send(0, 0, 0);
        assertThat(passes(tagged(STATION, 5))).isFalse();
        assertThat(passes(tagged(STATION, 0))).isFalse();
        assertThat(passes(STATION)).isTrue();
        assertThat(control.send(2, 0, 5, 0)).isEqualTo(OK);
        assertThat(control.send(2, 0, 0xFF, 0x0F)).isEqualTo(OK);
        assertThat(passes(tagged(STATION, 5))).isTrue();
        assertThat(passes(tagged(STATION, 4095))).isTrue();
        assertThat(passes(tagged(STATION, 69))).isFalse();
        assertThat(passes(tagged(OTHER, 5))).isFalse();
        assertThat(control.send(2, 1, 5, 0)).isEqualTo(OK);
        assertThat(passes(tagged(STATION, 5))).isFalse();
        assertThat(control.send(2, 0, 0, 0x10)).as("no such id").isEqualTo(ERR);
        start(RX_FEATURES);
        control.send(0, 0, 0);
        assertThat(passes(tagged(STATION, 4095))).as("after a reset").isFalse();
        start(RX_FEATURES & ~CTRL_VLAN);
        control.send(0, 0, 0);
        assertThat(passes(tagged(STATION, 7))).as("not negotiated").isTrue();
        assertThat(control.send(2, 0, 5, 0)).isEqualTo(ERR);
    }

    @Test
    @DisplayName("5.1.6.5.1: filtering from the start is an option; without CTRL_RX nothing is filtered")
    void shouldFilterFromStartWhenOptionSaysSo() {
        filtering();
        start(RX_FEATURES);
        assertThat(passes(OTHER)).isFalse();
        assertThat(passes(STATION)).isTrue();
        assertThat(passes(BROADCAST)).isTrue();
        start(0);
        assertThat(passes(OTHER)).isTrue();
        assertThat(passes(GROUP)).isTrue();
    }

    private String macInConfig() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            text.append(String.format("%02x", lab.device.readBar(4, 0x2000 + i, 1)));
        }
        return text.toString();
    }

    @Test
    @Spec(id = "V11.1", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("5.1.6.5.2: ADDR_SET shows in the configuration before the command is used; a reset undoes it")
    void shouldChangeAddressWhenCommandSaysSo() {
        start(RX_FEATURES | CTRL_MAC_ADDR);
        control.send(0, 0, 0);
        long generation = lab.common(Lab.GENERATION, 1);
        assertThat(control.send(1, 1, 2, 0, 0, 0, 0, 1)).isEqualTo(OK);
        assertThat(macInConfig()).isEqualTo("020000000001");
        assertThat(lab.common(Lab.GENERATION, 1)).isNotEqualTo(generation);
        assertThat(passes(OTHER)).isTrue();
        assertThat(passes(STATION)).isFalse();
        assertThat(control.send(1, 1, 3, 0, 0, 0, 0, 1)).as("a group address").isEqualTo(ERR);
        assertThat(control.send(1, 1, 2, 0, 0, 0, 0)).as("five bytes").isEqualTo(ERR);
        assertThat(macInConfig()).isEqualTo("020000000001");
        lab.status(0);
        assertThat(macInConfig()).isEqualTo("525400123456");
        start(RX_FEATURES);
        assertThat(control.send(1, 1, 2, 0, 0, 0, 0, 1)).as("not negotiated").isEqualTo(ERR);
    }

    @Test
    @DisplayName("5.1.6.5.4: ANNOUNCE comes with a configuration interrupt and goes with the ACK")
    void shouldAskForAnnouncementUntilAcknowledged() {
        start(0);
        assertThat(lab.device.requestAnnouncement()).as("not negotiated").isFalse();
        start(ANNOUNCE | Lab.NET_STATUS);
        assertThat(control.send(3, 0)).as("nothing to acknowledge").isEqualTo(ERR);
        lab.isr();
        long generation = lab.common(Lab.GENERATION, 1);
        assertThat(lab.device.requestAnnouncement()).isTrue();
        assertThat(lab.isr()).isEqualTo(2);
        assertThat(lab.device.readBar(4, 0x2006, 2)).isEqualTo(3);
        assertThat(lab.common(Lab.GENERATION, 1)).isNotEqualTo(generation);
        assertThat(control.send(3, 0, 1)).as("data").isEqualTo(ERR);
        assertThat(control.send(3, 1)).as("no such command").isEqualTo(ERR);
        assertThat(lab.device.readBar(4, 0x2006, 2)).isEqualTo(3);
        assertThat(control.send(3, 0)).isEqualTo(OK);
        assertThat(lab.device.readBar(4, 0x2006, 2)).isEqualTo(1);
        lab.device.requestAnnouncement();
        start(ANNOUNCE | Lab.NET_STATUS);
        assertThat(lab.device.readBar(4, 0x2006, 2)).as("void after a reset").isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "''",
        "00",
        "0000",
        "000001 00",
        "0006 01",
        "00ff 01",
        "0100",
        "0100 00000000",
        "0100 00000000 01000000",
        "0100 ffffffff 00000000",
        "0100 00000000 ffffffff",
        "0100 00000000 00000000 00",
        "0102",
        "0200",
        "0200 05",
        "0200 050000",
        "0202 0500",
        "0301",
        "0400 0100",
        "0401 00",
        "0402 00",
        "0500 0000000000000000",
        "0600 00",
        "0700",
        "ff00",
        "0000 0101",
    })
    @Spec(id = "V29.2", section = "virtio 1.2 5.1.6.5")
    @DisplayName("5.1.6.5: unknown or malformed commands get ERR and change nothing")
    void shouldRefuseWhenCommandIsUnknownOrMalformed(String hex) {
        start(RX_FEATURES | CTRL_MAC_ADDR | ANNOUNCE);
        control.send(0, 0, 0);
        byte[] command = java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
        assertThat(control.send(command, 2)).isEqualTo(ERR);
        assertThat(passes(OTHER)).isFalse();
        assertThat(passes(GROUP)).isFalse();
        assertThat(passes(STATION)).isTrue();
        assertThat(lab.status()).isEqualTo(0xF);
        assertThat(lab.device.counters().commands()).isEqualTo(2);
        assertThat(lab.device.counters().commandErrors()).isEqualTo(1);
    }

    @Test
    @Spec(id = "V21.2", section = "virtio 1.2 2.7.8.2")
    @DisplayName("5.1.6.5: exactly the ack is written, and used.len says one byte")
    void shouldWriteAckOnlyWhenThereIsMoreRoom() {
        start(RX_FEATURES);
        byte[] answer = control.exchange(ControlPort.bytes(0, 0, 1), 1, 10);
        assertThat(answer[0]).isZero();
        assertThat(java.util.Arrays.copyOfRange(answer, 1, 10)).containsOnly(ControlPort.UNTOUCHED);
        assertThat(lab.rings[CTRL].usedLength(0)).isEqualTo(1);
        assertThat(control.exchange(ControlPort.bytes(9, 9), 1, 2)).startsWith(1);
        assertThat(lab.rings[CTRL].usedLength(1)).isEqualTo(1);
    }

    @Test
    @DisplayName("a command that is too long or out of reach is refused; one without room for an ack breaks the ring")
    void shouldRefuseOrStopWhenBuffersAreImpossible() {
        start(RX_FEATURES);
        SplitRing ring = lab.rings[CTRL];
        long ack = lab.allocate(1, 1);
        long[][] commands = {{0, 0xFFFF_0000L}, {1L << 40, 3}, {0, 20_000}};
        for (int i = 0; i < commands.length; i++) {
            lab.ram.fill(ack, 1, (byte) ControlPort.UNTOUCHED);
            ring.descriptor(0, commands[i][0], commands[i][1], SplitRing.NEXT, 1);
            ring.descriptor(1, ack, 1, SplitRing.WRITE, 0);
            ring.offer(0);
            ring.publish();
            lab.kick(CTRL);
            lab.poll();
            assertThat(ring.usedIdx()).isEqualTo(i + 1);
            assertThat(lab.bytes(ack, 1)).containsExactly(ERR);
        }
        ring.descriptor(0, 0x100, 3, 0, 0);
        ring.offer(0);
        ring.publish();
        lab.kick(CTRL);
        lab.poll();
        assertThat(lab.status()).isEqualTo(0x4F);
    }

    @Test
    @DisplayName("5.1.2: queue 2 is the control queue, of at most 64 descriptors, and interrupts like any other")
    void shouldInterruptWhenCommandIsUsed() {
        lab.status(0);
        lab.common(Lab.QUEUE_SELECT, 2, CTRL);
        assertThat(lab.common(Lab.QUEUE_SIZE, 2)).isEqualTo(64);
        assertThat(lab.common(Lab.NUM_QUEUES, 2)).isEqualTo(3);
        start(RX_FEATURES);
        lab.isr();
        control.send(0, 0, 1);
        assertThat(lab.isr()).isEqualTo(1);
    }

    @Test
    @DisplayName("5.1.3: without CTRL_VQ nothing is read from queue 2")
    void shouldLeaveQueueAloneWhenNotNegotiated() {
        lab.negotiate(0);
        lab.enableQueue(CTRL, 16);
        lab.status(0xF);
        long ack = lab.allocate(4, 1);
        lab.ram.fill(ack, 4, (byte) ControlPort.UNTOUCHED);
        lab.rings[CTRL].descriptor(0, ack + 1, 3, SplitRing.NEXT, 1);
        lab.rings[CTRL].descriptor(1, ack, 1, SplitRing.WRITE, 0);
        lab.rings[CTRL].offer(0);
        lab.rings[CTRL].publish();
        lab.kick(CTRL);
        lab.poll();
        assertThat(lab.rings[CTRL].usedIdx()).isZero();
        assertThat(lab.device.counters().kicksDisabled()).isEqualTo(1);
    }
}
