package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.fault.EventSignal;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.register.VtdRegisters;
import org.junit.jupiter.api.Test;

/** What a fault record holds, and which faults get one (VT-d 7.2.1, 10.4.14). */
class FaultFieldsTest {
    private final RegisterFile registers = new RegisterFile(
            VtdRegisters.map(RemappingOptions.builder().faultRecords(4).build().capabilities()));
    private final FaultRecorder recorder = new FaultRecorder(
            registers, 4, true, new EventSignal(registers, VtdRegisters.FECTL, (address, data) -> {}), () -> {});

    private long high(int record) {
        return registers.read(Bench.FRCD + 16L * record + 8, 8);
    }

    @Test
    @Spec(id = "F7", section = "VT-d 3.3 10.4.14")
    void shouldRecordPasidAndWhatItsRequestAskedFor() {
        int request = FaultRecorder.READ | FaultRecorder.EXECUTE | 1 << FaultRecorder.ADDRESS_TYPE_SHIFT;
        recorder.record(FaultReason.WRITE_DENIED, false, 0x1234, 0xABC_DEF0L, request, 0xF_1234);
        assertThat(high(0)).isEqualTo(3L << 62 | 1L << 60 | 0xF_1234L << 40 | 5L << 32 | 1L << 31 | 1L << 30 | 0x1234);
        assertThat(registers.read(Bench.FRCD, 8)).isEqualTo(0xABC_D000L);
        recorder.record(FaultReason.READ_DENIED, false, 1, 0, FaultRecorder.PRIVILEGED, 0);
        assertThat(high(1)).isEqualTo(1L << 63 | 6L << 32 | 1L << 31 | 1L << 29 | 1);
        recorder.record(FaultReason.READ_DENIED, false, 2, 0, FaultRecorder.PRIVILEGED, FaultRecorder.NO_PASID);
        assertThat(high(2)).as("fields of a PASID without one").isEqualTo(1L << 63 | 6L << 32 | 2);
    }

    /** All reasons that the unit knows: FPD keeps the qualified ones out. */
    @Test
    @Spec(id = "F5", section = "VT-d 3.3 7.2.1")
    void shouldSuppressQualifiedReasonsOnly() {
        for (FaultReason reason : FaultReason.values()) {
            recorder.record(reason, true, 7, 0, 0, FaultRecorder.NO_PASID);
            boolean pending = (registers.read(VtdRegisters.FSTS, 4) & 2) != 0;
            assertThat(pending).as("%s", reason).isEqualTo(!reason.qualified());
            for (int record = 0; record < 4; record++) {
                registers.write(Bench.FRCD + 16L * record + 12, 4, 1L << 31);
            }
        }
        for (int code : new int[] {0x1, 0x8, 0x9, 0xA, 0x20, 0x21, 0x23, 0x25, 0x50, 0x58}) {
            assertThat(FaultReason.ofCode(code).qualified()).as("0x%x", code).isFalse();
        }
    }

    @Test
    @Spec(id = "F4", section = "VT-d 3.3 7.2.1")
    void shouldRecordEachFaultWithoutCompression() {
        try (Bench bench = new Bench(
                RemappingOptions.builder().faultRecords(4).compressFaults(false).build())) {
            bench.setRoot(Tables.ROOT);
            bench.translation(true);
            for (int i = 0; i < 5; i++) {
                bench.unit.portFor(1).read(4096L * i, new byte[1], 0, 1, DmaKind.PAYLOAD);
            }
            assertThat(bench.unit.counters().faultsRecorded()).isEqualTo(4);
            assertThat(bench.unit.counters().faultsCollapsed()).isZero();
            assertThat(bench.load32(Bench.FSTS)).as("PFO, PPF").isEqualTo(3);
        }
    }

    /** End to end: a request with PASID in legacy mode. */
    @Test
    @Spec(id = "F7", section = "VT-d 3.3 10.4.14")
    @Spec(id = "T31", section = "VT-d 3.3 7.1.3")
    void shouldRecordPasidOfBlockedRequest() {
        try (Bench bench = Tables.bench(DescriptorTest.everything().build())) {
            bench.unit
                    .translationPortFor(Tables.RID)
                    .withPasid(0x12345, TranslationPort.PRIVILEGED)
                    .read(Tables.IOVA, new byte[1], 0, 1, DmaKind.PAYLOAD);
            long record = bench.load64(Bench.FRCD + 8);
            assertThat(record).isEqualTo(3L << 62 | 0x12345L << 40 | 0x31L << 32 | 1L << 31 | 1L << 29 | Tables.RID);
        }
    }
}
