package io.iolab.devices.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The machine that the replays run on, with a function that only does what it is told. */
class BenchTest {
    private final List<Long> polledAt = new ArrayList<>();
    private long due = Long.MAX_VALUE;
    private int busy;
    private final Bench bench = new Bench(Echo::new);
    private final Echo echo = (Echo) bench.function();

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void shouldDecodeBarsOnlyWhenPlacedAndEnabled() {
        bench.write(0, 8, 4, 5);
        assertThat(bench.read(0, 8, 4)).isZero();
        bench.enable();
        bench.write(0, 8, 4, 5);
        assertThat(bench.read(0, 8, 4)).isEqualTo(5);
        assertThat(bench.read(0, 0x1000, 4)).as("past the BAR").isZero();
        bench.configWrite(ConfigSpace.COMMAND, 2, 5);
        assertThat(bench.read(0, 8, 4)).as("memory decoding off").isZero();
    }

    @Test
    void shouldSizeBars() {
        assertThat(PciFacts.bars(bench).toString())
                .isEqualTo("[{index=0, kind=mem, size=0x1000, prefetch=false, bits=32}]");
    }

    @Test
    void shouldPollAtEachDeadlineWhileTimePasses() {
        due = 1000;
        bench.advance(5000);
        assertThat(polledAt).contains(1000L);
        assertThat(bench.nanos()).isEqualTo(5000);
    }

    @Test
    void shouldReportDeadlineThatNeverGoesAway() {
        due = 0;
        echo.sticky = true;
        assertThatThrownBy(() -> bench.advance(1))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("deadline");
    }

    @Test
    void shouldOfferBusyFramesAgain() {
        busy = 2;
        bench.deliver(new byte[] {7});
        assertThat(bench.lastDelivery()).isEqualTo(Delivery.BUSY);
        bench.settle();
        bench.settle();
        assertThat(bench.lastDelivery()).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.receive(1)).containsExactly(7);
        assertThat(bench.receive(1)).isEmpty();
    }

    @Test
    void shouldLogPinChangesAndMessages() {
        echo.pin.set(true);
        echo.pin.set(true);
        echo.pin.set(false);
        echo.dma.write(0xFEE0_0000L, new byte[] {0x41, 0, 0, 0}, 0, 4, DmaKind.MESSAGE);
        assertThat(bench.pinLog()).containsExactly("raise", "lower");
        assertThat(bench.messages()).containsExactly(0xFEE0_0000L << 32 | 0x41);
    }

    @Test
    void shouldCountAndRefuseDma() {
        byte[] bytes = {1, 2, 3};
        echo.dma.write(0x100, bytes, 0, 3, DmaKind.PAYLOAD);
        assertThat(bench.hex(0x100, 3)).isEqualTo("010203");
        assertThat(bench.dma().bytesWritten()).isEqualTo(3);
        echo.dma.read(Bench.MEMORY_BYTES, bytes, 0, 1, DmaKind.PAYLOAD);
        assertThat(bench.dma().faults()).isEqualTo(1);
        bench.dma().refuseEvery(1);
        echo.dma.loadShortAcquire(0, DmaKind.DESCRIPTOR);
        assertThat(bench.dma().faults()).isEqualTo(2);
        assertThatThrownBy(() -> echo.dma.read(0, bytes, 0, 4, DmaKind.PAYLOAD))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** One register file of memory, and frames that come back. */
    private final class Echo implements NetworkFunction {
        private final ConfigSpace config = new ConfigSpace(0x1234, 0x5678, 0, 0x020000)
                .bar(new Bar(0, Bar.Kind.MEMORY32, 0x1000, false))
                .seal();
        private final DmaPort dma;
        private final InterruptPin pin;
        private final FramePort wire;
        private final Clock clock;
        private final long[] registers = new long[0x1000];
        private boolean sticky;

        Echo(DmaPort dma, InterruptPin pin, FramePort wire, Clock clock) {
            this.dma = dma;
            this.pin = pin;
            this.wire = wire;
            this.clock = clock;
        }

        @Override
        public ConfigSpace config() {
            return config;
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            return registers[(int) offset];
        }

        @Override
        public void writeBar(int bar, long offset, int width, long value) {
            registers[(int) offset] = value;
        }

        @Override
        public int poll(int budget) {
            polledAt.add(clock.nanos());
            if (clock.nanos() >= due && !sticky) {
                due = Long.MAX_VALUE;
            }
            return 0;
        }

        @Override
        public long nextDeadlineNanos() {
            return due;
        }

        @Override
        public boolean workPending() {
            return false;
        }

        @Override
        public void reset() {
            config.reset();
        }

        @Override
        public String registerName(int bar, long offset) {
            return "unimplemented";
        }

        @Override
        public void setLink(boolean connected) {}

        @Override
        public Delivery send(byte[] frame, int offset, int length) {
            return busy-- > 0 ? Delivery.BUSY : wire.send(frame, offset, length);
        }
    }
}
