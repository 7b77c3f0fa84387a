package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import io.iolab.iommu.fault.FaultReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Why interrupt requests are blocked, and what is recorded (VT-d 7.1.3). */
class InterruptFaultTest {
    private static final long DESCRIPTOR = 0x8_0000;
    private static final long FIRST_BEYOND_MEMORY = 12 << 20;

    private final InterruptBench at = InterruptBench.plain();

    @AfterEach
    void release() {
        at.close();
    }

    private void expect(FaultReason reason, int index) {
        assertThat(at.bench.messages).isEmpty();
        assertThat(at.reason()).isEqualTo(reason.code());
        assertThat(at.bench.load64(Bench.FRCD)).as("FI").isEqualTo((long) index << 48);
        assertThat(at.bench.load32(Bench.FRCD + 8)).as("SID").isEqualTo(InterruptBench.RID);
        assertThat(at.bench.load32(Bench.FRCD + 12) & 0x7FFF_FF00)
                .as("no PASID, AT 0, a write")
                .isZero();
        assertThat(at.bench.unit.counters().interruptsBlocked()).isEqualTo(1);
    }

    /** Qualified reasons are kept out of the records by FPD of the entry. */
    private void expectSilencedByFpd(int index) {
        long hpa = InterruptBench.TABLE + 16L * index;
        at.bench.store32(Bench.FRCD + 12, 1 << 31);
        at.bench.memory.writeLong(hpa, at.bench.memory.readLong(hpa) | InterruptBench.FPD);
        at.invalidateAll();
        at.raise(index);
        assertThat(at.bench.load32(Bench.FSTS) & 2).isZero();
        assertThat(at.bench.unit.counters().faultsSuppressed()).isEqualTo(1);
    }

    @Test
    @Spec(id = "T20", section = "VT-d 3.3 7.1.3")
    void shouldReportReservedBitsOfTheRequest() {
        at.entry(3, InterruptBench.fixed(0x40), 0);
        at.raise(InterruptBench.RID, InterruptBench.address(3), 1 << 16);
        expect(FaultReason.MESSAGE_RESERVED, 3);
    }

    @Test
    @Spec(id = "T21", section = "VT-d 3.3 7.1.3")
    @Spec(id = "F6", section = "VT-d 3.3 10.4.14")
    void shouldReportIndexBeyondTheTable() {
        at.raise(InterruptBench.ENTRIES);
        expect(FaultReason.INDEX_BEYOND_TABLE, InterruptBench.ENTRIES);
    }

    /** Handle and subhandle together may exceed 16 bits, which no table has. */
    @Test
    @Spec(id = "T21", section = "VT-d 3.3 7.1.3")
    void shouldReportSumOfHandleAndSubhandleBeyondTheTable() {
        at.bench.store64(Bench.IRTA, InterruptBench.TABLE | 15);
        at.command(Bench.SIRTP, true);
        at.raise(InterruptBench.RID, InterruptBench.address(0xFFFF) | 1 << 3, 5);
        expect(FaultReason.INDEX_BEYOND_TABLE, 4);
    }

    @Test
    @Spec(id = "T22", section = "VT-d 3.3 7.1.3")
    void shouldReportAbsentEntry() {
        at.entry(3, 0, 0);
        at.raise(3);
        expect(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, 3);
        expectSilencedByFpd(3);
    }

    @Test
    @Spec(id = "T23", section = "VT-d 3.3 7.1.3")
    void shouldReportTableOutsideOfMemory() {
        at.bench.store64(Bench.IRTA, FIRST_BEYOND_MEMORY | 3);
        at.command(Bench.SIRTP, true);
        at.raise(3);
        expect(FaultReason.INTERRUPT_TABLE_UNREADABLE, 3);
    }

    @Test
    @Spec(id = "T24", section = "VT-d 3.3 7.1.3")
    void shouldReportReservedBitsOfTheEntry() {
        at.entry(3, InterruptBench.fixed(0x40) | 1 << 12, 0);
        at.raise(3);
        expect(FaultReason.INTERRUPT_ENTRY_RESERVED, 3);
        expectSilencedByFpd(3);
    }

    @Test
    @Spec(id = "T25", section = "VT-d 3.3 7.1.3")
    void shouldReportBlockedCompatibilityFormat() {
        at.raise(InterruptBench.RID, 0xFEE0_1000L, 0x41);
        expect(FaultReason.COMPATIBILITY_BLOCKED, 0);
    }

    @Test
    @Spec(id = "T26", section = "VT-d 3.3 7.1.3")
    void shouldReportWrongSource() {
        at.entry(3, InterruptBench.fixed(0x40), 1 << 18 | 0x0028);
        at.raise(3);
        expect(FaultReason.SOURCE_REFUSED, 3);
        expectSilencedByFpd(3);
    }

    @Test
    @Spec(id = "T27", section = "VT-d 3.3 7.1.3")
    void shouldReportDescriptorOutsideOfMemory() {
        at.entry(3, FIRST_BEYOND_MEMORY << 32 | InterruptBench.POSTED | 1, 0);
        at.raise(3);
        expect(FaultReason.POSTED_DESCRIPTOR_UNREADABLE, 3);
        expectSilencedByFpd(3);
    }

    @Test
    @Spec(id = "T28", section = "VT-d 3.3 7.1.3")
    void shouldReportReservedBitsOfTheDescriptor() {
        at.entry(3, DESCRIPTOR << 32 | InterruptBench.POSTED | 1, 0);
        at.bench.memory.writeLong(DESCRIPTOR + 32, 1 << 2);
        at.raise(3);
        expect(FaultReason.POSTED_DESCRIPTOR_RESERVED, 3);
        assertThat(at.bench.memory.readLong(DESCRIPTOR)).as("PIR").isZero();
        expectSilencedByFpd(3);
    }

    @Test
    @Spec(id = "T28", section = "VT-d 3.3 7.1.3")
    void shouldFindEveryReservedBitOfTheDescriptor() {
        at.entry(3, DESCRIPTOR << 32 | InterruptBench.POSTED | 1, 0);
        for (int bit = 256; bit < 512; bit++) {
            boolean reserved = bit >= 258 && bit <= 271 || bit >= 280 && bit <= 287 || bit >= 320;
            at.bench.memory.fill(DESCRIPTOR, 64, (byte) 0);
            at.bench.memory.writeByte(DESCRIPTOR + bit / 8, (byte) (1 << bit % 8));
            long before = at.bench.unit.counters().faults(FaultReason.POSTED_DESCRIPTOR_RESERVED);
            at.raise(3);
            assertThat(at.bench.unit.counters().faults(FaultReason.POSTED_DESCRIPTOR_RESERVED) - before)
                    .as("bit %d", bit)
                    .isEqualTo(reserved ? 1 : 0);
        }
    }

    @Test
    @Spec(id = "T29", section = "VT-d 3.3 7.1.3")
    void shouldReportInterruptRequestWithPasid() {
        at.bench.unit.interruptPortFor(InterruptBench.RID).messageWithPasid();
        expect(FaultReason.MESSAGE_WITH_PASID, 0);
    }

    /** The codes, qualification and order are those of the specification's table. */
    @Test
    void shouldKnowReasonsByCode() {
        for (int code = 0x20; code <= 0x29; code++) {
            FaultReason reason = FaultReason.ofCode(code);
            assertThat(reason).as("0x%x", code).isNotNull();
            boolean qualified = code == 0x22 || code == 0x24 || code >= 0x26 && code <= 0x28;
            assertThat(reason.qualified()).as("0x%x", code).isEqualTo(qualified);
        }
    }
}
