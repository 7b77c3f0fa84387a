package io.iolab.vmm;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.PciFunction;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.register.VtdRegisters;
import io.iolab.vmm.assign.VfioDevice;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.guest.GuestKernel;
import io.iolab.vmm.guest.KernelDma;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.pci.PciHost;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.viommu.GuestRam;
import io.iolab.vmm.viommu.ShadowTranslation;
import io.iolab.vmm.viommu.VirtualUnit;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The remapping unit that an assigned NIC's guest sees, and the guest's driver of it. Each access of the unit is an exit to the VMM
 * process; an invalidation makes the VMM walk the guest's tables and follow in the NIC's container, which is charged in that exit.
 */
final class GuestIommu implements MmioHandler {
    /** Guest physical address of the window, as on the host. */
    private static final long BASE = 0xFED9_0000L;

    private static final int GUEST_RID = RequesterId.of(0, SoftwarePath.SLOT, 0);

    private final PathContext context;
    private final VirtualMachine vm;
    private final WorkAccount account;
    private final ShadowTranslation shadow;
    private final VirtualUnit unit;
    private long faults;

    GuestIommu(PathContext context, VirtualMachine vm, WorkAccount account) {
        this.context = context;
        this.vm = vm;
        this.account = account;
        RemappingOptions options = RemappingOptions.builder().cachingMode(true).build();
        shadow = new ShadowTranslation(
                context.host().driver(),
                new GuestRam(vm.memory()),
                vm.memory().size(),
                vm.memory(),
                options.capabilities());
        unit = new VirtualUnit(options, vm.memory(), vm.messages(account), shadow);
        vm.trap(BASE, VtdRegisters.WINDOW, this, offset -> "viommu." + unit.registerName(offset));
    }

    /** Assigns the NIC behind the unit. */
    VfioDevice assign(int rid, PciFunction nic) {
        VfioDevice device = context.host().assign(rid, nic, GUEST_RID, shadow);
        context.host().report(unit);
        return device;
    }

    @Override
    public long read(long offset, int width) {
        return unit.read(offset, width);
    }

    @Override
    public void write(long offset, int width, long value) {
        account.owner(vm.vcpu(), null);
        synchronized (context.host().driver()) {
            long before = shadowPicos();
            unit.write(offset, width, value);
            vm.vcpu().charge(CpuShare.EXIT, shadowPicos() - before);
        }
    }

    /** What the host spends on its own tables; each unmapping there waits for an invalidation. The walks of the guest's have no price. */
    private long shadowPicos() {
        CostProfile profile = context.profile();
        return shadow.maps() * profile.picos(Cost.IOMMU_MAP_PAGE)
                + shadow.unmaps() * (profile.picos(Cost.IOMMU_UNMAP_PAGE) + profile.picos(Cost.IOMMU_INVALIDATE));
    }

    /** The guest's side: its kernel takes the unit over. */
    KernelDma start(GuestKernel kernel) {
        IommuDriver driver = new IommuDriver(kernel.cpu(), BASE, kernel.ram(), new KernelFrames(kernel));
        driver.enable();
        DriverPlatform.MessageTarget event = kernel.allocateMessage(() -> {
            faults += driver.handleFaults(report -> {});
            return false;
        });
        driver.configureFaultEvent(event.address(), event.data());
        return dma(context, driver, GUEST_RID, kernel, false);
    }

    /** Faults that the guest's driver has read from its unit. */
    long faults() {
        return faults;
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
