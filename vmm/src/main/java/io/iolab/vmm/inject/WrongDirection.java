package io.iolab.vmm.inject;

import io.iolab.iommu.driver.MapRights;

/** The mapping lets the device write (DMA_FROM_DEVICE) where it must read as well. */
final class WrongDirection extends Defect {
    @Override
    MapRights rights(MapRights wanted) {
        return MapRights.WRITE;
    }
}
