package io.iolab.vmm.pci;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Translation services as a function below ports sees them: its requests are routed like any others, so that translation blocking drops
 * those with an address type, and a conventional bus, which has none, ends the matter. Page request messages are routed to the root
 * complex by their kind (PCI Express Base sections 2.2.8, 6.12.1.1).
 *
 * <p>Responses and invalidations come back to the requester id under which the function attached.
 *
 * <p>Threading: as {@link FunctionPort}.
 */
final class FabricTranslation implements TranslationPort {
    private static final int PASID_BITS = 20;

    private final FunctionPort untranslated;
    private final FunctionPort translated;
    private final FunctionPort requests;
    private final RootComplex rootComplex;
    private final Map<Integer, FunctionPort> byPasid = new HashMap<>();
    private @Nullable TranslationPort attached;

    FabricTranslation(FunctionPort untranslated, RootComplex rootComplex) {
        this.untranslated = untranslated;
        this.rootComplex = rootComplex;
        translated = untranslated.translated();
        requests = untranslated.as(AddressType.TRANSLATION_REQUEST);
    }

    @Override
    public DmaPort untranslated() {
        return untranslated;
    }

    @Override
    public DmaPort translated() {
        return translated;
    }

    /** A request that does not reach the unit is not the unit's to refuse: it fails where it is stopped. */
    @Override
    public DmaFault admitTranslated(long address, boolean read) {
        TranslationPort unit = translated.services(address);
        return unit == null ? DmaFault.NONE : unit.admitTranslated(address, read);
    }

    @Override
    public DmaPort withPasid(int pasid, int wanted) {
        if (pasid < 0 || pasid >>> PASID_BITS != 0) {
            throw new IllegalArgumentException("PASID 0x" + Integer.toHexString(pasid));
        }
        int modes = wanted & (EXECUTE | PRIVILEGED);
        return byPasid.computeIfAbsent(pasid << 4 | modes, key -> untranslated.withPasid(pasid, modes));
    }

    @Override
    public TranslationStatus translate(long iova, int pasid, int wanted, TranslationCompletion into) {
        TranslationPort unit = requests.services(iova);
        return unit == null ? TranslationStatus.UNSUPPORTED_REQUEST : unit.translate(iova, pasid, wanted, into);
    }

    @Override
    public void requestPage(long iova, int pasid, int wanted, int group, boolean last) {
        rootComplex
                .translationPortFor(untranslated.requesterId())
                .ifPresent(unit -> unit.requestPage(iova, pasid, wanted, group, last));
    }

    @Override
    public void attach(AddressTranslationCache cache) {
        detach();
        TranslationPort unit =
                rootComplex.translationPortFor(untranslated.requesterId()).orElse(null);
        attached = unit;
        if (unit != null) {
            unit.attach(cache);
        }
    }

    @Override
    public void detach() {
        TranslationPort unit = attached;
        attached = null;
        if (unit != null) {
            unit.detach();
        }
    }
}
