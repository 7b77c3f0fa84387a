package io.iolab.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import org.junit.jupiter.api.Test;

/** PCI Local Bus 3.0 section 6.2.2, command register bit 2. */
class BusMasterGateTest {
    private final ConfigSpace config = new ConfigSpace(0x8086, 0x100E, 3, 0x020000).seal();
    private final MessageLog port = new MessageLog();
    private final BusMasterGate gate = new BusMasterGate(config, port);

    @Test
    void shouldIssueNothingWhileBusMasteringIsOff() {
        config.write(ConfigSpace.COMMAND, 2, ~ConfigSpace.COMMAND_BUS_MASTER);
        byte[] buffer = new byte[16];
        assertThat(gate.read(0, buffer, 0, 16, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(gate.write(0, buffer, 0, 16, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(gate.write(0xFEE0_0000L, buffer, 0, 4, DmaKind.MESSAGE)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(DmaFault.of(gate.loadShortAcquire(0, DmaKind.DESCRIPTOR))).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(gate.storeShortRelease(0, 1, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(port.writes).isEmpty();
        assertThat(port.otherRequests).isZero();
    }

    @Test
    void shouldPassRequestsAndResultsWhileItIsOn() {
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        byte[] buffer = {9, 1, 2, 3, 4};
        assertThat(gate.write(0x77, buffer, 1, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        assertThat(port.take()).containsExactly(new MessageLog.Write(0x77, 0x0403_0201, DmaKind.PAYLOAD));
        assertThat(gate.read(0, buffer, 0, 4, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.NONE);
        assertThat(gate.loadShortAcquire(0, DmaKind.DESCRIPTOR)).isEqualTo(0x1234);
        assertThat(gate.storeShortRelease(0, 1, DmaKind.DESCRIPTOR)).isEqualTo(DmaFault.NO_WRITE);
        assertThat(port.otherRequests).isEqualTo(3);
    }

    @Test
    void shouldFollowTheBitThroughReset() {
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        config.reset();
        assertThat(gate.read(0, new byte[4], 0, 4, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BUS_MASTER_OFF);
    }
}
