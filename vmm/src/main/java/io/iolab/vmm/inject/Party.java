package io.iolab.vmm.inject;

import java.util.Locale;

/** Who is at fault. */
public enum Party {
    /** The guest's driver. */
    DRIVER,
    /** The device, or the back end that plays it. */
    DEVICE,
    /** The hypervisor, or the host's software that programs the IOMMU. */
    HOST;

    /** As written in reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
