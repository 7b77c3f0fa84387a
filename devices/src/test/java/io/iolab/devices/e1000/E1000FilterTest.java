package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 82540 SDM 3.2.1 and 13.5: who gets in. */
class E1000FilterTest {
    private static final byte[] GROUP = {0x01, 0x00, 0x5E, 0x01, (byte) 0xA6, (byte) 0x5C};
    private static final byte[] STRANGER = {0x52, 0x54, 0x00, 0x77, 0x77, 0x77};
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82540em();
        bench.openReceive(16, RX_SECRC);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private boolean passes(byte[] frame) {
        bench.write(RDT, (bench.read(RDH) + 15) % 16);
        return bench.arrive(frame) == Delivery.ACCEPTED;
    }

    private void receiveControl(int bits) {
        bench.write(RCTL, RX_EN | RX_SECRC | bits);
    }

    @ParameterizedTest
    @CsvSource({
        // RCTL bits, own, stranger, broadcast, group
        "0x00, true, false, false, false",
        "0x8000, true, false, true, false",
        "0x08, true, true, false, false",
        "0x10, true, false, false, true",
        "0x18, true, true, false, true",
        "0x8018, true, true, true, true",
    })
    @DisplayName("13.4 RCTL: BAM, UPE and MPE open their class only")
    void shouldFollowReceiveControl(String bits, boolean own, boolean stranger, boolean broadcast, boolean group) {
        receiveControl(Integer.decode(bits));
        assertThat(passes(frame(MAC, 60))).isEqualTo(own);
        assertThat(passes(frame(STRANGER, 60))).isEqualTo(stranger);
        assertThat(passes(frame(BROADCAST, 60))).isEqualTo(broadcast);
        assertThat(passes(frame(GROUP, 60))).isEqualTo(group);
    }

    @Test
    @DisplayName("13.5 RAL/RAH: any of sixteen entries with AV, by destination (AS 00) or source (AS 01)")
    void shouldMatchAnyValidAddress() {
        for (int entry = 0; entry < 16; entry++) {
            bench.write(RAL + 8 * entry, 0x7700_5452);
            bench.write(RAH + 8 * entry, 0x7777);
            assertThat(passes(frame(STRANGER, 60)))
                    .as("entry %d without AV", entry)
                    .isFalse();
            bench.write(RAH + 8 * entry, 1 << 31 | 0x7777);
            assertThat(passes(frame(STRANGER, 60))).as("entry %d", entry).isTrue();
            bench.write(RAH + 8 * entry, 1 << 31 | 2 << 16 | 0x7777);
            assertThat(passes(frame(STRANGER, 60)))
                    .as("entry %d, reserved select", entry)
                    .isFalse();
        }
        // By source: 52:54:00:aa:bb:cc sent it.
        bench.write(RAL + 8, 0xAA00_5452);
        bench.write(RAH + 8, 1 << 31 | 1 << 16 | 0xCCBB);
        assertThat(passes(frame(STRANGER, 60))).isTrue();
    }

    @Test
    @DisplayName("3.2.1: exact addresses admit broadcast and multicast as well")
    void shouldMatchGroupAddressExactly() {
        bench.write(RAL + 8, 0x015E_0001);
        bench.write(RAH + 8, 1 << 31 | 0x5CA6);
        assertThat(passes(frame(GROUP, 60))).isTrue();
        assertThat(bench.rxStatus(0) & 0x80).as("PIF: not for an exact match").isZero();
    }

    @ParameterizedTest
    @CsvSource({
        // b4 = A6h, b5 = 5Ch: v = 5CA6h
        "0, 0x5CA",
        "1, 0xB94",
        "2, 0x729",
        "3, 0xCA6",
    })
    @DisplayName(
            "13.5 MTA: twelve address bits, chosen by RCTL.MO, select the bit; PIF says that only the hash matched")
    void shouldHashMulticast(int selection, String index) {
        int hash = Integer.decode(index);
        receiveControl(selection << 12);
        for (int word = 0; word < 128; word++) {
            bench.write(MTA + 4 * word, word == hash >> 5 ? ~(1 << (hash & 31)) : -1);
        }
        assertThat(passes(frame(GROUP, 60))).as("all bits but the right one").isFalse();
        for (int word = 0; word < 128; word++) {
            bench.write(MTA + 4 * word, word == hash >> 5 ? 1 << (hash & 31) : 0);
        }
        assertThat(passes(frame(GROUP, 60))).isTrue();
        assertThat(bench.rxStatus(0) & 0x80).as("PIF").isEqualTo(0x80);
        assertThat(passes(frame(STRANGER, 60))).as("unicast is not hashed").isFalse();
    }

    @Test
    @DisplayName("13.5 VFTA: with VFE a tagged frame needs its VLAN's bit, an untagged one does not")
    void shouldFilterVlans() {
        bench.write(VET, 0x8100);
        receiveControl(RX_VFE);
        for (int vid : new int[] {0, 1, 31, 32, 0x123, 4095}) {
            byte[] tagged = TestFrames.tagged(0xE000 | vid, 64);
            assertThat(passes(tagged)).as("vid %d", vid).isFalse();
            bench.write(VFTA + 4 * (vid >> 5), 1 << (vid & 31));
            assertThat(passes(tagged)).as("vid %d", vid).isTrue();
            bench.write(VFTA + 4 * (vid >> 5), ~(1 << (vid & 31)));
            assertThat(passes(tagged)).as("vid %d", vid).isFalse();
            bench.write(VFTA + 4 * (vid >> 5), 0);
        }
        assertThat(passes(frame(MAC, 60))).isTrue();
        bench.write(VET, 0x88A8);
        assertThat(passes(TestFrames.tagged(5, 64))).as("not a tag any more").isTrue();
    }

    @Test
    @DisplayName("13.4 RCTL.CFIEN: the tag's CFI must equal RCTL.CFI")
    void shouldFilterCfi() {
        bench.write(VET, 0x8100);
        bench.write(VFTA, 1 << 5);
        receiveControl(RX_VFE | 1 << 19);
        assertThat(passes(TestFrames.tagged(5, 64))).isTrue();
        assertThat(passes(TestFrames.tagged(0x1005, 64))).isFalse();
        receiveControl(RX_VFE | 1 << 19 | 1 << 20);
        assertThat(passes(TestFrames.tagged(5, 64))).isFalse();
        assertThat(passes(TestFrames.tagged(0x1005, 64))).isTrue();
    }

    @Test
    @DisplayName("A filtered frame counts in no statistic")
    void shouldNotCountFilteredFrames() {
        passes(frame(STRANGER, 60));
        assertThat(bench.read(0x40D0)).as("TPR").isZero();
        assertThat(bench.device.counters().rxFiltered()).isEqualTo(1);
    }
}
