package io.iolab.vmm.groups;

import io.iolab.devices.pci.AccessControlServices;
import java.util.ArrayList;
import java.util.List;

/**
 * Why two functions are in one group.
 *
 * @param from one of them
 * @param to the other
 * @param blame the function that is the reason: a port without access control, a bridge
 * @param missing services of {@link AccessControlServices} that would have to be on in {@code blame}; 0 where no service would help
 */
public record GroupJoin(PciNode from, PciNode to, Cause cause, PciNode blame, int missing) {

    /** Reasons, as data for a program to tell apart. */
    public enum Cause {
        /** Requests from a conventional bus carry the bridge's alias. */
        DMA_ALIAS,
        /** A device is known to use another function's requester id. */
        QUIRK_ALIAS,
        /** A port on the way to the root has no ACS capability. */
        NO_ACS_CAPABILITY,
        /** A port on the way to the root has the services, but they are off. */
        ACS_SERVICES_OFF,
        /** A bridge on the way to the root is of a kind that cannot isolate. */
        CANNOT_ISOLATE,
        /** A port lets requests from below it through to this sibling, or to what is behind that. */
        PEER_OF_PORT,
        /** Functions of one device may talk to each other inside it. */
        MULTI_FUNCTION
    }

    /** Short names of the services in a bit map, in order: {@code SV}, {@code RR}. */
    public static List<String> serviceNames(int services) {
        String[] names = {"SV", "TB", "RR", "CR", "UF", "EC", "DT"};
        List<String> set = new ArrayList<>();
        for (int bit = 0; bit < names.length; bit++) {
            if ((services >>> bit & 1) != 0) {
                set.add(names[bit]);
            }
        }
        return set;
    }

    /** What is wrong with {@link #blame}, as the first half of a sentence. */
    public String problem() {
        String culprit = blame.port().text() + " " + blame.name();
        String services = String.join(", ", serviceNames(missing));
        return switch (cause) {
            case DMA_ALIAS -> culprit + " puts its alias on requests from behind";
            case QUIRK_ALIAS -> "%s is known to use the requester id of %s".formatted(from.name(), to.name());
            case CANNOT_ISOLATE -> culprit + " cannot keep apart what is below";
            case NO_ACS_CAPABILITY, ACS_SERVICES_OFF, PEER_OF_PORT, MULTI_FUNCTION ->
                blame.accessControl().isEmpty()
                        ? "%s has no ACS capability (needs %s)".formatted(culprit, services)
                        : "%s has ACS, but %s %s off"
                                .formatted(culprit, services, Integer.bitCount(missing) == 1 ? "is" : "are");
        };
    }

    /** The reason in a sentence. */
    public String text() {
        return problem()
                + switch (cause) {
                    case DMA_ALIAS -> ": the IOMMU cannot tell who behind it sent them";
                    case QUIRK_ALIAS, CANNOT_ISOLATE -> "";
                    case NO_ACS_CAPABILITY, ACS_SERVICES_OFF -> ": what is below may reach its peers past the IOMMU";
                    case PEER_OF_PORT -> ": what is below reaches %s past the IOMMU".formatted(to.name());
                    case MULTI_FUNCTION -> ": %s and %s may talk inside their device".formatted(from.name(), to.name());
                };
    }
}
