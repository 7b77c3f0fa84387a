package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.golden.Bench;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever a guest does, a device neither throws nor hangs nor works without bound, and touches no memory but the guest's. */
class HostileAccessTest {
    private static final long SEED = 0x1057_11E5_EED5L;
    private static final byte[] MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    /** No transfer is longer: a TSO buffer, or the largest receive buffer, is at most 1 MiB by its descriptor's 20 bits. */
    private static final int LONGEST_REQUEST = 1 << 20;

    /** A chain has at most 256 descriptors, each fetched and its buffer moved; index, used element, flags, a message. */
    private static final HostileGuest.Bound VIRTIO = new HostileGuest.Bound(8, 2 * 256 + 8);

    /** One lap over the 65 528 descriptors of the largest ring, of both queues: a fetch, a buffer, a write-back each. */
    private static final HostileGuest.Bound E1000_RINGS = new HostileGuest.Bound(2 * 3 * 65_528, 8);

    enum Device {
        E1000_82540EM(
                (dma, pin, wire, clock) -> E1000.create(E1000Model.I82540EM, MAC, dma, pin, wire, clock), E1000_RINGS),
        E1000_82574L(
                (dma, pin, wire, clock) -> E1000.create(E1000Model.I82574L, MAC, dma, pin, wire, clock), E1000_RINGS),
        VIRTIO_NET(
                (dma, pin, wire, clock) -> new VirtioNet(VirtioNetOptions.defaults(MAC), dma, pin, wire, clock),
                VIRTIO);

        private final Bench.Maker maker;
        private final HostileGuest.Bound bound;

        Device(Bench.Maker maker, HostileGuest.Bound bound) {
            this.maker = maker;
            this.bound = bound;
        }

        HostileGuest guest(long seed) {
            return this == VIRTIO_NET
                    ? new HostileVirtioGuest(seed, maker, bound)
                    : new HostileE1000Guest(seed, maker, bound);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldSurviveAMillionAccesses(Device device) {
        survive(device, SEED, 1_000_000);
    }

    @Tag("nightly")
    @ParameterizedTest
    @EnumSource
    void shouldSurviveTwentyMillionAccesses(Device device) {
        survive(device, System.nanoTime(), 20_000_000);
    }

    private static void survive(Device device, long seed, int accesses) {
        try (HostileGuest guest = device.guest(seed)) {
            for (int i = 0; i < accesses; i++) {
                try {
                    guest.act();
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError(
                            device + " seed " + seed + "L access " + i + " after " + guest.step() + ": " + e, e);
                }
            }
            assertThat(guest.window().neighboursUntouched())
                    .as("seed %d: memory of other guests", seed)
                    .isTrue();
            assertThat(guest.window().longest())
                    .as("seed %d: longest request", seed)
                    .isLessThanOrEqualTo(LONGEST_REQUEST);
            // A device that does nothing survives everything.
            assertThat(guest.sent()).as("seed %d: frames sent", seed).isGreaterThan(accesses / 1000);
            assertThat(guest.taken()).as("seed %d: frames received", seed).isGreaterThan(accesses / 1000);
            assertThat(guest.dma().faults())
                    .as("seed %d: faulted requests", seed)
                    .isGreaterThan(accesses / 1000);
        }
    }
}
