package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.vcpu.MsiDecoder.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** SDM volume 3, section "Message Signalled Interrupts": Message Address and Message Data Register Format. */
@DisplayName("MSI in compatibility format")
class MsiDecoderTest {
    private final List<String> delivered = new ArrayList<>();
    private final InterruptBus bus = (destination, logical, mode, vector, level) -> delivered.add("%x %s %s %x %s"
            .formatted(destination, logical ? "logical" : "physical", mode, vector, level ? "level" : "edge"));

    @ParameterizedTest
    @CsvSource({
        "0xFEE00000, 0x0041, 0 physical FIXED 41 edge",
        "0xFEE03000, 0x4041, 3 physical FIXED 41 edge",
        "0xFEE01004, 0x00FF, 1 logical FIXED ff edge",
        "0xFEE0100C, 0x0055, 1 logical LOWEST_PRIORITY 55 edge",
        "0xFEE01008, 0x0055, 1 physical LOWEST_PRIORITY 55 edge",
        "0xFEE01000, 0x0155, 1 physical LOWEST_PRIORITY 55 edge",
        "0xFEE01000, 0xC055, 1 physical FIXED 55 level",
        "0xFEE01000, 0x0400, 1 physical NMI 0 edge",
        "0xFEE01008, 0x0400, 1 physical NMI 0 edge",
        "0xFEE01000, 0x0200, 1 physical SMI 0 edge",
        "0xFEE01000, 0x0500, 1 physical INIT 0 edge",
        "0xFEE01000, 0x0700, 1 physical EXTINT 0 edge",
        "0xFEEFF000, 0x0041, ffffffff physical FIXED 41 edge",
        "0x100FEE23000, 0x0041, 123 physical FIXED 41 edge",
        "0x100FEEFF000, 0x0041, 1ff physical FIXED 41 edge",
        "0x1000FEE01004, 0x0041, 1001 logical FIXED 41 edge",
    })
    void shouldDecode(String address, String data, String expected) {
        assertThat(MsiDecoder.deliver(Long.decode(address), Integer.decode(data), bus))
                .isEqualTo(Format.VALID);
        assertThat(delivered).containsExactly(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "0xFED00000, 0x0041, BAD_ADDRESS",
        "0xFEF00000, 0x0041, BAD_ADDRESS",
        "0xFEE00001, 0x0041, BAD_ADDRESS",
        "0x1FEE00000, 0x0041, BAD_ADDRESS",
        "0x80FEE00000, 0x0041, BAD_ADDRESS",
        "0xFEE00010, 0x0041, REMAPPABLE",
        "0xFEE00000, 0x0341, RESERVED_MODE",
        "0xFEE00000, 0x0641, RESERVED_MODE",
        "0xFEE00000, 0x8041, DEASSERT",
    })
    void shouldRefuse(String address, String data, Format expected) {
        assertThat(MsiDecoder.deliver(Long.decode(address), Integer.decode(data), bus))
                .isEqualTo(expected);
        assertThat(delivered).isEmpty();
    }

    @Test
    void shouldTakeAnyMessageWithoutException() {
        long seed = 3;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 100_000; i++) {
            long address = random.nextBoolean() ? random.nextLong() : 0xFEE0_0000L | random.nextInt(1 << 20);
            assertThat(MsiDecoder.deliver(address, random.nextInt(), (a, b, c, d, e) -> true))
                    .as("seed %d", seed)
                    .isNotNull();
        }
    }

    @Test
    void shouldAllocateNothing() {
        InterruptBus quiet = (destination, logical, mode, vector, level) -> true;
        long bytes = Allocations.bytesOf(10_000, () -> MsiDecoder.deliver(0xFEE0_1008L, 0x41, quiet));
        assertThat(bytes).as("bytes in 10,000 messages").isLessThan(1_000);
    }
}
