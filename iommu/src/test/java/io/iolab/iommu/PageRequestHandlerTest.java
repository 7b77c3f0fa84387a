package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.ats.AddressTranslation;
import io.iolab.devices.ats.DeviceTlb;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.PageRequestHandler;
import io.iolab.iommu.driver.PageResolver;
import io.iolab.iommu.driver.TableMode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Page requests from a device that wants an absent page to the host that maps it (PCI Express Base 10.4; VT-d 7.4, 7.7). */
class PageRequestHandlerTest {
    private static final int RID = 0x0100;
    private static final int EVENT = 0x41;
    private static final long IOVA = 0x4000_0000;
    private static final long FRAMES = 0x60_0000;
    private static final long ABSENT = 0x7000_0000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(16 << 20);
    private final RemappingUnit unit = new RemappingUnit(
            RemappingOptions.builder()
                    .scalableMode(true)
                    .secondLevel(true)
                    .deviceTlb(true)
                    .pageRequests(true)
                    .build(),
            memory,
            this::message);
    private final IommuDriver driver = new IommuDriver(
            new Bench.Cpu(unit.registers()),
            Bench.BASE,
            memory,
            new FrameSource() {
                private long next = 8 << 20;

                @Override
                public long allocatePage() {
                    next += 4096;
                    return next;
                }

                @Override
                public void freePage(long hpa) {}
            },
            TableMode.SCALABLE_SECOND_LEVEL);
    private final ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
    private final DeviceTlb tlb = new DeviceTlb(unit.translationPortFor(RID));
    private final AddressTranslation option = new AddressTranslation(tlb);
    private final byte[] bytes = new byte[8192];
    private Domain domain;
    private PageRequestHandler handler;
    private boolean serving = true;
    private int code = PageResolver.SUCCESS;
    private int events;

    private void message(long address, int data) {
        events += data == EVENT ? 1 : 0;
        if (serving && data == EVENT) {
            handler.handle();
        }
    }

    @BeforeEach
    void start() {
        option.addTo(config);
        driver.enable();
        domain = driver.createDomain();
        driver.attachWithDeviceTlb(RID, domain);
        driver.allowPageRequests(RID, true);
        PageResolver onDemand = PageResolver.onDemand(driver, iova -> iova >= ABSENT ? -1 : FRAMES + (iova & 0xF_F000));
        handler = driver.servePageRequests((rid, pasid, iova, write) ->
                code == PageResolver.SUCCESS ? onDemand.resolve(rid, pasid, iova, write) : code);
        handler.configureEvent(0xFEE0_0000L, EVENT);
        config.write(at(ExtendedCapability.PAGE_REQUEST) + 0xC, 4, 8);
        config.write(at(ExtendedCapability.PAGE_REQUEST) + 4, 2, 1);
        config.write(at(ExtendedCapability.ADDRESS_TRANSLATION) + 6, 2, 1 << 15);
    }

    @AfterEach
    void release() {
        memory.close();
    }

    private int at(int capability) {
        return ExtendedCapability.find(config, capability);
    }

    private int status() {
        return config.read(at(ExtendedCapability.PAGE_REQUEST) + 6, 2) & 0x103;
    }

    private DmaFault write(long iova, int length) {
        return option.port().write(iova, bytes, 0, length, DmaKind.PAYLOAD);
    }

    @Test
    @Spec(id = "R4", section = "VT-d 3.3 7.7")
    void shouldMapPagesOnDemand() {
        bytes[5000] = 42;
        assertThat(write(IOVA, 8192)).isEqualTo(DmaFault.NONE);
        assertThat(memory.readByte(FRAMES + 5000)).isEqualTo((byte) 42);
        assertThat(handler.handled()).isEqualTo(2);
        assertThat(events).isEqualTo(2);
        assertThat(tlb.counters().pageRequests()).isEqualTo(2);
        assertThat(tlb.counters().responses()).isEqualTo(2);
        assertThat(domain.mappedBytes()).isEqualTo(8192);
        assertThat(write(IOVA, 8192)).isEqualTo(DmaFault.NONE);
        assertThat(handler.handled()).as("present now").isEqualTo(2);
        assertThat(status()).as("stopped: nothing is out").isEqualTo(0x100);
        domain.unmap(IOVA, 8192);
        assertThat(tlb.held()).isZero();
        assertThat(write(IOVA, 1)).as("asks anew").isEqualTo(DmaFault.NONE);
        assertThat(handler.handled()).isEqualTo(3);
    }

    /** Response failure stops the function until software resets the interface; an invalid request fails that one transfer. */
    @ParameterizedTest
    @CsvSource({"1, 0x100, 2", "15, 0x101, 1"})
    void shouldFailTransferAsTheResponseSays(int answer, int statusAfter, int requests) {
        code = answer;
        assertThat(write(IOVA, 8)).isEqualTo(DmaFault.NOT_MAPPED);
        assertThat(status()).isEqualTo(statusAfter);
        code = PageResolver.SUCCESS;
        assertThat(write(IOVA, 8)).isEqualTo(answer == 1 ? DmaFault.NONE : DmaFault.NOT_MAPPED);
        assertThat(tlb.counters().pageRequests()).isEqualTo(requests);
        int control = at(ExtendedCapability.PAGE_REQUEST) + 4;
        config.write(control, 2, 2);
        config.write(control, 2, 1);
        assertThat(write(IOVA, 8)).as("after a reset of the interface").isEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldGiveUpOnPageThatNeverComes() {
        assertThat(write(ABSENT, 8)).isEqualTo(DmaFault.NOT_MAPPED);
        assertThat(tlb.counters().pageRequests()).isOne();
    }

    @Test
    void shouldHaveNoMoreRequestsOutThanAllocated() {
        serving = false;
        for (int page = 0; page < 20; page++) {
            assertThat(write(IOVA + 4096L * page, 8)).isEqualTo(DmaFault.NOT_MAPPED);
            assertThat(write(IOVA, 8)).as("no second request for one page").isEqualTo(DmaFault.NOT_MAPPED);
        }
        assertThat(tlb.counters().pageRequests()).isEqualTo(8);
        assertThat(status()).as("not stopped").isZero();
        assertThat(events).as("one event until it is served").isOne();
        assertThat(handler.handle()).isEqualTo(8);
        assertThat(write(IOVA, 8)).isEqualTo(DmaFault.NONE);
        assertThat(write(IOVA + 0x7000, 8)).isEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldServeAgainAfterAnOverflow() {
        serving = false;
        TranslationPort port = unit.translationPortFor(RID);
        for (int i = 0; i < 1000; i++) {
            port.requestPage(IOVA + 4096L * i, TranslationPort.NO_PASID, TranslationPort.READ, i & 511, true);
        }
        assertThat(handler.handle()).isEqualTo(127);
        assertThat(handler.overflows()).isOne();
        serving = true;
        assertThat(write(IOVA + 0x80_0000, 8)).isEqualTo(DmaFault.NONE);
    }

    @Test
    @DisplayName("PCI Express Base 10.4.1.2: a stop marker is neither resolved nor answered")
    void shouldTakeNoPageRequestInStopMarker() {
        TranslationPort port = unit.translationPortFor(RID);
        port.requestPage(IOVA, TranslationPort.NO_PASID, TranslationPort.READ, 1, true);
        assertThat(domain.mappedBytes()).isEqualTo(4096);
        domain.unmap(IOVA, 4096);
        long answers = tlb.counters().responses();
        int before = status();
        port.requestPage(IOVA, TranslationPort.NO_PASID, 0, 2, true);
        assertThat(handler.handled()).as("taken from the queue").isEqualTo(2);
        assertThat(domain.mappedBytes()).isZero();
        assertThat(tlb.counters().responses()).isEqualTo(answers);
        assertThat(status()).as("no unexpected response").isEqualTo(before);
    }

    /** An assigned NIC built with the option: rings and buffers need not be there before it wants them. */
    @Test
    void shouldLetNicTransmitFromPagesThatItAsksFor() {
        int rid = 0x0200;
        AddressTranslation services = new AddressTranslation(new DeviceTlb(unit.translationPortFor(rid)));
        List<Integer> lengths = new ArrayList<>();
        E1000 nic = E1000.create(
                E1000Model.I82574L,
                new byte[] {2, 0, 0, 0, 0, 1},
                services.port(),
                InterruptPin.UNCONNECTED,
                (frame, offset, length) -> {
                    lengths.add(length);
                    return Delivery.ACCEPTED;
                },
                () -> 0);
        services.addTo(nic.config());
        driver.attachWithDeviceTlb(rid, domain);
        driver.allowPageRequests(rid, true);
        nic.config().write(ConfigSpace.COMMAND, 2, 6);
        int pri = ExtendedCapability.find(nic.config(), ExtendedCapability.PAGE_REQUEST);
        nic.config().write(pri + 0xC, 4, 8);
        nic.config().write(pri + 4, 2, 1);
        nic.config()
                .write(ExtendedCapability.find(nic.config(), ExtendedCapability.ADDRESS_TRANSLATION) + 6, 2, 1 << 15);
        // One legacy descriptor: EOP, IFCS and RS, 60 bytes.
        memory.writeLong(FRAMES, IOVA + 0x3000);
        memory.writeLong(FRAMES + 8, 60 | 0xBL << 24);
        nic.writeBar(0, 0x0000, 4, nic.readBar(0, 0x0000, 4) | 0x40);
        nic.writeBar(0, 0x3800, 4, IOVA);
        nic.writeBar(0, 0x3804, 4, 0);
        nic.writeBar(0, 0x3808, 4, 128);
        nic.writeBar(0, 0x0400, 4, 2);
        nic.writeBar(0, 0x3818, 4, 1);
        nic.poll(8);
        assertThat(lengths).containsExactly(60);
        assertThat(memory.readByte(FRAMES + 12) & 1).as("DD").isOne();
        assertThat(services.tlb().counters().pageRequests()).isEqualTo(2);
        assertThat(services.tlb().counters().translatedRequests()).isGreaterThanOrEqualTo(3);
        assertThat(unit.counters().blocked()).isZero();
    }

    /** FLR and any other reset clear the controls and drop translations and requests (PCI Express Base 10.3, 10.5). */
    @Test
    void shouldForgetEverythingOnReset() {
        assertThat(write(IOVA, 8)).isEqualTo(DmaFault.NONE);
        assertThat(tlb.held()).isOne();
        config.reset();
        assertThat(tlb.held()).isZero();
        assertThat(tlb.enabled()).isFalse();
        long translated = tlb.counters().translatedRequests();
        assertThat(write(IOVA, 8)).as("untranslated").isEqualTo(DmaFault.NONE);
        assertThat(tlb.counters().translatedRequests()).isEqualTo(translated);
    }

    @Test
    void shouldNoteAnswerToAGroupThatIsNotOut() {
        tlb.pageGroupResponse(TranslationPort.NO_PASID, 7, 0);
        assertThat(status()).isEqualTo(0x102);
        config.write(at(ExtendedCapability.PAGE_REQUEST) + 6, 2, 2);
        assertThat(status()).isEqualTo(0x100);
    }
}
