package io.iolab.vmm;

import io.iolab.vmm.ledger.Path;
import java.util.List;
import java.util.Optional;

/** What a guest on the passthrough path is given, called after its driver. */
public enum AssignedNic {
    /** An 82574L of its own. */
    E1000E,
    /** A virtual function of an 82576, one controller with one port for all guests that have one. */
    IGBVF;

    /** The 82576 has eight, and the last pool is the physical function's. */
    public static final int MOST_VIRTUAL_FUNCTIONS = 7;

    /** The longest gap that EITR holds: 13 bits, in microseconds (82576 datasheet 8.8.14). */
    public static final int MOST_MODERATION_NANOS = 0x1FFF * 1000;

    static boolean isVirtual(GuestConfig guest) {
        return guest.path() == Path.PASSTHROUGH && guest.nic().assigned() == IGBVF;
    }

    /** Why these guests cannot have their virtual functions, in words; empty if they can. */
    public static Optional<String> obstacle(List<GuestConfig> guests) {
        List<GuestConfig> virtual =
                guests.stream().filter(AssignedNic::isVirtual).toList();
        if (virtual.size() > MOST_VIRTUAL_FUNCTIONS) {
            return Optional.of("expected at most " + MOST_VIRTUAL_FUNCTIONS
                    + " guests with virtual functions, which are those of one 82576, found " + virtual.size());
        }
        if (virtual.stream().map(GuestConfig::link).distinct().count() > 1) {
            return Optional.of("expected one link for all guests with virtual functions, which share the 82576's port");
        }
        return Optional.empty();
    }
}
