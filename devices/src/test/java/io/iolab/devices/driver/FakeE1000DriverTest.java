package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.e1000.E1000Options;
import io.iolab.devices.pci.NetworkFunction;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The e1000 driver on a fake of each part: what it refuses, what it costs, how it finds a hang. */
class FakeE1000DriverTest {

    abstract static class OnFake extends NetDriverContract {
        abstract boolean pcie();

        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            return new FakeE1000(pcie(), MAC, host.dma(), host.pin(device), cable);
        }

        FakeE1000 fake() {
            return (FakeE1000) function;
        }

        /** Opens a second machine whose device was spoilt first. */
        void openSpoilt(java.util.function.Consumer<FakeE1000> fault) {
            try (TestMachine other = new TestMachine()) {
                FakeE1000 device = new FakeE1000(pcie(), MAC, other.dma(), other.pin(4), wire);
                fault.accept(device);
                other.plug(4 << 3, device);
                NetDrivers.probe(other, other.bus(), options()).open();
            }
        }

        @Test
        @DisplayName("8254x SDM 5.6.35: words 00h-3Fh add up to BABAh")
        void shouldRefuseAWrongChecksum() {
            assertThatThrownBy(() -> openSpoilt(device -> device.nvm[0x10] = 1))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("checksum")
                    .hasMessageContaining("0xbabb");
        }

        @Test
        void shouldRefuseAGroupAddress() {
            assertThatThrownBy(() -> openSpoilt(device -> {
                        device.nvm[0] |= 1;
                        device.nvm[0x3F] -= 1;
                    }))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("station address");
        }

        @Test
        void shouldRefuseAnUnknownPhy() {
            assertThatThrownBy(() -> openSpoilt(device -> device.phyId(0x0C50)))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("PHY id")
                    .hasMessageContaining("0x1410c50");
        }

        @Test
        void shouldRefuseAnUnknownDeviceId() {
            assertThatThrownBy(() -> openSpoilt(device -> device.config().put(2, 2, 0x1234)))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("8086:1234");
        }

        @Test
        @DisplayName("Linux's transmit hang: TDH stands still while descriptors are outstanding")
        void shouldReportAStuckUnitWithItsIndices() {
            transmit(0);
            driver.flush();
            settle();
            wire.taken().clear();
            fake().stuck = true;
            transmit(1);
            transmit(2);
            driver.flush();
            assertThat(driver.transmitHung()).isFalse();
            assertThat(driver.transmitHung()).isTrue();
            assertThat(driver.report())
                    .contains(
                            "  TDH                  <1>",
                            "  TDT                  <3>",
                            "  next_to_use          <3>",
                            "  next_to_clean        <1>",
                            "  next_to_watch.status <0>");
        }

        @Test
        @DisplayName("STATUS.TXOFF: a pause frame holds the unit, it does not hang")
        void shouldNotCallAPausedUnitHung() {
            fake().stuck = true;
            transmit(0);
            driver.flush();
            driver.transmitHung();
            fake().pause(true);
            assertThat(driver.transmitHung()).isFalse();
            fake().pause(false);
            assertThat(driver.transmitHung()).isTrue();
        }

        @Test
        @DisplayName("TCTL.EN waits for the link, as in Linux's watchdog")
        void shouldStartToTransmitWhenTheLinkComesUpLater() {
            try (TestMachine other = new TestMachine()) {
                FakeE1000 device = new FakeE1000(pcie(), MAC, other.dma(), other.pin(4), wire);
                device.unplugged = true;
                other.plug(4 << 3, device);
                NetDriver late = NetDrivers.probe(other, other.bus(), options());
                late.open();
                other.serviceInterrupts();
                late.poll(1, (frame, offset, length) -> {});
                assertThat(device.register(0x400) & 2).isZero();
                device.unplugged = false;
                device.setLink(true);
                assertThat(other.serviceInterrupts()).isTrue();
                late.poll(1, (frame, offset, length) -> {});
                assertThat(device.register(0x400) & 2).isEqualTo(2);
            }
        }
    }

    @Nested
    @DisplayName("82540EM")
    class Legacy extends OnFake {
        @Override
        boolean pcie() {
            return false;
        }

        @Test
        void shouldRefuseAnEepromThatIsNeverGranted() {
            assertThatThrownBy(() -> openSpoilt(device -> device.refusesGrant = true))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("EECD")
                    .hasMessageContaining("GNT");
        }

        @Test
        @DisplayName("three register accesses a receive interrupt, RDT once for a poll that found frames")
        void shouldCostWhatLinuxCosts() {
            machine.countAccesses();
            arrive(0, 1);
            settle();
            assertThat(machine.accesses())
                    .isEqualTo(Map.of("read ICR", 1, "write IMC", 1, "write IMS", 1, "write RDT", 1));
            machine.countAccesses();
            transmit(0);
            transmit(1);
            driver.flush();
            assertThat(machine.accesses()).isEqualTo(Map.of("write TDT", 1));
        }

        @Test
        @DisplayName("RDT is the last filled descriptor, every 16 frames and at the end of a poll")
        void shouldRefillInBatches() {
            assertThat(fake().register(0x2818)).isEqualTo(254);
            machine.countAccesses();
            arrive(0, 40);
            settle();
            assertThat(machine.accesses()).containsEntry("write RDT", 3);
            assertThat(fake().register(0x2818)).isEqualTo((254 + 40) % 256);
        }

        @Test
        @DisplayName("an EEPROM word costs 160 register accesses by bit-bang, as in Linux")
        void shouldReadTheEepromByItsPins() {
            try (TestMachine other = new TestMachine()) {
                other.plug(8, new FakeE1000(false, MAC, other.dma(), other.pin(1), wire));
                NetDriver second = NetDrivers.probe(other, other.bus(), options());
                other.countAccesses();
                second.open();
                int eecd = other.accesses().get("read EECD") + other.accesses().get("write EECD");
                // 64 words of checksum, 3 of the address, 24h, 04h and 0Fh; less the flushing reads of STATUS: 71 of
                // 160.
                int perWord = 160 - flushesPerWord();
                assertThat(eecd).isEqualTo(1 + (64 + 3 + 3) * perWord);
            }
        }

        /** One for each edge: 3 for each of 9 bits out, 2 for each of 16 bits in, 4 in standby, 2 at release. */
        private int flushesPerWord() {
            return 3 * 9 + 2 * 16 + 4 + 2;
        }
    }

    @Nested
    @DisplayName("82540EM, receive buffers of 512 bytes")
    class LegacySmallBuffers extends OnFake {
        @Override
        boolean pcie() {
            return false;
        }

        @Override
        NetDrivers.Options options() {
            return new NetDrivers.Options(
                    E1000Options.defaults().unmoderated().withBufferSize(512),
                    super.options().virtio());
        }
    }

    @Nested
    @DisplayName("82574L")
    class Extended extends OnFake {
        @Override
        boolean pcie() {
            return true;
        }

        @Test
        void shouldRefuseFirmwareThatKeepsMdio() {
            assertThatThrownBy(() -> openSpoilt(device -> device.ignoresExtcnf = true))
                    .isInstanceOf(DriverException.class)
                    .hasMessageContaining("EXTCNF_CTRL");
        }

        @Test
        @DisplayName("one register access an interrupt, RDT at every sixteenth index alone")
        void shouldCostWhatLinuxCosts() {
            assertThat(fake().register(0x2818)).isEqualTo(240);
            machine.countAccesses();
            for (int i = 0; i < 16; i++) {
                arrive(i, 1);
                settle();
            }
            assertThat(machine.accesses()).isEqualTo(Map.of("write IMS", 16, "write RDT", 1));
            assertThat(fake().register(0x2818)).isZero();
            machine.countAccesses();
            transmit(0);
            transmit(1);
            driver.flush();
            assertThat(machine.accesses()).isEqualTo(Map.of("write TDT", 1));
        }
    }

    @Nested
    @DisplayName("82574L, small rings")
    class ExtendedSmallRings extends OnFake {
        @Override
        boolean pcie() {
            return true;
        }

        @Override
        int longestBurst() {
            return 31;
        }

        @Override
        NetDrivers.Options options() {
            return new NetDrivers.Options(
                    E1000Options.defaults().unmoderated().withRings(80, 80),
                    super.options().virtio());
        }
    }
}
