package io.iolab.devices.igb;

import static io.iolab.devices.igb.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Which pools get a frame, and which may send one (82576 datasheet 7.10.3). Pools 0 to 2 are virtual functions, 3 is the default. */
class PoolSwitchTest {
    private static final int VMOLR = 0x5AD0;
    private static final int VT_CTL = 0x581C;
    private static final int LOOPED = 1 << 18;
    private static final int HASHED = 1 << 7;

    private final Bench bench = new Bench();

    @BeforeEach
    void open() {
        bench.openPools(3);
        for (int pool = 0; pool < 4; pool++) {
            bench.openReceive(pool);
            bench.openTransmit(pool);
        }
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private int pools(byte[] frame) {
        bench.arrive(frame);
        return bench.receivers();
    }

    private void clearBit(int register, int bit) {
        bench.write(register, bench.read(register) & ~bit);
    }

    @Test
    void shouldDeliverToThePoolThatOwnsTheAddress() {
        byte[] frame = frame(macOf(1), PEER, 100);
        assertThat(pools(frame)).isEqualTo(1 << 1);
        assertThat(bench.rxBytes(1, 0)).isEqualTo(frame);
        assertThat(bench.rxStatus(1, 0) & 3).isEqualTo(3);
        assertThat(bench.rxStatus(1, 0) & (LOOPED | HASHED)).isZero();
    }

    @Test
    @DisplayName("RAH 25:18 names several pools: one copy each")
    void shouldCopyToAllPoolsOfAnAddress() {
        bench.address(10, PEER, 0b101);
        assertThat(pools(frame(PEER, BROADCAST, 60))).isEqualTo(0b101);
    }

    @Test
    @DisplayName("Broadcast: pools with VMOLR.BAM")
    void shouldDeliverBroadcastToPoolsThatWantIt() {
        clearBit(VMOLR + 4, 1 << 27);
        assertThat(pools(frame(BROADCAST, PEER, 60))).isEqualTo(0b1101);
    }

    @Test
    @DisplayName("Multicast without an exact match: MTA, for pools with ROMPE; PIF is set")
    void shouldDeliverHashedMulticast() {
        bench.set(VMOLR + 8, 1 << 25);
        assertThat(pools(frame(GROUP, PEER, 60)))
                .as("not in MTA: the default pool")
                .isEqualTo(1 << 3);
        // mc[4] >> 4 | mc[5] << 4, in words of 32 bits.
        int hash = (GROUP[4] & 0xFF) >>> 4 | (GROUP[5] & 0xFF) << 4;
        bench.write(0x5200 + 4 * (hash >>> 5), 1 << (hash & 31));
        assertThat(pools(frame(GROUP, PEER, 60)) & 0b111).isEqualTo(1 << 2);
        assertThat(bench.rxStatus(2, 0) & HASHED).isEqualTo(HASHED);
    }

    @Test
    @DisplayName("Unicast without an exact match: UTA, for pools with ROPE")
    void shouldDeliverHashedUnicast() {
        bench.set(VMOLR, 1 << 26);
        int hash = (PEER[4] & 0xFF) >>> 4 | (PEER[5] & 0xFF) << 4;
        bench.write(0xA000 + 4 * (hash >>> 5), 1 << (hash & 31));
        assertThat(pools(frame(PEER, BROADCAST, 60))).isEqualTo(1);
    }

    @Test
    void shouldGivePromiscuousMulticastPoolsEveryGroup() {
        bench.set(VMOLR, 1 << 28);
        assertThat(pools(frame(GROUP, PEER, 60))).isEqualTo(1);
    }

    @Test
    void shouldGiveTheRestToTheDefaultPoolUnlessThatIsOff() {
        assertThat(pools(frame(PEER, BROADCAST, 60))).isEqualTo(1 << 3);
        bench.write(VT_CTL, bench.read(VT_CTL) | 1 << 29);
        byte[] frame = frame(PEER, BROADCAST, 60);
        assertThat(bench.arrive(frame)).isEqualTo(Delivery.FILTERED);
        assertThat(bench.rxStatus(3, 1) & 1).isZero();
    }

    @Test
    @DisplayName("VLVF and VFTA: a tagged frame reaches pools of its VLAN alone")
    void shouldSeparateVlans() {
        assertThat(bench.arrive(tagged(macOf(0), PEER, 5, 100)))
                .as("not in VFTA")
                .isEqualTo(Delivery.FILTERED);
        bench.write(0x5600, 1 << 5);
        bench.write(0x5D00, 1 << 31 | 0b0001 << 12 | 5);
        assertThat(pools(tagged(macOf(1), PEER, 5, 100)))
                .as("no member: the default pool")
                .isEqualTo(1 << 3);
        assertThat(pools(tagged(macOf(0), PEER, 5, 100))).isEqualTo(0b1001);
        assertThat(bench.rxLength(0, 0)).as("tag not stripped").isEqualTo(100);
    }

    @Test
    @DisplayName("VMOLR.STRVLAN takes the tag out, VP and the descriptor have it")
    void shouldStripTags() {
        bench.write(0x5600, 1 << 5);
        bench.write(0x5D00, 1 << 31 | 0b0001 << 12 | 5);
        bench.set(VMOLR, 1 << 30);
        bench.arrive(tagged(macOf(0), PEER, 5, 100));
        assertThat(bench.rxWord(0, 0, 3)).isEqualTo(5 << 16 | 96);
        assertThat(bench.rxStatus(0, 0) & 1 << 3).isNotZero();
    }

    @Test
    @DisplayName("VMOLR.AUPE: untagged frames with the VLAN filter on")
    void shouldKeepUntaggedFramesFromPoolsWithoutAupe() {
        clearBit(VMOLR, 1 << 24);
        assertThat(pools(frame(macOf(0), PEER, 60))).isEqualTo(1 << 3);
    }

    @Test
    void shouldDeliverNothingToPoolsThatAreOff() {
        bench.write(0x0C8C, 0xFD);
        assertThat(bench.arrive(frame(macOf(1), PEER, 60))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.receivers()).isZero();
    }

    @Test
    @DisplayName("VMOLR 13:0 limits a pool's frames, FCS included; 1522 without LPE")
    void shouldRefuseFramesTooLongForAPool() {
        bench.write(VMOLR, bench.read(VMOLR) & ~0x3FFF | 200);
        assertThat(bench.arrive(frame(macOf(0), PEER, 197))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.arrive(frame(macOf(0), PEER, 196))).isEqualTo(Delivery.ACCEPTED);
        clearBit(VMOLR + 4, 1 << 16);
        assertThat(bench.arrive(frame(macOf(1), PEER, 1519))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.arrive(frame(macOf(1), PEER, 1518))).isEqualTo(Delivery.ACCEPTED);
    }

    @Test
    @DisplayName("QDE: a frame for a queue without descriptors is lost and counted, and blocks nobody")
    void shouldDropWhenAQueueIsFull() {
        bench.write(0x2408, 0xFFFF);
        for (int i = 0; i < RING; i++) {
            bench.device.send(frame(macOf(0), PEER, 60), 0, 60);
        }
        assertThat(bench.vfRead(0, 0x2830)).as("RQDPC").isEqualTo(1);
        assertThat(bench.vfRead(0, 0x2830)).as("cleared by reading").isZero();
        assertThat(bench.arrive(frame(macOf(1), PEER, 60))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.rxStatus(1, 0) & 1).isEqualTo(1);
    }

    @Test
    @DisplayName("Without drop enable a frame waits for its descriptor")
    void shouldKeepFramesForAFullQueue() {
        for (int i = 0; i < RING; i++) {
            assertThat(bench.arrive(frame(macOf(0), PEER, 60 + i))).isEqualTo(Delivery.ACCEPTED);
        }
        assertThat(bench.rxStatus(0, RING - 1) & 1).isZero();
        bench.ram.writeLong(bench.rxRing(0) + 8, 0);
        bench.vfWrite(0, 0x2818, 0);
        assertThat(bench.device.workPending()).isTrue();
        bench.device.poll(64);
        assertThat(bench.rxLength(0, RING - 1)).isEqualTo(60 + RING - 1);
        assertThat(bench.device.workPending()).isFalse();
    }

    @Test
    @DisplayName("DTXSWC.31: unicast between pools stays inside and carries LB")
    void shouldSwitchBetweenPools() {
        byte[] frame = frame(macOf(1), macOf(0), 100);
        bench.transmit(0, frame);
        assertThat(bench.sent).isEmpty();
        assertThat(bench.receivers()).isEqualTo(1 << 1);
        assertThat(bench.rxBytes(1, 0)).isEqualTo(frame);
        assertThat(bench.rxStatus(1, 0) & LOOPED).isEqualTo(LOOPED);
        assertThat(bench.vfRead(0, 0x0F44)).as("GPTLBC").isEqualTo(1);
        assertThat(bench.vfRead(1, 0x0F40)).as("GPRLBC").isEqualTo(1);
    }

    @Test
    void shouldSendBroadcastOutAndToTheOtherPools() {
        bench.transmit(0, frame(BROADCAST, macOf(0), 100));
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.receivers()).isEqualTo(0b1110);
    }

    @Test
    @DisplayName("DTXSWC 23:16: a pool gets its own frames only if it asks for them")
    void shouldEchoOnlyWithLocalLoopback() {
        bench.write(0x3500, 1 << 31 | 1 << 16);
        bench.transmit(0, frame(BROADCAST, macOf(0), 100));
        assertThat(bench.receivers()).isEqualTo(0b1111);
    }

    @Test
    void shouldSendEverythingOutWithoutLoopback() {
        bench.write(0x3500, 0);
        bench.transmit(0, frame(macOf(1), macOf(0), 100));
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.receivers()).isZero();
    }

    @Test
    void shouldSendStrangersFramesOutOnly() {
        bench.transmit(0, frame(PEER, macOf(0), 100));
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.receivers()).isZero();
    }

    @Test
    @DisplayName("DTXSWC 7:0: a source address that is not the pool's is dropped, WVBR and DOUTSYNC say so")
    void shouldDropSpoofedAddresses() {
        bench.write(0x3500, 1 << 31 | 0b0111);
        bench.read(0x1500);
        bench.transmit(0, frame(PEER, macOf(1), 100));
        assertThat(bench.sent).isEmpty();
        assertThat(bench.read(0x1500) & 1 << 28).isNotZero();
        assertThat(bench.read(0x3554)).isEqualTo(1);
        assertThat(bench.read(0x3554)).as("cleared by reading").isZero();
        assertThat(bench.txStatus(0, 0) & 1).as("the descriptor is done").isEqualTo(1);
        bench.transmit(0, frame(PEER, macOf(0), 100));
        bench.transmit(3, frame(PEER, PEER, 100));
        assertThat(bench.sent)
                .as("its own address, and a pool that is not watched")
                .hasSize(2);
    }

    @Test
    @DisplayName("DTXSWC 15:8: a VLAN that the pool is no member of is dropped")
    void shouldDropSpoofedVlans() {
        bench.write(0x3500, 1 << 31 | 0b0111 << 8);
        bench.write(0x5600, 1 << 5);
        bench.write(0x5D00, 1 << 31 | 0b0010 << 12 | 5);
        bench.transmit(0, tagged(PEER, macOf(0), 5, 100));
        assertThat(bench.sent).isEmpty();
        assertThat(bench.read(0x3554)).isEqualTo(1);
        bench.transmit(1, tagged(PEER, macOf(1), 5, 100));
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    @DisplayName("VMVIR 31:30 = 01: the pool's own VLAN is inserted")
    void shouldInsertThePoolsVlan() {
        bench.write(0x3700, 1 << 30 | 7);
        byte[] frame = frame(PEER, macOf(0), 100);
        bench.transmit(0, frame);
        byte[] out = bench.sent.getFirst();
        assertThat(out).hasSize(104);
        assertThat(out[12]).isEqualTo((byte) 0x81);
        assertThat(out[15]).isEqualTo((byte) 7);
    }

    @Test
    void shouldNotSendForAPoolThatIsOff() {
        bench.write(0x0C90, 0xFE);
        bench.transmit(0, frame(PEER, macOf(0), 100));
        assertThat(bench.sent).isEmpty();
        bench.write(0x0C90, 0xFF);
        assertThat(bench.device.workPending()).isTrue();
        bench.device.poll(8);
        assertThat(bench.sent).hasSize(1);
    }

    @Test
    @DisplayName("Without VT_CTL.30 group frames go to the default pool alone")
    void shouldNotReplicateUnlessTold() {
        bench.write(VT_CTL, 3 << 7);
        assertThat(pools(frame(BROADCAST, PEER, 60))).isEqualTo(1 << 3);
    }

    @Test
    @DisplayName("MRQC 101: RSS chooses between queues p and p+8")
    void shouldSpreadAPoolOverItsTwoQueues() {
        bench.write(0x5818, 5 | 1 << 17);
        bench.set(VMOLR, 1 << 17);
        bench.openReceive(8);
        for (int i = 0; i < 10; i++) {
            bench.write(0x5C80 + 4 * i, 0x5A5A_1234 * (i + 1));
        }
        for (int i = 0; i < 32; i++) {
            bench.write(0x5C00 + 4 * i, 0x0100_0100);
        }
        for (int i = 0; i < 40; i++) {
            byte[] frame = frame(macOf(0), PEER, 80);
            frame[12] = 8;
            frame[13] = 0;
            frame[14] = 0x45;
            frame[17] = 60;
            frame[29] = (byte) i;
            bench.arrive(frame);
        }
        int first = bench.read(0xC010);
        int second = bench.read(0xC010 + 0x40 * 8);
        assertThat(first + second).isEqualTo(40);
        assertThat(first).isBetween(5, 35);
    }
}
