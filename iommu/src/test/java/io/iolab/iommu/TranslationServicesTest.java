package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.spec.Spec;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Translation requests, translated requests and page requests as a function sees them (VT-d 4.1, 4.2, 7.4). */
class TranslationServicesTest {
    private static final int NO_PASID = TranslationPort.NO_PASID;

    private final TranslationCompletion completion = new TranslationCompletion();

    private static final class Answers implements AddressTranslationCache {
        final List<String> responses = new ArrayList<>();

        @Override
        public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
            return true;
        }

        @Override
        public void pageGroupResponse(int pasid, int group, int code) {
            responses.add(pasid + " " + group + " " + code);
        }
    }

    private static long reason(Bench bench) {
        return bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF;
    }

    private static Bench bench(int type) {
        return ScalableTables.bench(ScalableTables.options().build(), type);
    }

    private static TranslationPort port(Bench bench) {
        return bench.unit.translationPortFor(ScalableTables.RID);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void shouldTranslateForDevices(int type) {
        try (Bench bench = bench(type)) {
            for (int pasid : new int[] {NO_PASID, ScalableTables.PASID}) {
                assertThat(port(bench).translate(ScalableTables.IOVA + 0x123, pasid, TranslationPort.WRITE, completion))
                        .isEqualTo(TranslationStatus.SUCCESS);
                assertThat(completion.frameHpa()).isEqualTo(ScalableTables.PAGE);
                assertThat(completion.pageShift()).isEqualTo(12);
                assertThat(completion.rights()).isEqualTo(TranslationPort.READ | TranslationPort.WRITE);
                assertThat(completion.untranslatedOnly()).isFalse();
            }
            assertThat(port(bench).translated().read(ScalableTables.PAGE, new byte[8], 0, 8, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NONE);
        }
    }

    /** Without the wish to write a clean page is handed out read-only, so that no write goes unnoticed. */
    @Test
    void shouldHandOutCleanPagesReadOnly() {
        try (Bench bench = bench(ScalableTables.FIRST)) {
            port(bench).translate(ScalableTables.IOVA, ScalableTables.PASID, TranslationPort.READ, completion);
            assertThat(completion.rights()).isEqualTo(TranslationPort.READ);
            assertThat(bench.memory.readLong(ScalableTables.FIRST_LEAF) & 0x60).isEqualTo(0x20);
            port(bench).translate(ScalableTables.IOVA, ScalableTables.PASID, TranslationPort.WRITE, completion);
            assertThat(completion.rights()).isEqualTo(TranslationPort.READ | TranslationPort.WRITE);
            assertThat(bench.memory.readLong(ScalableTables.FIRST_LEAF) & 0x60).isEqualTo(0x60);
        }
    }

    @Test
    void shouldAnswerAbsentPageWithoutRightsAndWithoutFault() {
        try (Bench bench = bench(ScalableTables.FIRST)) {
            assertThat(port(bench).translate(0, ScalableTables.PASID, TranslationPort.WRITE, completion))
                    .isEqualTo(TranslationStatus.SUCCESS);
            assertThat(completion.rights()).isZero();
            assertThat(bench.unit.counters().blocked()).isZero();
        }
    }

    @Test
    void shouldAbortOnBrokenTables() {
        try (Bench bench = bench(ScalableTables.SECOND)) {
            bench.memory.writeLong(ScalableTables.SECOND_LEAF, ScalableTables.PAGE | 0x803);
            assertThat(port(bench).translate(ScalableTables.IOVA, NO_PASID, TranslationPort.WRITE, completion))
                    .isEqualTo(TranslationStatus.COMPLETER_ABORT);
            assertThat(reason(bench)).isEqualTo(0x7A);
            assertThat(bench.load64(Bench.FRCD + 8) >>> 60 & 3).as("AT").isEqualTo(1);
        }
    }

    /** Messages must be sent untranslated (VT-d 3.14). */
    @Test
    void shouldKeepInterruptRangeUntranslated() {
        try (Bench bench = bench(ScalableTables.SECOND)) {
            assertThat(port(bench).translate(0xFEE0_1000L, NO_PASID, TranslationPort.WRITE, completion))
                    .isEqualTo(TranslationStatus.SUCCESS);
            assertThat(completion.untranslatedOnly()).isTrue();
            assertThat(completion.rights()).isEqualTo(TranslationPort.WRITE);
            assertThat(port(bench).translated().write(0xFEE0_1000L, new byte[4], 0, 4, DmaKind.MESSAGE))
                    .isEqualTo(DmaFault.BEYOND_MEMORY);
            assertThat(reason(bench)).isEqualTo(0x87);
            assertThat(bench.messages).isEmpty();
        }
    }

    @Spec(id = "T44", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldRefuseServicesWithoutDeviceTlbEnable() {
        try (Bench bench = bench(ScalableTables.SECOND)) {
            bench.memory.writeLong(
                    ScalableTables.CONTEXT_ENTRY, bench.memory.readLong(ScalableTables.CONTEXT_ENTRY) & ~0x14);
            assertThat(port(bench).translate(ScalableTables.IOVA, NO_PASID, 0, completion))
                    .isEqualTo(TranslationStatus.UNSUPPORTED_REQUEST);
            assertThat(reason(bench)).isEqualTo(0x44);
            assertThat(port(bench).translated().read(ScalableTables.PAGE, new byte[8], 0, 8, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NOT_MAPPED);
        }
    }

    /** An admission ends with the next context invalidation, not before. */
    @Test
    void shouldBelieveTranslatedRequestsUntilContextIsInvalidated() {
        try (Bench bench = bench(ScalableTables.SECOND)) {
            byte[] word = new byte[8];
            for (int i = 0; i < 3; i++) {
                assertThat(port(bench).translated().read(ScalableTables.PAGE, word, 0, 8, DmaKind.PAYLOAD))
                        .isEqualTo(DmaFault.NONE);
            }
            bench.memory.writeLong(ScalableTables.CONTEXT_ENTRY, 0);
            assertThat(port(bench).translated().read(ScalableTables.PAGE, word, 0, 8, DmaKind.PAYLOAD))
                    .as("stale")
                    .isEqualTo(DmaFault.NONE);
            Queue queue = new Queue(bench);
            queue.submit(1 | 1 << 4, 0);
            assertThat(port(bench).translated().read(ScalableTables.PAGE, word, 0, 8, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NOT_MAPPED);
            assertThat(reason(bench)).isEqualTo(0x41);
        }
    }

    /** 256-bit descriptors, one after the other. */
    private static final class Queue {
        private static final long BASE = 0x40_0000;
        private final Bench bench;
        private int tail;

        Queue(Bench bench) {
            this.bench = bench;
            bench.store64(Bench.IQA, BASE | 1 << 11);
            bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
        }

        void submit(long low, long high) {
            bench.memory.writeLong(BASE + tail, low);
            bench.memory.writeLong(BASE + tail + 8, high);
            tail += 32;
            bench.store32(Bench.IQT, tail);
            assertThat(bench.load32(Bench.IQH)).isEqualTo(tail);
        }
    }

    @Spec(id = "T47", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldRefusePageRequestsWithoutEnable() {
        try (Bench bench = bench(ScalableTables.FIRST)) {
            bench.memory.writeLong(
                    ScalableTables.CONTEXT_ENTRY, bench.memory.readLong(ScalableTables.CONTEXT_ENTRY) & ~0x10);
            Answers answers = new Answers();
            port(bench).attach(answers);
            port(bench).requestPage(ScalableTables.IOVA, ScalableTables.PASID, TranslationPort.READ, 9, true);
            assertThat(reason(bench)).isEqualTo(0x47);
            assertThat(answers.responses).containsExactly("5 9 1");
        }
    }

    @Spec(id = "T32", section = "VT-d 3.3 7.1.3")
    @Test
    void shouldRefusePageRequestsInLegacyMode() {
        RemappingOptions options =
                RemappingOptions.builder().deviceTlb(true).pageRequests(true).build();
        try (Bench bench = Tables.bench(options)) {
            Answers answers = new Answers();
            TranslationPort port = bench.unit.translationPortFor(Tables.RID);
            port.attach(answers);
            port.requestPage(0, NO_PASID, TranslationPort.READ, 1, true);
            assertThat(reason(bench)).isEqualTo(0x32);
            assertThat(answers.responses).containsExactly("-1 1 1");
        }
    }
}
