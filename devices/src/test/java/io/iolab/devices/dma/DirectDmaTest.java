package io.iolab.devices.dma;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.PhysicalMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link DmaPort} without translation, and the interrupt range of Intel SDM volume 3, section 11.11. */
class DirectDmaTest {
    private static final int SIZE = 4 * 4096;

    private record Message(long address, int data) {}

    private final PhysicalMemory memory = PhysicalMemory.allocate(SIZE);
    private final List<Message> messages = new ArrayList<>();
    private final DirectDma dma = new DirectDma(memory, (address, data) -> messages.add(new Message(address, data)));
    private final byte[] buffer = new byte[8192];

    @AfterEach
    void release() {
        memory.close();
    }

    @Test
    void shouldMoveBytesAtAnyAlignmentAcrossPages() {
        for (int i = 0; i < buffer.length; i++) {
            buffer[i] = (byte) (i * 31);
        }
        assertThat(dma.write(4093, buffer, 5, 4200, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(memory.readByte(4092)).isZero();
        assertThat(memory.readByte(4093)).isEqualTo(buffer[5]);
        assertThat(memory.readByte(4093 + 4199)).isEqualTo(buffer[4204]);
        assertThat(memory.readByte(4093 + 4200)).isZero();
        byte[] back = new byte[4202];
        assertThat(dma.read(4093, back, 1, 4200, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.NONE);
        assertThat(back).startsWith(0, buffer[5], buffer[6]).endsWith(buffer[4203], buffer[4204], 0);
        assertThat(messages).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "16384, 1",
        "16383, 2",
        "12289, 4096",
        "9223372036854775807, 1",
        "9223372036854775807, 4096",
        "-1, 1",
        "-1, 2",
        "-4096, 4096",
        "-9223372036854775808, 8",
        "4294967296, 4"
    })
    void shouldFaultBeyondMemoryAndMoveNothing(long iova, int length) {
        memory.fill(0, SIZE, (byte) 0x11);
        byte[] source = new byte[8192];
        byte[] target = new byte[8192];
        assertThat(dma.write(iova, source, 0, length, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(dma.read(iova, target, 0, length, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(target).containsOnly((byte) 0);
        // The last page is where a part of the access would have landed.
        assertThat(IntStream.range(SIZE - 4096, SIZE).map(memory::readByte)).containsOnly(0x11);
    }

    @Test
    void shouldMoveNothingForLengthZero() {
        assertThat(dma.read(0, buffer, 0, 0, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(dma.write(SIZE - 1, buffer, buffer.length, 0, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.NONE);
        assertThat(dma.write(-1, buffer, 0, 0, DmaKind.PAYLOAD)).isIn(DmaFault.NONE, DmaFault.BEYOND_MEMORY);
        assertThat(memory.readByte(SIZE - 1)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {0xFEE0_0000L, 0xFEE0_1004L, 0xFEEF_FFFCL})
    void shouldTurnAlignedFourByteWritesIntoMessages(long iova) {
        byte[] data = {0, 0x78, 0x56, 0x34, (byte) 0x92};
        assertThat(dma.write(iova, data, 1, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.NONE);
        assertThat(messages).containsExactly(new Message(iova, 0x9234_5678));
    }

    /** The kind is for the ledger; a payload write to the range is an interrupt all the same (a forged MSI). */
    @Test
    void shouldNotAskForTheKindToRaiseAMessage() {
        assertThat(dma.write(0xFEE0_0000L, buffer, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(messages).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0xFEE00001, 4",
        "0xFEE00002, 4",
        "0xFEE00000, 0",
        "0xFEE00000, 1",
        "0xFEE00000, 2",
        "0xFEE00000, 8",
        "0xFEEFFFFF, 4"
    })
    void shouldFaultOtherWritesIntoTheInterruptRange(long iova, int length) {
        assertThat(dma.write(iova, buffer, 0, length, DmaKind.PAYLOAD)).isNotEqualTo(DmaFault.NONE);
        assertThat(messages).isEmpty();
    }

    @Test
    void shouldNeverReadFromTheInterruptRange() {
        assertThat(dma.read(0xFEE0_0000L, buffer, 0, 4, DmaKind.PAYLOAD)).isNotEqualTo(DmaFault.NONE);
        assertThat(dma.loadShortAcquire(0xFEE0_0000L, DmaKind.DESCRIPTOR)).isNegative();
        assertThat(dma.storeShortRelease(0xFEE0_0000L, 1, DmaKind.DESCRIPTOR)).isNotEqualTo(DmaFault.NONE);
        assertThat(messages).isEmpty();
    }

    /** Addresses next to the range belong to memory, and above 4 GiB nothing is an interrupt. */
    @Test
    void shouldClaimExactlyOneMebibyte() {
        assertThat(MessagePort.claims(MessagePort.BASE)).isTrue();
        assertThat(MessagePort.claims(MessagePort.BASE + MessagePort.SIZE - 1)).isTrue();
        assertThat(MessagePort.claims(MessagePort.BASE - 1)).isFalse();
        assertThat(MessagePort.claims(MessagePort.BASE + MessagePort.SIZE)).isFalse();
        assertThat(MessagePort.claims(0x1_FEE0_0000L)).isFalse();
        assertThat(MessagePort.claims(-0x11F_FFF4L)).isFalse();
        assertThat(dma.write(0x1_FEE0_0000L, buffer, 0, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(messages).isEmpty();
    }

    /** Memory of more than 4 GiB has the interrupt range in its middle; a sparse file costs nothing. */
    @Test
    void shouldKeepTheInterruptRangeOutOfABigMemory(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("ram");
        try (PhysicalMemory big = PhysicalMemory.map(file, 0x1_0000_4000L)) {
            DirectDma port = new DirectDma(big, (address, data) -> messages.add(new Message(address, data)));
            assertThat(port.write(0xFEDF_FFFEL, buffer, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(port.read(0xFEDF_FFFEL, buffer, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(port.read(0xFEEF_FFFEL, buffer, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(port.loadShortAcquire(0xFEE0_0010L, DmaKind.DESCRIPTOR)).isNegative();
            assertThat(port.write(0xFEDF_FFFCL, buffer, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
            assertThat(port.write(0xFEF0_0000L, buffer, 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
            assertThat(port.write(0x1_0000_3FFCL, buffer, 0, 4, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NONE);
            assertThat(messages).isEmpty();
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void shouldLoadAndStoreRingFieldsAsUnsigned16Bit() {
        assertThat(dma.storeShortRelease(6, 0x1_FFFE, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.NONE);
        assertThat(memory.readLong(0)).isEqualTo(0xFFFE_0000_0000_0000L);
        assertThat(memory.readShort(8)).isZero();
        assertThat(dma.loadShortAcquire(6, DmaKind.DESCRIPTOR)).isEqualTo(0xFFFE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 4095, SIZE - 1, SIZE, SIZE + 2, -2, -1, Long.MAX_VALUE, Long.MIN_VALUE})
    void shouldFaultUnalignedAndUnbackedRingFields(long iova) {
        assertThat(dma.storeShortRelease(iova, 0xAAAA, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.BEYOND_MEMORY);
        int result = dma.loadShortAcquire(iova, DmaKind.DESCRIPTOR);
        assertThat(DmaFault.of(result)).isEqualTo(DmaFault.BEYOND_MEMORY);
    }

    @Test
    void shouldCarryEveryFaultThroughANumber() {
        for (DmaFault fault : DmaFault.values()) {
            if (fault != DmaFault.NONE) {
                assertThat(fault.asResult()).isNegative();
                assertThat(DmaFault.of(fault.asResult())).isEqualTo(fault);
            }
        }
        assertThat(DmaFault.of(0)).isEqualTo(DmaFault.NONE);
        assertThat(DmaFault.of(0xFFFF)).isEqualTo(DmaFault.NONE);
    }
}
