package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.FramePort;
import io.iolab.iommu.driver.MapRights;

/** A bug at work in one guest: the ports it is on are wrapped, all others handed through. */
abstract class Defect {

    /** What the driver reaches registers through. */
    CpuPort cpu(CpuPort port) {
        return port;
    }

    /** What the driver reaches its rings through. */
    Memory ram(Memory memory) {
        return memory;
    }

    /** What the device reaches rings and buffers through. */
    DmaPort dma(DmaPort port) {
        return port;
    }

    /** INTA#. */
    InterruptPin pin(InterruptPin line) {
        return line;
    }

    /** What the device puts frames on. */
    FramePort wire(FramePort port) {
        return port;
    }

    /** How the host maps the guest's memory for an assigned device. */
    MapRights rights(MapRights wanted) {
        return wanted;
    }
}
