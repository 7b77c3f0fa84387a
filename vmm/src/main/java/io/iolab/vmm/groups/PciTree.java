package io.iolab.vmm.groups;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ExtendedCapability;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a scan of configuration space finds, every function once, a bridge before what is behind it. */
public final class PciTree {
    private static final int STATUS = 0x06;
    private static final int CAPABILITY_LIST = 1 << 4;
    private static final int HEADER_TYPE = 0x0E;
    private static final int MULTI_FUNCTION = 0x80;
    private static final int SECONDARY_BUS = 0x19;
    private static final int CAPABILITIES_POINTER = 0x34;
    private static final int EXPRESS = 0x10;
    private static final int MAX_CAPABILITIES = 48;
    private static final int MAX_EXTENDED = 960;
    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;

    private static final int ACS_CAPABILITY = 4;
    private static final int ACS_CONTROL = 6;
    private static final int SRIOV_CONTROL = 0x08;
    private static final int SRIOV_NUM_VFS = 0x10;
    private static final int SRIOV_FIRST = 0x14;
    private static final int SRIOV_STRIDE = 0x16;
    private static final int SRIOV_DEVICE = 0x1A;
    /** More than a physical function can have within one segment's worth of interest. */
    private static final int MAX_VFS = 256;

    private final ConfigAccess config;
    private final List<PciNode> nodes = new ArrayList<>();
    private final BitSet seen = new BitSet();

    private PciTree(ConfigAccess config) {
        this.config = config;
    }

    /** Scans bus 0 and every bus that a bridge leads to; bus numbers must have been given. */
    public static PciTree scan(ConfigAccess config) {
        PciTree tree = new PciTree(config);
        tree.bus(0, null);
        return tree;
    }

    /**
     * Switches access control on as an operating system does when it starts: SV, RR, CR and UF wherever they are. Scan again to see it.
     *
     * @param translationBlocking TB too, which takes ATS from everything behind
     */
    public void enableAccessControl(boolean translationBlocking) {
        int wanted = AccessControlServices.ISOLATION
                | (translationBlocking ? AccessControlServices.TRANSLATION_BLOCKING : 0);
        for (PciNode node : nodes) {
            int acs = extended(node.rid(), ExtendedCapability.ACCESS_CONTROL);
            if (acs != 0) {
                int on = config.read(node.rid(), acs + ACS_CONTROL, 2)
                        | wanted & config.read(node.rid(), acs + ACS_CAPABILITY, 2);
                config.write(node.rid(), acs + ACS_CONTROL, 2, on);
            }
        }
    }

    /** Every function, a bridge before what is behind it. */
    public List<PciNode> nodes() {
        return List.copyOf(nodes);
    }

    /** The function with this requester id. */
    public Optional<PciNode> node(int rid) {
        return nodes.stream().filter(node -> node.rid() == rid).findFirst();
    }

    private void bus(int bus, @Nullable PciNode bridge) {
        seen.set(bus);
        for (int device = 0; device < DEVICES; device++) {
            int functions = 1;
            for (int function = 0; function < functions; function++) {
                int rid = RequesterId.of(bus, device, function);
                int id = config.read(rid, 0, 4);
                if ((id & 0xFFFF) == 0xFFFF || id == 0) {
                    continue;
                }
                int type = config.read(rid, HEADER_TYPE, 1);
                if (function == 0 && (type & MULTI_FUNCTION) != 0) {
                    functions = FUNCTIONS;
                }
                found(rid, id, type & 0x7F, functions > 1, bridge);
            }
        }
    }

    private void found(int rid, int id, int headerType, boolean multiFunction, @Nullable PciNode bridge) {
        int secondary = headerType == 1 ? config.read(rid, SECONDARY_BUS, 1) : 0;
        PciNode node = new PciNode(rid, id, portType(rid), bridge, secondary, multiFunction, accessControl(rid), null);
        nodes.add(node);
        virtualFunctions(node);
        // A bus number that was given twice must not be scanned for ever.
        if (secondary != 0 && !seen.get(secondary)) {
            bus(secondary, node);
        }
    }

    private PciNode.PortType portType(int rid) {
        if ((config.read(rid, STATUS, 2) & CAPABILITY_LIST) == 0) {
            return PciNode.PortType.CONVENTIONAL;
        }
        int at = config.read(rid, CAPABILITIES_POINTER, 1) & 0xFC;
        for (int i = 0; at >= 0x40 && i < MAX_CAPABILITIES; i++) {
            int header = config.read(rid, at, 4);
            if ((header & 0xFF) == EXPRESS) {
                return PciNode.PortType.of(header >>> 20 & 0xF);
            }
            at = header >>> 8 & 0xFC;
        }
        return PciNode.PortType.CONVENTIONAL;
    }

    private Optional<PciNode.AccessControl> accessControl(int rid) {
        int acs = extended(rid, ExtendedCapability.ACCESS_CONTROL);
        return acs == 0
                ? Optional.empty()
                : Optional.of(new PciNode.AccessControl(
                        config.read(rid, acs + ACS_CAPABILITY, 2) & AccessControlServices.ALL,
                        config.read(rid, acs + ACS_CONTROL, 2) & AccessControlServices.ALL));
    }

    private int extended(int rid, int id) {
        int at = ExtendedCapability.FIRST;
        for (int i = 0; at >= ExtendedCapability.FIRST && i < MAX_EXTENDED; i++) {
            int header = config.read(rid, at, 4);
            if (header == 0 || header == -1) {
                return 0;
            }
            if ((header & 0xFFFF) == id) {
                return at;
            }
            at = header >>> 20 & 0xFFC;
        }
        return 0;
    }

    /** Virtual functions read an all-ones vendor id and are found through their physical function (SR-IOV 1.1 section 3.4.1.1). */
    private void virtualFunctions(PciNode physical) {
        int rid = physical.rid();
        int sriov = extended(rid, ExtendedCapability.SINGLE_ROOT_IO_VIRTUALIZATION);
        if (sriov == 0 || (config.read(rid, sriov + SRIOV_CONTROL, 2) & 1) == 0) {
            return;
        }
        int count = Math.min(config.read(rid, sriov + SRIOV_NUM_VFS, 2), MAX_VFS);
        int first = rid + config.read(rid, sriov + SRIOV_FIRST, 2);
        int stride = config.read(rid, sriov + SRIOV_STRIDE, 2);
        int id = physical.id() & 0xFFFF | config.read(rid, sriov + SRIOV_DEVICE, 2) << 16;
        for (int n = 0; n < count; n++) {
            int virtual = first + n * stride & 0xFFFF;
            nodes.add(new PciNode(
                    virtual,
                    id,
                    PciNode.PortType.ENDPOINT,
                    physical.bridge(),
                    0,
                    false,
                    accessControl(virtual),
                    physical));
        }
    }
}
