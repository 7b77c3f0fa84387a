package io.iolab.vmm.assign;

import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciNode;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An open group: the unit in which functions are given away, since the IOMMU cannot tell its members apart. */
public final class VfioGroup {
    private final VfioHost host;
    private final IommuGroups.Group group;
    private final IommuGroups groups;
    private final Set<Integer> openDevices = new HashSet<>();
    private @Nullable VfioContainer container;
    private boolean closed;

    VfioGroup(VfioHost host, IommuGroups.Group group, IommuGroups groups) {
        this.host = host;
        this.group = group;
        this.groups = groups;
    }

    /**
     * GET_STATUS.
     *
     * @param viable every member is bound to VFIO, to no driver, or is a port
     * @param containerSet the group belongs to a container
     */
    public record Status(boolean viable, boolean containerSet) {}

    public int number() {
        return group.number();
    }

    /** The members, ports too. */
    public List<PciNode> members() {
        return group.members();
    }

    public Status status() {
        return new Status(obstacles().isEmpty(), container != null);
    }

    /** What keeps the group from being viable, in words. */
    public List<String> obstacles() {
        return group.members().stream()
                .map(host::obstacle)
                .flatMap(Optional::stream)
                .toList();
    }

    /** Why no member may be given another address space: reserved memory of one of them; in words. */
    public Optional<String> refusal() {
        return group.assignable().stream()
                .flatMap(node -> host.reserved(node).stream())
                .map(region -> "%s: firmware reserved 0x%x-0x%x for it (RMRR)"
                        .formatted(VfioHost.name(region.rid()), region.base(), region.limit()))
                .findFirst();
    }

    /**
     * SET_CONTAINER.
     *
     * @return {@link Errno#EPERM} if the group is not viable, or if the container has its IOMMU and {@link #refusal} is present;
     *     {@link Errno#EINVAL} if the group has a container already
     */
    public Errno setContainer(VfioContainer joined) {
        if (container != null || closed) {
            return Errno.EINVAL;
        }
        if (!obstacles().isEmpty()) {
            return Errno.EPERM;
        }
        Errno errno = joined.add(this);
        if (errno == Errno.OK) {
            container = joined;
        }
        return errno;
    }

    /**
     * UNSET_CONTAINER: the group's functions lose the address space.
     *
     * @return {@link Errno#EBUSY} while a device of it is open; {@link Errno#EINVAL} if it has no container
     */
    public Errno unsetContainer() {
        VfioContainer from = container;
        if (from == null) {
            return Errno.EINVAL;
        }
        if (!openDevices.isEmpty()) {
            return Errno.EBUSY;
        }
        from.remove(this);
        container = null;
        return Errno.OK;
    }

    /**
     * GET_DEVICE_FD: the function is reset, and its bus mastering is off.
     *
     * @param name {@code 0000:01:00.0}
     * @return {@link Errno#EINVAL} without a container that has its IOMMU; {@link Errno#ENODEV} if no member bound to VFIO has this name;
     *     {@link Errno#EBUSY} if it is open
     */
    public Opened<VfioDevice> openDevice(String name) {
        VfioContainer in = container;
        if (in == null || !in.iommuSet()) {
            return Opened.failed(Errno.EINVAL);
        }
        for (PciNode node : group.assignable()) {
            if (VfioHost.name(node.rid()).equals(name) && host.boundToVfio(node.rid())) {
                if (!openDevices.add(node.rid())) {
                    return Opened.failed(Errno.EBUSY);
                }
                Opened<VfioDevice> device = host.device(this, node);
                if (device.errno() != Errno.OK) {
                    openDevices.remove(node.rid());
                }
                return device;
            }
        }
        return Opened.failed(Errno.ENODEV);
    }

    /**
     * Closes the group; a container that it is still in is left first.
     *
     * @return {@link Errno#EBUSY} while a device of it is open
     */
    public Errno close() {
        if (!openDevices.isEmpty()) {
            return Errno.EBUSY;
        }
        if (container != null) {
            unsetContainer();
        }
        if (!closed) {
            closed = true;
            host.closed(group);
        }
        return Errno.OK;
    }

    @Nullable
    VfioContainer container() {
        return container;
    }

    void closed(int rid) {
        openDevices.remove(rid);
    }

    boolean hasOpen(int rid) {
        return openDevices.contains(rid);
    }

    /** Every requester id under which requests of the group's functions may arrive. */
    Set<Integer> requesterIds() {
        Set<Integer> rids = new LinkedHashSet<>();
        group.assignable().forEach(node -> rids.addAll(groups.requesterIds(node)));
        return rids;
    }
}
