package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.fault.FaultReason;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scalable mode beyond its faults: kinds of tables, privileges, accessed and dirty bits, table modes (VT-d 3.4 to 3.8). */
class ScalableModeTest {
    private static final long ACCESSED = 1 << 5;
    private static final long DIRTY = 1 << 6;
    private static final byte[] WORD = {1, 2, 3, 4, 5, 6, 7, 8};

    private static TranslationPort port(Bench bench) {
        return bench.unit.translationPortFor(ScalableTables.RID);
    }

    private static DmaFault write(DmaPort port, long iova) {
        return port.write(iova, WORD, 0, 8, DmaKind.PAYLOAD);
    }

    private static DmaFault read(DmaPort port, long iova) {
        return port.read(iova, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    private static long reason(Bench bench) {
        return bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF;
    }

    /** PGTT 1 to 4; with a PASID of its own, and through RID_PASID without one. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void shouldTranslateThroughEveryKindOfTable(int type) {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), type)) {
            long iova = type == ScalableTables.PASS ? ScalableTables.PAGE : ScalableTables.IOVA;
            for (DmaPort port :
                    new DmaPort[] {port(bench).untranslated(), port(bench).withPasid(5, 0)}) {
                bench.memory.writeLong(ScalableTables.PAGE + 0x120, 0);
                assertThat(write(port, iova + 0x120)).isEqualTo(DmaFault.NONE);
                assertThat(bench.memory.readLong(ScalableTables.PAGE + 0x120)).isEqualTo(0x0807_0605_0403_0201L);
            }
            assertThat(bench.unit.counters().blocked()).isZero();
        }
    }

    /**
     * Root, context, directory and PASID entry, four levels; nested, each first-level table and the page cost a walk of
     * three, and so does each accessed bit that has to be written.
     */
    @ParameterizedTest
    @CsvSource({"1, 4", "2, 4", "3, 31", "4, 0"})
    void shouldCountEntriesRead(int type, int pages) {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), type)) {
            read(port(bench).untranslated(), type == ScalableTables.PASS ? 0 : ScalableTables.IOVA);
            assertThat(bench.unit.counters().walkAccesses()).isEqualTo(4 + pages);
        }
    }

    @Test
    void shouldTranslateFiveLevelsAndUpperHalf() {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.FIRST)) {
            long top = 0x1_F000;
            bench.memory.writeLong(top + 8 * 511, ScalableTables.FIRST4 | 7);
            bench.memory.writeLong(ScalableTables.ENTRY + 16, top | 0x37);
            long iova = -1L << 48 | ScalableTables.IOVA;
            assertThat(write(port(bench).withPasid(5, 0), iova)).isEqualTo(DmaFault.NONE);
        }
    }

    /** Five levels on a unit whose addresses have 48 bits. */
    @Spec(id = "T83", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldRefuseFirstLevelAddressesBeyondHardware() {
        RemappingOptions options =
                ScalableTables.options().guestAddressWidth(48).build();
        try (Bench bench = ScalableTables.bench(options, ScalableTables.FIRST)) {
            bench.memory.writeLong(ScalableTables.ENTRY + 16, ScalableTables.FIRST4 | 0x37);
            read(port(bench).withPasid(5, 0), 1L << 50);
            assertThat(reason(bench)).isEqualTo(0x83);
        }
    }

    @Spec(id = "T38", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldReportUnreadableRootTable() {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.FIRST)) {
            bench.setRoot(0x4000_0000L | 1 << 10);
            read(port(bench).untranslated(), 0);
            assertThat(reason(bench)).isEqualTo(0x38);
        }
    }

    /** TTM: scalable without SMTS, and 10, are not offered; 11 aborts all DMA with ADMS and is not offered without. */
    @Spec(id = "T30", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T33", section = "VT-d 3.3 7.1.3")
    @ParameterizedTest
    @CsvSource({"1, false, 30", "2, true, 30", "3, false, 30", "3, true, 33"})
    void shouldBlockEverythingInModesWithoutTables(int mode, boolean abort, String code) {
        try (Bench bench =
                Tables.bench(RemappingOptions.builder().abortDma(abort).build())) {
            bench.setRoot(Tables.ROOT | (long) mode << 10);
            assertThat(read(bench.unit.portFor(Tables.RID), Tables.IOVA)).isNotEqualTo(DmaFault.NONE);
            assertThat(reason(bench)).isEqualTo(Long.parseLong(code, 16));
        }
    }

    @Spec(id = "T31", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldRefusePasidInLegacyMode() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            assertThat(read(bench.unit.translationPortFor(Tables.RID).withPasid(1, 0), Tables.IOVA))
                    .isEqualTo(DmaFault.NOT_MAPPED);
            assertThat(reason(bench)).isEqualTo(0x31);
        }
    }

    /** Messages carry no PASID: a request to the interrupt range that has one is refused. */
    @Spec(id = "T87", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldRefuseMessagesWithPasid() {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.PASS)) {
            assertThat(port(bench).withPasid(5, 0).write(0xFEE0_0000L, new byte[4], 0, 4, DmaKind.MESSAGE))
                    .isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(reason(bench)).isEqualTo(0x87);
            assertThat(bench.messages).isEmpty();
        }
    }

    /** Supervisor pages, R/W without WPE, SMEP. */
    @Test
    void shouldObeyPrivileges() {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.FIRST)) {
            bench.memory.writeLong(ScalableTables.FIRST_LEAF, ScalableTables.PAGE | 1);
            bench.memory.writeLong(ScalableTables.FIRST_LEAF + 8, ScalableTables.PAGE | 5);
            // WPE clear, SMEP set.
            bench.memory.writeLong(ScalableTables.ENTRY + 16, ScalableTables.FIRST4 | 0x63);
            DmaPort supervisor = port(bench).withPasid(5, TranslationPort.PRIVILEGED);
            DmaPort executes = port(bench).withPasid(5, TranslationPort.PRIVILEGED | TranslationPort.EXECUTE);
            long userPage = ScalableTables.IOVA + 4096;
            assertThat(write(supervisor, ScalableTables.IOVA)).isEqualTo(DmaFault.NONE);
            assertThat(read(executes, ScalableTables.IOVA)).isEqualTo(DmaFault.NONE);
            assertThat(read(supervisor, userPage)).isEqualTo(DmaFault.NONE);
            assertThat(read(executes, userPage)).as("SMEP").isEqualTo(DmaFault.NO_READ);
            assertThat(read(port(bench).withPasid(5, 0), ScalableTables.IOVA)).isEqualTo(DmaFault.NOT_MAPPED);
        }
    }

    /** A at every level with the first use, D in the leaf with the first write, even if a read came before (VT-d 3.6.2). */
    @Test
    void shouldSetFirstLevelAccessedAndDirty() {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.FIRST)) {
            DmaPort port = port(bench).withPasid(5, 0);
            long leaf = bench.memory.readLong(ScalableTables.FIRST_LEAF);
            read(port, ScalableTables.IOVA);
            assertThat(bench.memory.readLong(ScalableTables.FIRST_TOP) & 0x60).isEqualTo(ACCESSED);
            assertThat(bench.memory.readLong(ScalableTables.FIRST_LEAF)).isEqualTo(leaf | ACCESSED);
            assertThat(write(port, ScalableTables.IOVA)).isEqualTo(DmaFault.NONE);
            assertThat(bench.memory.readLong(ScalableTables.FIRST_LEAF)).isEqualTo(leaf | ACCESSED | DIRTY);
            assertThat(bench.unit.counters().iotlbMisses()).isEqualTo(1);
        }
    }

    /** SLADE; without it the bits are software's (VT-d 3.7.2). */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSetSecondLevelAccessedAndDirtyWhenEnabled(boolean enabled) {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.SECOND)) {
            long entry = bench.memory.readLong(ScalableTables.ENTRY);
            bench.memory.writeLong(ScalableTables.ENTRY, entry | (enabled ? 1 << 9 : 0));
            DmaPort port = port(bench).withPasid(5, 0);
            read(port, ScalableTables.IOVA);
            assertThat(bench.memory.readLong(ScalableTables.SECOND_TOP) & 0x300).isEqualTo(enabled ? 0x100 : 0);
            assertThat(bench.memory.readLong(ScalableTables.SECOND_LEAF) & 0x300)
                    .isEqualTo(enabled ? 0x100 : 0);
            write(port, ScalableTables.IOVA);
            assertThat(bench.memory.readLong(ScalableTables.SECOND_LEAF) & 0x300)
                    .isEqualTo(enabled ? 0x300 : 0);
        }
    }

    /** Nested, the update of a first-level entry is a write to guest memory, and dirties its page there. */
    @Test
    void shouldDirtyGuestTablesThatAreUpdated() {
        try (Bench bench = ScalableTables.bench(ScalableTables.options().build(), ScalableTables.NESTED)) {
            long entry = bench.memory.readLong(ScalableTables.ENTRY);
            bench.memory.writeLong(ScalableTables.ENTRY, entry | 1 << 9);
            DmaPort port = port(bench).withPasid(5, 0);
            read(port, ScalableTables.IOVA);
            assertThat(bench.memory.readLong(ScalableTables.FIRST_LEAF) & 0x60).isEqualTo(ACCESSED);
            assertThat(bench.memory.readLong(ScalableTables.IDENTITY_TABLES) & 0x300)
                    .isEqualTo(0x300);
            assertThat(bench.memory.readLong(ScalableTables.IDENTITY_PAGE) & 0x300)
                    .isEqualTo(0x100);
            write(port, ScalableTables.IOVA);
            assertThat(bench.memory.readLong(ScalableTables.IDENTITY_PAGE) & 0x300)
                    .isEqualTo(0x300);
        }
    }

    /** Software takes the entry away between the walk and the update: nothing is written into what is there then. */
    @Spec(id = "T91", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldFailUpdateOfAnEntryThatHasChanged() {
        try (Bench bench = new Bench()) {
            ScalableTables.build(bench.memory, ScalableTables.FIRST);
            RemappingUnit unit = new RemappingUnit(
                    ScalableTables.options().build(), interfering(bench.memory), (address, data) -> {});
            unit.registers().write(Bench.RTADDR, 8, ScalableTables.ROOT | 1 << 10);
            unit.registers().write(Bench.GCMD, 4, Bench.SRTP);
            unit.registers().write(Bench.GCMD, 4, Bench.TE & 0xFFFF_FFFFL);
            DmaPort port = unit.translationPortFor(ScalableTables.RID).withPasid(5, 0);
            assertThat(read(port, ScalableTables.IOVA)).isEqualTo(DmaFault.BAD_TABLE);
            assertThat(unit.counters().faults(FaultReason.ACCESSED_DIRTY_FAILED))
                    .isEqualTo(1);
        }
    }

    /** Memory in which every compare-and-set comes second to somebody who flips address bit 12. */
    private static Memory interfering(Memory memory) {
        return (Memory) Proxy.newProxyInstance(
                Memory.class.getClassLoader(), new Class<?>[] {Memory.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("compareAndSetLong")) {
                        long hpa = (long) arguments[0];
                        memory.writeLong(hpa, memory.readLong(hpa) ^ 0x1000);
                    }
                    try {
                        return method.invoke(memory, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
