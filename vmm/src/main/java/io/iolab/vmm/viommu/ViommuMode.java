package io.iolab.vmm.viommu;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.TableMode;
import io.iolab.vmm.assign.UserMemory;

/** Ways to let a guest remap the DMA of its assigned function. */
public enum ViommuMode {
    /** Legacy tables, shadowed; the guest invalidates by its queue. */
    SHADOW_QUEUE("shadow, queue"),
    /** Legacy tables, shadowed; the guest's unit has no queue, so it invalidates by registers. */
    SHADOW_REGISTERS("shadow, registers"),
    /** First-level tables, nested on the host's. */
    NESTED("nested");

    /** More than {@link io.iolab.iommu.driver.NestedSpace#PASID_LIMIT} cannot be nested. */
    private static final int PASID_BITS = 15;

    private final String label;

    ViommuMode(String label) {
        this.label = label;
    }

    /** As printed. */
    public String label() {
        return label;
    }

    /** The unit that the guest sees. Both ways it says caching mode, so that the guest tells of structures that appear. */
    public RemappingOptions guestUnit() {
        RemappingOptions.Builder builder = RemappingOptions.builder().cachingMode(true);
        if (this == NESTED) {
            builder.scalableMode(true).firstLevel(true).pasidBits(PASID_BITS);
        }
        return builder.queuedInvalidation(this != SHADOW_REGISTERS).build();
    }

    /** Adds what the physical unit must offer. */
    public void physicalUnit(RemappingOptions.Builder builder) {
        if (this == NESTED) {
            builder.scalableMode(true)
                    .firstLevel(true)
                    .secondLevel(true)
                    .nested(true)
                    .pasidBits(PASID_BITS);
        }
    }

    /** The structures that the host's driver builds. */
    public TableMode hostTables() {
        return this == NESTED ? TableMode.SCALABLE_SECOND_LEVEL : TableMode.LEGACY;
    }

    /** The structures that a guest's driver builds. */
    public TableMode guestTables() {
        return this == NESTED ? TableMode.SCALABLE_FIRST_LEVEL : TableMode.LEGACY;
    }

    /**
     * What makes the guest's tables bind the physical device.
     *
     * @param host its unit is on
     * @param ram the guest's memory as the host's, by guest physical address
     * @param ramBytes of it
     * @param guest the same memory as the guest sees it
     */
    public GuestTranslation translation(IommuDriver host, UserMemory ram, long ramBytes, Memory guest) {
        return this == NESTED
                ? new NestedTranslation(host, ram, ramBytes, guest, guestUnit().capabilities())
                : new ShadowTranslation(host, ram, ramBytes, guest, guestUnit().capabilities());
    }
}
