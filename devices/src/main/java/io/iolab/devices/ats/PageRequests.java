package io.iolab.devices.ats;

import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.pci.PageRequestInterface;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * The page requests that a function has out (PCI Express Base 10.4): one page a group, no two for one page, as many as software has
 * allocated.
 *
 * <p>Threading: {@link #answer} from any thread, the rest from the function's.
 */
final class PageRequests {
    /** Nothing came yet, or nothing may be asked. */
    static final int PENDING = -1;

    static final int REFUSED = -2;

    static final int SUCCESS = 0;
    private static final int RESPONSE_FAILURE = 15;

    private static final int FREE = 0;
    private static final int OUT = 1;
    /** Answered, with the response code in the bits below. */
    private static final int ANSWERED = 1 << 8;

    private static final long PAGE = -1L << 12;

    private final int capacity;
    private final PageWait wait;
    private final AtomicIntegerArray states;
    private final int[] pasids;
    private final long[] pages;
    private @Nullable PageRequestInterface control;
    private int next;
    private volatile boolean unexpected;

    PageRequests(int capacity, PageWait wait) {
        this.capacity = capacity;
        this.wait = wait;
        states = new AtomicIntegerArray(capacity);
        pasids = new int[capacity];
        pages = new long[capacity];
    }

    int capacity() {
        return capacity;
    }

    void controlledBy(PageRequestInterface capability) {
        control = capability;
    }

    /**
     * Asks for a page, unless that has been done, and waits for the answer as long as is allowed.
     *
     * @return the response code, {@link #PENDING} or {@link #REFUSED}
     */
    int ask(TranslationPort port, long iova, int pasid, int wanted, DeviceTlbCounters counters) {
        int group = groupOf(iova & PAGE, pasid);
        if (group < 0) {
            reap();
            PageRequestInterface capability = control;
            if (capability == null
                    || !capability.enabled()
                    || capability.failed()
                    || out() >= capability.allocation()) {
                return REFUSED;
            }
            group = free();
            pages[group] = iova & PAGE;
            pasids[group] = pasid;
            states.set(group, OUT);
            capability.stopped(false);
            counters.pageRequests++;
            port.requestPage(iova & PAGE, pasid, wanted, group, true);
        }
        for (int look = 0; states.get(group) == OUT && wait.again(look); look++) {
            Thread.onSpinWait();
        }
        int state = states.get(group);
        if (state == OUT) {
            return PENDING;
        }
        reap();
        return state & 0xF;
    }

    private int groupOf(long page, int pasid) {
        for (int group = 0; group < capacity; group++) {
            if (states.get(group) != FREE && pages[group] == page && pasids[group] == pasid) {
                return group;
            }
        }
        return -1;
    }

    private int out() {
        int out = 0;
        for (int group = 0; group < capacity; group++) {
            out += states.get(group) == OUT ? 1 : 0;
        }
        return out;
    }

    /** There is one: fewer are out than the capacity, and those answered have been reaped. */
    private int free() {
        do {
            next = (next + 1) % capacity;
        } while (states.get(next) != FREE);
        return next;
    }

    /** Takes note of what has been answered; the function asks again for what it still needs. */
    void reap() {
        PageRequestInterface capability = control;
        if (capability == null) {
            return;
        }
        for (int group = 0; group < capacity; group++) {
            int state = states.get(group);
            if (state >= ANSWERED) {
                states.set(group, FREE);
                if ((state & 0xF) == RESPONSE_FAILURE) {
                    capability.responseFailed();
                }
            }
        }
        if (unexpected) {
            unexpected = false;
            capability.unexpectedGroup();
        }
        capability.stopped(out() == 0);
    }

    void answer(int pasid, int group, int code) {
        boolean expected = group >= 0
                && group < capacity
                && pasids[group] == pasid
                && states.compareAndSet(group, OUT, ANSWERED | code & 0xF);
        if (!expected) {
            unexpected = true;
        }
    }

    /** Forgets every request; an answer that still comes is unexpected. */
    void reset() {
        for (int group = 0; group < capacity; group++) {
            states.set(group, FREE);
        }
        unexpected = false;
        PageRequestInterface capability = control;
        if (capability != null) {
            capability.stopped(true);
        }
    }
}
