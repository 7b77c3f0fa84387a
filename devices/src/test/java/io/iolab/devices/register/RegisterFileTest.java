package io.iolab.devices.register;

import static io.iolab.devices.fault.RegisterFault.READ_ONLY;
import static io.iolab.devices.fault.RegisterFault.UNKNOWN_OFFSET;
import static io.iolab.devices.fault.RegisterFault.WRONG_WIDTH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.iolab.devices.fault.RegisterFault;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Width rules, masks and counts as {@link RegisterFile} documents them. */
class RegisterFileTest {
    private static final int CONTROL = 0x00;
    private static final int STATUS = 0x04;
    private static final int CAUSE = 0x08;
    private static final int EVENTS = 0x0C;
    private static final int ADDRESS = 0x10;
    private static final int OCTETS = 0x18;
    private static final int HOLE = 0x20;
    private static final int LAST = 0x24;

    private final RegisterMap map = new RegisterMap(
            0x28,
            List.of(
                    RegisterSpec.readWrite("CONTROL", CONTROL, 0x0000_0180, 0x0000_FFFF, "1"),
                    RegisterSpec.readOnly("STATUS", STATUS, 0x8000_0003L, "2"),
                    new RegisterSpec("CAUSE", CAUSE, 4, 0xF0, 0x0F, 0xF0, 0, "3"),
                    RegisterSpec.readClear("EVENTS", EVENTS, "4"),
                    RegisterSpec.readWrite64("ADDRESS", ADDRESS, 0x1_0000_0000L, 0x00FF_FFFF_FFFF_F000L, "5"),
                    new RegisterSpec("OCTETS", OCTETS, 8, 0, 0, 0, -1, "6"),
                    RegisterSpec.readWrite("LAST", LAST, 0, 0xFFFF_FFFFL, "7")));
    private final RegisterFile file = new RegisterFile(map);

    private void assertIgnored(long unknownOffset, long wrongWidth, long readOnly) {
        assertThat(file.ignored(UNKNOWN_OFFSET)).as("unknown offset").isEqualTo(unknownOffset);
        assertThat(file.ignored(WRONG_WIDTH)).as("wrong width").isEqualTo(wrongWidth);
        assertThat(file.ignored(READ_ONLY)).as("read-only").isEqualTo(readOnly);
        assertThat(file.ignored(RegisterFault.ILLEGAL_STATE)).isZero();
    }

    @Test
    void shouldStartAtResetValues() {
        assertThat(file.read(CONTROL, 4)).isEqualTo(0x180);
        assertThat(file.read(STATUS, 4)).as("zero-extended").isEqualTo(0x8000_0003L);
        assertThat(file.read(ADDRESS, 8)).isEqualTo(0x1_0000_0000L);
        assertThat(file.read(ADDRESS + 4, 4)).isEqualTo(1);
        assertIgnored(0, 0, 0);
    }

    @Test
    void shouldChangeWritableBitsOnly() {
        file.write(CONTROL, 4, -1);
        assertThat(file.read(CONTROL, 4)).isEqualTo(0xFFFF);
        file.write(CONTROL, 4, 0xFFFF_0001L);
        assertThat(file.read(CONTROL, 4)).isEqualTo(1);
        file.write(ADDRESS, 8, -1);
        assertThat(file.read(ADDRESS, 8)).isEqualTo(0x00FF_FFFF_FFFF_F000L);
        assertThat(file.get64(ADDRESS)).isEqualTo(0x00FF_FFFF_FFFF_F000L);
        assertIgnored(0, 0, 0);
    }

    @Test
    void shouldClearExactlyTheBitsWrittenAsOne() {
        file.write(CAUSE, 4, 0x35);
        assertThat(file.read(CAUSE, 4)).isEqualTo(0xC5);
        file.write(CAUSE, 4, 0);
        assertThat(file.read(CAUSE, 4)).as("zeros leave w1c bits alone").isEqualTo(0xC0);
        file.write(CAUSE, 4, -1);
        assertThat(file.read(CAUSE, 4)).isEqualTo(0x0F);
        assertIgnored(0, 0, 0);
    }

    @Test
    void shouldRefuseSecondWriteHookForRegister() {
        List<String> seen = new ArrayList<>();
        file.onWrite(CONTROL, (written, previous) -> seen.add("first"));
        assertThatIllegalStateException()
                .isThrownBy(() -> file.onWrite(CONTROL, (written, previous) -> seen.add("second")))
                .withMessageContaining("0x0");
        file.onWrite(LAST, (written, previous) -> seen.add("other register"));
        file.write(CONTROL, 4, 1);
        file.write(LAST, 4, 1);
        assertThat(seen).containsExactly("first", "other register");
    }

    @Test
    void shouldClearOnReadOnce() {
        file.set(EVENTS, -2);
        assertThat(file.get(EVENTS))
                .as("no side effect on the device's own view")
                .isEqualTo(-2);
        assertThat(file.read(EVENTS, 4)).isEqualTo(0xFFFF_FFFEL);
        assertThat(file.read(EVENTS, 4)).isZero();
    }

    @Test
    void shouldClearEachHalfOfAWideCounterWhenItIsRead() {
        file.set64(OCTETS, 0x0000_0005_FFFF_FFFFL);
        assertThat(file.read(OCTETS, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(file.get64(OCTETS)).isEqualTo(0x0000_0005_0000_0000L);
        assertThat(file.read(OCTETS, 8)).isEqualTo(0x0000_0005_0000_0000L);
        assertThat(file.get64(OCTETS)).isZero();
    }

    @Test
    void shouldIgnoreAndCountWritesToReadOnlyRegisters() {
        file.write(STATUS, 4, 0);
        file.write(OCTETS, 8, 1);
        assertThat(file.read(STATUS, 4)).isEqualTo(0x8000_0003L);
        assertThat(file.read(OCTETS, 8)).isZero();
        assertIgnored(0, 0, 3);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "0, 2",
        "0, 3",
        "0, 16",
        "0, 0",
        "0, -4",
        "1, 4",
        "2, 4",
        "3, 4",
        "4, 8",
        "12, 8",
        "5, 1",
        "-2, 4",
        "-4, 8",
        "9223372036854775805, 4"
    })
    void shouldIgnoreAndCountOtherWidthsAndAlignments(long offset, int width) {
        file.write(offset, width, -1);
        assertThat(file.read(offset, width)).isZero();
        assertIgnored(0, 2, 0);
        assertThat(file.read(CONTROL, 4)).isEqualTo(0x180);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                HOLE,
                0x28,
                0x1000,
                -4,
                -8,
                1L << 32,
                1L << 34,
                Long.MIN_VALUE,
                Long.MAX_VALUE - 3,
                Long.MAX_VALUE - 7
            })
    void shouldIgnoreAndCountUnknownOffsets(long offset) {
        file.write(offset, 4, -1);
        assertThat(file.read(offset, 4)).isZero();
        assertIgnored(2, 0, 0);
        assertThat(file.get(CONTROL)).as("a high offset does not alias").isEqualTo(0x180);
    }

    @ParameterizedTest
    @ValueSource(longs = {0x28, -8, 1L << 32, Long.MIN_VALUE, Long.MAX_VALUE - 7})
    void shouldIgnoreBothHalvesOfAWideAccessOutside(long offset) {
        file.write(offset, 8, -1);
        assertThat(file.read(offset, 8)).isZero();
        assertIgnored(4, 0, 0);
    }

    /** An 8-byte access is two accesses on a 32-bit bus: a half that is there answers, the other is ignored and counted. */
    @Test
    void shouldCarryOutTheHalfOfAWideAccessThatExists() {
        file.write(HOLE, 8, 0x1111_1111_2222_2222L);
        assertThat(file.get(LAST)).isEqualTo(0x1111_1111);
        assertThat(file.read(HOLE, 8)).isEqualTo(0x1111_1111_0000_0000L);
        assertIgnored(2, 0, 0);
    }

    @Test
    void shouldIgnoreTheHighHalfBeyondTheWindow() {
        RegisterFile odd = new RegisterFile(new RegisterMap(12, List.of(RegisterSpec.readWrite("R", 8, 3, 0xFF, "1"))));
        assertThat(odd.read(8, 8)).isEqualTo(3);
        odd.write(8, 8, -1);
        assertThat(odd.get(8)).isEqualTo(0xFF);
        assertThat(odd.ignored(UNKNOWN_OFFSET)).isEqualTo(2);
    }

    @Test
    void shouldSplitWideAccessesLowWordFirst() {
        List<String> order = new ArrayList<>();
        for (int word : new int[] {ADDRESS, ADDRESS + 4, CONTROL, STATUS}) {
            file.onWrite(word, (written, previous) -> order.add("write " + word + " " + Integer.toHexString(written)));
            file.onRead(word, () -> {
                order.add("read " + word);
                return word + 0x8000_0000;
            });
        }
        file.write(ADDRESS, 8, 0xAAAA_AAAA_BBBB_BBBBL);
        file.write(CONTROL, 8, 0x0000_0001_0000_0002L);
        assertThat(file.read(ADDRESS, 8)).isEqualTo(0x8000_0014_8000_0010L);
        assertThat(order)
                .containsExactly(
                        "write 16 bbbbbbbb", "write 20 aaaaaaaa", "write 0 2", "write 4 1", "read 16", "read 20");
    }

    @Test
    void shouldGiveHooksTheRawValueAndThePreviousWord() {
        List<Integer> seen = new ArrayList<>();
        file.onWrite(CAUSE, (written, previous) -> seen.addAll(List.of(written, previous, file.get(CAUSE))));
        file.write(CAUSE, 4, 0xFFFF_FF33L);
        assertThat(seen).containsExactly(0xFFFF_FF33, 0xF0, 0xC3);
    }

    @Test
    void shouldNotCountAWriteThatAHookHandles() {
        file.onWrite(STATUS, (written, previous) -> file.set(STATUS, written));
        file.write(STATUS, 4, 7);
        assertThat(file.read(STATUS, 4)).isEqualTo(7);
        assertIgnored(0, 0, 0);
    }

    @Test
    void shouldLetAReadHookReplaceTheReadAndItsSideEffects() {
        file.onRead(EVENTS, () -> 5);
        file.set(EVENTS, 9);
        assertThat(file.read(EVENTS, 4)).isEqualTo(5);
        assertThat(file.get(EVENTS)).isEqualTo(9);
    }

    @Test
    void shouldResetEveryRegisterAndKeepHooksAndCounts() {
        List<Integer> seen = new ArrayList<>();
        file.onWrite(CONTROL, (written, previous) -> seen.add(written));
        file.write(CONTROL, 4, 0xAAAA);
        file.write(ADDRESS, 8, -1);
        file.set(STATUS, 0);
        file.read(HOLE, 4);
        file.reset();
        file.reset();
        assertThat(file.read(CONTROL, 4)).isEqualTo(0x180);
        assertThat(file.read(STATUS, 4)).isEqualTo(0x8000_0003L);
        assertThat(file.read(ADDRESS, 8)).isEqualTo(0x1_0000_0000L);
        file.write(CONTROL, 4, 1);
        assertThat(seen).containsExactly(0xAAAA, 1);
        assertIgnored(1, 0, 0);
    }

    @Test
    void shouldKeepInstancesOfOneMapApart() {
        RegisterFile other = new RegisterFile(map);
        file.write(CONTROL, 4, 0);
        assertThat(other.read(CONTROL, 4)).isEqualTo(0x180);
        file.reset();
        assertThat(file.map()).isSameAs(map);
    }

    /** Random register tables and accesses against one word-by-word model of the rules. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldFollowTheMasksForAnyTable(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int window = 4 * random.nextInt(1, 64);
        List<RegisterSpec> specs = randomTable(random, window);
        RegisterFile subject = new RegisterFile(new RegisterMap(window, specs));
        WordModel model = new WordModel(window, specs);
        for (int i = 0; i < 20_000; i++) {
            long offset = random.nextInt(8) == 0 ? random.nextLong() : random.nextLong(-8, window + 16);
            int width = new int[] {1, 2, 4, 4, 4, 8, 8, 8}[random.nextInt(8)];
            if (random.nextInt(3) > 0) {
                offset = offset & -(long) width;
            }
            if (random.nextBoolean()) {
                long value = random.nextBoolean() ? random.nextLong() : -1;
                subject.write(offset, width, value);
                model.write(offset, width, value);
            } else {
                assertThat(subject.read(offset, width))
                        .as("seed %d, access %d: %x/%d", seed, i, offset, width)
                        .isEqualTo(model.read(offset, width));
            }
        }
        for (RegisterFault fault : RegisterFault.values()) {
            assertThat(subject.ignored(fault)).as("seed %d, %s", seed, fault).isEqualTo(model.ignored[fault.ordinal()]);
        }
        subject.reset();
        for (RegisterSpec spec : specs) {
            assertThat(spec.width() == 8 ? subject.get64(spec.offset()) : subject.get(spec.offset()) & 0xFFFF_FFFFL)
                    .isEqualTo(spec.reset());
        }
    }

    private static List<RegisterSpec> randomTable(SplittableRandom random, int window) {
        List<RegisterSpec> specs = new ArrayList<>();
        for (int offset = 0; offset < window; ) {
            int width = offset % 8 == 0 && offset + 8 <= window && random.nextInt(3) == 0 ? 8 : 4;
            if (random.nextInt(3) > 0) {
                long bits = width == 8 ? -1 : 0xFFFF_FFFFL;
                long writable = random.nextInt(4) == 0 ? 0 : random.nextLong() & bits;
                long clear = random.nextInt(2) == 0 ? 0 : random.nextLong() & bits & ~writable;
                long readClear = random.nextInt(3) == 0 ? random.nextLong() & bits : 0;
                specs.add(new RegisterSpec(
                        "R" + offset, offset, width, random.nextLong() & bits, writable, clear, readClear, "-"));
            }
            offset += width;
        }
        return specs;
    }

    /** The rules once more, bit masks per word, no arrays shared with the subject. */
    private static final class WordModel {
        private final RegisterSpec[] specs;
        private final int[] words;
        private final long[] ignored = new long[RegisterFault.values().length];

        WordModel(int window, List<RegisterSpec> table) {
            specs = new RegisterSpec[window / 4];
            words = new int[window / 4];
            for (RegisterSpec spec : table) {
                for (int i = 0; i < spec.width() / 4; i++) {
                    specs[spec.offset() / 4 + i] = spec;
                    words[spec.offset() / 4 + i] = half(spec, spec.reset(), spec.offset() / 4 + i);
                }
            }
        }

        private static int half(RegisterSpec spec, long mask, int word) {
            return (int) (word * 4 == spec.offset() ? mask : mask >>> 32);
        }

        private boolean takes(long offset, int width) {
            boolean takes = (width == 4 || width == 8) && (offset & (width - 1)) == 0;
            ignored[WRONG_WIDTH.ordinal()] += takes ? 0 : 1;
            return takes;
        }

        private boolean known(long offset) {
            boolean known = offset >= 0 && offset < words.length * 4L && specs[(int) (offset / 4)] != null;
            ignored[UNKNOWN_OFFSET.ordinal()] += known ? 0 : 1;
            return known;
        }

        long read(long offset, int width) {
            long value = 0;
            for (int i = 0; takes(offset, width) && i < width / 4; i++) {
                if (known(offset + 4L * i)) {
                    int word = (int) (offset / 4) + i;
                    value |= (words[word] & 0xFFFF_FFFFL) << 32 * i;
                    words[word] &= ~half(specs[word], specs[word].readClear(), word);
                }
            }
            return value;
        }

        void write(long offset, int width, long value) {
            for (int i = 0; takes(offset, width) && i < width / 4; i++) {
                if (known(offset + 4L * i)) {
                    int word = (int) (offset / 4) + i;
                    int writable = half(specs[word], specs[word].writable(), word);
                    int clear = half(specs[word], specs[word].writeOneToClear(), word);
                    int written = (int) (value >>> 32 * i);
                    for (int bit = 0; bit < 32; bit++) {
                        int mask = 1 << bit;
                        if ((writable & mask) != 0) {
                            words[word] = words[word] & ~mask | written & mask;
                        } else if ((clear & written & mask) != 0) {
                            words[word] &= ~mask;
                        }
                    }
                    ignored[READ_ONLY.ordinal()] += (writable | clear) == 0 ? 1 : 0;
                }
            }
        }
    }
}
