package io.iolab.vmm.viommu;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The functions behind a guest's unit, in the order of their assignment. */
final class AssignedFunctions<F extends AssignedFunctions.Member> implements Iterable<F> {
    private final List<F> functions = new ArrayList<>();

    /** One of them, with its requester id on the host and the one the guest knows. */
    interface Member {
        int rid();

        int guestRid();
    }

    void add(F function) {
        functions.add(function);
    }

    void clear() {
        functions.clear();
    }

    @Override
    public Iterator<F> iterator() {
        return functions.iterator();
    }

    /**
     * The function that the host knows by a requester id.
     *
     * @return null if it is none of these
     */
    @Nullable
    F find(int rid) {
        for (F function : functions) {
            if (function.rid() == rid) {
                return function;
            }
        }
        return null;
    }

    /** What the guest calls the function, or {@link GuestTranslation#NOBODY}. */
    int guestRequester(int rid) {
        F function = find(rid);
        return function == null ? GuestTranslation.NOBODY : function.guestRid();
    }
}
