package io.iolab.devices.ats;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The entries of a device TLB: set-associative by page number, pages of 4 KiB, 2 MiB and 1 GiB side by side, replaced in turn within a set.
 *
 * <pre>
 *   KEY    63:12 page   5:0 shift; 0 when empty
 *   TAG    39:8 PASID, all ones for none   1 global   0 privileged
 *   VALUE  63:12 frame   4 untranslated only   2:0 rights
 * </pre>
 *
 * <p>A translation that an invalidation has overtaken on its way from the unit must not enter: the generation is read before the unit is
 * asked and compared after the entry was written, and whoever invalidates changes it first.
 *
 * <p>Threading: {@link #invalidate} from any thread, the rest from the function's. The function fills and the others empty; a key is
 * written last and taken away first.
 */
final class TranslationEntries {
    static final int NONE = -1;
    static final int UNTRANSLATED_ONLY = 1 << 4;
    static final int RIGHTS = TranslationPort.READ | TranslationPort.WRITE | TranslationPort.EXECUTE;

    private static final int KEY = 0;
    private static final int TAG = 1;
    private static final int VALUE = 2;
    private static final int WORDS_SHIFT = 2;
    private static final int SHIFT_MASK = 0x3F;
    private static final long PAGE = -1L << 12;
    private static final int PASID_SHIFT = 8;
    private static final int GLOBAL = 1 << 1;
    private static final int[] SHIFTS = {12, 21, 30};

    private static final VarHandle GENERATION;

    static {
        try {
            GENERATION = MethodHandles.lookup().findVarHandle(TranslationEntries.class, "generation", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int sets;
    private final int ways;
    private final AtomicLongArray words;
    private final int[] nextVictim;
    /** Bit n is set once a page of shift SHIFTS[n] has been entered: sizes never seen are not looked for. */
    private int sizes;

    private volatile long generation;

    TranslationEntries(int sets, int ways) {
        this.sets = sets;
        this.ways = ways;
        words = new AtomicLongArray(sets * ways << WORDS_SHIFT);
        nextVictim = new int[sets];
    }

    long generation() {
        return generation;
    }

    private static long tag(int pasid, boolean privileged, boolean global) {
        return (pasid & 0xFFFF_FFFFL) << PASID_SHIFT | (global ? GLOBAL : 0) | (privileged ? 1 : 0);
    }

    private static int pasid(long tag) {
        return (int) (tag >>> PASID_SHIFT);
    }

    private int firstOf(long iova, int shift) {
        return ((int) (iova >>> shift) & sets - 1) * ways << WORDS_SHIFT;
    }

    /** The entry for an address, for {@link #value} and {@link #hpa}; {@link #NONE} if there is none. */
    int find(long iova, int pasid, boolean privileged) {
        for (int size = 0; size < SHIFTS.length; size++) {
            if ((sizes & 1 << size) == 0) {
                continue;
            }
            int shift = SHIFTS[size];
            long key = iova >>> shift << shift | shift;
            int first = firstOf(iova, shift);
            for (int at = first; at < first + (ways << WORDS_SHIFT); at += 1 << WORDS_SHIFT) {
                if (words.get(at + KEY) == key && serves(words.get(at + TAG), pasid, privileged)) {
                    return at;
                }
            }
        }
        return NONE;
    }

    private static boolean serves(long tag, int pasid, boolean privileged) {
        if (((tag & 1) != 0) != privileged) {
            return false;
        }
        boolean shared = (tag & GLOBAL) != 0 && pasid != TranslationPort.NO_PASID;
        return pasid(tag) == pasid || shared;
    }

    int value(int at) {
        return (int) words.get(at + VALUE) & 0xFFF;
    }

    long hpa(int at, long iova) {
        long within = (1L << (words.get(at + KEY) & SHIFT_MASK)) - 1;
        return words.get(at + VALUE) & PAGE & ~within | iova & within;
    }

    /** Enters what the unit found under {@code askedUnder}; of a larger page as much as the next smaller size of entry covers. */
    void fill(long iova, int pasid, boolean privileged, TranslationCompletion found, long askedUnder) {
        int size = found.pageShift() >= SHIFTS[2] ? 2 : found.pageShift() >= SHIFTS[1] ? 1 : 0;
        int shift = SHIFTS[size];
        int at = place(iova, pasid, privileged, shift);
        long within = (1L << found.pageShift()) - 1;
        long frame = (found.frameHpa() | iova & within) >>> shift << shift;
        words.set(at + KEY, 0);
        words.set(at + TAG, tag(pasid, privileged, found.global()));
        words.set(at + VALUE, frame | found.rights() & RIGHTS | (found.untranslatedOnly() ? UNTRANSLATED_ONLY : 0));
        words.set(at + KEY, iova >>> shift << shift | shift);
        sizes |= 1 << size;
        if (generation != askedUnder) {
            words.set(at + KEY, 0);
        }
    }

    /** The same page's old entry, an empty one, or the set's next victim. */
    private int place(long iova, int pasid, boolean privileged, int shift) {
        int old = find(iova, pasid, privileged);
        int first = firstOf(iova, shift);
        if (old >= first && old < first + (ways << WORDS_SHIFT)) {
            return old;
        }
        if (old != NONE) {
            // A page that has changed its size: two entries for one address would leave the choice to the order of
            // the look-up.
            words.set(old + KEY, 0);
        }
        for (int at = first; at < first + (ways << WORDS_SHIFT); at += 1 << WORDS_SHIFT) {
            if (words.get(at + KEY) == 0) {
                return at;
            }
        }
        int set = first / (ways << WORDS_SHIFT);
        int victim = nextVictim[set];
        nextVictim[set] = (victim + 1) % ways;
        return first + (victim << WORDS_SHIFT);
    }

    /** PCI Express Base 10.3: without a PASID only what was found without one; of a PASID the shared ones too. */
    void invalidate(long iova, int shift, int pasid, boolean allPasids) {
        GENERATION.getAndAdd(this, 1L);
        for (int at = 0; at < words.length(); at += 1 << WORDS_SHIFT) {
            long key = words.get(at + KEY);
            int common = Math.max(shift, (int) key & SHIFT_MASK);
            boolean covered = common >= AddressTranslationCache.ALL || key >>> common == iova >>> common;
            if (key != 0 && covered && named(words.get(at + TAG), pasid, allPasids)) {
                words.set(at + KEY, 0);
            }
        }
    }

    private static boolean named(long tag, int pasid, boolean allPasids) {
        boolean without = pasid(tag) == TranslationPort.NO_PASID;
        if (pasid == TranslationPort.NO_PASID && !allPasids) {
            return without;
        }
        return !without && (allPasids || pasid(tag) == pasid || (tag & GLOBAL) != 0);
    }

    void clear() {
        GENERATION.getAndAdd(this, 1L);
        for (int at = 0; at < words.length(); at += 1 << WORDS_SHIFT) {
            words.set(at + KEY, 0);
        }
    }

    /** Entries in use. */
    int held() {
        int held = 0;
        for (int at = 0; at < words.length(); at += 1 << WORDS_SHIFT) {
            held += words.get(at + KEY) != 0 ? 1 : 0;
        }
        return held;
    }
}
