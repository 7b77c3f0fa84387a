package io.iolab.vmm.groups;

import java.util.Map;
import java.util.Set;

/**
 * What configuration space does not say of some devices. Ids are vendor in bits 15:0 and device in 31:16.
 *
 * @param isolated ids of functions and ports whose maker says that they pass nothing between peers, though they have no ACS capability
 * @param aliases function id to a device and function on the same bus whose requester id its requests may carry
 * @param ownAlias ids of PCI Express to PCI bridges that put their own requester id on requests from behind
 */
public record Quirks(Set<Integer> isolated, Map<Integer, Integer> aliases, Set<Integer> ownAlias) {
    /** No device is special. */
    public static final Quirks NONE = new Quirks(Set.of(), Map.of(), Set.of());

    public Quirks {
        isolated = Set.copyOf(isolated);
        aliases = Map.copyOf(aliases);
        ownAlias = Set.copyOf(ownAlias);
    }
}
