package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.NetworkFunction;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@link NetDriver} promises, for every driver on every device. */
abstract class NetDriverContract {
    static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    private static final byte[] PEER = {0x02, 0, 0, 0, 0, 0x77};
    private static final int BUDGET = 64;
    private static final int DEVICE = 3;

    TestMachine machine;
    Wire wire;
    NetworkFunction function;
    NetDriver driver;
    private final List<byte[]> received = new ArrayList<>();

    /** The device, built on the machine's ports. */
    abstract NetworkFunction device(TestMachine host, int device, Wire cable);

    NetDrivers.Options options() {
        NetDrivers.Options defaults = NetDrivers.Options.defaults();
        return new NetDrivers.Options(defaults.e1000().unmoderated(), defaults.virtio());
    }

    /** As many frames as the rings take at once, whatever the driver has not refilled yet. */
    int longestBurst() {
        return 61;
    }

    /** Frames for the long runs: every ring and every 16-bit index wraps in the plain set-ups. */
    int many() {
        return 6_000;
    }

    @BeforeEach
    void open() {
        machine = new TestMachine();
        wire = new Wire();
        function = device(machine, DEVICE, wire);
        machine.plug(DEVICE << 3, function);
        driver = NetDrivers.probe(machine, machine.bus(), options());
        driver.open();
        settle();
        assertThat(received).isEmpty();
    }

    @AfterEach
    void close() {
        machine.close();
    }

    /** Lets the moderation timers of the device run out, if it has any. */
    void deviceRests() {}

    /** Takes interrupts and polls until nothing is left, as a guest does that has nothing else to do. */
    final int settle() {
        int frames = 0;
        deviceRests();
        while (machine.serviceInterrupts()) {
            frames += pollDry();
            deviceRests();
        }
        return frames;
    }

    final int pollDry() {
        int frames = 0;
        int got;
        do {
            got = driver.poll(BUDGET, this::keep);
            frames += got;
        } while (got == BUDGET);
        return frames;
    }

    private void keep(byte[] frame, int offset, int length) {
        received.add(Arrays.copyOfRange(frame, offset, offset + length));
    }

    /** A burst from the wire; the device may put its interrupt off to the poll that ends it. */
    final void arrive(long first, int count) {
        for (int i = 0; i < count; i++) {
            byte[] frame = Wire.frame(driver.macAddress(), first + i);
            assertThat(function.send(frame, 0, frame.length)).isEqualTo(Delivery.ACCEPTED);
        }
        function.poll(BUDGET);
        deviceRests();
    }

    final void transmit(long number) {
        byte[] frame = Wire.frame(PEER, number);
        assertThat(driver.queue(frame, 0, frame.length)).isTrue();
    }

    final void expectReceived(long first, int count) {
        assertThat(received).hasSize(count);
        for (int i = 0; i < count; i++) {
            assertThat(received.get(i)).isEqualTo(Wire.frame(driver.macAddress(), first + i));
        }
        received.clear();
    }

    final void expectSent(long first, int count) {
        assertThat(wire.taken()).hasSize(count);
        for (int i = 0; i < count; i++) {
            assertThat(wire.taken().remove()).isEqualTo(Wire.frame(PEER, first + i));
        }
    }

    @Test
    void shouldReadTheStationAddress() {
        assertThat(driver.macAddress()).isEqualTo(MAC);
    }

    @Test
    void shouldFindTheDeviceThroughEcamToo() {
        machine.close();
        machine = new TestMachine();
        machine.plug(DEVICE << 3, device(machine, DEVICE, wire));
        NetDriver found = NetDrivers.probe(machine, machine.ecamBus(), options());
        found.open();
        assertThat(found.macAddress()).isEqualTo(MAC);
    }

    @Test
    void shouldSendNothingBeforeFlush() {
        int slots = driver.transmitSlots();
        transmit(1);
        assertThat(wire.taken()).isEmpty();
        assertThat(driver.transmitSlots()).isEqualTo(slots - 1);
        assertThat(driver.transmitsInFlight()).isEqualTo(1);
        driver.flush();
        expectSent(1, 1);
        driver.poll(BUDGET, this::keep);
        assertThat(driver.transmitsInFlight()).isZero();
        assertThat(driver.transmitSlots()).isEqualTo(slots);
    }

    @Test
    void shouldRingOneDoorbellForABurst() {
        long doorbells = driver.doorbells();
        for (int i = 0; i < 8; i++) {
            transmit(i);
        }
        driver.flush();
        driver.flush();
        assertThat(driver.doorbells() - doorbells).isEqualTo(1);
        expectSent(0, 8);
    }

    @Test
    void shouldInterruptAndDeliverAFrame() {
        arrive(7, 1);
        assertThat(machine.interruptPending()).isTrue();
        assertThat(settle()).isEqualTo(1);
        expectReceived(7, 1);
    }

    @Test
    void shouldStopAtTheBudgetAndGoOnAtTheNextPoll() {
        arrive(0, 10);
        assertThat(machine.serviceInterrupts()).isTrue();
        assertThat(driver.poll(4, this::keep)).isEqualTo(4);
        // Interrupts stay off between the polls of one round.
        assertThat(machine.interruptPending()).isFalse();
        assertThat(driver.poll(4, this::keep)).isEqualTo(4);
        assertThat(driver.poll(4, this::keep)).isEqualTo(2);
        settle();
        expectReceived(0, 10);
    }

    @Test
    void shouldTakeNoInterruptWhileAPollIsDue() {
        arrive(0, 1);
        assertThat(machine.serviceInterrupts()).isTrue();
        long taken = machine.interrupts();
        for (int i = 1; i < 20; i++) {
            arrive(i, 1);
            machine.serviceInterrupts();
        }
        assertThat(machine.interrupts() - taken).isZero();
        assertThat(pollDry()).isEqualTo(20);
        settle();
        expectReceived(0, 20);
    }

    @Test
    void shouldReceiveManyFramesIntactWithRefills() {
        long number = 0;
        while (number < many()) {
            int burst = (int) (1 + number * 7 % longestBurst());
            arrive(number, burst);
            settle();
            expectReceived(number, burst);
            number += burst;
        }
        assertThat(number).isGreaterThanOrEqualTo(many());
    }

    @Test
    void shouldTransmitManyFramesIntact() {
        long number = 0;
        while (number < many()) {
            int burst = (int) (1 + number * 5 % longestBurst());
            for (int i = 0; i < burst; i++) {
                transmit(number + i);
            }
            driver.flush();
            expectSent(number, burst);
            settle();
            number += burst;
        }
        settle();
        driver.poll(BUDGET, this::keep);
        assertThat(driver.transmitsInFlight()).isZero();
    }

    @Test
    void shouldRefuseWhenTheRingIsFullAndWakeUpWhenThereIsRoom() {
        wire.busy = true;
        int slots = driver.transmitSlots();
        for (int i = 0; i < slots; i++) {
            transmit(i);
        }
        assertThat(driver.transmitSlots()).isZero();
        byte[] frame = Wire.frame(PEER, slots);
        driver.flush();
        assertThat(driver.queue(frame, 0, frame.length)).isFalse();
        settle();
        assertThat(driver.queue(frame, 0, frame.length)).isFalse();
        assertThat(machine.interruptPending()).isFalse();
        wire.busy = false;
        machine.advance(10_000_000);
        function.poll(4096);
        function.poll(4096);
        deviceRests();
        assertThat(machine.interruptPending()).isTrue();
        settle();
        assertThat(driver.transmitSlots()).isEqualTo(slots);
        expectSent(0, slots);
        transmit(slots);
        driver.flush();
        expectSent(slots, 1);
    }

    @Test
    void shouldReportAHangOnlyWithoutProgressBetweenTwoLooks() {
        assertThat(driver.transmitHung()).isFalse();
        wire.busy = true;
        transmit(0);
        assertThat(driver.transmitHung()).isFalse();
        driver.flush();
        assertThat(driver.transmitHung()).isFalse();
        assertThat(driver.transmitHung()).isTrue();
        assertThat(driver.transmitHung()).isTrue();
        wire.busy = false;
        machine.advance(10_000_000);
        function.poll(4096);
        assertThat(driver.transmitHung()).isFalse();
        assertThat(driver.transmitHung()).isFalse();
    }

    @Test
    void shouldReportAReceiveStallOnlyWhileAFrameWaitsUntouchedBetweenTwoLooks() {
        assertThat(driver.receiveStalled()).isFalse();
        assertThat(driver.receiveStalled()).isFalse();
        arrive(0, 2);
        deviceRests();
        assertThat(driver.receiveStalled()).isFalse();
        assertThat(driver.receiveStalled()).isTrue();
        assertThat(driver.report()).hasSize(1).first().asString().contains("no interrupt has come");
        settle();
        expectReceived(0, 2);
        assertThat(driver.receiveStalled()).isFalse();
        assertThat(driver.receiveStalled()).isFalse();
    }

    @Test
    void shouldNotLoseAFrameThatArrivesBeforeInterruptsAreOnAgain() {
        boolean[] armed = {false};
        Runnable race = () -> {
            if (armed[0]) {
                armed[0] = false;
                arrive(1, 1);
            }
        };
        // Interrupts come on with IMS or EIMS on the Intel parts, with the event field or the flag in RAM on virtio.
        machine.onStore((register, value) -> {
            if (register.equals("IMS") || register.equals("EIMS")) {
                race.run();
            }
        });
        arrive(0, 1);
        assertThat(machine.serviceInterrupts()).isTrue();
        machine.onOrderedStore(race);
        driver.poll(BUDGET, (frame, offset, length) -> {
            keep(frame, offset, length);
            armed[0] = received.size() == 1;
        });
        assertThat(armed[0]).as("the race was not run").isFalse();
        settle();
        expectReceived(0, 2);
    }

    @Test
    void shouldAllocateNothingPerFrame() {
        long[] count = {0};
        byte[] outgoing = Wire.frame(PEER, 1);
        byte[] incoming = Wire.frame(driver.macAddress(), 2);
        FrameReceiver counter = (frame, offset, length) -> count[0] += length;
        wire.discard = true;
        long before = 0;
        int frames = 10_000;
        for (int i = 0; i < 2 * frames; i++) {
            if (i == frames) {
                before = allocatedBytes();
            }
            driver.queue(outgoing, 0, outgoing.length);
            driver.flush();
            function.send(incoming, 0, incoming.length);
            function.poll(BUDGET);
            machine.serviceInterrupts();
            driver.poll(BUDGET, counter);
        }
        long perFrame = (allocatedBytes() - before) / frames;
        assertThat(count[0]).isEqualTo(2L * frames * incoming.length);
        assertThat(perFrame).isZero();
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
