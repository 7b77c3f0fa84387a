package io.iolab.devices.dma;

/**
 * What a translation request found (PCIe 4.0 10.2.3). Reused by the function that asks; filled by the unit.
 *
 * <p>Threading: the device's thread.
 */
public final class TranslationCompletion {
    private long hpa;
    private int pageShift;
    private int rights;
    private boolean untranslatedOnly;
    private boolean global;
    private boolean privileged;
    private boolean noSnoop;

    /**
     * Called by the unit.
     *
     * @param frameHpa first byte of the page
     * @param shift 12 to 63: the page has two to this power bytes
     * @param rights {@link TranslationPort#READ}, WRITE and EXECUTE; 0 for an absent page
     */
    public void set(long frameHpa, int shift, int rights) {
        hpa = frameHpa;
        pageShift = shift;
        this.rights = rights;
        untranslatedOnly = false;
        global = false;
        privileged = false;
        noSnoop = false;
    }

    /** Called by the unit after {@link #set}. */
    public void mark(boolean isUntranslatedOnly, boolean isGlobal, boolean isPrivileged, boolean isNoSnoop) {
        untranslatedOnly = isUntranslatedOnly;
        global = isGlobal;
        privileged = isPrivileged;
        noSnoop = isNoSnoop;
    }

    /** First byte of the page in host memory. */
    public long frameHpa() {
        return hpa;
    }

    /** Bits of the address below the page number; how many pages S covers. */
    public int pageShift() {
        return pageShift;
    }

    /** {@link TranslationPort#READ}, WRITE and EXECUTE as the page allows; 0 for an absent page. */
    public int rights() {
        return rights;
    }

    /** U: the page may be reached, but only with untranslated requests. */
    public boolean untranslatedOnly() {
        return untranslatedOnly;
    }

    /** Global: the translation holds for every PASID of the function. */
    public boolean global() {
        return global;
    }

    /** Priv: the rights are those of supervisor privilege. */
    public boolean privileged() {
        return privileged;
    }

    /** N: requests that use this translation are to be snooped, their No Snoop attribute clear. */
    public boolean noSnoop() {
        return noSnoop;
    }
}
