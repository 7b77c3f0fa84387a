package io.iolab.devices.edu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's document "EDU device"; display names begin with its section. */
class EduDeviceTest {
    private static final long MESSAGE_ADDRESS = 0xFEE0_1000L;
    private static final int BUFFER = 0x40000;
    private static final long RAM = 0x10_0000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(4 << 20);
    private final List<Integer> messages = new ArrayList<>();
    private boolean pin;
    private long nanos;
    private final EduDevice edu = device(EduDevice.DEFAULT_DMA_MASK);

    private EduDevice device(long mask) {
        return new EduDevice(
                mask,
                new DirectDma(memory, (address, data) -> messages.add(data)),
                asserted -> pin = asserted,
                () -> nanos);
    }

    @BeforeEach
    void enable() {
        edu.config().write(0x04, 2, 0x6);
    }

    @AfterEach
    void release() {
        memory.close();
    }

    private long read(long offset) {
        return edu.readBar(0, offset, 4);
    }

    private void write(long offset, long value) {
        edu.writeBar(0, offset, 4, value);
        edu.poll(1);
    }

    private void pass(long duration) {
        nanos += duration;
        edu.poll(1);
    }

    private void transfer(long source, long destination, long count, int command) {
        write(0x80, source);
        write(0x88, destination);
        write(0x90, count);
        write(0x98, command);
    }

    private void enableMsi() {
        int capability = edu.config().read(0x34, 1);
        assertThat(edu.config().read(capability, 1)).isEqualTo(5);
        edu.config().write(capability + 4, 4, (int) MESSAGE_ADDRESS);
        edu.config().write(capability + 12, 2, 0x41);
        edu.config().write(capability + 2, 2, 1);
    }

    @Test
    @DisplayName("PCI specs: 1234:11e8, region 0 is one megabyte of memory")
    void shouldIdentifyItselfOnTheBus() {
        assertThat(edu.config().read(0x00, 4)).isEqualTo(0x11E8_1234);
        edu.config().write(0x10, 4, -1);
        assertThat(edu.config().read(0x10, 4)).isEqualTo(0xFFF0_0000);
        assertThat(edu.config().read(0x3D, 1)).isEqualTo(1);
    }

    @Test
    @DisplayName("MMIO area spec, 0x00: 0xRRrr00ed")
    void shouldReadIdentificationAndIgnoreWritesToIt() {
        write(0x00, 0x1234);
        assertThat(read(0x00)).isEqualTo(0x0100_00EDL);
    }

    @Test
    @DisplayName("MMIO area spec, 0x04: inversion")
    void shouldInvertWhatProvesItAlive() {
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < 100; i++) {
            int value = random.nextInt();
            write(0x04, value & 0xFFFF_FFFFL);
            assertThat(read(0x04)).as("seed 4, round %d", i).isEqualTo(~value & 0xFFFF_FFFFL);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "1, 1",
        "5, 120",
        "10, 3628800",
        "12, 479001600",
        "13, 1932053504",
        "33, 2147483648",
        "34, 0",
        "4294967295, 0"
    })
    @DisplayName("MMIO area spec, 0x08: the factorial is put back")
    void shouldComputeFactorialsModulo32Bits(long n, long expected) {
        write(0x08, n);
        assertThat(read(0x20) & 1).isZero();
        assertThat(read(0x08)).isEqualTo(expected);
    }

    @Test
    @DisplayName("MMIO area spec, 0x20: bit 0 is set while it computes, and only software's bit 0x80 sticks")
    void shouldShowThatItComputes() {
        edu.writeBar(0, 0x20, 4, 0xFF);
        edu.writeBar(0, 0x08, 4, 6);
        assertThat(read(0x20)).isEqualTo(0x81);
        assertThat(edu.workPending()).isTrue();
        edu.poll(1);
        assertThat(read(0x20)).isEqualTo(0x80);
        assertThat(edu.workPending()).isFalse();
    }

    @Test
    @DisplayName("MMIO area spec, 0x20 bit 0x80: an interrupt when the factorial is done")
    void shouldInterruptAfterFactorialOnlyIfAsked() {
        write(0x08, 5);
        assertThat(pin).isFalse();
        write(0x20, 0x80);
        write(0x08, 5);
        assertThat(pin).isTrue();
        assertThat(read(0x24)).isEqualTo(1);
    }

    @Test
    @DisplayName("MMIO area spec: size 4 below 0x80, 4 or 8 from there on")
    void shouldRefuseOtherWidths() {
        write(0x04, 0);
        assertThat(edu.readBar(0, 0x04, 1)).isEqualTo(0xFF);
        assertThat(edu.readBar(0, 0x04, 2)).isEqualTo(0xFFFF);
        assertThat(edu.readBar(0, 0x00, 8)).isEqualTo(-1);
        edu.writeBar(0, 0x04, 2, 0x1234);
        assertThat(read(0x04)).isEqualTo(0xFFFF_FFFFL);
        edu.writeBar(0, 0x80, 8, 0x1234_5678_9ABCL);
        assertThat(edu.readBar(0, 0x80, 8)).isEqualTo(0x1234_5678_9ABCL);
        assertThat(read(0x80)).isEqualTo(0x5678_9ABCL);
        assertThat(edu.ignored()).isEqualTo(4);
    }

    @Test
    @DisplayName("IRQ controller: raised values are ORed and stay until acknowledged")
    void shouldHoldThePinUntilAllIsAcknowledged() {
        write(0x60, 0x5);
        write(0x60, 0x10);
        assertThat(read(0x24)).isEqualTo(0x15);
        assertThat(pin).isTrue();
        write(0x64, 0x11);
        assertThat(pin).isTrue();
        write(0x64, 0x4);
        assertThat(read(0x24)).isZero();
        assertThat(pin).isFalse();
        assertThat(messages).isEmpty();
    }

    @Test
    @DisplayName("IRQ controller: MSI instead of the pin; the status still has to be acknowledged")
    void shouldSendMessagesWhileMsiIsOn() {
        enableMsi();
        write(0x60, 0x2);
        write(0x60, 0x2);
        assertThat(messages).containsExactly(0x41, 0x41);
        assertThat(pin).isFalse();
        assertThat(read(0x24)).isEqualTo(2);
        write(0x64, 0x2);
        assertThat(read(0x24)).isZero();
    }

    @Test
    @DisplayName("DMA controller: a block into the buffer and back, 100 ms each")
    void shouldCopyThroughItsBuffer() {
        byte[] block = new byte[100];
        new SplittableRandom(5).nextBytes(block);
        memory.write(RAM, block, 0, 100);
        transfer(RAM, BUFFER, 100, 1);
        pass(EduDevice.DMA_NANOS - 1);
        assertThat(read(0x98) & 1).isOne();
        pass(1);
        assertThat(read(0x98) & 1).isZero();
        transfer(BUFFER, RAM + 100, 100, 3);
        assertThat(edu.nextDeadlineNanos()).isEqualTo(nanos + EduDevice.DMA_NANOS);
        pass(EduDevice.DMA_NANOS);
        byte[] copy = new byte[100];
        memory.read(RAM + 100, copy, 0, 100);
        assertThat(copy).isEqualTo(block);
        assertThat(pin).isFalse();
    }

    @Test
    @DisplayName("MMIO area spec, 0x98 bit 4: interrupt 0x100 after the transfer")
    void shouldInterruptAfterTransferIfAsked() {
        transfer(RAM, BUFFER, 16, 5);
        pass(EduDevice.DMA_NANOS);
        assertThat(read(0x24)).isEqualTo(0x100);
        assertThat(pin).isTrue();
    }

    @Test
    @DisplayName("DMA controller: its registers are held while a transfer runs")
    void shouldTakeNoDmaWritesWhileTransferring() {
        transfer(RAM, BUFFER, 16, 1);
        write(0x80, 7);
        write(0x90, 9);
        write(0x98, 0);
        assertThat(read(0x80)).isEqualTo(RAM);
        assertThat(read(0x90)).isEqualTo(16);
        assertThat(read(0x98)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {0x3FFFF, 0x40F9D, 0x41000, 0, -1})
    @DisplayName("DMA controller: only the buffer's 4096 bytes are there")
    void shouldMoveNothingBeyondItsBuffer(long inside) {
        memory.fill(RAM, 4096, (byte) 0x55);
        edu.writeBar(0, 0x80, 8, inside);
        write(0x88, RAM);
        write(0x90, 100);
        write(0x98, 3);
        pass(EduDevice.DMA_NANOS);
        assertThat(memory.readByte(RAM)).isEqualTo((byte) 0x55);
        assertThat(edu.ignored()).isOne();
        assertThat(read(0x98) & 1).isZero();
    }

    @Test
    @DisplayName("Command line switches, dma_mask: addresses have 28 bits unless more are asked for")
    void shouldDropAddressBitsBeyondTheMask() {
        memory.fill(RAM, 16, (byte) 0x77);
        transfer(RAM | 0x3000_0000, BUFFER, 16, 1);
        pass(EduDevice.DMA_NANOS);
        transfer(BUFFER, RAM + 64, 16, 3);
        pass(EduDevice.DMA_NANOS);
        assertThat(memory.readByte(RAM + 64)).isEqualTo((byte) 0x77);

        EduDevice wide = device(0xFFFF_FFFFL);
        wide.config().write(0x04, 2, 0x6);
        wide.writeBar(0, 0x80, 4, RAM | 0x3000_0000);
        wide.writeBar(0, 0x88, 4, BUFFER);
        wide.writeBar(0, 0x90, 4, 16);
        wide.writeBar(0, 0x98, 4, 1);
        nanos += EduDevice.DMA_NANOS;
        wide.poll(1);
        assertThat(wide.ignored()).as("memory ends below that address").isOne();
    }

    @Test
    @DisplayName("PCI Local Bus 3.0 section 6.2.2: no DMA without bus mastering")
    void shouldMoveNothingWithoutBusMastering() {
        edu.config().write(0x04, 2, 0x2);
        memory.fill(RAM, 16, (byte) 0x33);
        transfer(BUFFER, RAM, 16, 3);
        pass(EduDevice.DMA_NANOS);
        assertThat(memory.readByte(RAM)).isEqualTo((byte) 0x33);
    }

    @Test
    void shouldForgetEverythingOnReset() {
        write(0x60, 1);
        transfer(RAM, BUFFER, 16, 5);
        edu.reset();
        assertThat(pin).isFalse();
        assertThat(read(0x24)).isZero();
        assertThat(edu.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
        assertThat(edu.config().read(0x04, 2)).isZero();
    }
}
