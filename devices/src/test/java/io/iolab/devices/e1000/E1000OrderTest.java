package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes visible before what: payload, descriptor, DD, interrupt (82540 SDM 3.2.6, 3.4.3); and how requests are batched. */
class E1000OrderTest {
    /** Notes requests, and what the first descriptor's DD was when each arrived. */
    private static final class Recorder implements DmaPort {
        final DmaPort port;
        final List<String> seen = new ArrayList<>();

        Recorder(DmaPort port) {
            this.port = port;
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            seen.add("read " + kind + " " + length);
            return port.read(iova, target, offset, length, kind);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            seen.add("write " + kind + " " + length
                    + (kind == DmaKind.DESCRIPTOR ? statusBits(source, offset, length) : ""));
            return port.write(iova, source, offset, length, kind);
        }

        /** DD of each legacy descriptor in the run. */
        private static String statusBits(byte[] source, int offset, int length) {
            StringBuilder bits = new StringBuilder(" DD ");
            for (int at = offset + 12; at < offset + length; at += 16) {
                bits.append(source[at] & 1);
            }
            return bits.toString();
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return port.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            seen.add("store " + kind + " " + (value & 1));
            return port.storeShortRelease(iova, value, kind);
        }
    }

    private static Bench bench(E1000Model model, List<Recorder> recorders) {
        return new Bench(model, port -> {
            recorders.add(new Recorder(port));
            return recorders.getFirst();
        });
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("Receive: payloads, then the run of descriptors, then the first one's DD with release order")
    void shouldPublishDescriptorsLast(E1000Model model) {
        List<Recorder> recorders = new ArrayList<>();
        try (Bench bench = bench(model, recorders)) {
            bench.openReceive(64);
            for (int i = 0; i < 3; i++) {
                bench.device.send(frame(MAC, 60), 0, 60);
            }
            assertThat(bench.read(RDH)).as("put off until the poll").isZero();
            bench.poll();
            assertThat(recorders.getFirst().seen)
                    .containsExactly(
                            "read DESCRIPTOR 256",
                            "write PAYLOAD 60",
                            "write PAYLOAD 60",
                            "write PAYLOAD 60",
                            "write DESCRIPTOR 48 DD 011",
                            "store DESCRIPTOR 1");
            assertThat(bench.read(RDH)).isEqualTo(3);
        }
    }

    @Test
    @DisplayName(
            "Transmit: sixteen descriptors by one read, never past TDT or the end; write-backs merge and precede the interrupt")
    void shouldBatchTransmitDescriptors() {
        List<Recorder> recorders = new ArrayList<>();
        try (Bench bench = bench(E1000Model.I82574L, recorders)) {
            bench.device.writeBar(3, 16, 4, 0xFEE0_0000L);
            bench.device.writeBar(3, 28, 4, 0);
            bench.device.config().write(0xA2, 2, 0x8000);
            bench.write(IVAR, 9 << 8);
            bench.write(IMS, 1 << 22);
            bench.openTransmit(32);
            for (int i = 0; i < 20; i++) {
                bench.queue(frame(PEER, 60));
            }
            bench.kick();
            List<String> seen = recorders.getFirst().seen;
            assertThat(seen.stream().filter(s -> !s.equals("read PAYLOAD 60")))
                    .containsExactly(
                            "read DESCRIPTOR 256",
                            "write DESCRIPTOR 256 DD " + "1".repeat(16),
                            "read DESCRIPTOR 64",
                            "write DESCRIPTOR 64 DD 1111",
                            "write MESSAGE 4");
            seen.clear();
            for (int i = 0; i < 14; i++) {
                bench.queue(frame(PEER, 60), i == 5 ? EOP : EOP | RS);
            }
            bench.kick();
            assertThat(seen.stream().filter(s -> s.contains("DESCRIPTOR")))
                    .as("12 to the end of the ring, 2 behind it; the one without RS is not written")
                    .containsExactly(
                            "read DESCRIPTOR 192",
                            "write DESCRIPTOR 80 DD 11111",
                            "write DESCRIPTOR 96 DD 111111",
                            "read DESCRIPTOR 32",
                            "write DESCRIPTOR 32 DD 11");
        }
    }
}
