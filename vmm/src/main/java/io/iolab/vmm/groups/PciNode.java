package io.iolab.vmm.groups;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.pci.AccessControlServices;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A function as a scan of configuration space found it.
 *
 * @param rid its requester id
 * @param id vendor in bits 15:0, device in 31:16; of a virtual function those of its physical function's capability
 * @param port what its PCI Express capability says it is; {@code CONVENTIONAL} without one
 * @param bridge the bridge whose secondary bus it is on; null on bus 0
 * @param secondaryBus of a bridge, else 0
 * @param multiFunction whether its device has more functions
 * @param accessControl its ACS registers, empty for a function without
 * @param physical of a virtual function its physical function, else null
 */
public record PciNode(
        int rid,
        int id,
        PortType port,
        @Nullable PciNode bridge,
        int secondaryBus,
        boolean multiFunction,
        Optional<AccessControl> accessControl,
        @Nullable PciNode physical) {

    /** Device and port types by their code in the PCI Express capability (section 7.5.3.2). */
    public enum PortType {
        CONVENTIONAL(-1, "conventional PCI function"),
        ENDPOINT(0, "endpoint"),
        LEGACY_ENDPOINT(1, "legacy endpoint"),
        ROOT_PORT(4, "root port"),
        UPSTREAM_PORT(5, "switch upstream port"),
        DOWNSTREAM_PORT(6, "switch downstream port"),
        PCIE_TO_PCI_BRIDGE(7, "PCIe-to-PCI bridge"),
        PCI_TO_PCIE_BRIDGE(8, "PCI-to-PCIe bridge"),
        INTEGRATED_ENDPOINT(9, "root complex integrated endpoint"),
        EVENT_COLLECTOR(10, "root complex event collector");

        private final int code;
        private final String text;

        PortType(int code, String text) {
            this.code = code;
            this.text = text;
        }

        /** What one calls it in a sentence. */
        public String text() {
            return text;
        }

        static PortType of(int code) {
            for (PortType type : values()) {
                if (type.code == code) {
                    return type;
                }
            }
            return ENDPOINT;
        }

        /** Whether the isolation of such a port is a matter of its access control services alone. */
        boolean isDownstream() {
            return this == ROOT_PORT || this == DOWNSTREAM_PORT;
        }

        boolean neverIsolates() {
            return switch (this) {
                case CONVENTIONAL, PCIE_TO_PCI_BRIDGE, PCI_TO_PCIE_BRIDGE, EVENT_COLLECTOR -> true;
                default -> false;
            };
        }
    }

    /**
     * The ACS registers.
     *
     * @param capability services that the function has
     * @param control services that are switched on
     */
    public record AccessControl(int capability, int control) {}

    /** Whether the function leads to another bus. */
    public boolean isBridge() {
        return secondaryBus != 0;
    }

    /** Bus, device, function in the form that lspci prints. */
    public String name() {
        return RequesterId.format(rid);
    }

    /** Whether requests of one side of this function cannot reach the other past the root complex, as far as software can see. */
    boolean isolated() {
        if (port.neverIsolates()) {
            return false;
        }
        if (!port.isDownstream() && !multiFunction) {
            return true;
        }
        return accessControl.isPresent() && missing() == 0;
    }

    /**
     * The services that would have to be on: all four without the capability; with it those that are there but off. A service that a
     * function does not have counts as on: what it would redirect the function cannot do.
     */
    int missing() {
        return accessControl
                .map(acs -> AccessControlServices.ISOLATION & acs.capability & ~acs.control)
                .orElse(AccessControlServices.ISOLATION);
    }
}
