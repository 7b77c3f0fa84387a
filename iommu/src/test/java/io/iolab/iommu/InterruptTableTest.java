package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.InterruptTarget;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.SourceCheck;
import io.iolab.iommu.interrupt.PostedDescriptor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Host software for interrupt remapping: order of enabling, entries, invalidation (VT-d 5.1.3, 6.5.2.7, 9.9). */
class InterruptTableTest {
    private static final int RID = 0x0020;

    private Bench bench = new Bench(InterruptBench.options().build());
    private IommuDriver driver = driver(bench);

    private static IommuDriver driver(Bench bench) {
        return new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames);
    }

    private void use(RemappingOptions options) {
        bench.close();
        bench = new Bench(options);
        driver = driver(bench);
    }

    @AfterEach
    void release() {
        bench.close();
    }

    private void raise(int index) {
        bench.unit.interruptPortFor(RID).message(InterruptTable.messageAddress(index), 0);
    }

    /** IRTA, SIRTP, an invalidation of every entry, then IRE; compatibility format is closed last (VT-d 5.1.3, 10.4.4). */
    @Test
    void shouldEnableInOrder() {
        bench.store32(Bench.GCMD, Bench.CFI);
        bench.cpu.stores.clear();
        driver.enableInterruptRemapping(false);
        List<Integer> order = bench.cpu.stores.stream()
                .filter(store -> store.offset() != Bench.IQA)
                .map(store -> store.offset() == Bench.GCMD ? (int) store.value() & ~Bench.CFI : store.offset())
                .toList();
        assertThat(order)
                .containsExactly(
                        Bench.IQT,
                        Bench.QIE,
                        Bench.IRTA,
                        Bench.QIE | Bench.SIRTP,
                        Bench.IQT,
                        Bench.QIE | Bench.IRE,
                        Bench.QIE | Bench.IRE);
        assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.QIE | Bench.SIRTP | Bench.IRE);
        assertThatThrownBy(() -> driver.enableInterruptRemapping(false)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldRemapRetargetAndFree() {
        driver.enable();
        InterruptTable table = driver.enableInterruptRemapping(false);
        int index = table.allocate(1);
        table.remap(index, SourceCheck.requester(RID), InterruptTarget.fixed(3, 0x51));
        raise(index);
        table.remap(index, SourceCheck.requester(RID), new InterruptTarget(4, 0x52, 1, true, false));
        raise(index);
        assertThat(bench.messages)
                .containsExactly(new Bench.Message(0xFEE0_3000L, 0x4051), new Bench.Message(0xFEE0_400CL, 0x4152));
        bench.unit.interruptPortFor(0x28).message(InterruptTable.messageAddress(index), 0);
        assertThat(bench.messages).as("another source").hasSize(2);
        table.free(index, 1);
        raise(index);
        assertThat(bench.messages).as("freed").hasSize(2);
        assertThatThrownBy(() -> table.free(index, 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldPostAndGoBackToRemapping() {
        InterruptTable table = driver.enableInterruptRemapping(false);
        long descriptor = 0x8_0000;
        PostedDescriptor.initialise(bench.memory, descriptor, 0xF2, 7 << 8);
        int index = table.allocate(1);
        table.remap(index, SourceCheck.none(), InterruptTarget.fixed(3, 0x51));
        raise(index);
        table.post(index, SourceCheck.none(), 0x61, descriptor, false);
        raise(index);
        assertThat(PostedDescriptor.take(bench.memory, descriptor, 1)).isEqualTo(1L << 0x61 - 64);
        assertThat(bench.messages.getLast()).isEqualTo(new Bench.Message(0xFEE0_7000L, 0x40F2));
        table.remap(index, SourceCheck.none(), InterruptTarget.fixed(3, 0x51));
        raise(index);
        assertThat(bench.messages.getLast()).isEqualTo(new Bench.Message(0xFEE0_3000L, 0x4051));
        assertThatThrownBy(() -> table.post(index, SourceCheck.none(), 0x61, descriptor + 8, false))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Multiple-message MSI: one address, the number of the vector in the data. */
    @Test
    void shouldServeBlocksBySubhandle() {
        InterruptTable table = driver.enableInterruptRemapping(false);
        assertThat(table.allocate(1)).isZero();
        int first = table.allocate(5);
        assertThat(first).isEqualTo(8);
        for (int i = 0; i < 5; i++) {
            table.remap(first + i, SourceCheck.functions(RID, 3), InterruptTarget.fixed(1, 0x70 + i));
        }
        for (int i = 0; i < 5; i++) {
            bench.unit.interruptPortFor(RID + i).message(InterruptTable.blockMessageAddress(first), i);
            assertThat(bench.messages.get(i).data() & 0xFF).isEqualTo(0x70 + i);
        }
        assertThat(table.allocate(3)).as("fits behind the first").isEqualTo(4);
        table.free(first, 5);
        assertThat(table.allocate(8)).isEqualTo(8);
    }

    @Test
    void shouldRefuseWhenFull() {
        InterruptTable table = driver.enableInterruptRemapping(false);
        assertThat(table.allocate(256)).isZero();
        assertThatThrownBy(() -> table.allocate(1)).isInstanceOf(IllegalStateException.class);
        table.free(17, 1);
        assertThat(table.allocate(1)).isEqualTo(17);
    }

    @Test
    void shouldUseWholeDestinationInExtendedMode() {
        use(InterruptBench.options().extendedInterruptMode(true).build());
        InterruptTable table = driver.enableInterruptRemapping(true);
        int index = table.allocate(1);
        table.remap(index, SourceCheck.buses(0, 3), InterruptTarget.fixed(0x0102_03FF, 0x44));
        raise(index);
        assertThat(bench.messages).containsExactly(new Bench.Message(0x0102_0300_FEEF_F000L, 0x4044));
    }

    /** Caching mode: an absent entry that a device has tried is remembered until it is invalidated (VT-d 6.4). */
    @Test
    void shouldInvalidateNewEntriesInCachingMode() {
        use(InterruptBench.options().cachingMode(true).build());
        InterruptTable table = driver.enableInterruptRemapping(false);
        int index = table.allocate(1);
        raise(index);
        table.remap(index, SourceCheck.none(), InterruptTarget.fixed(3, 0x51));
        raise(index);
        assertThat(bench.messages).hasSize(1);
    }

    @Test
    void shouldRefuseUnitsWithoutIt() {
        use(RemappingOptions.defaults());
        assertThat(driver.supportsInterruptRemapping()).isFalse();
        assertThatThrownBy(() -> driver.enableInterruptRemapping(false)).isInstanceOf(IllegalStateException.class);
        use(InterruptBench.options().build());
        assertThat(driver.supportsExtendedInterruptMode()).isFalse();
        assertThatThrownBy(() -> driver.enableInterruptRemapping(true)).isInstanceOf(IllegalStateException.class);
    }

    /** Translation may go off and on while interrupts stay remapped. */
    @Test
    void shouldOutliveTranslation() {
        driver.enable();
        InterruptTable table = driver.enableInterruptRemapping(false);
        driver.disable();
        int index = table.allocate(1);
        table.remap(index, SourceCheck.none(), InterruptTarget.fixed(3, 0x51));
        raise(index);
        table.remap(index, SourceCheck.none(), InterruptTarget.fixed(3, 0x52));
        raise(index);
        assertThat(bench.messages.getLast().data()).isEqualTo(0x4052);
        driver.enable();
        table.remap(index, SourceCheck.none(), InterruptTarget.fixed(3, 0x53));
        raise(index);
        assertThat(bench.messages.getLast().data()).isEqualTo(0x4053);
        driver.disableInterruptRemapping();
        raise(index);
        assertThat(bench.messages.getLast().address()).isEqualTo(InterruptTable.messageAddress(index));
    }

    /** The lines that Linux logs, for an interrupt and for a request with PASID (VT-d 10.4.14). */
    @Test
    void shouldReportInterruptFaultsAndPasids() {
        use(DescriptorTest.everything().build());
        driver.enable();
        driver.enableInterruptRemapping(false);
        raise(0x17);
        bench.unit.translationPortFor(0x28).withPasid(0x123, 0).read(0x5000, new byte[1], 0, 1, DmaKind.PAYLOAD);
        List<FaultReport> reports = new ArrayList<>();
        assertThat(driver.handleFaults(reports::add)).isEqualTo(2);
        assertThat(reports.get(0).interruptIndex()).isEqualTo(0x17);
        assertThat(reports.get(0).toString())
                .isEqualTo("DMAR: [INTR-REMAP] Request device [00:04.0] fault index 0x17 [fault reason 0x22]"
                        + " Present field in the IRTE entry is clear");
        assertThat(reports.get(1).pasid()).isEqualTo(0x123);
        assertThat(reports.get(1).toString())
                .isEqualTo("DMAR: [DMA Read PASID 0x123] Request device [00:05.0] fault addr 0x5000"
                        + " [fault reason 0x31] SM: TTM 0 for request with PASID");
    }
}
