package io.iolab.iommu;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a remapping unit has for one requester id: its port for plain requests, those for each PASID and for translated
 * requests, and its counters.
 *
 * <p>Threading: {@link #attach} and {@link #detach} from any thread, everything else from the thread that runs the requester.
 */
final class Requester implements TranslationPort {
    private static final int PASID_BITS = 20;

    private final int rid;
    private final Translator translator;
    private final Memory memory;
    private final MessagePort messages;
    private final ProtectedMemory protectedMemory;
    private final RequesterCounters counters = new RequesterCounters();
    private final DmaPort direct;
    private final RemappedPort plain;
    private final Map<Integer, RemappedPort> byPasid = new HashMap<>();
    private @Nullable RemappedPort lastByPasid;
    private int lastKey = -1;
    private @Nullable TranslatedPort translated;

    Requester(
            int rid, Translator translator, Memory hostMemory, MessagePort messages, ProtectedMemory protectedMemory) {
        this.rid = rid;
        this.translator = translator;
        this.memory = hostMemory;
        this.messages = messages;
        this.protectedMemory = protectedMemory;
        this.direct = protectedMemory.guard(new DirectDma(hostMemory, this::message));
        this.plain = new RemappedPort(this, NO_PASID, 0, translator, hostMemory);
    }

    ProtectedMemory protectedMemory() {
        return protectedMemory;
    }

    int rid() {
        return rid;
    }

    RequesterCounters counters() {
        return counters;
    }

    /** Memory without translation, and messages. */
    DmaPort direct() {
        return direct;
    }

    /** Where every interrupt message of this requester passes, translation on or off. */
    private void message(long address, int data) {
        counters.messages++;
        messages.message(address, data);
    }

    @Override
    public DmaPort untranslated() {
        return plain;
    }

    @Override
    public DmaPort translated() {
        return translatedPort();
    }

    @Override
    public DmaFault admitTranslated(long address, boolean read) {
        return translatedPort().admit(address, read);
    }

    private TranslatedPort translatedPort() {
        TranslatedPort port = translated;
        if (port == null) {
            port = new TranslatedPort(plain, translator, memory, protectedMemory);
            translated = port;
        }
        return port;
    }

    @Override
    public DmaPort withPasid(int pasid, int wanted) {
        if (pasid < 0 || pasid >>> PASID_BITS != 0) {
            throw new IllegalArgumentException("PASID 0x" + Integer.toHexString(pasid));
        }
        return port(pasid, wanted & (EXECUTE | PRIVILEGED));
    }

    private RemappedPort port(int pasid, int wanted) {
        if (pasid == NO_PASID) {
            return plain;
        }
        int key = (pasid & (1 << PASID_BITS) - 1) << 4 | wanted;
        RemappedPort port = lastByPasid;
        if (port == null || key != lastKey) {
            port = byPasid.get(key);
            if (port == null) {
                port = new RemappedPort(this, pasid, wanted, translator, memory);
                byPasid.put(key, port);
            }
            lastKey = key;
            lastByPasid = port;
        }
        return port;
    }

    @Override
    public TranslationStatus translate(long iova, int pasid, int wanted, TranslationCompletion into) {
        if (translated != null) {
            translated.withdraw();
        }
        return translator.complete(port(pasid, wanted & PRIVILEGED), iova, wanted, into);
    }

    @Override
    public void requestPage(long iova, int pasid, int wanted, int group, boolean last) {
        RemappedPort port = port(pasid, wanted & PRIVILEGED);
        int response = translator.requestPage(port, iova, wanted, group, last);
        AddressTranslationCache cache = translator.caches.devices().find(rid);
        if (response != Translator.QUEUED && last && cache != null) {
            cache.pageGroupResponse(pasid, group, response);
        }
    }

    @Override
    public void attach(AddressTranslationCache cache) {
        translator.caches.devices().set(rid, cache);
    }

    @Override
    public void detach() {
        translator.caches.devices().set(rid, null);
    }
}
