package io.iolab.vmm.viommu;

/** Ways to let a guest remap the DMA of its assigned function. */
public enum ViommuMode {
    /** Legacy tables, shadowed; the guest invalidates by its queue. */
    SHADOW_QUEUE("shadow, queue"),
    /** Legacy tables, shadowed; the guest's unit has no queue, so it invalidates by registers. */
    SHADOW_REGISTERS("shadow, registers"),
    /** First-level tables, nested on the host's. */
    NESTED("nested");

    private final String label;

    ViommuMode(String label) {
        this.label = label;
    }

    /** As printed. */
    public String label() {
        return label;
    }
}
