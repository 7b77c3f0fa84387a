package io.iolab.devices.ats;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import java.util.ArrayList;
import java.util.List;

/** A root complex that answers for one page at a time, or refuses, and remembers what it was asked. */
final class ScriptedRoot implements TranslationPort {
    final List<String> seen = new ArrayList<>();
    boolean quiet;
    boolean refuses;
    boolean untranslatedOnly;
    Runnable afterTranslate = () -> {};
    Runnable onTranslated = () -> {};
    private long pageIova;
    private long frameHpa;
    private int shift = 12;
    private int rights;
    private final Port plain = new Port("", () -> {});
    private final Port translated = new Port("translated ", () -> onTranslated.run());

    void page(long iova, long hpa, int pageShift, int pageRights) {
        pageIova = iova;
        frameHpa = hpa;
        shift = pageShift;
        rights = pageRights;
    }

    void unmap() {
        rights = 0;
    }

    private void note(String what) {
        if (!quiet) {
            seen.add(what);
        }
    }

    @Override
    public DmaPort untranslated() {
        return plain;
    }

    @Override
    public DmaPort translated() {
        return translated;
    }

    @Override
    public synchronized DmaFault admitTranslated(long address, boolean read) {
        return DmaFault.NONE;
    }

    @Override
    public DmaPort withPasid(int pasid, int wanted) {
        return new Port(pasid + " ", () -> {});
    }

    @Override
    public synchronized TranslationStatus translate(long iova, int pasid, int wanted, TranslationCompletion into) {
        if (!quiet) {
            note("translate " + Long.toHexString(iova >>> 12 << 12) + " " + pasid
                    + ((wanted & WRITE) != 0 ? " rw" : " r"));
        }
        if (refuses) {
            return TranslationStatus.UNSUPPORTED_REQUEST;
        }
        boolean known = iova >>> shift == pageIova >>> shift;
        into.set(known ? frameHpa : 0, shift, known ? rights : 0);
        into.mark(untranslatedOnly, false, false, false);
        afterTranslate.run();
        return TranslationStatus.SUCCESS;
    }

    @Override
    public void requestPage(long iova, int pasid, int wanted, int group, boolean last) {
        note("request " + Long.toHexString(iova));
    }

    @Override
    public void attach(AddressTranslationCache cache) {}

    @Override
    public void detach() {
        note("detach");
    }

    private final class Port implements DmaPort {
        private final String prefix;
        private final Runnable then;

        Port(String prefix, Runnable then) {
            this.prefix = prefix;
            this.then = then;
        }

        private DmaFault done(String what, long address) {
            if (!quiet) {
                note(prefix + what + " " + Long.toHexString(address));
            }
            then.run();
            return DmaFault.NONE;
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return done("read", iova);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return done("write", iova);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return done("load", iova).asResult();
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return done("store", iova);
        }
    }
}
