package io.iolab.devices.register;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegisterMapTest {

    private static RegisterSpec plain(String name, int offset) {
        return RegisterSpec.readWrite(name, offset, 0, 0xFFFF_FFFFL, "1");
    }

    private static RegisterSpec wide(String name, int offset) {
        return RegisterSpec.readWrite64(name, offset, 0, -1, "1");
    }

    @ParameterizedTest
    @CsvSource({"1, 4", "2, 4", "4, 8", "12, 8", "-4, 4", "-8, 8", "0, 1", "0, 2", "0, 16"})
    void shouldRefuseMisplacedRegisters(int offset, int width) {
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterSpec("R", offset, width, 0, 0, 0, 0, "1"));
    }

    @Test
    void shouldRefuseABitThatIsWritableAndWriteOneToClear() {
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterSpec("R", 0, 4, 0, 0xF0, 0x10, 0, "1"));
    }

    @Test
    void shouldRefuseMasksWiderThanTheRegister() {
        long wide = 1L << 32;
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterSpec("R", 0, 4, wide, 0, 0, 0, "1"));
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterSpec("R", 0, 4, 0, wide, 0, 0, "1"));
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterSpec("R", 0, 4, 0, 0, wide, 0, "1"));
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterSpec("R", 0, 4, 0, 0, 0, wide, "1"));
        assertThat(new RegisterSpec("R", 0, 8, wide, wide, 0, wide, "1").reset())
                .isEqualTo(wide);
    }

    @Test
    void shouldRefuseOverlapAndNameBoth() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterMap(64, List.of(wide("WIDE", 8), plain("NARROW", 12))))
                .withMessageContaining("WIDE")
                .withMessageContaining("NARROW");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterMap(64, List.of(plain("NARROW", 12), wide("WIDE", 8))));
        assertThat(new RegisterMap(64, List.of(wide("WIDE", 8), plain("NEXT", 16), plain("BEFORE", 4))).registers())
                .extracting(RegisterSpec::name)
                .containsExactly("WIDE", "NEXT", "BEFORE");
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 68, 4096, Integer.MAX_VALUE - 3})
    void shouldRefuseARegisterOutsideOfTheWindow(int offset) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterMap(64, List.of(plain("OUTSIDE", offset))))
                .withMessageContaining("OUTSIDE");
    }

    @Test
    void shouldRefuseAWideRegisterThatLeavesTheWindow() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterMap(60, List.of(wide("WIDE", 56))))
                .withMessageContaining("WIDE");
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, 3, 62})
    void shouldRefuseAWindowThatIsNotWholeWords(int windowBytes) {
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterMap(windowBytes, List.of()));
    }

    @Test
    void shouldNameEveryOffset() {
        RegisterMap map = new RegisterMap(64, List.of(plain("A", 0), wide("B", 8)));
        assertThat(map.nameAt(0)).isEqualTo("A");
        assertThat(map.nameAt(3)).isEqualTo("A");
        assertThat(map.nameAt(4)).isEqualTo("unimplemented");
        assertThat(map.nameAt(8)).isEqualTo("B");
        assertThat(map.nameAt(15)).isEqualTo("B");
        assertThat(map.nameAt(16)).isEqualTo("unimplemented");
        assertThat(map.windowBytes()).isEqualTo(64);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, -4, Long.MIN_VALUE, 64, 1L << 32, Long.MAX_VALUE, Long.MAX_VALUE - 3})
    void shouldCoverNothingOutsideOfTheWindow(long offset) {
        RegisterMap map = new RegisterMap(64, List.of(plain("A", 0), plain("Z", 60)));
        assertThat(map.covers(offset)).isFalse();
        assertThat(map.nameAt(offset)).isEqualTo("unimplemented");
    }

    @Test
    void shouldRepeatARegisterAtAStride() {
        List<RegisterSpec> all = RegisterSpec.readOnly("RAL", 0x40, 5, "13").times(3, 8);
        assertThat(all).extracting(RegisterSpec::name).containsExactly("RAL[0]", "RAL[1]", "RAL[2]");
        assertThat(all).extracting(RegisterSpec::offset).containsExactly(0x40, 0x48, 0x50);
        assertThat(all).extracting(RegisterSpec::reset).containsOnly(5L);
    }
}
