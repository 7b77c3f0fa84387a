package io.iolab.vmm.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.ats.AddressTranslation;
import io.iolab.devices.ats.DeviceTlb;
import io.iolab.devices.ats.RogueFunction;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.fault.FaultReason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Translation services from a function through ports to the unit, and forged ones (PCI Express Base 6.12 and chapter 10; VT-d 4). */
class TranslationServicesTest {
    private static final long SECRET = 0x10_0000;
    private static final long OWN = 0x20_0000;
    private static final long IOVA = 0x4000_0000;
    private static final int ACS_CONTROL = 0x106;
    private static final long CANARY = 0x5EC2_E7CA_FE00_1234L;

    private final PhysicalMemory memory = PhysicalMemory.allocate(16 << 20);
    private final RemappingUnit unit =
            new RemappingUnit(RemappingOptions.builder().deviceTlb(true).build(), memory, (address, data) -> {});
    private final IommuDriver driver = new IommuDriver(new Cpu(unit.registers()), 0, memory, new FrameSource() {
        private long next = 8 << 20;

        @Override
        public long allocatePage() {
            next += 4096;
            return next;
        }

        @Override
        public void freePage(long hpa) {}
    });
    private final PciTopology.Builder build = new PciTopology.Builder(RootComplex.of(unit));
    private final Bridge root = build.rootPort(1, 0, AccessControlServices.ALL);
    private final Bridge otherRoot = build.rootPort(2, 0, AccessControlServices.ALL);
    private final RogueFunction rogue =
            build.function(root, 0, 0, dma -> new RogueFunction(((FunctionPort) dma).translation()));
    private AddressTranslation option;
    private final ProbeFunction honest = build.function(otherRoot, 0, 0, dma -> {
        AddressTranslation made = new AddressTranslation(new DeviceTlb(((FunctionPort) dma).translation()));
        option = made;
        ProbeFunction function = new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, made.port());
        made.addTo(function.config());
        return function;
    });
    private final PciTopology topology = build.build();
    private final Domain domain;

    private record Cpu(MmioHandler registers) implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return registers.read(pa, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            registers.write(pa, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }

    TranslationServicesTest() {
        topology.start();
        driver.enable();
        domain = driver.createDomain();
        domain.map(IOVA, OWN, 0x4000, MapRights.READ_WRITE);
        for (PciFunction function : List.of(rogue, honest)) {
            function.config().write(ConfigSpace.COMMAND, 2, 6);
            driver.attach(rid(function), domain);
        }
        memory.writeLong(SECRET, CANARY);
    }

    @AfterEach
    void release() {
        memory.close();
    }

    private int rid(PciFunction function) {
        return topology.port(function).orElseThrow().rid();
    }

    private void withDeviceTlb(PciFunction function) {
        driver.detach(rid(function));
        driver.attachWithDeviceTlb(rid(function), domain);
    }

    private long readSecret(int command) {
        rogue.writeBar(0, RogueFunction.ADDRESS, 8, SECRET);
        rogue.writeBar(0, RogueFunction.LENGTH, 4, 8);
        rogue.writeBar(0, RogueFunction.COMMAND, 4, command);
        return rogue.readBar(0, RogueFunction.BUFFER, 8);
    }

    private DmaFault fault() {
        return DmaFault.values()[(int) rogue.readBar(0, RogueFunction.STATUS, 4)];
    }

    private List<FaultReport> faults() {
        List<FaultReport> reports = new ArrayList<>();
        driver.handleFaults(reports::add);
        return reports;
    }

    @Test
    @Spec(id = "T0D", section = "VT-d 3.3 7.1.3")
    void shouldBlockForgedTranslatedRequestWhereTtForbidsThem() {
        assertThat(readSecret(RogueFunction.READ)).isZero();
        assertThat(faults()).extracting(FaultReport::reason).containsExactly(FaultReason.READ_DENIED);
        assertThat(readSecret(RogueFunction.READ | RogueFunction.TRANSLATED)).isZero();
        assertThat(fault()).isNotEqualTo(DmaFault.NONE);
        assertThat(faults()).extracting(FaultReport::reason).containsExactly(FaultReason.REQUEST_TYPE_BLOCKED);
    }

    /** Translation services trust the device: that is what they are, and why ports offer translation blocking. */
    @Test
    @Spec(id = "A1", section = "VT-d 3.3 4.2")
    void shouldBelieveForgedTranslatedRequestWhereTtAllowsThem() {
        withDeviceTlb(rogue);
        assertThat(readSecret(RogueFunction.READ))
                .as("untranslated: the tables hold")
                .isZero();
        assertThat(readSecret(RogueFunction.READ | RogueFunction.TRANSLATED)).isEqualTo(CANARY);
        rogue.writeBar(0, RogueFunction.BUFFER, 8, 0x4444);
        rogue.writeBar(0, RogueFunction.COMMAND, 4, RogueFunction.WRITE | RogueFunction.TRANSLATED);
        assertThat(memory.readLong(SECRET)).isEqualTo(0x4444);
    }

    /** PCI Express Base 6.12.1.1. */
    @Test
    void shouldDropAddressTypesAtPortWithTranslationBlocking() {
        withDeviceTlb(rogue);
        root.config().write(ACS_CONTROL, 2, AccessControlServices.TRANSLATION_BLOCKING);
        assertThat(readSecret(RogueFunction.READ | RogueFunction.TRANSLATED)).isZero();
        assertThat(fault()).isEqualTo(DmaFault.ACS_VIOLATION);
        rogue.writeBar(0, RogueFunction.ADDRESS, 8, IOVA);
        rogue.writeBar(0, RogueFunction.COMMAND, 4, RogueFunction.TRANSLATE);
        assertThat(rogue.readBar(0, RogueFunction.STATUS, 4))
                .isEqualTo(TranslationStatus.UNSUPPORTED_REQUEST.ordinal());
        rogue.writeBar(0, RogueFunction.COMMAND, 4, RogueFunction.READ);
        assertThat(fault()).as("untranslated requests pass").isEqualTo(DmaFault.NONE);
    }

    @Test
    @Spec(id = "A2", section = "VT-d 3.3 4.1")
    void shouldUseTranslationsUntilTheyAreInvalidated() {
        withDeviceTlb(honest);
        int ats = ExtendedCapability.find(honest.config(), ExtendedCapability.ADDRESS_TRANSLATION);
        honest.config().write(ats + 6, 2, 1 << 15);
        memory.writeLong(OWN + 8, 77);
        byte[] word = new byte[8];
        for (int i = 0; i < 3; i++) {
            assertThat(honest.dma().read(IOVA + 8, word, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        }
        assertThat(word[0]).isEqualTo((byte) 77);
        assertThat(option.tlb().counters().translations()).isEqualTo(1);
        assertThat(option.tlb().counters().translatedRequests()).isEqualTo(3);
        domain.unmap(IOVA, 0x4000);
        assertThat(option.tlb().held()).isZero();
        assertThat(honest.dma().read(IOVA + 8, word, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NOT_MAPPED);
    }

    /** A device that has its own services off does not answer; software cuts it off. */
    @Test
    void shouldCutOffDeviceThatDoesNotAnswer() {
        withDeviceTlb(honest);
        domain.unmap(IOVA, 0x4000);
        assertThat(driver.isolations()).isEqualTo(1);
        domain.map(IOVA, OWN, 0x4000, MapRights.READ_WRITE);
        assertThat(honest.dma().read(IOVA, new byte[8], 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NOT_MAPPED);
    }
}
