package io.iolab.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.iolab.devices.dma.DmaKind;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PCI Local Bus 3.0 section 6.8.1. */
class MsiCapabilityTest {
    private static final int AT = 0x50;
    private final MessageLog log = new MessageLog();
    private ConfigSpace config;
    private MsiCapability msi;

    @BeforeEach
    void build() {
        config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
        msi = new MsiCapability(config, AT, log);
        config.seal();
    }

    @Test
    @DisplayName("64-bit, one vector: control reads 0080h, only enable, address and data take writes")
    void shouldHaveSingleVectorLayout() {
        assertThat(config.read(AT, 4)).isEqualTo(0x0080_0005);
        config.write(AT + 2, 2, 0xFFFF);
        assertThat(config.read(AT + 2, 2)).isEqualTo(0x0081);
        config.write(AT + 4, 4, -1);
        assertThat(config.read(AT + 4, 4)).isEqualTo(0xFFFF_FFFC);
        config.write(AT + 12, 4, -1);
        assertThat(config.read(AT + 12, 4)).as("16 bits of data").isEqualTo(0xFFFF);
        config.reset();
        assertThat(config.read(AT, 4)).isEqualTo(0x0080_0005);
    }

    @Test
    @DisplayName("A message is a 4-byte write of the data; disabled, nothing is sent")
    void shouldWriteMessage() {
        config.write(AT + 4, 4, 0xFEE0_1004);
        config.write(AT + 8, 4, 0x1);
        config.write(AT + 12, 2, 0x8123);
        assertThat(msi.fire()).isFalse();
        config.write(AT + 2, 2, 1);
        assertThat(msi.fire()).isTrue();
        assertThat(log.take()).containsExactly(new MessageLog.Write(0x1_FEE0_1004L, 0x8123, DmaKind.MESSAGE));
        assertThat(msi.sent()).isEqualTo(1);
    }

    @Test
    @DisplayName("a message that the bus master bit holds back is lost and not counted as sent (6.2.2)")
    void shouldLoseMessagesWithoutBusMastering() {
        ConfigSpace space = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
        MsiCapability gated = new MsiCapability(space, AT, new BusMasterGate(space, log));
        space.seal();
        space.write(AT + 2, 2, 1);

        assertThat(gated.fire()).isFalse();
        assertThat(gated.sent()).isZero();
        assertThat(gated.lost()).isOne();
        space.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        assertThat(gated.fire()).isTrue();
        assertThat(log.take()).hasSize(1);
    }

    /** As many vectors as asked for, with mask and pending bits. */
    private MsiCapability build(int vectors) {
        config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
        MsiCapability many = new MsiCapability(config, AT, vectors, true, log);
        config.seal();
        config.write(AT + 4, 4, 0xFEE0_1000);
        config.write(AT + 12, 2, 0x41FF);
        return many;
    }

    private void control(int granted, int enable) {
        config.write(AT + 2, 2, granted << 4 | enable);
    }

    private List<Integer> sentData() {
        return log.take().stream().map(MessageLog.Write::data).toList();
    }

    @Test
    @DisplayName("64-bit with masks: 24 bytes, mask at 10h writable for each vector, pending at 14h read-only (6.8.1)")
    void shouldHaveMaskableLayout() {
        build(8);

        assertThat(config.read(AT, 4)).as("requests 8, 64-bit, maskable").isEqualTo(0x0186_0005);
        config.write(AT + 16, 4, -1);
        config.write(AT + 20, 4, -1);
        assertThat(config.read(AT + 16, 4)).isEqualTo(0xFF);
        assertThat(config.read(AT + 20, 4)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "4, 2", "8, 3", "16, 4", "32, 5"})
    @DisplayName("no more vectors are granted than were requested (6.8.1.3)")
    void shouldGrantAtMostWhatWasRequested(int vectors, int encoded) {
        MsiCapability many = build(vectors);
        for (int granted = 0; granted < 8; granted++) {
            control(granted, 0);
            int expected = Math.min(granted, encoded);
            assertThat(config.read(AT + 2, 2) >>> 4 & 7).isEqualTo(expected);
            assertThat(many.granted()).isEqualTo(1 << expected);
        }
    }

    @Test
    @DisplayName(
            "the vector replaces the data's low bits, as many as were granted; one not granted sends nothing (6.8.1.6)")
    void shouldPutTheVectorIntoTheData() {
        MsiCapability many = build(8);
        control(2, 1);

        for (int vector = -1; vector < 9; vector++) {
            assertThat(many.fire(vector)).isEqualTo(vector >= 0 && vector < 4);
        }

        assertThat(sentData()).containsExactly(0x41FC, 0x41FD, 0x41FE, 0x41FF);
    }

    @Test
    @DisplayName("events on a masked vector pend as one, which is sent and cleared on unmasking (6.8.1.8, 6.8.1.9)")
    void shouldPendWhileMasked() {
        MsiCapability many = build(32);
        control(5, 1);
        config.write(AT + 16, 4, 1 << 31 | 1 << 3);

        assertThat(many.fire(31)).isFalse();
        assertThat(many.fire(31)).isFalse();
        assertThat(many.fire(3)).isFalse();
        assertThat(many.fire(4)).isTrue();
        assertThat(config.read(AT + 20, 4)).isEqualTo(1 << 31 | 1 << 3);
        assertThat(many.coalesced()).isOne();
        assertThat(sentData()).containsExactly(0x41E4);

        config.write(AT + 19, 1, 0);
        assertThat(sentData()).as("unmasked by a byte write").containsExactly(0x41FF);
        assertThat(config.read(AT + 20, 4)).isEqualTo(1 << 3);
        config.write(AT + 16, 4, 0);
        assertThat(sentData()).containsExactly(0x41E3);
        assertThat(config.read(AT + 20, 4)).isZero();
    }

    @Test
    @DisplayName(
            "what pends waits for the enable bit, and goes with a vector that is no longer granted or with a reset")
    void shouldKeepPendingBitsNoLongerThanTheirVectors() {
        MsiCapability many = build(4);
        control(2, 1);
        config.write(AT + 16, 4, 0xF);
        many.fire(1);
        many.fire(3);
        control(2, 0);
        config.write(AT + 16, 4, 0);
        assertThat(log.take()).as("disabled").isEmpty();

        control(1, 1);
        assertThat(sentData()).containsExactly(0x41FF);
        assertThat(config.read(AT + 20, 4)).as("vector 3 is gone").isZero();

        config.write(AT + 16, 4, 0xF);
        many.fire(0);
        config.reset();
        assertThat(config.read(AT + 20, 4)).isZero();
        assertThat(config.read(AT + 16, 4)).isZero();
        assertThat(log.take()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 33, 64, -1})
    void shouldRefuseNumbersOfVectorsThatCannotBeEncoded(int vectors) {
        assertThatIllegalArgumentException().isThrownBy(() -> build(vectors));
    }

    @Test
    void shouldTellWhenItIsSwitched() {
        int[] calls = new int[1];
        msi.onSwitch(() -> calls[0]++);
        config.write(AT + 2, 2, 1);
        assertThat(calls[0]).isEqualTo(1);
    }
}
