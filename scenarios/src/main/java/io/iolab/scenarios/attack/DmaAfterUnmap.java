package io.iolab.scenarios.attack;

import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;

/** Writing to what was one's buffer a moment ago. */
final class DmaAfterUnmap implements Attack {
    @Override
    public String name() {
        return "dma-after-unmap";
    }

    @Override
    public String what() {
        return "A NIC keeps writing to a receive buffer that its driver has unmapped and freed. "
                + "With deferred flushing the buffer's page has a new owner before the IOTLB forgets it.";
    }

    @Override
    public String defence() {
        return "strict unmapping (iommu.strict=1): page-selective IOTLB invalidation and wait in every unmap (VT-d 6.5.2.3)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.corrupted(AttackedHost.PAGE);
    }

    @Override
    public Verdict run(AttackedHost host) {
        DmaPolicy policy = host.defended() ? DmaPolicy.STRICT : DmaPolicy.DEFERRED;
        HostDevice nic = new HostDevice(host, policy);
        MemoryRegion page = host.region("receive buffer", 1);
        long iova = nic.mapper.map(page.hpa(), AttackedHost.PAGE, DmaDirection.FROM_DEVICE);
        byte[] bytes = new byte[AttackedHost.PAGE];
        nic.write(iova, bytes);
        nic.mapper.unmap(iova);
        byte[] secret = host.reuse(page, "somebody's page table");
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ~secret[i];
        }
        DmaFault fault = nic.write(iova, bytes);
        host.note("%s: 01:00.0 wrote 4096 bytes to iova 0x%x after unmap: %s", policy.label(), iova, fault);
        long corrupted = host.changed("somebody's page table", page.hpa(), secret);
        nic.passTime(DmaMapper.FLUSH_NANOS);
        nic.mapper.poll();
        host.note("%d ms later: %s", DmaMapper.FLUSH_NANOS / 1_000_000, nic.write(iova, new byte[1]));
        host.figure("stale_window", nic.mapper.counters().stalePageNanos(), "ns x pages");
        return Verdict.corrupted(corrupted);
    }
}
