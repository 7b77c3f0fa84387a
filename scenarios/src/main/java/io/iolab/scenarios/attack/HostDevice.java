package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.vmm.pci.ProbeFunction;

/** A device that the host's own driver uses and does not trust: 01:00.0, with buffers mapped by a policy. */
final class HostDevice {
    static final int RID = 0x0100;

    final DmaMapper mapper;
    private final ProbeFunction function;
    private long nanos;

    HostDevice(AttackedHost host, DmaPolicy policy) {
        function = host.build.function(
                host.build.rootPort(1, 0, AccessControlServices.ISOLATION),
                0,
                0,
                dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        host.start(true);
        mapper = host.driver.createMapper(host.attach(RID), policy, () -> nanos);
        host.enableFunction(RID);
    }

    void passTime(long duration) {
        nanos += duration;
    }

    DmaFault read(long iova, byte[] into) {
        return function.dma().read(iova, into, 0, into.length, DmaKind.PAYLOAD);
    }

    DmaFault write(long iova, byte[] bytes) {
        return function.dma().write(iova, bytes, 0, bytes.length, DmaKind.PAYLOAD);
    }
}
