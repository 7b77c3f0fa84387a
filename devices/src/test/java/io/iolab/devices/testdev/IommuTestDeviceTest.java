package io.iolab.devices.testdev;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.memory.PhysicalMemory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's document "iommu-testdev", sections "Device Interface" and "DMA Operation Flow". */
class IommuTestDeviceTest {
    private static final int RAM = 1 << 20;
    private static final int PLACE = 0x4000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(RAM);
    private final IommuTestDevice device = new IommuTestDevice(new DirectDma(memory, (address, data) -> {}), memory);

    @BeforeEach
    void enable() {
        device.config().write(0x04, 2, 0x6);
    }

    @AfterEach
    void release() {
        memory.close();
    }

    private int read(int offset) {
        return (int) device.readBar(0, offset, 4);
    }

    private void write(int offset, long value) {
        device.writeBar(0, offset, 4, value);
    }

    private void aim(long iova, long gpa, int length) {
        write(0x04, iova & 0xFFFF_FFFFL);
        write(0x08, iova >>> 32);
        write(0x1C, gpa & 0xFFFF_FFFFL);
        write(0x20, gpa >>> 32);
        write(0x0C, length);
    }

    private int fire() {
        write(0x14, 1);
        assertThat(read(0x10)).as("armed").isEqualTo(0xFFFF_FFFE);
        assertThat(read(0x00)).isZero();
        return read(0x10);
    }

    @Test
    void shouldBeIdleAtFirst() {
        assertThat(device.config().read(0, 4)).isEqualTo(0x0005_1B36);
        assertThat(read(0x10)).isEqualTo(0xFFFF_FFFF);
        assertThat(read(0x18)).as("attributes: non-secure, space not valid").isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 7, 4096, 10_001})
    void shouldWriteThePatternAndFindIt(int length) {
        aim(PLACE, PLACE, length);
        assertThat(fire()).isZero();
        for (int i = 0; i < length; i++) {
            assertThat(memory.readByte(PLACE + i)).isEqualTo((byte) (0x1234_5678 >>> 8 * (i & 3)));
        }
        assertThat(memory.readByte(PLACE + length)).isZero();
    }

    @Test
    void shouldConsumeTheRequest() {
        aim(PLACE, PLACE, 4);
        fire();
        read(0x00);
        assertThat(read(0x10)).as("not armed").isEqualTo(0xDEAD_0005);
        write(0x14, 1);
        write(0x14, 0);
        assertThat(read(0x10)).as("disarmed").isEqualTo(0xFFFF_FFFF);
        read(0x00);
        assertThat(read(0x10)).isEqualTo(0xDEAD_0005);
    }

    @Test
    void shouldSampleRegistersWhenTriggeredNotWhenArmed() {
        write(0x14, 1);
        aim(PLACE, PLACE, 4);
        read(0x00);
        assertThat(read(0x10)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "0x4000, 0x4000, 0, 0xdead0001",
        "0x4000, 0x4000, -1, 0xdead0001",
        "0x7fffffff000, 0x4000, 4, 0xdead0002",
        "0xfffff, 0x4000, 4, 0xdead0002",
        "0x4000, 0x100000, 4, 0xdead0003",
        "0x4000, 0xfffffffffffffffe, 4, 0xdead0003",
        "0x4000, 0x8000, 4, 0xdead0004",
    })
    void shouldSayWhatWentWrong(String iova, String gpa, int length, String result) {
        aim(Long.parseUnsignedLong(iova.substring(2), 16), Long.parseUnsignedLong(gpa.substring(2), 16), length);
        assertThat(fire()).isEqualTo(Integer.parseUnsignedInt(result.substring(2), 16));
    }

    /** Bits 0 secure, 2:1 space, 3 space valid; secure must agree with spaces 0 and 1 where the space counts. */
    @ParameterizedTest
    @CsvSource({"0x8,false", "0x9,true", "0xa,true", "0xb,false", "0x0,true", "0x1,true", "0xc,true", "0xf,true"})
    void shouldRefuseContradictoryAttributes(String attributes, boolean accepted) {
        aim(PLACE, PLACE, 4);
        write(0x18, Long.decode(attributes));
        assertThat(fire()).isEqualTo(accepted ? 0 : 0xDEAD_0006);
    }

    /** PCI Local Bus 3.0 section 6.2.2, command register bit 2. */
    @Test
    void shouldWriteNothingWithoutBusMastering() {
        device.config().write(0x04, 2, 0x2);
        aim(PLACE, PLACE, 4);
        assertThat(fire()).isEqualTo(0xDEAD_0002);
        assertThat(memory.readInt(PLACE)).isZero();
    }

    @Test
    void shouldForgetEverythingOnReset() {
        aim(PLACE, PLACE, 4);
        write(0x14, 1);
        device.reset();
        assertThat(read(0x10)).isEqualTo(0xFFFF_FFFF);
        assertThat(read(0x04) | read(0x0C) | read(0x1C)).isZero();
    }

    @Test
    void shouldSurviveRandomAccesses() {
        long seed = 20_261_123;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 20_000; i++) {
            int width = 1 << random.nextInt(4);
            long offset = random.nextInt(0x40);
            if (random.nextBoolean()) {
                device.writeBar(0, offset, width, random.nextLong() >>> random.nextInt(64));
            } else {
                assertThat(device.readBar(0, offset, width) & ~0xFFFF_FFFFL)
                        .as("seed " + seed)
                        .isZero();
            }
            assertThat(device.registerName(0, offset)).isNotEmpty();
        }
    }
}
