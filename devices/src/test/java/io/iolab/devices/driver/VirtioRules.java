package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** A virtio-net driver at work, with the registers that it wrote and what. */
abstract class VirtioRules {
    static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    private static final int RID = 5 << 3;
    static final long PACKED = VirtioFeatures.RING_PACKED;

    record Store(String register, long value) {}

    final TestMachine machine = new TestMachine();
    final Wire wire = new Wire();
    final TamperedFunction device = new TamperedFunction(new VirtioNet(
            new VirtioNetOptions(MAC, 256, NetFeatures.IMPLEMENTED),
            machine.dma(),
            machine.pin(5),
            wire,
            machine.clock()));
    final List<Store> stores = new ArrayList<>();

    @AfterEach
    void close() {
        machine.close();
    }

    VirtioNetDriver open(VirtioOptions options) {
        machine.plug(RID, device);
        machine.onStore((register, value) -> stores.add(new Store(register, value)));
        NetDrivers.Options all =
                new NetDrivers.Options(NetDrivers.Options.defaults().e1000(), options);
        VirtioNetDriver driver = (VirtioNetDriver) NetDrivers.probe(machine, machine.bus(), all);
        driver.open();
        poll(driver);
        return driver;
    }

    VirtioNetDriver open(long more) {
        return open(VirtioOptions.defaults().with(more));
    }

    int poll(VirtioNetDriver driver) {
        machine.serviceInterrupts();
        return driver.poll(64, (frame, offset, length) -> {});
    }

    void send(VirtioNetDriver driver, int count) {
        for (int i = 0; i < count; i++) {
            byte[] frame = Wire.frame(MAC, i);
            assertThat(driver.queue(frame, 0, frame.length)).isTrue();
        }
        driver.flush();
    }

    void arrive(VirtioNetDriver driver, int count) {
        for (int i = 0; i < count; i++) {
            byte[] frame = Wire.frame(driver.macAddress(), i);
            assertThat(device.send(frame, 0, frame.length)).isEqualTo(Delivery.ACCEPTED);
        }
        device.poll(64);
        machine.serviceInterrupts();
        assertThat(driver.poll(64, (frame, offset, length) -> {})).isEqualTo(count);
    }

    /** The physical address that the driver wrote into a 64-bit register, the last time but {@code before}. */
    long area(String register, int queue) {
        long low = 0;
        long high = 0;
        boolean upper = false;
        long selected = -1;
        for (Store store : stores) {
            if (store.register.equals("queue_select")) {
                selected = store.value;
            } else if (store.register.equals(register) && selected == queue) {
                if (upper) {
                    high = store.value;
                } else {
                    low = store.value;
                }
                upper = !upper;
            }
        }
        return low + (high << 32) - TestMachine.BUS_DISTANCE;
    }
}
