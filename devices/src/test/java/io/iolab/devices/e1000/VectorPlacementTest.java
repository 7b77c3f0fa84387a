package io.iolab.devices.e1000;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.ConfigSpace;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A function whose MSI-X table lies beside its registers (PCI Local Bus 3.0 section 6.8.2): found through the capability alone. */
class VectorPlacementTest {
    private static final int MSIX = 0xA0;
    private static final int TDT = 0x3818;
    private static final int TDBAL = 0x3800;
    private static final int ICS = 0xC8;
    private static final int IMS = 0xD0;
    private static final int IVAR = 0xE4;
    private static final int TXQ0 = 1 << 22;

    private final PhysicalMemory memory = PhysicalMemory.allocate(4096);
    private final List<String> messages = new ArrayList<>();
    private final E1000 device = E1000.create(
            E1000Model.I82574L,
            E1000Board.SHARED_VECTOR_PAGE,
            new byte[] {2, 0, 0, 0, 0, 1},
            new DirectDma(memory, (address, data) -> messages.add(address + "=" + data)),
            InterruptPin.UNCONNECTED,
            FramePort.UNPLUGGED,
            () -> 0);

    @AfterEach
    void close() {
        memory.close();
    }

    private int place(int register) {
        assertThat(device.config().read(MSIX, 1)).isEqualTo(0x11);
        int value = device.config().read(MSIX + register, 4);
        assertThat(value & 7).as("BAR").isZero();
        return value & ~7;
    }

    @Test
    @DisplayName("table and pending bits share the 4 KiB page of TDT, and there is no BAR3")
    void shouldShareThePageOfTheTransmitRegisters() {
        assertThat(place(4) >>> 12).isEqualTo(TDT >>> 12);
        assertThat(place(8) >>> 12).isEqualTo(TDT >>> 12);
        assertThat(device.config().bar(3)).isNull();
        assertThat(device.config().read(0x1C, 4)).isZero();
        assertThat(device.registerName(0, place(4) + 79)).isEqualTo("MSIX_TABLE");
        assertThat(device.registerName(0, place(8))).isEqualTo("MSIX_PBA");
        assertThat(device.registerName(0, TDT)).isEqualTo("TDT");
    }

    @Test
    @DisplayName("five masked entries after reset; no register of the device is hidden, none answers twice")
    void shouldHoldEntriesBesideRegisters() {
        int table = place(4);
        for (int vector = 0; vector < 5; vector++) {
            assertThat(device.readBar(0, table + 16L * vector + 12, 4)).isOne();
        }
        device.writeBar(0, TDBAL, 4, 0x1230);
        device.writeBar(0, table, 4, 0xFEE0_0000L);

        assertThat(device.readBar(0, TDBAL, 4)).isEqualTo(0x1230);
        assertThat(device.readBar(0, table, 4)).isEqualTo(0xFEE0_0000L);
        for (long offset = table - 16L; offset < place(8) + 16; offset += 4) {
            String name = device.registerName(0, offset);
            assertThat(name).isIn("MSIX_TABLE", "MSIX_PBA", "unimplemented");
        }
    }

    @Test
    void shouldSendTheMessageOfItsEntryOrLetItPend() {
        int table = place(4);
        device.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER);
        device.writeBar(0, table + 32, 4, 0xFEE0_1000L);
        device.writeBar(0, table + 40, 4, 0x42);
        device.config().write(MSIX + 2, 2, 0x8000);
        // 82574 datasheet 10.2.4.9: transmit queue 0 in bits 11:8, valid bit and vector 2.
        device.writeBar(0, IVAR, 4, 0xA00);
        device.writeBar(0, IMS, 4, TXQ0);
        device.writeBar(0, ICS, 4, TXQ0);
        device.poll(1);
        assertThat(messages).isEmpty();
        assertThat(device.readBar(0, place(8), 4)).isEqualTo(1 << 2);

        device.writeBar(0, table + 44, 4, 0);

        assertThat(messages).containsExactly(0xFEE0_1000L + "=" + 0x42);
        assertThat(device.readBar(0, place(8), 4)).isZero();
    }
}
