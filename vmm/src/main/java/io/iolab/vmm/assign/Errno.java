package io.iolab.vmm.assign;

/** How a call of the VFIO interface ends; the names are the kernel's. */
public enum Errno {
    OK,
    /** Not allowed: a group that is not viable, a device whose reserved memory forbids assignment. */
    EPERM,
    /** Not enough memory may be pinned. */
    ENOMEM,
    /** The address does not belong to the caller's memory. */
    EFAULT,
    /** In use. */
    EBUSY,
    /** Something is mapped there already. */
    EEXIST,
    /** No such device, or no such kind of IOMMU. */
    ENODEV,
    /** An argument is wrong, or the call does not fit the present state. */
    EINVAL,
    /** No room for another mapping. */
    ENOSPC,
    /** The device has no such ability. */
    ENOTTY
}
