package io.iolab.devices.ats;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.spec.Spec;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A function's cache of translations (PCI Express Base chapter 10), on a root complex of the test's making. */
class DeviceTlbTest {
    private static final int NO_PASID = TranslationPort.NO_PASID;
    private static final int BOTH = TranslationPort.READ | TranslationPort.WRITE;

    private final ScriptedRoot root = new ScriptedRoot();
    private final ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
    private final DeviceTlb tlb = new DeviceTlb(root, 4, 2, 4, PageWait.NONE);
    private final AddressTranslation option = new AddressTranslation(tlb);
    private final byte[] bytes = new byte[8192];

    DeviceTlbTest() {
        option.addTo(config);
        services(true);
    }

    private int at(int capability) {
        return ExtendedCapability.find(config, capability);
    }

    private void services(boolean on) {
        config.write(at(ExtendedCapability.ADDRESS_TRANSLATION) + 6, 2, on ? 1 << 15 : 0);
    }

    private DmaFault read(DmaPort port, long iova) {
        return port.read(iova, bytes, 0, 8, DmaKind.PAYLOAD);
    }

    private DmaFault write(DmaPort port, long iova) {
        return port.write(iova, bytes, 0, 8, DmaKind.PAYLOAD);
    }

    @Test
    void shouldAskOnceAndUseTheAnswer() {
        root.page(0x5000, 0x9_5000, 12, BOTH);
        read(option.port(), 0x5010);
        read(option.port(), 0x5020);
        assertThat(root.seen).containsExactly("translate 5000 -1 r", "translated read 95010", "translated read 95020");
        assertThat(tlb.counters().hits()).isOne();
        assertThat(tlb.counters().misses()).isOne();
    }

    /** 10.2.3.4: without the wish to write the unit may answer read-only. */
    @Test
    void shouldAskAgainForTheRightThatItLacks() {
        root.page(0x5000, 0x9_5000, 12, TranslationPort.READ);
        read(option.port(), 0x5000);
        root.page(0x5000, 0x9_5000, 12, BOTH);
        assertThat(write(option.port(), 0x5000)).isEqualTo(DmaFault.NONE);
        assertThat(root.seen).contains("translate 5000 -1 rw", "translated write 95000");
        assertThat(tlb.held()).as("one entry a page").isOne();
        root.page(0x6000, 0x9_6000, 12, TranslationPort.READ);
        assertThat(write(option.port(), 0x6000)).isEqualTo(DmaFault.NO_WRITE);
        assertThat(read(option.port(), 0x7000)).isEqualTo(DmaFault.NOT_MAPPED);
    }

    @Test
    void shouldSendUntranslatedWhatMayGoNoOtherWay() {
        root.untranslatedOnly = true;
        root.page(0x5000, 0x9_5000, 12, BOTH);
        read(option.port(), 0x5000);
        read(option.port(), 0x5000);
        assertThat(root.seen).containsExactly("translate 5000 -1 r", "read 5000", "read 5000");
        root.seen.clear();
        option.port().write(0xFEE0_0000L, bytes, 0, 4, DmaKind.MESSAGE);
        assertThat(root.seen).as("10.2.1: messages").containsExactly("write fee00000");
        root.seen.clear();
        services(false);
        read(option.port(), 0x5000);
        assertThat(root.seen).containsExactly("detach", "read 5000");
    }

    /** 10.2.3.2: unsupported request ends translation services until software switches them on anew. */
    @Test
    void shouldStopAskingAfterUnsupportedRequest() {
        root.refuses = true;
        read(option.port(), 0x5000);
        read(option.port(), 0x5000);
        assertThat(root.seen).containsExactly("translate 5000 -1 r", "read 5000", "read 5000");
        root.refuses = false;
        root.page(0x5000, 0x9_5000, 12, BOTH);
        services(false);
        services(true);
        root.seen.clear();
        read(option.port(), 0x5000);
        assertThat(root.seen).contains("translated read 95000");
    }

    @Test
    void shouldKeepLargePagesInOneEntry() {
        root.page(0x4020_0000L, 0x8000_0000L, 21, BOTH);
        read(option.port(), 0x4020_0000L);
        read(option.port(), 0x403F_FFF8L);
        assertThat(root.seen).containsSequence("translated read 80000000", "translated read 801ffff8");
        assertThat(tlb.held()).isOne();
        tlb.invalidate(0x4030_0000L, 12, NO_PASID, false);
        assertThat(tlb.held()).as("a part of it is all of it").isZero();
    }

    @Test
    void shouldReplaceWithinTheSet() {
        for (long page = 0; page < 100; page++) {
            root.page(page << 12, page << 12, 12, BOTH);
            read(option.port(), page << 12);
        }
        assertThat(tlb.held()).isEqualTo(8);
        root.seen.clear();
        read(option.port(), 99 << 12);
        assertThat(root.seen).containsExactly("translated read 63000");
    }

    /** 10.3.1: sizes by S and address, PASIDs by prefix and G. */
    @Test
    @Spec(id = "A3", section = "VT-d 3.3 6.5.2.5")
    void shouldForgetBlocksAndPasids() {
        DeviceTlb roomy = new DeviceTlb(root);
        roomy.enable(true);
        for (int pasid : new int[] {NO_PASID, 5, 6}) {
            DmaPort port = pasid == NO_PASID ? roomy.port() : roomy.withPasid(pasid, 0);
            for (long iova : new long[] {0x1_0000, 0x1_1000}) {
                root.page(iova, 0x9_0000 + iova, 12, BOTH);
                read(port, iova);
            }
        }
        assertThat(roomy.held()).isEqualTo(6);
        roomy.invalidate(0x1_0000, 12, NO_PASID, false);
        assertThat(roomy.held()).isEqualTo(5);
        roomy.invalidate(0x1_0000, 13, 5, false);
        assertThat(roomy.held()).isEqualTo(3);
        roomy.invalidate(0, AddressTranslationCache.ALL, 0, true);
        assertThat(roomy.held()).as("without PASID stays").isOne();
        roomy.invalidate(0, AddressTranslationCache.ALL, NO_PASID, false);
        assertThat(roomy.held()).isZero();
        assertThat(roomy.counters().invalidations()).isEqualTo(4);
    }

    /** 6.20: the register's PASID on all requests, once software has enabled PASIDs; messages carry none. */
    @Test
    void shouldTagRequestsWithThePasidOfTheRegister() {
        int register = at(ExtendedCapability.VENDOR_SPECIFIC) + AddressTranslation.PASID_REGISTER;
        config.write(register, 4, AddressTranslation.PASID_VALID | 0x1234);
        root.page(0x5000, 0x9_5000, 12, BOTH);
        read(option.port(), 0x5000);
        config.write(at(ExtendedCapability.PASID) + 6, 2, 1);
        read(option.port(), 0x5000);
        option.port().write(0xFEE0_0000L, bytes, 0, 4, DmaKind.MESSAGE);
        assertThat(root.seen)
                .containsExactly(
                        "translate 5000 -1 r",
                        "translated read 95000",
                        "translate 5000 4660 r",
                        "translated read 95000",
                        "write fee00000");
    }

    /** An answer that an invalidation has overtaken on its way is not used. */
    @Test
    void shouldNotEnterWhatIsStaleOnArrival() {
        root.page(0x5000, 0x9_5000, 12, BOTH);
        root.afterTranslate = () -> {
            root.afterTranslate = () -> {};
            root.page(0x5000, 0xA_5000, 12, BOTH);
            tlb.invalidate(0x5000, 12, NO_PASID, false);
        };
        read(option.port(), 0x5000);
        assertThat(root.seen).last().isEqualTo("translated read a5000");
        root.afterTranslate = () -> tlb.invalidate(0x6000, 12, NO_PASID, false);
        root.page(0x6000, 0x9_6000, 12, BOTH);
        read(option.port(), 0x6000);
        assertThat(root.seen).last().as("overtaken each time").isEqualTo("read 6000");
    }

    /**
     * 10.3.3: the completion comes after the last use. The unit's lock is held meanwhile, as it is by a real invalidation, and every service
     * needs it.
     */
    @Test
    @Spec(id = "A2", section = "VT-d 3.3 4.1")
    @Timeout(60)
    void shouldCompleteInvalidationAfterTheLastUse() throws InterruptedException {
        AtomicBoolean reusable = new AtomicBoolean();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong late = new AtomicLong();
        AtomicLong used = new AtomicLong();
        root.quiet = true;
        root.page(0x5000, 0x9_5000, 12, BOTH);
        root.onTranslated = () -> {
            used.incrementAndGet();
            for (int spin = 0; spin < 20; spin++) {
                Thread.onSpinWait();
            }
            late.addAndGet(reusable.get() ? 1 : 0);
        };
        Thread device = new Thread(() -> {
            while (!stop.get()) {
                read(option.port(), 0x5000);
            }
        });
        device.start();
        // On a busy machine all rounds would pass before the device's thread runs at all.
        while (used.get() == 0) {
            Thread.yield();
        }
        for (int round = 0; round < 20_000; round++) {
            synchronized (root) {
                root.unmap();
                tlb.invalidate(0x5000, 12, NO_PASID, false);
            }
            reusable.set(true);
            for (int spin = 0; spin < 50; spin++) {
                Thread.onSpinWait();
            }
            reusable.set(false);
            synchronized (root) {
                root.page(0x5000, 0x9_5000, 12, BOTH);
            }
        }
        stop.set(true);
        device.join();
        assertThat(late).hasValue(0);
        assertThat(used.get()).as("translated requests").isPositive();
    }

    @Test
    void shouldAllocateNothingOnHits() {
        root.quiet = true;
        root.page(0x5000, 0x9_5000, 12, BOTH);
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        for (int warm = 0; warm < 2; warm++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                read(option.port(), 0x5000);
                write(option.port(), 0x5000);
            }
            long bytesUsed = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(warm == 0 ? 0 : bytesUsed).as("bytes in 10,000 rounds").isLessThan(1_000);
        }
    }
}
