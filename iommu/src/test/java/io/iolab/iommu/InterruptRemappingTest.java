package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import io.iolab.iommu.interrupt.InterruptPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What remapped entries make of messages (VT-d 5.1, 9.9). */
class InterruptRemappingTest {
    private static final long MESSAGE_5 = 0xFEE0_5000L;
    private static final int ASSERT = 1 << 14;

    private InterruptBench at = InterruptBench.plain();

    @AfterEach
    void release() {
        at.close();
    }

    private void use(InterruptBench other) {
        at.close();
        at = other;
    }

    private void expect(long address, int data) {
        assertThat(at.bench.messages).containsExactly(new Bench.Message(address, data));
        assertThat(at.reason()).isZero();
        at.bench.messages.clear();
    }

    private void expectBlocked() {
        assertThat(at.bench.messages).isEmpty();
        assertThat(at.reason()).isNotZero();
        at.clearRecord();
    }

    @Test
    @Spec(id = "I1", section = "VT-d 3.3 5.1.2")
    void shouldPassEveryMessageUnmodifiedWhileOff() {
        at.command(Bench.IRE, false);
        at.raise(InterruptBench.RID, InterruptBench.address(3), 0x1234_5678);
        expect(InterruptBench.address(3), 0x1234_5678);
        at.raise(InterruptBench.RID, 0xFEE0_1004L, 0x41);
        expect(0xFEE0_1004L, 0x41);
    }

    @Test
    @Spec(id = "I2", section = "VT-d 3.3 5.1.2.1")
    void shouldLetCompatibilityFormatPassOnlyWithCfisAndWithoutEime() {
        at.raise(InterruptBench.RID, 0xFEE0_1000L, 0x41);
        expectBlocked();
        at.command(Bench.CFI, true);
        at.raise(InterruptBench.RID, 0xFEE0_1000L, 0x41);
        expect(0xFEE0_1000L, 0x41);

        use(InterruptBench.extended());
        at.command(Bench.CFI, true);
        at.raise(InterruptBench.RID, 0xFEE0_1000L, 0x41);
        expectBlocked();
    }

    @Test
    @Spec(id = "I3.1", section = "VT-d 3.3 5.1.2.2")
    void shouldAddSubhandleOnlyWithShv() {
        at.entry(9, InterruptBench.fixed(0x99), 0);
        at.entry(6, InterruptBench.fixed(0x66), 0);
        at.raise(InterruptBench.RID, InterruptBench.address(6) | 1 << 3, 3);
        expect(MESSAGE_5, 0x99 | ASSERT);
        at.raise(InterruptBench.RID, InterruptBench.address(6), 3);
        expect(MESSAGE_5, 0x66 | ASSERT);
    }

    /** Handle bit 15 travels in address bit 2: a table of 65536 entries has a use for it. */
    @Test
    @Spec(id = "I3.1", section = "VT-d 3.3 5.1.2.2")
    void shouldTakeHandleBit15FromAddressBit2() {
        at.bench.store64(Bench.IRTA, InterruptBench.TABLE | 15);
        at.command(Bench.SIRTP, true);
        at.entry(0x8001, InterruptBench.fixed(0x81), 0);
        at.raise(InterruptBench.RID, 0xFEE0_0034L, 0);
        expect(MESSAGE_5, 0x81 | ASSERT);
    }

    /** An I/O APIC is no bus master of the lab: it has a message port of its own, under its own source id. */
    @Test
    @Spec(id = "I3.2", section = "VT-d 3.3 5.1.5")
    void shouldRemapMessagesOfAnIoApicByItsSourceId() {
        int ioApic = 0xF0F8;
        at.entry(2, InterruptBench.fixed(0x31) | 1 << 4, 1 << 18 | ioApic);
        InterruptPort port = at.bench.unit.interruptPortFor(ioApic);
        port.message(InterruptBench.address(2), 0x31 | 1 << 15 | ASSERT);
        expect(MESSAGE_5, 0x31 | ASSERT | 1 << 15);
        assertThat(port.remapped()).isEqualTo(1);
        at.raise(2);
        expectBlocked();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 4, 5, 7})
    @Spec(id = "I4.1", section = "VT-d 3.3 9.9")
    void shouldTakeModesFromTheEntry(int deliveryMode) {
        at.entry(1, InterruptBench.fixed(0x55) | 1 << 4 | (long) deliveryMode << 5, 0);
        at.raise(InterruptBench.RID, InterruptBench.address(1), 0x7FFF);
        expect(MESSAGE_5, 0x55 | deliveryMode << 8 | ASSERT | 1 << 15);
        at.entry(2, InterruptBench.fixed(0x56) | 1 << 2, 0);
        at.raise(2);
        expect(MESSAGE_5 | 1 << 2, 0x56 | ASSERT);
        at.entry(3, InterruptBench.fixed(0x57) | 1 << 3 | 0xF00, 0);
        at.raise(3);
        expect(MESSAGE_5 | 1 << 3, 0x57 | ASSERT);
    }

    @Test
    @Spec(id = "I4.2", section = "VT-d 3.3 9.9")
    void shouldSplitExtendedDestinationOverBothAddresses() {
        use(InterruptBench.extended());
        at.entry(1, 0x1234_56ABL << 32 | 0x40 << 16 | 1, 0);
        at.raise(1);
        expect(0x1234_5600_FEEA_B000L, 0x40 | ASSERT);
    }

    @Test
    @Spec(id = "I4.2", section = "VT-d 3.3 9.9")
    void shouldTakeEightBitDestinationWithoutEime() {
        at.entry(1, 0xABL << 40 | 0x40 << 16 | 1, 0);
        at.raise(1);
        expect(0xFEEA_B000L, 0x40 | ASSERT);
    }

    @Test
    @Spec(id = "I4.3", section = "VT-d 3.3 9.9")
    void shouldBlockEveryReservedBitOfARemappedEntry() {
        for (int bit = 0; bit < 128; bit++) {
            boolean low = bit >= 12 && bit <= 14 || bit >= 24 && bit <= 39 || bit >= 48 && bit <= 63;
            boolean reserved = low || bit >= 84;
            if (reserved) {
                at.entry(1, InterruptBench.fixed(0x40) | (bit < 64 ? 1L << bit : 0), bit < 64 ? 0 : 1L << bit - 64);
                at.raise(1);
                assertThat(at.reason()).as("bit %d", bit).isEqualTo(0x24);
                expectBlocked();
            }
        }
        for (int mode : new int[] {3, 6}) {
            at.entry(1, InterruptBench.fixed(0x40) | (long) mode << 5, 0);
            at.raise(1);
            expectBlocked();
        }
    }

    @Test
    @Spec(id = "I4.3", section = "VT-d 3.3 9.9")
    void shouldBlockEveryReservedBitOfAPostedEntryAndPostingThatIsNotOffered() {
        for (int bit = 0; bit < 128; bit++) {
            boolean low = bit >= 2 && bit <= 7 || bit == 12 || bit == 13 || bit >= 24 && bit <= 37;
            if (low || bit >= 84 && bit <= 95) {
                at.entry(1, InterruptBench.POSTED | 1 | (bit < 64 ? 1L << bit : 0), bit < 64 ? 0 : 1L << bit - 64);
                at.raise(1);
                assertThat(at.reason()).as("bit %d", bit).isEqualTo(0x24);
                expectBlocked();
            }
        }
        use(new InterruptBench(InterruptBench.options().postedInterrupts(false).build(), false));
        at.entry(1, InterruptBench.POSTED | 1, 0);
        at.raise(1);
        assertThat(at.reason()).isEqualTo(0x24);
    }

    @Test
    @Spec(id = "I5.1", section = "VT-d 3.3 9.9")
    void shouldCompareSourceUnderQualifier() {
        int[] ignored = {0, 4, 6, 7};
        for (int qualifier = 0; qualifier < 4; qualifier++) {
            at.entry(qualifier, InterruptBench.fixed(0x40), 1 << 18 | (long) qualifier << 16 | 0x1233);
            for (int bit = 0; bit < 16; bit++) {
                int rid = 0x1233 ^ 1 << bit;
                boolean admitted = (ignored[qualifier] >>> bit & 1) != 0;
                at.raise(rid, InterruptBench.address(qualifier), 0);
                assertThat(at.bench.messages)
                        .as("SQ %d, source %04x", qualifier, rid)
                        .hasSize(admitted ? 1 : 0);
                assertThat(at.reason()).isEqualTo(admitted ? 0 : 0x26);
                at.bench.messages.clear();
                at.clearRecord();
            }
        }
        at.entry(8, InterruptBench.fixed(0x41), 0xFFFF);
        at.raise(8);
        expect(MESSAGE_5, 0x41 | ASSERT);
    }

    @Test
    @Spec(id = "I5.2", section = "VT-d 3.3 9.9")
    void shouldCheckBusRangeAndLetNothingThroughTheReservedType() {
        at.entry(1, InterruptBench.fixed(0x40), 2 << 18 | 0x1214);
        for (int bus = 0x10; bus <= 0x16; bus++) {
            at.raise(bus << 8 | 0x37, InterruptBench.address(1), 0);
            assertThat(at.bench.messages).as("bus %02x", bus).hasSize(bus >= 0x12 && bus <= 0x14 ? 1 : 0);
            at.bench.messages.clear();
        }
        at.entry(2, InterruptBench.fixed(0x40), 3 << 18 | InterruptBench.RID);
        at.raise(2);
        assertThat(at.bench.messages).isEmpty();
    }

    @Test
    @Spec(id = "I7.1", section = "VT-d 3.3 6.4")
    void shouldUseCachedEntryUntilInvalidated() {
        at.entry(1, InterruptBench.fixed(0x40), 0);
        at.raise(1);
        at.entry(1, InterruptBench.fixed(0x77), 0);
        at.bench.messages.clear();
        at.raise(1);
        expect(MESSAGE_5, 0x40 | ASSERT);
        at.bench.queue(4 | 1 << 4 | 2L << 32, 0);
        at.raise(1);
        expect(MESSAGE_5, 0x40 | ASSERT);
        at.bench.queue(4 | 1 << 4 | 1L << 32, 0);
        at.raise(1);
        expect(MESSAGE_5, 0x77 | ASSERT);
        assertThat(at.bench.unit.counters().interruptEntryHits()).isEqualTo(2);
        assertThat(at.bench.unit.counters().interruptEntryMisses()).isEqualTo(2);
    }

    /** Every mask, at every index: the naturally aligned block goes, the rest stays. */
    @Test
    @Spec(id = "Q4.1", section = "VT-d 3.3 6.5.2.7")
    void shouldForgetTheAddressedBlockOnly() {
        for (int mask = 0; mask <= 5; mask++) {
            for (int first = 0; first < InterruptBench.ENTRIES; first += 3) {
                for (int index = 0; index < InterruptBench.ENTRIES; index++) {
                    at.entry(index, InterruptBench.fixed(0x40), 0);
                }
                at.invalidateAll();
                raiseAll(InterruptBench.ENTRIES);
                for (int index = 0; index < InterruptBench.ENTRIES; index++) {
                    at.entry(index, InterruptBench.fixed(0x50), 0);
                }
                at.bench.queue(4 | 1 << 4 | (long) mask << 27 | (long) first << 32, 0);
                at.bench.messages.clear();
                raiseAll(InterruptBench.ENTRIES);
                for (int index = 0; index < InterruptBench.ENTRIES; index++) {
                    boolean forgotten = index >>> mask == first >>> mask;
                    assertThat(at.bench.messages.get(index).data() & 0xFF)
                            .as("IM %d, IIDX %d, entry %d", mask, first, index)
                            .isEqualTo(forgotten ? 0x50 : 0x40);
                }
            }
        }
    }

    private void raiseAll(int entries) {
        for (int index = 0; index < entries; index++) {
            at.raise(index);
        }
    }

    @Test
    @Spec(id = "I7.2", section = "VT-d 3.3 6.4")
    void shouldCacheAbsenceWithCachingModeOnly() {
        at.raise(1);
        at.entry(1, InterruptBench.fixed(0x40), 0);
        expectBlocked();
        at.raise(1);
        expect(MESSAGE_5, 0x40 | ASSERT);

        use(new InterruptBench(InterruptBench.options().cachingMode(true).build(), false));
        at.raise(1);
        expectBlocked();
        at.entry(1, InterruptBench.fixed(0x40), 0);
        at.raise(1);
        assertThat(at.bench.messages).isEmpty();
        at.invalidateAll();
        at.raise(1);
        assertThat(at.bench.messages).hasSize(1);
    }

    @Test
    @Spec(id = "I8", section = "VT-d 3.3 5.1.6")
    void shouldNotRemapMessagesOfTheUnit() {
        at.bench.store32(Bench.FEADDR, 0xFEE0_9000);
        at.bench.store32(Bench.FEDATA, 0x99);
        at.bench.store32(Bench.FECTL, 0);
        at.raise(1);
        assertThat(at.bench.messages).containsExactly(new Bench.Message(0xFEE0_9000L, 0x99));
    }

    /** EIME also widens the addresses of the unit's own messages (VT-d 10.4.13). */
    @Test
    void shouldHaveUpperEventAddressWithExtendedInterruptMode() {
        use(InterruptBench.extended());
        at.bench.store32(Bench.FEADDR + 4, 0x1200);
        assertThat(at.bench.load32(Bench.FEADDR + 4)).isEqualTo(0x1200);
    }
}
