package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a device may rely on, whatever sits behind its port. The first {@link #REACHABLE} bytes of memory are reachable at addresses
 * equal to their own.
 */
abstract class DmaPortContract {
    static final int REACHABLE = 4 << 20;

    final PhysicalMemory memory = PhysicalMemory.allocate(8 << 20);
    private final List<Long> messages = new ArrayList<>();
    private DmaPort port;

    abstract DmaPort connect(PhysicalMemory hostMemory, MessagePort messagePort);

    @BeforeEach
    void connect() {
        port = connect(memory, (address, data) -> messages.add(address << 32 | data));
    }

    @AfterEach
    void release() {
        memory.close();
    }

    @Test
    void shouldMoveBytesOfAnyLengthAndAlignment() {
        long seed = 0x5EED;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2_000; i++) {
            int length = random.nextInt(20_000);
            long iova = random.nextLong(REACHABLE / 2, REACHABLE - length);
            byte[] sent = new byte[length + 7];
            random.nextBytes(sent);
            byte[] seen = new byte[length + 3];
            String what = "seed " + seed + ", move " + i;
            assertThat(port.write(iova, sent, 7, length, DmaKind.PAYLOAD))
                    .as(what)
                    .isEqualTo(DmaFault.NONE);
            assertThat(port.read(iova, seen, 3, length, DmaKind.PAYLOAD))
                    .as(what)
                    .isEqualTo(DmaFault.NONE);
            assertThat(java.util.Arrays.equals(sent, 7, length + 7, seen, 3, length + 3))
                    .as(what)
                    .isTrue();
            if (length != 0) {
                assertThat(memory.readByte(iova + length - 1)).as(what).isEqualTo(sent[length + 6]);
            }
        }
    }

    @Test
    void shouldLeaveNeighboursAlone() {
        memory.fill(REACHABLE - 8192, 8192, (byte) 0x77);
        assertThat(port.write(REACHABLE - 4100, new byte[8], 0, 8, DmaKind.DESCRIPTOR))
                .isEqualTo(DmaFault.NONE);
        assertThat(memory.readByte(REACHABLE - 4101)).isEqualTo((byte) 0x77);
        assertThat(memory.readByte(REACHABLE - 4092)).isEqualTo((byte) 0x77);
        assertThat(memory.readLong(REACHABLE - 4100)).isZero();
    }

    @Test
    void shouldLoadAndStoreShorts() {
        assertThat(port.storeShortRelease(REACHABLE - 2, 0x1_FFFE, DmaKind.DESCRIPTOR))
                .isEqualTo(DmaFault.NONE);
        assertThat(memory.readShort(REACHABLE - 2)).isEqualTo((short) 0xFFFE);
        assertThat(port.loadShortAcquire(REACHABLE - 2, DmaKind.DESCRIPTOR)).isEqualTo(0xFFFE);
    }

    @Test
    void shouldRefuseUnalignedShorts() {
        assertThat(port.loadShortAcquire(REACHABLE - 5, DmaKind.DESCRIPTOR))
                .isEqualTo(DmaFault.BEYOND_MEMORY.asResult());
        assertThat(port.storeShortRelease(REACHABLE - 5, 1, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(memory.readLong(REACHABLE - 8)).isZero();
    }

    /** No address and no length makes it throw, and nothing moves where a request cannot be served. */
    @Test
    void shouldFailWithoutExceptionAnywhereOutside() {
        long[] outside = {
            memory.size(), 1L << 32, 1L << 39, 1L << 48, 1L << 57, Long.MAX_VALUE - 4095, Long.MIN_VALUE, -4096, -1, -2
        };
        for (long iova : outside) {
            for (int length : new int[] {1, 2, 4096, 10_000}) {
                byte[] buffer = new byte[10_000];
                java.util.Arrays.fill(buffer, (byte) 0x33);
                assertThat(port.read(iova, buffer, 0, length, DmaKind.PAYLOAD)).isNotEqualTo(DmaFault.NONE);
                assertThat(buffer).as("0x%x", iova).containsOnly(0x33);
                assertThat(port.write(iova, buffer, 0, length, DmaKind.PAYLOAD)).isNotEqualTo(DmaFault.NONE);
            }
            assertThat(port.loadShortAcquire(iova, DmaKind.DESCRIPTOR)).isNegative();
            assertThat(port.storeShortRelease(iova, 1, DmaKind.DESCRIPTOR)).isNotEqualTo(DmaFault.NONE);
        }
    }

    /** A dword write to 0xFEEx_xxxx is a message, anything else there goes nowhere (PCI 3.0 6.8). */
    @Test
    void shouldTurnDwordWritesToInterruptRangeIntoMessages() {
        byte[] data = new byte[8];
        LittleEndian.putInt(data, 2, 0x4041);
        assertThat(port.write(0xFEE0_1000L, data, 2, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.NONE);
        assertThat(port.write(0xFEEF_FFFCL, data, 2, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.NONE);
        assertThat(messages).containsExactly(0xFEE0_1000L << 32 | 0x4041, 0xFEEF_FFFCL << 32 | 0x4041);

        assertThat(port.write(0xFEE0_1000L, data, 0, 8, DmaKind.MESSAGE)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(port.write(0xFEE0_1002L, data, 0, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(port.read(0xFEE0_1000L, data, 0, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(port.loadShortAcquire(0xFEE0_1000L, DmaKind.MESSAGE)).isNegative();
        assertThat(port.storeShortRelease(0xFEE0_1000L, 1, DmaKind.MESSAGE)).isEqualTo(DmaFault.BEYOND_MEMORY);
        assertThat(messages).hasSize(2);
    }

    @Test
    void shouldAcceptEmptyRequests() {
        assertThat(port.read(REACHABLE / 2, new byte[0], 0, 0, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(port.write(REACHABLE / 2, new byte[0], 0, 0, DmaKind.PAYLOAD))
                .isEqualTo(DmaFault.NONE);
    }
}
