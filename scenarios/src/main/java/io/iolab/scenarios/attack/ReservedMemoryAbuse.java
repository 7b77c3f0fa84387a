package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.vmm.assign.Errno;
import io.iolab.vmm.assign.ReservedRegion;
import io.iolab.vmm.assign.VfioContainer;
import io.iolab.vmm.assign.VfioGroup;
import io.iolab.vmm.assign.VfioHost;
import io.iolab.vmm.pci.ProbeFunction;

/** Memory that firmware left open for a device. */
final class ReservedMemoryAbuse implements Attack {
    private static final int RID = 0x0100;

    @Override
    public String name() {
        return "rmrr-abuse";
    }

    @Override
    public String what() {
        return "Firmware has reserved memory for a device that is then given to guest A; the host keeps it mapped for the device, as it must. "
                + "A's driver has the device write over it, and firmware that still uses it reads what A wrote.";
    }

    @Override
    public String defence() {
        return "devices with reserved memory (RMRR, VT-d 8.4) are not assigned: VFIO refuses SET_IOMMU with EPERM";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.corrupted(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        ProbeFunction function = host.build.function(
                host.build.rootPort(1, 0, AccessControlServices.ISOLATION),
                0,
                0,
                dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        MemoryRegion firmware = host.region("firmware's mailbox (RMRR)", 1);
        ReservedRegion reserved = new ReservedRegion(RID, firmware.hpa(), firmware.hpa() + firmware.length() - 1);
        byte[] overwrite = RogueWrite.complement(firmware, firmware.length());
        // An undefended host does not ask whether firmware has reserved anything.
        VfioHost vfio = host.defended() ? host.start(true, reserved) : host.start(true);
        vfio.bind(RID, VfioHost.VFIO_DRIVER);
        VfioGroup group = vfio.openGroup(vfio.groupNumber(RID)).orElseThrow();
        VfioContainer container = vfio.openContainer();
        AttackedHost.must(group.setContainer(container), "SET_CONTAINER");
        Errno errno = container.setIommu(VfioContainer.Extension.TYPE1V2);
        host.note("SET_IOMMU: %s; %s", errno, refusal(group));
        if (errno == Errno.OK) {
            Assigned assigned = host.use(RID, function, group, container);
            host.map(assigned, firmware.hpa(), firmware, MapRights.READ_WRITE);
            host.note("assigned in spite of its RMRR, which stays mapped 1:1");
        }
        DmaFault fault = function.dma().write(firmware.hpa(), overwrite, 0, overwrite.length, DmaKind.PAYLOAD);
        host.note("01:00.0 wrote 4096 bytes at 0x%x: %s", firmware.hpa(), fault);
        host.walkEvidence(new WalkRequest(RID, firmware.hpa(), Access.WRITE));
        return Verdict.corrupted(host.changed(firmware));
    }

    private static String refusal(VfioGroup group) {
        return group.refusal().orElse("no refusal");
    }
}
