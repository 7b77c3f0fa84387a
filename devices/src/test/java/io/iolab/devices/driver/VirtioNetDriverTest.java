package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The virtio-net driver on the virtio-net model, with each choice that changes what goes through the rings. */
class VirtioNetDriverTest {

    /** Other forms of rings and kicks; the device offers all, and each class wants some. */
    private static final long NEWER = VirtioFeatures.RING_PACKED
            | VirtioFeatures.IN_ORDER
            | VirtioFeatures.ORDER_PLATFORM
            | VirtioFeatures.NOTIFICATION_DATA
            | VirtioFeatures.NOTIF_CONFIG_DATA
            | VirtioFeatures.RING_RESET;

    abstract static class OnModel extends NetDriverContract {
        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            VirtioNetOptions everything = new VirtioNetOptions(MAC, 256, NetFeatures.DEFAULT | NEWER);
            return new VirtioNet(everything, host.dma(), host.pin(device), cable, host.clock());
        }

        VirtioOptions virtio() {
            return VirtioOptions.defaults();
        }

        @Override
        NetDrivers.Options options() {
            return new NetDrivers.Options(super.options().e1000(), virtio());
        }

        long features() {
            return ((VirtioNetDriver) driver).features();
        }
    }

    @Nested
    @DisplayName("EVENT_IDX, header in front")
    class Defaults extends OnModel {
        @Override
        int many() {
            return 100_000;
        }

        @Test
        void shouldNegotiateWhatBothKnow() {
            assertThat(features() & VirtioFeatures.VERSION_1).isNotZero();
            assertThat(features() & VirtioFeatures.EVENT_IDX).isNotZero();
        }

        @Test
        @DisplayName("no device access per packet but kicks, none per interrupt")
        void shouldTouchNoRegisterInTheDataPathButNotify() {
            machine.countAccesses();
            for (int i = 0; i < 10; i++) {
                transmit(i);
                driver.flush();
                arrive(i, 1);
                settle();
            }
            expectReceived(0, 10);
            assertThat(machine.accesses().keySet()).allMatch(name -> name.startsWith("write queue_notify"));
        }
    }

    @Nested
    class WithoutEventIdx extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().without(VirtioFeatures.EVENT_IDX);
        }
    }

    @Nested
    @DisplayName("one MSI-X vector for the configuration and all queues")
    class OneVectorForAll extends OnModel {
        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            VirtioNetOptions few = new VirtioNetOptions(MAC, 256, NetFeatures.DEFAULT).withVectors(1);
            return new VirtioNet(few, host.dma(), host.pin(device), cable, host.clock());
        }

        @Test
        @Spec(id = "D45.2", section = "virtio 1.2 4.1.5.4.2")
        @DisplayName(
                "4.1.5.4.2: a change of the configuration and a used buffer in the same interrupt are both noticed")
        void shouldNoticeAChangeAndAFrameByTheSameInterrupt() {
            VirtioNetDriver net = (VirtioNetDriver) driver;
            settle();
            assertThat(net.linkUp()).isTrue();
            arrive(0, 1);
            function.setLink(false);
            settle();
            expectReceived(0, 1);
            assertThat(net.linkUp()).isFalse();
            function.setLink(true);
            settle();
            assertThat(net.linkUp()).isTrue();
        }
    }

    @Nested
    class WithoutMergeableBuffers extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().without(VirtioFeatures.MRG_RXBUF);
        }
    }

    @Nested
    class FramesOverSeveralBuffers extends OnModel {
        @Override
        VirtioOptions virtio() {
            // A full frame and its header take 3 of 512 bytes: 61 of them still fit a queue of 256.
            return VirtioOptions.defaults().withBufferSize(512);
        }
    }

    @Nested
    class HeaderInAnIndirectTable extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().withHeader(VirtioOptions.HeaderPlacement.SEPARATE);
        }
    }

    @Nested
    class HeaderInAChain extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults()
                    .withHeader(VirtioOptions.HeaderPlacement.SEPARATE)
                    .without(VirtioFeatures.INDIRECT_DESC);
        }
    }

    @Nested
    class SmallQueue extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().withLargestQueue(64);
        }

        /** Up to half a queue waits to be given back. */
        @Override
        int longestBurst() {
            return 31;
        }
    }

    @Nested
    @DisplayName("packed rings")
    class PackedRings extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(VirtioFeatures.RING_PACKED);
        }

        @Test
        void shouldNegotiatePackedRings() {
            assertThat(features() & NEWER).isEqualTo(VirtioFeatures.RING_PACKED);
        }
    }

    @Nested
    class PackedRingsWithoutEventIdx extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(VirtioFeatures.RING_PACKED).without(VirtioFeatures.EVENT_IDX);
        }
    }

    @Nested
    class PackedRingsOfAnOddSize extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(VirtioFeatures.RING_PACKED).withLargestQueue(201);
        }
    }

    @Nested
    class PackedRingsWithHeadersInLists extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults()
                    .with(VirtioFeatures.RING_PACKED)
                    .withLargestQueue(201)
                    .withHeader(VirtioOptions.HeaderPlacement.SEPARATE)
                    .without(VirtioFeatures.INDIRECT_DESC);
        }
    }

    @Nested
    class PackedRingsWithHeadersInTables extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults()
                    .with(VirtioFeatures.RING_PACKED)
                    .withHeader(VirtioOptions.HeaderPlacement.SEPARATE);
        }
    }

    @Nested
    class PackedRingsAndFramesOverSeveralBuffers extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(VirtioFeatures.RING_PACKED).withBufferSize(512);
        }
    }

    @Nested
    class EverythingOnPackedRings extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(NEWER);
        }

        @Test
        void shouldNegotiateEverything() {
            assertThat(features() & NEWER).isEqualTo(NEWER);
        }
    }

    @Nested
    class EverythingOnSplitRings extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(NEWER).without(VirtioFeatures.RING_PACKED);
        }
    }

    @Nested
    class SplitRingsInOrderWithChains extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults()
                    .with(VirtioFeatures.IN_ORDER)
                    .withHeader(VirtioOptions.HeaderPlacement.SEPARATE)
                    .without(VirtioFeatures.INDIRECT_DESC);
        }
    }

    @Nested
    class PackedRingsInOrderWithListsAndWithoutEventIdx extends OnModel {
        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults()
                    .with(VirtioFeatures.IN_ORDER | VirtioFeatures.RING_PACKED)
                    .withHeader(VirtioOptions.HeaderPlacement.SEPARATE)
                    .without(VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX);
        }
    }

    /** Everything that both know, split rings. */
    @Nested
    class EveryFeature extends OnModel {
        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            VirtioNetOptions all = VirtioNetOptions.defaults(MAC)
                    .withFeatures(NetFeatures.IMPLEMENTED & ~NetFeatures.NOTF_COAL & ~RINGS)
                    .withQueuePairs(4);
            return new VirtioNet(all, host.dma(), host.pin(device), cable, host.clock());
        }

        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults()
                    .with(VirtioFeatures.ALL & ~VirtioFeatures.RINGS)
                    .withQueuePairs(4);
        }
    }

    /** Packed rings, in order, with everything else. */
    @Nested
    class EveryFeaturePacked extends OnModel {
        @Override
        NetworkFunction device(TestMachine host, int device, Wire cable) {
            VirtioNetOptions all = VirtioNetOptions.defaults(MAC)
                    .withFeatures(NetFeatures.IMPLEMENTED)
                    .withQueuePairs(4);
            return new VirtioNet(all, host.dma(), host.pin(device), cable, host.clock());
        }

        @Override
        VirtioOptions virtio() {
            return VirtioOptions.defaults().with(VirtioFeatures.ALL).withQueuePairs(4);
        }
    }

    private static final long RINGS = VirtioFeatures.RINGS | VirtioFeatures.ACCESS_PLATFORM;
}
