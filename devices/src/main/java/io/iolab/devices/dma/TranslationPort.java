package io.iolab.devices.dma;

import io.iolab.devices.fault.DmaFault;

/**
 * What a function with address translation services sees of the root complex, beyond its plain {@link DmaPort} (PCIe 4.0 chapter
 * 10, Address Translation Services; 6.20, Process Address Space ID).
 *
 * <pre>
 *   device --translate--> translation or refusal      AT=01
 *          --translated()--> memory                   AT=10, addresses are host physical
 *          --withPasid(p)--> translation, memory      AT=00 with a PASID prefix
 *          --requestPage--> page request queue ... AddressTranslationCache.pageGroupResponse
 *   unit   --AddressTranslationCache.invalidate--> device
 * </pre>
 *
 * <p>Whether the function may do any of this is software's choice, made in its capabilities and in the tables of the unit; the
 * port lets a function try that was not allowed to, and the unit refuses.
 *
 * <p>Threading: one thread at a time, the one that runs the device.
 */
public interface TranslationPort {
    /** The PASID of a request that carries none. */
    int NO_PASID = -1;

    /** Bits of {@code wanted} and of {@link TranslationCompletion#rights}. */
    int READ = 1;

    int WRITE = 2;
    int EXECUTE = 4;

    /** Of {@code wanted}: the request is made with supervisor privilege. Only requests with a PASID can. */
    int PRIVILEGED = 8;

    /** The function's plain requests: AT=00, no PASID. */
    DmaPort untranslated();

    /** Requests whose addresses the function claims to have had translated: AT=10. */
    DmaPort translated();

    /**
     * Has the unit decide whether a translated request may pass; may wait for the unit. The decision holds for the next request of one
     * page through {@link #translated}, which then waits for nobody, or until the next {@link #translate}: a function with a cache asks
     * before it counts the request as under way, since invalidations wait for those that are.
     *
     * @param address for the fault record
     * @return {@link DmaFault#NONE}, or what {@link #translated} would have answered, recorded
     */
    DmaFault admitTranslated(long address, boolean read);

    /**
     * Requests with a PASID prefix. The same port for the same arguments; functions keep it, since the first call for a PASID makes
     * it.
     *
     * @param pasid 20 bits
     * @param wanted {@link #EXECUTE} and {@link #PRIVILEGED} or 0: what the prefix claims
     * @throws IllegalArgumentException if {@code pasid} has more bits
     */
    DmaPort withPasid(int pasid, int wanted);

    /**
     * Asks for the translation of the page around an address. A refusal says nothing about the page: the function may not use
     * translation services at all, or tables are broken. An absent page is a success without rights.
     *
     * @param pasid 20 bits, or {@link #NO_PASID}
     * @param wanted bits above; without {@link #WRITE} the request has the no-write flag
     * @param into what was found, meaningful for {@link TranslationStatus#SUCCESS} only
     */
    TranslationStatus translate(long iova, int pasid, int wanted, TranslationCompletion into);

    /**
     * Sends a page request message. The answer comes to the {@link AddressTranslationCache}, on any thread, perhaps before the call
     * returns.
     *
     * @param pasid 20 bits, or {@link #NO_PASID}
     * @param wanted bits above
     * @param group 0 to 511, repeated in the response
     * @param last whether the group ends with this request, so that a response is due
     */
    void requestPage(long iova, int pasid, int wanted, int group, boolean last);

    /** Connects the function's cache: from now on invalidations and page group responses go to it. */
    void attach(AddressTranslationCache cache);

    /** The function has switched translation services off: invalidations for it time out. */
    void detach();
}
