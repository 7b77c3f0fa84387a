package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.e1000.E1000Options;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.pci.NetworkFunction;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The e1000 driver on the models of both parts. */
class E1000DriverTest {

    abstract static class OnModel extends NetDriverContract {
        abstract E1000Model model();

        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            return E1000.create(model(), MAC, host.dma(), host.pin(device), cable, host.clock());
        }

        final NetDrivers.Options with(E1000Options e1000) {
            return new NetDrivers.Options(e1000, NetDrivers.Options.defaults().virtio());
        }

        @Test
        @DisplayName("Linux's transmit hang: TDH stands still while descriptors are outstanding")
        void shouldReportAStuckUnitWithItsIndices() {
            wire.busy = true;
            transmit(0);
            driver.flush();
            assertThat(driver.transmitHung()).isFalse();
            assertThat(driver.transmitHung()).isTrue();
            assertThat(driver.report().getFirst())
                    .matches("e1000 0000:00:03.0 eth0: Detected Tx Unit Hang"
                            + "|e1000e 0000:00:03.0 eth0: Detected Hardware Unit Hang:");
            assertThat(driver.report())
                    .contains(
                            "  TDH                  <0>",
                            "  TDT                  <1>",
                            "  next_to_use          <1>",
                            "  next_to_clean        <0>",
                            "buffer_info[next_to_clean]");
        }

        @Test
        void shouldCountNoReceiveErrors() {
            arrive(0, 20);
            settle();
            expectReceived(0, 20);
            assertThat(driver.receiveErrors()).isZero();
        }

        @Test
        @DisplayName("RCTL.BAM and the station filter: broadcast passes, a stranger's frame does not")
        void shouldReceiveBroadcastButNoStrangersFrames() {
            byte[] broadcast = Wire.frame(new byte[] {-1, -1, -1, -1, -1, -1}, 1);
            byte[] strange = Wire.frame(new byte[] {2, 9, 9, 9, 9, 9}, 2);
            function.send(strange, 0, strange.length);
            function.send(broadcast, 0, broadcast.length);
            function.poll(1);
            assertThat(settle()).isEqualTo(1);
        }
    }

    @Nested
    @DisplayName("82540EM")
    class Legacy extends OnModel {
        @Override
        E1000Model model() {
            return E1000Model.I82540EM;
        }

        @Override
        int many() {
            return 100_000;
        }

        @Test
        void shouldCostWhatLinuxCosts() {
            machine.countAccesses();
            arrive(0, 1);
            settle();
            assertThat(machine.accesses())
                    .isEqualTo(Map.of("read ICR", 1, "write IMC", 1, "write IMS", 1, "write RDT", 1));
            machine.countAccesses();
            transmit(0);
            driver.flush();
            assertThat(machine.accesses()).isEqualTo(Map.of("write TDT", 1));
        }

        @Test
        @DisplayName("a probe costs tens of thousands of accesses, most of them EECD and its flushes")
        void shouldProbeInTheOrderOfLinuxFigures() {
            try (TestMachine other = new TestMachine()) {
                other.plug(8, device(other, 1, wire));
                NetDriver second = NetDrivers.probe(other, other.bus(), options());
                other.countAccesses();
                second.open();
                int all = other.accesses().values().stream()
                        .mapToInt(Integer::intValue)
                        .sum();
                assertThat(all).isBetween(11_000, 30_000);
            }
        }
    }

    @Nested
    @DisplayName("82540EM with Linux's moderation")
    class LegacyModerated extends OnModel {
        @Override
        E1000Model model() {
            return E1000Model.I82540EM;
        }

        @Override
        NetDrivers.Options options() {
            return with(E1000Options.defaults());
        }

        @Override
        void deviceRests() {
            machine.advance(100_000);
        }
    }

    @Nested
    @DisplayName("82540EM, receive buffers of 512 bytes")
    class LegacySmallBuffers extends OnModel {
        @Override
        E1000Model model() {
            return E1000Model.I82540EM;
        }

        @Override
        NetDrivers.Options options() {
            return with(E1000Options.defaults().unmoderated().withBufferSize(512));
        }

        @Override
        int longestBurst() {
            return 40;
        }
    }

    @Nested
    @DisplayName("82574L")
    class Extended extends OnModel {
        @Override
        E1000Model model() {
            return E1000Model.I82574L;
        }

        @Override
        int many() {
            return 100_000;
        }

        @Test
        void shouldCostWhatLinuxCosts() {
            machine.countAccesses();
            for (int i = 0; i < 16; i++) {
                arrive(i, 1);
                settle();
            }
            assertThat(machine.accesses()).isEqualTo(Map.of("write IMS", 16, "write RDT", 1));
            machine.countAccesses();
            transmit(0);
            driver.flush();
            assertThat(machine.accesses()).isEqualTo(Map.of("write TDT", 1));
        }

        @Test
        @DisplayName("82574 7.4.5: the read of ICR for a link change may wipe a queue's cause, which is raised again")
        void shouldNotLoseAFrameToTheOtherVectorsReadOfIcr() {
            boolean[] armed = {true};
            machine.onStore((register, value) -> {
                if (armed[0] && register.equals("IMS")) {
                    armed[0] = false;
                    arrive(1, 1);
                    function.setLink(false);
                    function.poll(1);
                    machine.serviceInterrupts();
                }
            });
            arrive(0, 1);
            settle();
            assertThat(armed[0]).isFalse();
            expectReceived(0, 2);
        }
    }

    @Nested
    @DisplayName("82574L with Linux's moderation")
    class ExtendedModerated extends OnModel {
        @Override
        E1000Model model() {
            return E1000Model.I82574L;
        }

        @Override
        NetDrivers.Options options() {
            return with(E1000Options.defaults());
        }

        @Override
        void deviceRests() {
            machine.advance(100_000);
        }
    }

    @Nested
    @DisplayName("82574L, small rings")
    class ExtendedSmallRings extends OnModel {
        @Override
        E1000Model model() {
            return E1000Model.I82574L;
        }

        @Override
        int longestBurst() {
            return 31;
        }

        @Override
        NetDrivers.Options options() {
            return with(E1000Options.defaults().unmoderated().withRings(80, 80));
        }
    }
}
