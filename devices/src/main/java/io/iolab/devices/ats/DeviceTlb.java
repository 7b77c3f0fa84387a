package io.iolab.devices.ats;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.pci.PageRequestInterface;
import java.util.HashMap;
import java.util.Map;

/**
 * A function's own cache of translations (ATC, device TLB). The function gives its requests to {@link #port}, or with a PASID to {@link
 * #withPasid}, and notices nothing else; while services are off they pass as they are.
 *
 * <p>A request whose translation is here goes out as translated (AT=10) and is believed. One whose is not causes a translation request; an
 * absent page a page request where that is allowed, and after its answer another attempt, {@link #ATTEMPTS} of them at most. Messages and
 * pages marked U go out untranslated. After a completion as unsupported request everything does, until software switches services on anew.
 *
 * <p>An invalidation returns when the requests under way with what it took away have moved their bytes (PCI Express Base 10.3.3): the
 * function raises a flag before it looks up and lowers it after the bytes; between the two it waits for nobody, so whoever invalidates
 * may wait for it, even while holding what the unit's other services need.
 *
 * <p>Threading: {@link #invalidate} and {@link #pageGroupResponse} from any thread, the rest from the function's. Hits allocate nothing.
 */
public final class DeviceTlb implements AddressTranslationCache {
    /** Sets of {@link #DeviceTlb(TranslationPort)}. */
    public static final int SETS = 16;

    /** Ways of {@link #DeviceTlb(TranslationPort)}: 64 entries in all. */
    public static final int WAYS = 4;

    /** Page requests out at most, of {@link #DeviceTlb(TranslationPort)}. */
    public static final int PAGE_REQUESTS = 32;

    /** Translation requests for one page of one transfer, after which it goes untranslated or fails. */
    public static final int ATTEMPTS = 4;

    /** In place of an address: send the request as it is. */
    static final long UNTRANSLATED = Long.MIN_VALUE;

    private final TranslationPort port;
    private final TranslationEntries entries;
    private final PageRequests requests;
    private final TranslationCompletion completion = new TranslationCompletion();
    private final DeviceTlbCounters counters = new DeviceTlbCounters();
    private final CachedPort plain;
    private final Map<Integer, CachedPort> byPasid = new HashMap<>();
    private boolean on;
    private boolean refused;

    /** The function's own copy of {@link #use}. */
    private long nextUse;

    /** Odd between a look-up and the last byte; a new number each time, so that whoever waits for one use does not wait for the next. */
    private volatile long use;

    /** 64 entries, 4-way; page requests are not waited for. */
    public DeviceTlb(TranslationPort port) {
        this(port, SETS, WAYS, PAGE_REQUESTS, PageWait.NONE);
    }

    /**
     * @param port the root complex as the function sees it
     * @param sets a power of two, 1 to 4096
     * @param ways 1 to 64
     * @param pageRequests most page requests out, 1 to 512
     * @param wait for answers to page requests
     * @throws IllegalArgumentException for a number outside of its range
     */
    public DeviceTlb(TranslationPort port, int sets, int ways, int pageRequests, PageWait wait) {
        if (Integer.bitCount(sets) != 1 || sets < 1 || sets > 4096 || ways < 1 || ways > 64) {
            throw new IllegalArgumentException("device TLB of " + sets + " sets, " + ways + " ways");
        }
        if (pageRequests < 1 || pageRequests > 512) {
            throw new IllegalArgumentException(pageRequests + " page requests");
        }
        this.port = port;
        entries = new TranslationEntries(sets, ways);
        requests = new PageRequests(pageRequests, wait);
        plain = new CachedPort(this, port, TranslationPort.NO_PASID, 0);
    }

    /** The function's requests without PASID. */
    public DmaPort port() {
        return plain;
    }

    /**
     * The function's requests with a PASID; the same port for the same arguments.
     *
     * @param pasid 20 bits
     * @param wanted {@link TranslationPort#EXECUTE} and {@link TranslationPort#PRIVILEGED}, or 0
     * @throws IllegalArgumentException if {@code pasid} has more bits
     */
    public DmaPort withPasid(int pasid, int wanted) {
        return byPasid.computeIfAbsent(pasid << 4 | wanted, key -> new CachedPort(this, port, pasid, wanted));
    }

    public DeviceTlbCounters counters() {
        return counters;
    }

    /** Translations held now. */
    public int held() {
        return entries.held();
    }

    /** Whether software has switched services on. */
    public boolean enabled() {
        return on;
    }

    /** ATS Enable as software wrote it. Off drops everything; on starts without anything. */
    void enable(boolean enabled) {
        if (enabled == on) {
            return;
        }
        on = enabled;
        refused = false;
        entries.clear();
        if (enabled) {
            port.attach(this);
        } else {
            port.detach();
        }
    }

    void controlledBy(PageRequestInterface capability) {
        requests.controlledBy(capability);
    }

    PageRequests requests() {
        return requests;
    }

    /**
     * The address in host memory for a request within one page. If it is not negative the caller sends the request and calls {@link #done}.
     *
     * @return an address, {@link #UNTRANSLATED}, or a negative {@link DmaFault#asResult}
     */
    long open(CachedPort from, long iova, boolean write) {
        if (!on) {
            return UNTRANSLATED;
        }
        if (refused || MessagePort.claims(iova)) {
            counters.untranslatedRequests++;
            return UNTRANSLATED;
        }
        int needs = from.needs(write);
        for (int attempt = 0; attempt < ATTEMPTS && !refused; attempt++) {
            int value = valueFor(from, iova);
            if (attempt == 0) {
                counters.hits += (value & needs) == needs ? 1 : 0;
                counters.misses += (value & needs) == needs ? 0 : 1;
            }
            if ((value & needs) == needs) {
                if ((value & TranslationEntries.UNTRANSLATED_ONLY) != 0) {
                    break;
                }
                long hpa = begin(from, iova, write, needs);
                if (hpa != UNTRANSLATED) {
                    return hpa;
                }
            }
            DmaFault fault = fetch(from, iova, write, needs);
            if (fault != DmaFault.NONE) {
                return fault.asResult();
            }
        }
        // Only untranslated, refused, or overtaken by invalidations each time: the unit translates this one itself.
        counters.untranslatedRequests++;
        return UNTRANSLATED;
    }

    private int valueFor(CachedPort from, long iova) {
        int at = entries.find(iova, from.pasid(), from.privileged());
        return at == TranslationEntries.NONE ? 0 : entries.value(at);
    }

    /** Raises the flag and looks again: an entry that is still there is this request's until {@link #done}. */
    private long begin(CachedPort from, long iova, boolean write, int needs) {
        // May wait for the unit, and therefore comes before the flag.
        DmaFault admission = port.admitTranslated(iova, !write);
        if (admission != DmaFault.NONE) {
            return admission.asResult();
        }
        use = ++nextUse;
        int at = entries.find(iova, from.pasid(), from.privileged());
        if (at == TranslationEntries.NONE || (entries.value(at) & needs) != needs) {
            done();
            return UNTRANSLATED;
        }
        counters.translatedRequests++;
        return entries.hpa(at, iova);
    }

    /** The request that {@link #open} let through has moved its bytes. */
    void done() {
        use = ++nextUse;
    }

    private DmaFault fetch(CachedPort from, long iova, boolean write, int needs) {
        long askedUnder = entries.generation();
        counters.translations++;
        // Without the wish to write the unit leaves the page clean.
        TranslationStatus status = port.translate(iova, from.pasid(), from.wanted(write), completion);
        if (status == TranslationStatus.UNSUPPORTED_REQUEST) {
            counters.refusals++;
            refused = true;
            return DmaFault.NONE;
        }
        if (status == TranslationStatus.COMPLETER_ABORT) {
            return DmaFault.BAD_TABLE;
        }
        int rights = completion.rights();
        if ((rights & needs) == needs) {
            entries.fill(iova, from.pasid(), from.privileged(), completion, askedUnder);
            return DmaFault.NONE;
        }
        int answer = requests.ask(port, iova, from.pasid(), from.wanted(write), counters);
        if (answer == PageRequests.SUCCESS) {
            return DmaFault.NONE;
        }
        if (rights == 0) {
            return DmaFault.NOT_MAPPED;
        }
        return write ? DmaFault.NO_WRITE : DmaFault.NO_READ;
    }

    @Override
    public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
        entries.invalidate(iova, shift, pasid, allPasids);
        // The entries are gone before the flag is looked at, and the function raises it before it looks up: what uses
        // one
        // of them shows here.
        long seen = use;
        while ((seen & 1) != 0 && use == seen) {
            Thread.onSpinWait();
        }
        counters.invalidations++;
        return true;
    }

    @Override
    public void pageGroupResponse(int pasid, int group, int code) {
        counters.responses++;
        requests.answer(pasid, group, code);
    }
}
