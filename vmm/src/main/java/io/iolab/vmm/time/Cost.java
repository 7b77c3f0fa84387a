package io.iolab.vmm.time;

/** The boundary crossings that have a price. What each means, and which of them already contain others, is stated in the profile. */
public enum Cost {
    EXIT_KERNEL("exit.kernel"),
    EXIT_USER("exit.user"),
    EXIT_MMIO_DECODE("exit.mmio_decode"),
    EXIT_FAST_MMIO("exit.fast_mmio"),
    EXIT_EOI("exit.eoi"),
    EXIT_EXTERNAL_INTERRUPT("exit.external_interrupt"),
    EXIT_INTERRUPT_WINDOW("exit.interrupt_window"),
    EXIT_HLT("exit.hlt"),
    EXIT_MSR_WRITE("exit.msr_write"),
    INJECT_EVENT("inject.event"),
    INDIRECT_EXIT("indirect.exit"),
    WAKE_VCPU("wake.vcpu"),
    WAKE_WORKER("wake.worker"),
    KICK_SIGNAL("kick.signal"),
    IPI_KICK("ipi.kick"),
    IRQ_INJECT_SYSCALL("irq.inject_syscall"),
    IRQ_NATIVE("irq.native"),
    GUEST_TX_PACKET("guest.tx_packet"),
    GUEST_RX_PACKET("guest.rx_packet"),
    GUEST_IRQ_ENTRY("guest.irq_entry"),
    BACKEND_EMULATED_TX("backend.emulated_tx"),
    BACKEND_EMULATED_RX("backend.emulated_rx"),
    BACKEND_VIRTIO_TX("backend.virtio_tx"),
    BACKEND_VIRTIO_RX("backend.virtio_rx"),
    COPY_CALL("copy.call"),
    COPY_BYTE("copy.byte"),
    MMIO_NATIVE_READ("mmio.native_read"),
    MMIO_NATIVE_WRITE("mmio.native_write"),
    PCIE_READ("pcie.read"),
    PCIE_BYTE("pcie.byte"),
    PCIE_TLP("pcie.tlp"),
    IOMMU_WALK_ACCESS("iommu.walk_access"),
    IOMMU_INVALIDATE("iommu.invalidate"),
    IOMMU_IOVA_ALLOC("iommu.iova_alloc"),
    IOMMU_IOVA_CACHED("iommu.iova_cached"),
    IOMMU_MAP_PAGE("iommu.map_page"),
    IOMMU_UNMAP_PAGE("iommu.unmap_page"),
    IOMMU_DEFER("iommu.defer"),
    SWITCH_HOP("switch.hop"),
    SWITCH_BYTE("switch.byte");

    private final String key;

    Cost(String key) {
        this.key = key;
    }

    /** Its name in a profile. */
    public String key() {
        return key;
    }
}
