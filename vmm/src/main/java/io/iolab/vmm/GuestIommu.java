package io.iolab.vmm;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.PciFunction;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.explain.TableExplainer;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.register.VtdRegisters;
import io.iolab.iommu.walk.RequestType;
import io.iolab.vmm.assign.VfioDevice;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.guest.GuestKernel;
import io.iolab.vmm.guest.KernelDma;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.pci.PciHost;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.viommu.GuestRam;
import io.iolab.vmm.viommu.GuestTranslation;
import io.iolab.vmm.viommu.ViommuMode;
import io.iolab.vmm.viommu.VirtualUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The remapping unit that an assigned NIC's guest sees, and the guest's driver of it. Each access of the unit is an exit to the VMM
 * process; what the host does about an invalidation is charged in that exit.
 */
final class GuestIommu implements MmioHandler, SeenUnit {
    /** Guest physical address of the window, as on the host. */
    private static final long BASE = 0xFED9_0000L;

    private static final int GUEST_RID = RequesterId.of(0, SoftwarePath.SLOT, 0);

    /** Distinct faults kept; the device chooses its addresses. */
    private static final int MAX_FAULT_KINDS = 1024;

    private final PathContext context;
    private final VirtualMachine vm;
    private final WorkAccount account;
    private final ViommuMode mode;
    private final GuestTranslation translation;
    private final VirtualUnit unit;
    private final FaultRegisters faultRegisters;
    private final TableExplainer explainer;
    private final Map<FaultReport, Fault> faults = new LinkedHashMap<>();
    private @Nullable KernelDma dma;
    private long exits;
    private long faultsRead;

    GuestIommu(PathContext context, VirtualMachine vm, WorkAccount account) {
        this.context = context;
        this.vm = vm;
        this.account = account;
        mode = context.config().iommu().viommu().mode();
        RemappingOptions options = mode.guestUnit();
        translation = mode.translation(
                context.host().driver(), new GuestRam(vm.memory()), vm.memory().size(), vm.memory());
        unit = new VirtualUnit(options, vm.memory(), vm.messages(account), translation);
        faultRegisters = new FaultRegisters(unit);
        explainer = new TableExplainer(vm.memory(), options.capabilities());
        vm.trap(BASE, VtdRegisters.WINDOW, this, offset -> "viommu." + unit.registerName(offset));
    }

    /** Plugs the NIC into the host and assigns it behind the unit. */
    VfioDevice assign(int rid, PciFunction nic) {
        return reporting(context.host().assign(rid, nic, GUEST_RID, translation));
    }

    /** Assigns a function that is plugged in already. */
    VfioDevice assign(int rid) {
        return reporting(context.host().assign(rid, GUEST_RID, translation));
    }

    private VfioDevice reporting(VfioDevice device) {
        context.host().report(unit);
        return device;
    }

    @Override
    public long read(long offset, int width) {
        exits++;
        long value = unit.read(offset, width);
        faultRegisters.read(offset, width, value);
        return value;
    }

    @Override
    public void write(long offset, int width, long value) {
        exits++;
        account.owner(vm.vcpu(), null);
        synchronized (context.host().driver()) {
            long before = hostPicos();
            unit.write(offset, width, value);
            vm.vcpu().charge(CpuShare.EXIT, hostPicos() - before);
        }
    }

    /** What the host spends on its own tables and its unit. The walks of the guest's tables have no price. */
    private long hostPicos() {
        CostProfile profile = context.profile();
        GuestTranslation.HostWork work = translation.hostWork();
        return work.maps() * profile.picos(Cost.IOMMU_MAP_PAGE)
                + work.unmaps() * profile.picos(Cost.IOMMU_UNMAP_PAGE)
                + work.invalidations() * profile.picos(Cost.IOMMU_INVALIDATE);
    }

    /** The guest's side: its kernel takes the unit over. */
    KernelDma start(GuestKernel kernel) {
        IommuDriver driver =
                new IommuDriver(kernel.cpu(), BASE, kernel.ram(), new KernelFrames(kernel), mode.guestTables());
        driver.enable();
        DriverPlatform.MessageTarget event = kernel.allocateMessage(() -> {
            driver.handleFaults(this::found);
            return false;
        });
        driver.configureFaultEvent(event.address(), event.data());
        KernelDma started = dma(context, driver, GUEST_RID, kernel, false);
        if (!context.config().mapped()) {
            started.mapNothing();
        }
        started.mapOnly(context.bugs().rights());
        started.countExits(() -> exits);
        dma = started;
        return started;
    }

    private void found(FaultReport report) {
        faultsRead++;
        Fault known = faults.get(report);
        if (known != null) {
            faults.put(report, new Fault(report, known.registers(), known.records() + 1));
        } else if (faults.size() < MAX_FAULT_KINDS) {
            faults.put(report, new Fault(report, faultRegisters.lastRead(), 1));
        }
    }

    /** Everything counted so far. */
    GuestFigures.GuestUnit figures() {
        GuestTranslation.HostWork host = translation.hostWork();
        KernelDma mappings = dma;
        boolean maps = mappings != null && mappings.changesTables();
        return new GuestFigures.GuestUnit(
                mappings != null && maps ? mappings.counters().maps() : 0,
                mappings == null ? 0 : mappings.mapExits(),
                mappings != null && maps ? mappings.counters().unmaps() : 0,
                mappings == null ? 0 : mappings.unmapExits(),
                unit.invalidations(),
                host.walks(),
                host.maps(),
                host.unmaps(),
                host.invalidations(),
                faultsRead);
    }

    @Override
    public String guest() {
        return context.name();
    }

    @Override
    public List<Fault> faults() {
        return List.copyOf(faults.values());
    }

    @Override
    public long memoryBytes() {
        return vm.memory().size();
    }

    @Override
    public TableWalk explain(FaultReport report) {
        return explainer.fault(unit, report, RequestType.UNTRANSLATED);
    }

    /**
     * A kernel's mappings in a domain of their own.
     *
     * @param invalidationsCost as {@link KernelDma} wants it
     */
    static KernelDma dma(
            PathContext context, IommuDriver driver, int rid, GuestKernel kernel, boolean invalidationsCost) {
        IommuTuning.Policy policy = context.config().iommu().policy();
        synchronized (driver) {
            Domain domain =
                    policy == IommuTuning.Policy.PASSTHROUGH ? driver.createPassThroughDomain() : driver.createDomain();
            domain.reserve(StationBuilder.MMIO_BASE, StationBuilder.MMIO_SIZE);
            domain.reserve(PciHost.ECAM_BASE, PciHost.ECAM_SIZE);
            driver.attach(rid, domain);
            return new KernelDma(
                    driver,
                    driver.createMapper(domain, policy.dmaPolicy(), kernel.clock()),
                    domain,
                    context.profile(),
                    picos -> kernel.charge(picos),
                    invalidationsCost);
        }
    }

    /** The kernel's allocator never takes anything back; this keeps what the driver gives back. */
    private static final class KernelFrames implements FrameSource {
        private final GuestKernel kernel;
        private final Deque<Long> free = new ArrayDeque<>();

        KernelFrames(GuestKernel kernel) {
            this.kernel = kernel;
        }

        @Override
        public long allocatePage() {
            Long again = free.poll();
            if (again == null) {
                return kernel.allocate(AddressRange.PAGE_SIZE, AddressRange.PAGE_SIZE);
            }
            kernel.ram().fill(again, AddressRange.PAGE_SIZE, (byte) 0);
            return again;
        }

        @Override
        public void freePage(long pa) {
            free.push(pa);
        }
    }
}
