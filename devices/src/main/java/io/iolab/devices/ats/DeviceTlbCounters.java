package io.iolab.devices.ats;

/**
 * What a device TLB did. Threading: written by the function's thread, but {@link #invalidations} and {@link #responses} by whoever sends
 * them; readable from any and may lag.
 */
public final class DeviceTlbCounters {
    long hits;
    long misses;
    long translations;
    long refusals;
    long translatedRequests;
    long untranslatedRequests;
    long pageRequests;
    long responses;
    long invalidations;

    DeviceTlbCounters() {}

    /** Requests that found their translation. */
    public long hits() {
        return hits;
    }

    /** Requests that did not. */
    public long misses() {
        return misses;
    }

    /** Translation requests sent (AT=01). */
    public long translations() {
        return translations;
    }

    /** Translation requests completed as unsupported, upon which services are left alone until they are switched on anew. */
    public long refusals() {
        return refusals;
    }

    /** Requests sent with addresses from here (AT=10), at most one per page. */
    public long translatedRequests() {
        return translatedRequests;
    }

    /** Requests sent as they came (AT=00) though services were on: messages, U bit, refused. */
    public long untranslatedRequests() {
        return untranslatedRequests;
    }

    /** Page request messages sent. */
    public long pageRequests() {
        return pageRequests;
    }

    /** Page group responses received, expected or not. */
    public long responses() {
        return responses;
    }

    /** Invalidate requests completed. */
    public long invalidations() {
        return invalidations;
    }
}
