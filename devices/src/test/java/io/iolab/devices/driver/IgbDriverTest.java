package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.igb.IgbOptions;
import io.iolab.devices.igb.Igb82576;
import io.iolab.devices.pci.NetworkFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The igb driver on an 82576 without virtual functions. */
class IgbDriverTest {
    abstract static class OnModel extends NetDriverContract {
        abstract IgbOptions igb();

        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            return Igb82576.create(MAC, rid -> host.dma(), host.pin(device), cable, host.clock());
        }

        @Override
        NetDrivers.Options options() {
            NetDrivers.Options defaults = NetDrivers.Options.defaults();
            return new NetDrivers.Options(defaults.e1000(), defaults.virtio(), igb(), defaults.igbvf());
        }

        @Test
        void shouldCallItselfIgb() {
            assertThat(driver.name()).isEqualTo("igb");
        }
    }

    @Nested
    @DisplayName("rings of 256")
    class Usual extends OnModel {
        @Override
        IgbOptions igb() {
            return IgbOptions.physical().unmoderated();
        }
    }

    @Nested
    @DisplayName("rings of 64")
    class Small extends OnModel {
        @Override
        IgbOptions igb() {
            return IgbOptions.physical().unmoderated().withRings(64, 64);
        }

        @Override
        int longestBurst() {
            return 47;
        }
    }
}
