package io.iolab.iommu.cache;

import io.iolab.devices.dma.AddressTranslationCache;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** The translation caches that functions have attached, by requester id. Threading: any thread. */
public final class DeviceCaches {
    private final AtomicReferenceArray<@Nullable AddressTranslationCache> caches = new AtomicReferenceArray<>(1 << 16);

    /** @param cache null when the function has switched translation services off */
    public void set(int rid, @Nullable AddressTranslationCache cache) {
        caches.set(rid, cache);
    }

    /** The cache of this function; null when nobody answers invalidations for it. */
    public @Nullable AddressTranslationCache find(int rid) {
        return caches.get(rid & 0xFFFF);
    }
}
