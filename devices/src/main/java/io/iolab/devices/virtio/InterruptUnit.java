package io.iolab.devices.virtio;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.IntxLine;
import io.iolab.devices.pci.MsixTable;

/**
 * ISR status, INTx and MSI-X (virtio 1.2 sections 4.1.4.5, 4.1.5.1.2 and 4.1.5.1.3). With MSI-X enabled a queue's event goes
 * to its vector and leaves ISR alone; a configuration change sets its ISR bit either way.
 */
final class InterruptUnit {
    static final int NO_VECTOR = 0xFFFF;

    private static final int ISR_QUEUE = 1;
    private static final int ISR_CONFIGURATION = 2;

    private final MsixTable msix;
    private final IntxLine intx;
    private int isr;
    private long intxRaised;

    InterruptUnit(ConfigSpace config, InterruptPin pin, MsixTable msix) {
        this.msix = msix;
        this.intx = new IntxLine(config, pin, msix::enabled);
        msix.onSwitch(intx::evaluate);
    }

    static InterruptUnit at(ConfigSpace config, int capability, int vectors, DmaPort dma, InterruptPin pin) {
        MsixTable msix = new MsixTable(
                config, capability, vectors, VirtioPci.MSIX_BAR, 0, VirtioPci.MSIX_BAR, VirtioPci.PENDING_OFFSET, dma);
        return new InterruptUnit(config, pin, msix);
    }

    MsixTable msix() {
        return msix;
    }

    /** What a vector register holds after {@code wanted} was written to it: NO_VECTOR if that cannot be mapped. */
    int map(int wanted) {
        return wanted < msix.vectors() ? wanted : NO_VECTOR;
    }

    void queueEvent(int vector) {
        if (msix.enabled()) {
            // MsixTable ignores vectors that do not exist, NO_VECTOR among them.
            msix.fire(vector);
        } else {
            raise(ISR_QUEUE);
        }
    }

    void configurationEvent(int vector) {
        raise(ISR_CONFIGURATION);
        if (msix.enabled()) {
            msix.fire(vector);
        }
    }

    private void raise(int bit) {
        if (isr == 0 && !msix.enabled()) {
            intxRaised++;
        }
        isr |= bit;
        intx.request(true);
    }

    /** Reading clears, and deasserts INTx. */
    int readIsr() {
        int value = isr;
        isr = 0;
        intx.request(false);
        return value;
    }

    /** Nobody uses the vector any more: what is pending must not be sent. */
    void forget(int vector) {
        if (vector < msix.vectors()) {
            msix.clearPending(vector);
        }
    }

    /** Nothing from before a reset may arrive after it. */
    void reset() {
        readIsr();
        for (int v = 0; v < msix.vectors(); v++) {
            msix.clearPending(v);
        }
    }

    /** Messages sent and INTx assertions. */
    long sent() {
        return msix.sent() + intxRaised;
    }
}
