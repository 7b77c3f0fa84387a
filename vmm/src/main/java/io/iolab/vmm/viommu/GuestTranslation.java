package io.iolab.vmm.viommu;

import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.vmm.assign.VfioContainer;
import org.jspecify.annotations.Nullable;

/** How the tables of a guest's unit take effect on the physical one. Each call returns when they have. */
public interface GuestTranslation {
    /**
     * What it has cost the host so far.
     *
     * @param walks of the guest's page tables
     * @param maps in tables of the host, {@code unmaps} likewise
     * @param invalidations that the host asked the physical unit for because the guest had unmapped or invalidated
     */
    record HostWork(long walks, long maps, long unmaps, long invalidations) {}

    HostWork hostWork();

    /** The kind of container that {@link #assign(int, int, VfioContainer)} takes. */
    VfioContainer.Extension containerType();

    /**
     * Puts a function that nobody else has attached behind the guest's unit.
     *
     * @param rid on the host
     * @param guestRid as the guest knows it
     */
    void assign(int rid, int guestRid);

    /**
     * The same for a function that VFIO has assigned.
     *
     * @param container its own and empty; maps and unmaps from here on are this object's
     */
    void assign(int rid, int guestRid, VfioContainer container);

    /**
     * Root pointer or translation enable changed.
     *
     * @param rootPointer RTADDR as it was last latched
     */
    void tables(long rootPointer, boolean enabled);

    /** Context entries, or PASID entries, may have changed. */
    void contexts();

    /**
     * The entry of one PASID may have changed (VT-d 6.5.2.3).
     *
     * @param domain the guest's id of it
     */
    void pasid(int domain, int pasid);

    /**
     * Translations of a domain may have changed (VT-d 6.5.2.2).
     *
     * @param domain the guest's id, or {@link #ALL_DOMAINS}
     * @param last last byte of the range
     */
    void pages(int domain, long first, long last);

    /**
     * First-level translations may have changed (VT-d 6.5.2.4).
     *
     * @param addressMask of the block of 2 to this power pages at {@code iova}, or {@link #ALL_PAGES}
     * @param leafOnly IH
     */
    void firstLevelPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly);

    /** Who a requester of the physical unit is to the guest: its requester id there, or {@link #NOBODY}. */
    int guestRequester(int rid);

    /**
     * Whether a fault on the physical unit is the guest's own doing, and what its unit would have called it.
     *
     * @param report of a function of this guest
     * @param guestWalk the same request by the guest's tables as they are now
     * @return null if the guest is not to blame: the fault stays with the host
     */
    @Nullable
    FaultReason reason(FaultReport report, TableWalk guestWalk);

    /** Stands for no function of the guest. */
    int NOBODY = -1;

    /** Stands for every domain. */
    int ALL_DOMAINS = -1;

    /** Stands for every page. */
    int ALL_PAGES = -1;
}
