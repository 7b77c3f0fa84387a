package io.iolab.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.iolab.devices.dma.DmaKind;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PCI Local Bus 3.0 section 6.8.2: the MSI-X capability, table and pending bits. */
class MsixTableTest {
    private static final int CAPABILITY = 0x70;
    private static final int CONTROL = CAPABILITY + 2;
    private static final int VECTORS = 70;
    private static final int ENABLE = 0x8000;
    private static final int FUNCTION_MASK = 0x4000;
    private static final long ADDRESS = 0xFEE0_1000L;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
    private final MessageLog port = new MessageLog();
    private final MsixTable table =
            new MsixTable(config, CAPABILITY, VECTORS, 3, 0x0, 3, 0x2000, new BusMasterGate(config, port));
    private int switches;

    MsixTableTest() {
        table.onSwitch(() -> switches++);
        config.seal();
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
    }

    /** How software can hold a vector back, and let it go again (6.8.2.2, 6.8.2.3, 6.8.2.9). */
    private enum Hold {
        ENTRY_MASK,
        FUNCTION_MASK_BIT,
        DISABLE_AFTER_MASK
    }

    private void program(int vector, boolean masked) {
        table.writeTable(16L * vector, 4, ADDRESS + 16L * vector);
        table.writeTable(16L * vector + 4, 4, 0);
        table.writeTable(16L * vector + 8, 4, 0x4000 + vector);
        table.writeTable(16L * vector + 12, 4, masked ? 1 : 0);
    }

    private void control(int value) {
        config.write(CONTROL, 2, value);
    }

    private static MessageLog.Write message(int vector) {
        return new MessageLog.Write(ADDRESS + 16L * vector, 0x4000 + vector, DmaKind.MESSAGE);
    }

    @Test
    void shouldDescribeItselfInItsCapability() {
        assertThat(config.read(0x34, 1)).isEqualTo(CAPABILITY);
        assertThat(config.read(CAPABILITY, 4)).as("id 11, size - 1, disabled").isEqualTo(0x0045_0011);
        assertThat(config.read(CAPABILITY + 4, 4)).as("table: offset and BIR").isEqualTo(3);
        assertThat(config.read(CAPABILITY + 8, 4)).as("PBA: offset and BIR").isEqualTo(0x2003);
        config.write(CAPABILITY, 4, -1);
        config.write(CAPABILITY + 4, 4, -1);
        config.write(CAPABILITY + 8, 4, -1);
        assertThat(config.read(CAPABILITY, 4))
                .as("only enable and function mask")
                .isEqualTo(0xC045_0011);
        assertThat(config.read(CAPABILITY + 4, 4)).isEqualTo(3);
        assertThat(config.read(CAPABILITY + 8, 4)).isEqualTo(0x2003);
        assertThat(table.vectors()).isEqualTo(VECTORS);
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 0, 1, 0", "2049, 0, 0, 1, 0", "1, 6, 0, 1, 0", "1, 0, 4, 1, 0", "1, 0, 0, 1, 12"})
    void shouldRefuseACapabilityThatCannotBeEncoded(
            int vectors, int tableBar, int tableOffset, int pbaBar, int pbaOffset) {
        ConfigSpace space = new ConfigSpace(1, 2, 0, 0);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MsixTable(space, 0x40, vectors, tableBar, tableOffset, pbaBar, pbaOffset, port));
    }

    @Test
    void shouldStartDisabledAndMasked() {
        assertThat(table.enabled()).isFalse();
        for (int vector = 0; vector < VECTORS; vector++) {
            assertThat(table.readTable(16L * vector + 12, 4)).isEqualTo(1);
            assertThat(table.readTable(16L * vector, 8)).isZero();
            assertThat(table.masked(vector)).isTrue();
            assertThat(table.isPending(vector)).isFalse();
        }
    }

    @Test
    void shouldSendAddressAndDataOfItsEntry() {
        program(5, false);
        table.writeTable(16 * 6, 8, 0x0000_0001_FEE0_2003L);
        table.writeTable(16 * 6 + 8, 8, 0x0000_0000_89AB_CDEFL);
        control(ENABLE);
        assertThat(table.fire(5)).isTrue();
        assertThat(table.fire(6)).isTrue();
        assertThat(port.take())
                .as("address bits 1:0 are 0 in a message (6.8.2.4)")
                .containsExactly(message(5), new MessageLog.Write(0x1_FEE0_2000L, 0x89AB_CDEF, DmaKind.MESSAGE));
        assertThat(table.sent()).isEqualTo(2);
        assertThat(table.isPending(5)).isFalse();
    }

    @Test
    void shouldIgnoreEventsWhileDisabled() {
        program(0, false);
        assertThat(table.fire(0)).isFalse();
        control(FUNCTION_MASK);
        assertThat(table.fire(0)).isFalse();
        control(ENABLE);
        assertThat(port.writes).isEmpty();
        assertThat(table.isPending(0)).isFalse();
        assertThat(table.sent() + table.coalesced()).isZero();
    }

    /** PCI Local Bus 3.0 section 6.2.2: without bus mastering a function issues no write, and a message is one. */
    @Test
    void shouldNotCountMessagesThatNeverLeftTheFunction() {
        program(5, false);
        program(6, true);
        control(ENABLE);
        table.fire(6);
        config.write(ConfigSpace.COMMAND, 2, 0);

        assertThat(table.fire(5)).isFalse();
        program(6, false);

        assertThat(port.writes).isEmpty();
        assertThat(table.sent()).isZero();
        assertThat(table.lost()).isEqualTo(2);
        assertThat(table.isPending(5) || table.isPending(6)).isFalse();
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        assertThat(port.writes).as("lost, not held back").isEmpty();
        assertThat(table.fire(5)).isTrue();
        assertThat(table.sent()).isOne();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, VECTORS, 0xFFFF, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void shouldIgnoreVectorsThatDoNotExist(int vector) {
        control(ENABLE);
        assertThat(table.fire(vector)).isFalse();
        assertThat(port.writes).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Hold.class)
    void shouldRememberEventsWhileMaskedAndSendOneOnRelease(Hold hold) {
        int vector = 65;
        program(vector, hold == Hold.ENTRY_MASK);
        program(1, false);
        control(hold == Hold.ENTRY_MASK ? ENABLE : ENABLE | FUNCTION_MASK);
        assertThat(table.masked(vector)).isTrue();
        for (int i = 0; i < 3; i++) {
            assertThat(table.fire(vector)).isFalse();
            assertThat(table.isPending(vector)).isTrue();
        }
        assertThat(table.coalesced()).isEqualTo(2);
        assertThat(port.writes).isEmpty();
        switch (hold) {
            case ENTRY_MASK -> table.writeTable(16L * vector + 12, 4, 0);
            case FUNCTION_MASK_BIT -> control(ENABLE);
            case DISABLE_AFTER_MASK -> {
                control(0);
                assertThat(port.writes).as("nothing leaves while disabled").isEmpty();
                control(ENABLE);
            }
        }
        assertThat(port.take()).containsExactly(message(vector));
        assertThat(table.isPending(vector)).isFalse();
        assertThat(table.fire(vector)).isTrue();
        assertThat(port.take()).containsExactly(message(vector));
        assertThat(table.sent()).isEqualTo(2);
    }

    @Test
    void shouldNeedBothMasksCleared() {
        program(0, true);
        control(ENABLE | FUNCTION_MASK);
        table.fire(0);
        table.writeTable(12, 4, 0);
        assertThat(port.writes).isEmpty();
        table.writeTable(12, 4, 1);
        control(ENABLE);
        assertThat(port.writes).isEmpty();
        table.writeTable(12, 4, 0);
        assertThat(port.take()).containsExactly(message(0));
    }

    @Test
    void shouldUseTheEntryAsItIsWhenItIsUnmasked() {
        program(2, true);
        control(ENABLE);
        table.fire(2);
        table.writeTable(16 * 2, 4, 0xFEE0_7000L);
        assertThat(port.writes).isEmpty();
        table.writeTable(16 * 2 + 8, 8, 0x0000_0000_0000_0099L);
        assertThat(port.take()).containsExactly(new MessageLog.Write(0xFEE0_7000L, 0x99, DmaKind.MESSAGE));
    }

    @Test
    void shouldShowPendingBitsInTheirQuadWords() {
        control(ENABLE);
        for (int vector : new int[] {0, 31, 32, 63, 64, 69}) {
            table.fire(vector);
        }
        assertThat(table.readPending(0, 8)).isEqualTo(0x8000_0001_8000_0001L);
        assertThat(table.readPending(0, 4)).isEqualTo(0x8000_0001L);
        assertThat(table.readPending(4, 4)).isEqualTo(0x8000_0001L);
        assertThat(table.readPending(8, 8)).isEqualTo(0x21);
        assertThat(table.readPending(12, 4)).isZero();
    }

    @Test
    void shouldLetTheDeviceTakeAnEventBack() {
        program(0, true);
        control(ENABLE);
        table.fire(0);
        table.clearPending(0);
        table.writeTable(12, 4, 0);
        assertThat(port.writes).isEmpty();
    }

    /** A message is a memory write: without bus mastering it is lost, not kept (6.2.2, 6.8). */
    @Test
    void shouldLoseMessagesWhileBusMasteringIsOff() {
        program(0, false);
        control(ENABLE);
        config.write(ConfigSpace.COMMAND, 2, 0);
        table.fire(0);
        assertThat(table.isPending(0)).isFalse();
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        assertThat(port.writes).isEmpty();
        assertThat(table.fire(0)).isTrue();
        assertThat(port.take()).containsExactly(message(0));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "0, 2",
        "12, 1",
        "2, 4",
        "4, 8",
        "12, 8",
        "-4, 4",
        "-8, 8",
        "1120, 4",
        "1120, 8",
        "1118, 4",
        "0, 16",
        "0, 0",
        "9223372036854775800, 8",
        "9223372036854775804, 4",
        "4294967296, 4",
        "-9223372036854775808, 8"
    })
    void shouldIgnoreAccessesThatAreNotAlignedWordsOfTheTable(long offset, int width) {
        program(0, true);
        table.writeTable(offset, width, 0);
        assertThat(table.readTable(offset, width)).isZero();
        assertThat(table.readTable(0, 8)).isEqualTo(ADDRESS);
        assertThat(table.readTable(8, 8)).isEqualTo(0x1_0000_4000L);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "0, 2",
        "2, 4",
        "4, 8",
        "-8, 8",
        "16, 4",
        "16, 8",
        "9223372036854775800, 8",
        "9223372036854775804, 4",
        "4294967296, 8",
        "0, 0"
    })
    void shouldReadZeroOutsideOfThePendingBits(long offset, int width) {
        control(ENABLE);
        for (int vector = 0; vector < VECTORS; vector++) {
            table.fire(vector);
        }
        assertThat(table.readPending(offset, width)).isZero();
    }

    @Test
    void shouldHoldWideAndNarrowWritesAlike() {
        table.writeTable(16, 8, 0x1122_3344_5566_7788L);
        assertThat(table.readTable(16, 4)).isEqualTo(0x5566_7788L);
        assertThat(table.readTable(20, 4)).isEqualTo(0x1122_3344L);
        table.writeTable(24, 4, 0xFFFF_FFFF_8765_4321L);
        assertThat(table.readTable(24, 4)).isEqualTo(0x8765_4321L);
        assertThat(table.readTable(16, 8)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @Test
    void shouldTellWhenItMayHaveBeenSwitched() {
        int before = switches;
        control(ENABLE);
        assertThat(table.enabled()).isTrue();
        config.write(CONTROL + 1, 1, 0);
        assertThat(table.enabled()).isFalse();
        assertThat(switches - before).isEqualTo(2);
        config.reset();
        assertThat(switches - before).isEqualTo(3);
    }

    @Test
    void shouldForgetEverythingOnReset() {
        program(0, false);
        program(1, true);
        control(ENABLE);
        table.fire(1);
        config.reset();
        assertThat(table.enabled()).isFalse();
        assertThat(table.isPending(1)).isFalse();
        assertThat(table.readTable(0, 8)).isZero();
        assertThat(table.readTable(12, 4)).isEqualTo(1);
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        control(ENABLE);
        table.writeTable(16 + 12, 4, 0);
        assertThat(port.writes).isEmpty();
    }

    /** Random software and device actions against the state machine of one vector, for several vectors at once. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void shouldFollowTheStateMachineForAnySequence(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int vectors = 4;
        boolean[] entryMask = new boolean[vectors];
        boolean[] pending = new boolean[vectors];
        for (int v = 0; v < vectors; v++) {
            program(v, true);
            entryMask[v] = true;
        }
        int control = 0;
        for (int i = 0; i < 30_000; i++) {
            int v = random.nextInt(vectors);
            int expected = 0;
            switch (random.nextInt(4)) {
                case 0 -> {
                    entryMask[v] = random.nextBoolean();
                    table.writeTable(16L * v + 12, 4, entryMask[v] ? 1 : 0);
                }
                case 1 -> {
                    control = random.nextInt(4) << 14;
                    control(control);
                }
                default -> {
                    boolean held = entryMask[v] || (control & FUNCTION_MASK) != 0;
                    boolean enabled = (control & ENABLE) != 0;
                    pending[v] |= enabled && held;
                    expected = enabled && !held ? 1 : 0;
                    assertThat(table.fire(v)).as("seed %d, step %d", seed, i).isEqualTo(expected == 1);
                }
            }
            for (int w = 0; w < vectors; w++) {
                if (control == ENABLE && !entryMask[w] && pending[w]) {
                    pending[w] = false;
                    expected++;
                }
                assertThat(table.isPending(w)).as("seed %d, step %d", seed, i).isEqualTo(pending[w]);
            }
            assertThat(port.take()).as("seed %d, step %d", seed, i).hasSize(expected);
        }
    }
}
