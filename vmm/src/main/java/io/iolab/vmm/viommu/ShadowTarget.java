package io.iolab.vmm.viommu;

import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.assign.Errno;
import io.iolab.vmm.assign.UserMemory;
import io.iolab.vmm.assign.VfioContainer;

/** The physical address space that shadows a guest's: a domain of the VMM's own, or a VFIO container. */
interface ShadowTarget {
    /** First address that cannot be mapped. */
    long limit();

    /** @return whether it was mapped; if not nothing has changed */
    boolean map(long iova, long gpa, long length, MapRights rights);

    void unmap(long iova, long length);

    /** When nothing is mapped any more. */
    void release();

    /** A domain with one function. */
    static ShadowTarget domain(IommuDriver host, int rid, UserMemory ram) {
        Domain domain = host.createDomain();
        host.attach(rid, domain);
        return new ShadowTarget() {
            @Override
            public long limit() {
                return domain.limit();
            }

            @Override
            public boolean map(long iova, long gpa, long length, MapRights rights) {
                long[] covered = new long[1];
                ram.forEachRun(gpa, length, (at, hpa, run) -> covered[0] += run);
                if (covered[0] != length || iova + length > domain.limit()) {
                    return false;
                }
                ram.forEachRun(gpa, length, (at, hpa, run) -> domain.map(iova + (at - gpa), hpa, run, rights));
                return true;
            }

            @Override
            public void unmap(long iova, long length) {
                domain.unmap(iova, length);
            }

            @Override
            public void release() {
                host.detach(rid);
                domain.destroy();
            }
        };
    }

    /** The address space of a container, which its owner closes. */
    static ShadowTarget container(VfioContainer container, UserMemory ram) {
        return new ShadowTarget() {
            @Override
            public long limit() {
                return container.info().ranges().getLast().end() + 1;
            }

            @Override
            public boolean map(long iova, long gpa, long length, MapRights rights) {
                return container.mapDma(ram, gpa, iova, length, rights) == Errno.OK;
            }

            @Override
            public void unmap(long iova, long length) {
                container.unmapDma(iova, length);
            }

            @Override
            public void release() {}
        };
    }
}
