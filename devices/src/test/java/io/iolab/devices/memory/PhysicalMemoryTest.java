package io.iolab.devices.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import net.openhft.chronicle.core.io.AbstractReferenceCounted;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The byte contract of {@link Memory}. Nothing below checks bounds, so each refusal here is a crash that did not happen. */
class PhysicalMemoryTest {
    private static final int SIZE = 16 * 4096;

    private PhysicalMemory memory;

    @BeforeEach
    void allocate() {
        AbstractReferenceCounted.enableReferenceTracing();
        memory = PhysicalMemory.allocate(SIZE);
    }

    @AfterEach
    void releaseEverything() {
        memory.close();
        AbstractReferenceCounted.assertReferencesReleased();
    }

    private record Operation(String name, int width, boolean ordered, java.util.function.ObjLongConsumer<Memory> body) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Every way to touch memory, as accesses of a known width. */
    private static Stream<Operation> operations() {
        byte[] buffer = new byte[64];
        return Stream.of(
                new Operation("readByte", 1, false, Memory::readByte),
                new Operation("readShort", 2, false, Memory::readShort),
                new Operation("readInt", 4, false, Memory::readInt),
                new Operation("readLong", 8, false, Memory::readLong),
                new Operation("writeByte", 1, false, (m, pa) -> m.writeByte(pa, (byte) 1)),
                new Operation("writeShort", 2, false, (m, pa) -> m.writeShort(pa, (short) 1)),
                new Operation("writeInt", 4, false, (m, pa) -> m.writeInt(pa, 1)),
                new Operation("writeLong", 8, false, (m, pa) -> m.writeLong(pa, 1)),
                new Operation("loadShortAcquire", 2, true, Memory::loadShortAcquire),
                new Operation("loadIntAcquire", 4, true, Memory::loadIntAcquire),
                new Operation("loadLongAcquire", 8, true, Memory::loadLongAcquire),
                new Operation("storeShortRelease", 2, true, (m, pa) -> m.storeShortRelease(pa, (short) 1)),
                new Operation("storeIntRelease", 4, true, (m, pa) -> m.storeIntRelease(pa, 1)),
                new Operation("storeLongRelease", 8, true, (m, pa) -> m.storeLongRelease(pa, 1)),
                new Operation("compareAndSetInt", 4, true, (m, pa) -> m.compareAndSetInt(pa, 0, 1)),
                new Operation("compareAndSetLong", 8, true, (m, pa) -> m.compareAndSetLong(pa, 0, 1)),
                new Operation("read 1", 1, false, (m, pa) -> m.read(pa, buffer, 0, 1)),
                new Operation("read 64", 64, false, (m, pa) -> m.read(pa, buffer, 0, 64)),
                new Operation("write 1", 1, false, (m, pa) -> m.write(pa, buffer, 0, 1)),
                new Operation("write 64", 64, false, (m, pa) -> m.write(pa, buffer, 0, 64)),
                new Operation("fill 64", 64, false, (m, pa) -> m.fill(pa, 64, (byte) 1)));
    }

    @ParameterizedTest
    @MethodSource("operations")
    void shouldAllowTheFirstAndTheLastPositionAndNoneOutside(Operation operation) {
        LongConsumer access = pa -> operation.body.accept(memory, pa);
        access.accept(0);
        access.accept(SIZE - operation.width);
        long step = operation.ordered ? operation.width : 1;
        long[] outside = {
            SIZE - operation.width + step,
            SIZE,
            SIZE + 4096,
            1L << 31,
            1L << 32,
            Long.MAX_VALUE - 7 & -step,
            Long.MAX_VALUE & -step,
            Long.MIN_VALUE,
            Long.MIN_VALUE + 8,
            -4096,
            -operation.width,
            -step
        };
        for (long pa : outside) {
            assertThatThrownBy(() -> access.accept(pa))
                    .as("%s at %x", operation, pa)
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("operations")
    void shouldRefuseUseAfterClose(Operation operation) {
        memory.close();
        assertThatIllegalStateException().isThrownBy(() -> operation.body.accept(memory, 0));
    }

    @ParameterizedTest
    @MethodSource("operations")
    void shouldTakeAnyAlignmentUnlessOrdered(Operation operation) {
        for (int pa = 0; pa < 16; pa++) {
            long at = pa;
            if (operation.ordered && pa % operation.width != 0) {
                assertThatIllegalArgumentException().isThrownBy(() -> operation.body.accept(memory, at));
            } else {
                operation.body.accept(memory, at);
            }
        }
    }

    private static Stream<Arguments> ranges() {
        return Stream.of(
                Arguments.of(0, 0, true),
                Arguments.of(0, SIZE, true),
                Arguments.of(0, SIZE + 1, false),
                Arguments.of(SIZE, 0, true),
                Arguments.of(SIZE, 1, false),
                Arguments.of(SIZE + 1, 0, false),
                Arguments.of(SIZE - 1, 1, true),
                Arguments.of(SIZE - 1, 2, false),
                Arguments.of(0, -1, false),
                Arguments.of(1, Long.MAX_VALUE, false),
                Arguments.of(Long.MAX_VALUE, 1, false),
                Arguments.of(Long.MAX_VALUE, Long.MAX_VALUE, false),
                Arguments.of(Long.MIN_VALUE, 0, false),
                Arguments.of(Long.MIN_VALUE, Long.MIN_VALUE, false),
                Arguments.of(-1, 0, false),
                Arguments.of(-1, 1, false),
                Arguments.of(-4096, 4096, false),
                Arguments.of(0, Long.MIN_VALUE, false));
    }

    @ParameterizedTest
    @MethodSource("ranges")
    void shouldTellWhatItContainsWithoutThrowing(long pa, long length, boolean expected) {
        assertThat(memory.contains(pa, length)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -4096, 1, 4095, 4097, Long.MIN_VALUE})
    void shouldRefuseSizesThatAreNotWholePages(long size) {
        assertThatIllegalArgumentException().isThrownBy(() -> PhysicalMemory.allocate(size));
    }

    @Test
    void shouldStartZeroedEvenWhereTheAllocatorReusesMemory() {
        byte[] all = new byte[SIZE];
        for (int i = 0; i < 20; i++) {
            memory.read(0, all, 0, SIZE);
            assertThat(all).as("allocation %d", i).containsOnly((byte) 0);
            memory.fill(0, SIZE, (byte) 0xEE);
            memory.close();
            memory = PhysicalMemory.allocate(SIZE);
        }
        assertThat(memory.size()).isEqualTo(SIZE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldBehaveAsALittleEndianByteArray(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] model = new byte[SIZE];
        byte[] buffer = new byte[8192];
        for (int i = 0; i < 50_000; i++) {
            int pa = random.nextInt(SIZE - 8);
            long value = random.nextLong();
            switch (random.nextInt(8)) {
                case 0 -> {
                    memory.writeByte(pa, (byte) value);
                    put(model, pa, 1, value);
                }
                case 1 -> {
                    memory.writeShort(pa, (short) value);
                    put(model, pa, 2, value);
                }
                case 2 -> {
                    memory.writeInt(pa, (int) value);
                    put(model, pa, 4, value);
                }
                case 3 -> {
                    memory.writeLong(pa, value);
                    put(model, pa, 8, value);
                }
                case 4 -> {
                    random.nextBytes(buffer);
                    int offset = random.nextInt(buffer.length);
                    int length = random.nextInt(Math.min(buffer.length - offset, SIZE - pa) + 1);
                    memory.write(pa, buffer, offset, length);
                    System.arraycopy(buffer, offset, model, pa, length);
                }
                case 5 -> {
                    int length = random.nextInt(Math.min(300, SIZE - pa) + 1);
                    memory.fill(pa, length, (byte) value);
                    Arrays.fill(model, pa, pa + length, (byte) value);
                }
                case 6 -> storeOrdered(model, pa & ~7, value);
                default -> checkReads(seed, model, pa);
            }
        }
        byte[] all = new byte[SIZE];
        memory.read(0, all, 0, SIZE);
        assertThat(all).as("seed %d", seed).isEqualTo(model);
    }

    private void storeOrdered(byte[] model, int pa, long value) {
        int width = 2 << Math.floorMod(value, 3);
        switch (width) {
            case 2 -> memory.storeShortRelease(pa, (short) value);
            case 4 -> memory.storeIntRelease(pa, (int) value);
            default -> memory.storeLongRelease(pa, value);
        }
        put(model, pa, width, value);
    }

    private void checkReads(long seed, byte[] model, int pa) {
        int aligned = pa & ~7;
        assertThat(memory.readByte(pa)).as("seed %d", seed).isEqualTo((byte) value(model, pa, 1));
        assertThat(memory.readShort(pa)).as("seed %d", seed).isEqualTo((short) value(model, pa, 2));
        assertThat(memory.readInt(pa)).as("seed %d", seed).isEqualTo((int) value(model, pa, 4));
        assertThat(memory.readLong(pa)).as("seed %d", seed).isEqualTo(value(model, pa, 8));
        assertThat(memory.loadShortAcquire(aligned)).as("seed %d", seed).isEqualTo((short) value(model, aligned, 2));
        assertThat(memory.loadIntAcquire(aligned)).as("seed %d", seed).isEqualTo((int) value(model, aligned, 4));
        assertThat(memory.loadLongAcquire(aligned)).as("seed %d", seed).isEqualTo(value(model, aligned, 8));
        byte[] window = new byte[12];
        Arrays.fill(window, (byte) 0x55);
        memory.read(pa, window, 3, 7);
        assertThat(Arrays.copyOfRange(window, 3, 10))
                .as("seed %d", seed)
                .isEqualTo(Arrays.copyOfRange(model, pa, pa + 7));
        assertThat(new byte[] {window[2], window[10]}).containsOnly((byte) 0x55);
    }

    private static void put(byte[] model, int pa, int width, long value) {
        for (int i = 0; i < width; i++) {
            model[pa + i] = (byte) (value >>> 8 * i);
        }
    }

    private static long value(byte[] model, int pa, int width) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (model[pa + i] & 0xFFL) << 8 * i;
        }
        return value;
    }

    @Test
    void shouldRefuseArrayRangesThatDoNotFit() {
        byte[] eight = new byte[8];
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.read(0, eight, 1, 8));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.read(0, eight, -1, 4));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.read(0, eight, 0, -1));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> memory.write(0, eight, Integer.MAX_VALUE, 2));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.write(0, eight, 0, 9));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.fill(0, -1, (byte) 0));
        memory.read(SIZE, eight, 8, 0);
        memory.write(SIZE, eight, 8, 0);
        memory.fill(SIZE, 0, (byte) 0);
        assertThat(eight).containsOnly((byte) 0);
    }

    @Test
    void shouldSwapOnlyOnTheExpectedValue() {
        memory.writeInt(4, -2);
        assertThat(memory.compareAndSetInt(4, -1, 7)).isFalse();
        assertThat(memory.readInt(4)).isEqualTo(-2);
        assertThat(memory.compareAndSetInt(4, -2, 7)).isTrue();
        assertThat(memory.readLong(0)).isEqualTo(7L << 32);
        assertThat(memory.compareAndSetLong(0, 7L << 32, Long.MIN_VALUE)).isTrue();
        assertThat(memory.compareAndSetLong(0, 7L << 32, 1)).isFalse();
        assertThat(memory.readLong(0)).isEqualTo(Long.MIN_VALUE);
        assertThat(memory.readLong(8)).isZero();
    }

    @Test
    void shouldAllowClosingTwice() {
        memory.close();
        memory.close();
        assertThat(memory.contains(0, 1)).isTrue();
    }
}
