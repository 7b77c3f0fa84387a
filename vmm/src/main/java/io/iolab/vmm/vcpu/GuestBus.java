package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.AddressMap;
import org.jspecify.annotations.Nullable;

/** A guest's view of what is not RAM: memory windows by GPA, and I/O port windows. */
public interface GuestBus {

    /** The window that claims an access, or null. */
    AddressMap.@Nullable Region<GuestWindow> memory(long gpa, int width);

    AddressMap.@Nullable Region<GuestWindow> ports(int port, int width);

    /** An access by the guest that went to the VMM process has been carried out: devices do what it set off. */
    void afterUserExit();
}
