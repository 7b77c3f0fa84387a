package io.iolab.vmm.assign;

import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A reset of the whole bus that a device is on, by the bridge above (VFIO_DEVICE_PCI_HOT_RESET). It resets everybody there, so it takes the
 * groups of all of them.
 */
final class HotReset {
    private final VfioHost host;
    private final @Nullable PciNode bridge;
    private final FunctionReset reset;

    HotReset(VfioHost host, PciNode device, FunctionReset reset) {
        this.host = host;
        this.reset = reset;
        bridge = device.bridge();
    }

    /** All functions and bridges below the bridge, in order; none on bus 0. */
    List<VfioDevice.Affected> affected() {
        PciNode above = bridge;
        if (above == null) {
            return List.of();
        }
        List<VfioDevice.Affected> found = new ArrayList<>();
        for (IommuGroups.Group group : host.groups().groups()) {
            group.members().stream()
                    .filter(member -> below(member, above.rid()))
                    .map(member -> new VfioDevice.Affected(group.number(), member.rid(), VfioHost.name(member.rid())))
                    .forEach(found::add);
        }
        found.sort(Comparator.comparingInt(VfioDevice.Affected::rid));
        return found;
    }

    private static boolean below(PciNode node, int bridgeRid) {
        for (PciNode above = node.bridge(); above != null; above = above.bridge()) {
            if (above.rid() == bridgeRid) {
                return true;
            }
        }
        return false;
    }

    VfioDevice.HotResetResult run(List<VfioGroup> groups) {
        List<VfioDevice.Affected> affected = affected();
        if (affected.isEmpty()) {
            return new VfioDevice.HotResetResult(Errno.ENODEV, List.of());
        }
        List<String> obstacles = new ArrayList<>();
        for (VfioDevice.Affected one : affected) {
            if (!host.boundToVfio(one.rid())) {
                obstacles.add(one.name() + " is not bound to " + VfioHost.VFIO_DRIVER);
            } else if (groups.stream().noneMatch(group -> group.isOpen() && group.number() == one.group())) {
                obstacles.add(one.name() + " is in group " + one.group() + ", which was not handed in");
            }
        }
        if (!obstacles.isEmpty() || groups.isEmpty() || groups.size() > affected.size()) {
            return new VfioDevice.HotResetResult(Errno.EINVAL, obstacles);
        }
        reset(affected);
        return new VfioDevice.HotResetResult(Errno.OK, List.of());
    }

    private void reset(List<VfioDevice.Affected> affected) {
        List<VfioDevice> open = new ArrayList<>();
        for (VfioDevice.Affected one : affected) {
            VfioDevice device = host.openDevice(one.rid());
            if (device != null) {
                device.beforeBusReset();
                open.add(device);
            }
        }
        List<SavedFunction> saved = affected.stream()
                .map(one -> new SavedFunction(host.config(), one.rid(), true))
                .toList();
        reset.resetBus();
        saved.forEach(SavedFunction::restore);
        open.forEach(VfioDevice::afterBusReset);
    }
}
