package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.register.VtdRegisters;
import io.iolab.vmm.pci.ProbeFunction;

/** Writing before there are tables. */
final class BootTimeWrite implements Attack {
    private static final int RID = 0x0100;

    @Override
    public String name() {
        return "boot-time-write";
    }

    @Override
    public String what() {
        return "A device that firmware has left running writes into the kernel's memory while the kernel boots. "
                + "Translation is still off, as its tables have yet to be built.";
    }

    @Override
    public String defence() {
        return "protected memory regions: PMEN.EPM with PLMBASE and PLMLIMIT over the kernel (VT-d 10.4.16 to 10.4.20)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.corrupted(AttackedHost.PAGE);
    }

    @Override
    public RemappingOptions options() {
        return RemappingOptions.builder().protectedMemory(true, false).build();
    }

    @Override
    public Verdict run(AttackedHost host) {
        ProbeFunction function = host.build.function(
                host.build.rootPort(1, 0, AccessControlServices.ISOLATION),
                0,
                0,
                dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        host.start(true);
        host.driver.disable();
        host.enableFunction(RID);
        MemoryRegion kernel = host.region("the kernel's memory", 1);
        if (host.defended()) {
            int granule = (int) kernel.hpa() & -VtdRegisters.PROTECTED_GRANULE;
            host.store32(VtdRegisters.PLMBASE, granule);
            host.store32(VtdRegisters.PLMLIMIT, granule + VtdRegisters.PROTECTED_GRANULE - 1);
            host.store32(VtdRegisters.PMEN, VtdRegisters.PROTECTED_ENABLE);
            host.note(
                    "PLMBASE = 0x%x, PMEN = 0x%x; refusals leave no fault record",
                    granule, host.load32(VtdRegisters.PMEN));
        }
        byte[] overwrite = RogueWrite.complement(kernel, kernel.length());
        DmaFault fault = function.dma().write(kernel.hpa(), overwrite, 0, overwrite.length, DmaKind.PAYLOAD);
        host.note("01:00.0 wrote 4096 bytes at 0x%x: %s", kernel.hpa(), fault);
        return Verdict.corrupted(host.changed(kernel));
    }
}
