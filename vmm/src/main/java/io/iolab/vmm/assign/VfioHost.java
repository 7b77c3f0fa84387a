package io.iolab.vmm.assign;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SriovFunction;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The host's side of assignment: which driver has which function, which groups are open, and what it takes to give one away.
 *
 * <p>Life cycle: {@link #openContainer}, {@link #bind} every function of a group, {@link #openGroup}, {@link VfioGroup#setContainer},
 * {@link VfioContainer#setIommu}, {@link VfioContainer#mapDma}, {@link VfioGroup#openDevice}; and back in reverse.
 *
 * <p>Threading: one thread at a time, with everything that it opened.
 */
public final class VfioHost {
    /** The driver name under which a function can be assigned. */
    public static final String VFIO_DRIVER = "vfio-pci";

    private static final int SRIOV_CONTROL = 0x08;

    private final Supplier<IommuGroups> groups;
    private final IommuDriver iommu;
    private final HostInterrupts interrupts;
    private final ConfigAccess config;
    private final IntFunction<@Nullable PciFunction> functions;
    private final List<ReservedRegion> reserved;
    private final Map<Integer, String> drivers = new HashMap<>();
    /** By the lowest requester id of the group. */
    private final Map<Integer, VfioGroup> open = new TreeMap<>();

    /**
     * @param groups as the topology has them now
     * @param config the host's way to configuration space
     * @param functions what is behind a requester id; null for nothing
     * @param reserved memory that firmware reserved for devices
     */
    public VfioHost(
            Supplier<IommuGroups> groups,
            IommuDriver iommu,
            HostInterrupts interrupts,
            ConfigAccess config,
            IntFunction<@Nullable PciFunction> functions,
            List<ReservedRegion> reserved) {
        this.groups = groups;
        this.iommu = iommu;
        this.interrupts = interrupts;
        this.config = config;
        this.functions = functions;
        this.reserved = List.copyOf(reserved);
    }

    /**
     * Gives a function to a driver; {@link #VFIO_DRIVER} makes it assignable.
     *
     * @return {@link Errno#EBUSY} for another driver while the function's group belongs to a container
     */
    public Errno bind(int rid, String driver) {
        Optional<IommuGroups.Group> group = groups.get().groupOf(rid);
        if (group.isEmpty()) {
            return Errno.ENODEV;
        }
        VfioGroup owner = open.get(key(group.get()));
        if (owner != null && owner.container() != null && !driver.equals(VFIO_DRIVER)) {
            return Errno.EBUSY;
        }
        drivers.put(rid, driver);
        return Errno.OK;
    }

    /** Takes a function from its driver. */
    public void unbind(int rid) {
        drivers.remove(rid);
    }

    /** The driver of a function; empty for none. */
    public Optional<String> driver(int rid) {
        return Optional.ofNullable(drivers.get(rid));
    }

    /** A new container without groups: {@code open("/dev/vfio/vfio")}. */
    public VfioContainer openContainer() {
        return new VfioContainer(this, iommu);
    }

    /**
     * {@code open("/dev/vfio/N")}.
     *
     * @return {@link Errno#EBUSY} while somebody has it open; {@link Errno#ENODEV} if there is no such group, or none of its functions is
     *     bound to {@link #VFIO_DRIVER}
     */
    public Opened<VfioGroup> openGroup(int number) {
        IommuGroups now = groups.get();
        Optional<IommuGroups.Group> found =
                now.groups().stream().filter(group -> group.number() == number).findFirst();
        if (found.isEmpty() || found.get().members().stream().noneMatch(node -> boundToVfio(node.rid()))) {
            return Opened.failed(Errno.ENODEV);
        }
        int key = key(found.get());
        if (open.containsKey(key)) {
            return Opened.failed(Errno.EBUSY);
        }
        VfioGroup group = new VfioGroup(this, found.get(), now);
        open.put(key, group);
        return Opened.of(group);
    }

    /** The groups of the hierarchy as it is now. */
    public IommuGroups groups() {
        return groups.get();
    }

    /** The number of a function's group; -1 if there is no such function. */
    public int groupNumber(int rid) {
        return groups.get().groupOf(rid).map(IommuGroups.Group::number).orElse(-1);
    }

    private static int key(IommuGroups.Group group) {
        return group.members().getFirst().rid();
    }

    void closed(IommuGroups.Group group) {
        open.remove(key(group));
    }

    boolean boundToVfio(int rid) {
        return VFIO_DRIVER.equals(drivers.get(rid));
    }

    /** Why a function makes its group not viable; empty if it does not. */
    Optional<String> obstacle(PciNode node) {
        String driver = drivers.get(node.rid());
        return node.isBridge() || driver == null || driver.equals(VFIO_DRIVER)
                ? Optional.empty()
                : Optional.of(node.name() + " is bound to " + driver);
    }

    /** The reserved memory that keeps a function from being assigned. */
    Optional<ReservedRegion> reserved(PciNode node) {
        return reserved.stream().filter(region -> region.rid() == node.rid()).findFirst();
    }

    List<ReservedRegion> reserved() {
        return reserved;
    }

    /**
     * Takes all virtual functions of a physical function away, as its driver does for {@code echo 0 > sriov_numvfs}.
     *
     * <p>It refuses while a user has one of them open, as Linux's igb does. Who clears VF Enable all the same pulls the functions out under
     * their users: from then on their BARs read all ones and take no writes, their DMA and interrupts end, and {@link VfioDevice#reset}
     * finds no way; configuration space stays the copy that the user has. Such a device can still be closed.
     *
     * @param physical its requester id
     * @return {@link Errno#EPERM} while one of them is open; {@link Errno#ENODEV} if there is no such physical function
     */
    public Errno disableVirtualFunctions(int physical) {
        if (!(functions.apply(physical) instanceof SriovFunction function)) {
            return Errno.ENODEV;
        }
        int present = function.functions().size() - 1;
        List<Integer> rids = IntStream.range(0, present)
                .mapToObj(index -> physical + function.routingIdOffset(index) & 0xFFFF)
                .toList();
        if (open.values().stream().anyMatch(group -> rids.stream().anyMatch(group::hasOpen))) {
            return Errno.EPERM;
        }
        config.write(physical, function.sriovCapability() + SRIOV_CONTROL, 2, 0);
        rids.forEach(drivers::remove);
        return Errno.OK;
    }

    /** A function by the name that VFIO uses: {@code 0000:01:00.0}. */
    static String name(int rid) {
        return "0000:" + RequesterId.format(rid);
    }

    Opened<VfioDevice> device(VfioGroup group, PciNode node) {
        PciFunction function = functions.apply(node.rid());
        Identity identity = function == null ? null : identity(function, node);
        if (function == null || identity == null) {
            return Opened.failed(Errno.ENODEV);
        }
        PciNode bridge = node.bridge();
        FunctionReset reset = new FunctionReset(config, node.rid(), bridge == null ? -1 : bridge.rid());
        return Opened.of(
                new VfioDevice(function, identity, node.rid(), interrupts, reset, () -> group.closed(node.rid())));
    }

    /** Null for a virtual function whose physical function is gone. */
    private @Nullable Identity identity(PciFunction function, PciNode node) {
        PciNode physical = node.physical();
        if (physical == null) {
            return Identity.of(function);
        }
        return functions.apply(physical.rid()) instanceof SriovFunction sriov ? Identity.ofVirtual(sriov) : null;
    }
}
