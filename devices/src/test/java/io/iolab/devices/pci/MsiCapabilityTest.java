package io.iolab.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

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
    void shouldTellWhenItIsSwitched() {
        int[] calls = new int[1];
        msi.onSwitch(() -> calls[0]++);
        config.write(AT + 2, 2, 1);
        assertThat(calls[0]).isEqualTo(1);
    }
}
