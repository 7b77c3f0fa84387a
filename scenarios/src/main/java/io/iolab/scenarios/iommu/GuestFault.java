package io.iolab.scenarios.iommu;

import io.iolab.vmm.SeenUnit;

/**
 * A kind of fault that a guest has read from a remapping unit that it sees, in the guest's names of requester and page.
 *
 * @param guest its name
 * @param registers what its processor read for the first record
 */
public record GuestFault(String guest, ExplainedFault fault, SeenUnit.Registers registers) {}
