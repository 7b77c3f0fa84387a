package io.iolab.devices.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LittleEndianTest {

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8})
    void shouldReadLowByteFirstAtAnyAlignment(int offset) {
        byte[] bytes = new byte[16];
        for (int i = 0; i < 8; i++) {
            bytes[offset + i] = (byte) (0x80 + i);
        }
        assertThat(LittleEndian.getByte(bytes, offset)).isEqualTo(0x80);
        assertThat(LittleEndian.getShort(bytes, offset)).isEqualTo(0x8180);
        assertThat(LittleEndian.getInt(bytes, offset)).isEqualTo(0x8382_8180);
        assertThat(LittleEndian.getLong(bytes, offset)).isEqualTo(0x8786_8584_8382_8180L);
    }

    @Test
    void shouldWriteOnlyTheBytesOfItsWidth() {
        byte[] bytes = new byte[20];
        LittleEndian.putShort(bytes, 1, 0xABCD_1122);
        LittleEndian.putInt(bytes, 5, 0x6655_4433);
        LittleEndian.putLong(bytes, 11, 0x8877_6655_4433_2211L);
        assertThat(bytes)
                .containsExactly(
                        0,
                        0x22,
                        0x11,
                        0,
                        0,
                        0x33,
                        0x44,
                        0x55,
                        0x66,
                        0,
                        0,
                        0x11,
                        0x22,
                        0x33,
                        0x44,
                        0x55,
                        0x66,
                        0x77,
                        (byte) 0x88,
                        0);
    }

    @Test
    void shouldStayInsideTheArray() {
        byte[] bytes = new byte[8];
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> LittleEndian.getLong(bytes, 1));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> LittleEndian.putInt(bytes, -1, 0));
        assertThat(LittleEndian.getShort(bytes, 6)).isZero();
    }
}
