package io.iolab.scenarios.attack;

import io.iolab.vmm.assign.VfioContainer;
import io.iolab.vmm.assign.VfioDevice;
import io.iolab.vmm.assign.VfioGroup;

/** A device that a guest's process has open, with its group in a container of its own. */
record AssignedDevice(VfioGroup group, VfioContainer container, VfioDevice device) {
    /** Gives the device and its group back. */
    void close() {
        device.close();
        AttackedHost.must(group.close(), "close");
    }
}
