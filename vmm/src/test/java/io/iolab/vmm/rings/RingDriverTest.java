package io.iolab.vmm.rings;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.driver.virtio.RingDriver;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.QueueLayout;
import io.iolab.devices.virtio.queue.Virtqueue;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The driver that passes buffers in runs, against a device that completes them in any order (virtio 1.2 sections 2.7 and 2.8). */
class RingDriverTest {
    private static final int BUFFER = 2048;
    private static final long BUFFERS = 0x10_0000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(2 << 20);
    private final Doorbell bell = new Doorbell();

    @AfterEach
    void release() {
        memory.close();
    }

    private RingDriver driver(RingLayout layout, int size) {
        BareGuest machine = new BareGuest(memory, 0x1000, bell);
        return new RingDriver(machine, size, layout.features(), BUFFERS, BUFFER, true);
    }

    private Virtqueue device(RingLayout layout, int size, RingDriver driver) {
        QueueLayout areas = new QueueLayout(driver.descriptorsBus(), driver.driverBus(), driver.deviceBus());
        return layout.open(new DirectDma(memory, (address, data) -> {}), size, areas, layout.features());
    }

    /** A packed ring's size need not be a power of two (2.8.10.1), so that runs pass its end at any place. */
    @ParameterizedTest
    @CsvSource({"SPLIT, 8", "IN_ORDER, 8", "PACKED, 7", "PACKED, 1", "PACKED, 8", "PACKED_IN_ORDER, 7"})
    void shouldPassEveryBufferOnceHoweverRunsAndCompletionsFall(RingLayout layout, int size) {
        RingDriver driver = driver(layout, size);
        Virtqueue device = device(layout, size, driver);
        boolean inOrder = layout == RingLayout.IN_ORDER || layout == RingLayout.PACKED_IN_ORDER;
        SplittableRandom random = new SplittableRandom(7);
        List<Taken> taken = new ArrayList<>();
        long offered = 0;
        for (int round = 0; round < 2000; round++) {
            int count = random.nextInt(driver.free() + 1);
            driver.offer(count);
            offered += count;
            take(device, taken);
            assertThat(taken).as("with the device, round " + round).doesNotHaveDuplicates();
            for (int i = random.nextInt(taken.size() + 1); i > 0; i--) {
                device.complete(taken.remove(inOrder ? 0 : random.nextInt(taken.size())).token, BUFFER);
            }
            device.publish();
            long completed = offered - taken.size();
            int limit = random.nextInt(size + 1);
            long due = Math.min(limit, completed - driver.reaped());
            // One call looks at the ring once at most: what came after an earlier look is the next call's.
            int back = driver.reap(limit);
            back += driver.reap(limit - back);
            assertThat(back).as("round " + round).isEqualTo((int) due);
        }
        assertThat(device.fault()).isNull();
        assertThat(driver.sawForeignBuffer()).isFalse();
        assertThat(driver.reaped()).isGreaterThan(500);
    }

    /** A device may not be trusted (virtio 1.2 section 2.8.10.2 binds it, not the driver's memory safety). */
    @ParameterizedTest
    @CsvSource({"SPLIT, 8", "IN_ORDER, 8", "PACKED, 8", "PACKED_IN_ORDER, 8"})
    void shouldTakeNothingBackThatTheDeviceDoesNotHave(RingLayout layout, int size) {
        RingDriver driver = driver(layout, size);
        Virtqueue device = device(layout, size, driver);
        driver.offer(2);
        List<Taken> taken = new ArrayList<>();
        take(device, taken);
        taken.forEach(chain -> device.complete(chain.token, BUFFER));
        device.publish();
        // The id of the first that came back, where each format has it.
        long firstId = (layout == RingLayout.PACKED || layout == RingLayout.PACKED_IN_ORDER)
                ? driver.descriptorsBus() + 12
                : driver.deviceBus() + 4;
        memory.writeShort(firstId, (short) 5);
        assertThat(driver.reap(size)).isZero();
        assertThat(driver.sawForeignBuffer()).isTrue();
        assertThat(driver.reaped()).isZero();
    }

    private record Taken(long iova, int token) {}

    private static void take(Virtqueue device, List<Taken> taken) {
        while (device.take() == Virtqueue.Take.CHAIN) {
            DescriptorChain chain = device.chain();
            assertThat(chain.next()).isEqualTo(DescriptorChain.Step.DESCRIPTOR);
            assertThat(chain.length()).isEqualTo(BUFFER);
            assertThat(chain.writable()).isTrue();
            taken.add(new Taken(chain.iova(), device.token()));
        }
    }
}
