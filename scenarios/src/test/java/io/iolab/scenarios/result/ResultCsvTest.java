package io.iolab.scenarios.result;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResultCsvTest {

    private static List<String> lines(Report report) {
        return Arrays.asList(ResultCsv.text(report).split("\r\n", -1));
    }

    /** RFC 4180 section 2: CRLF after each record, the header first, as many fields in each. */
    @Test
    void shouldGiveOneRowPerPathUnderAHeader() {
        List<String> lines = lines(HandBuilt.report(HandBuilt.emulated(), HandBuilt.yardstick()));

        assertThat(lines).hasSize(4).last().isEqualTo("");
        assertThat(lines.getFirst())
                .startsWith("scenario,seed,clock,profile,virtual_seconds,path,guest,frames,bytes,tx_frames,");
        int columns = lines.getFirst().split(",", -1).length;
        assertThat(lines.get(1).split(",", -1)).hasSize(columns);
        assertThat(lines.get(2).split(",", -1)).hasSize(columns);
        assertThat(lines.get(1))
                .startsWith("hand-built,42,virtual,sandy-bridge-2013,0.000050000,emulated,emulated,4,1024,3,768,");
    }

    /** RFC 4180 section 2, rules 6 and 7. */
    @Test
    void shouldQuoteCommasAndQuotes() {
        assertThat(lines(HandBuilt.report(HandBuilt.passthrough())).get(1)).contains(",\"vf,\"\"0\"\"\",");
    }

    private static String cell(Report report, String column) {
        List<String> lines = lines(report);
        List<String> header = Arrays.asList(lines.getFirst().split(",", -1));
        assertThat(header).contains(column);
        // The guest's name holds a comma, so the row has one more.
        return Arrays.asList(lines.get(1).split(",", -1)).get(header.indexOf(column) + 1);
    }

    /** The header of all runs is the same, so that files can be put together: a cell is empty where there is no such thing. */
    @Test
    void shouldHaveTheDeviceTlbAndTheGuestsUnit() {
        Report plain = HandBuilt.report(HandBuilt.passthrough());
        Report tlb = HandBuilt.report(HandBuilt.withDeviceTlb());
        Report unit = HandBuilt.report(HandBuilt.withGuestUnit());

        assertThat(cell(tlb, "device_tlb_hits")).isEqualTo("6");
        assertThat(cell(tlb, "device_tlb_misses")).isEqualTo("2");
        assertThat(cell(tlb, "device_tlb_translation_requests")).isEqualTo("3");
        assertThat(cell(tlb, "device_tlb_translated_requests")).isEqualTo("7");
        assertThat(cell(tlb, "device_tlb_untranslated_requests")).isEqualTo("1");
        assertThat(cell(tlb, "device_tlb_invalidations")).isEqualTo("5");
        assertThat(cell(plain, "device_tlb_hits")).isEmpty();
        assertThat(cell(unit, "device_tlb_hits")).isEmpty();
        assertThat(cell(unit, "guest_unit_maps")).isEqualTo("4");
        assertThat(cell(unit, "guest_unit_map_exits")).isEqualTo("2");
        assertThat(cell(unit, "guest_unit_host_invalidations")).isEqualTo("12");
        assertThat(cell(unit, "guest_unit_faults")).isEqualTo("13");
        assertThat(cell(plain, "guest_unit_maps")).isEmpty();
    }

    @Test
    void shouldLeaveCellsEmptyWhereNothingWasTimed() {
        String text = ResultCsv.text(HandBuilt.report(HandBuilt.passthrough()));
        List<String> header = Arrays.asList(text.split("\r\n", -1)[0].split(",", -1));
        // The guest's name holds a comma, so the row has one more.
        List<String> row = Arrays.asList(text.split("\r\n", -1)[1].split(",", -1));

        assertThat(row.get(header.indexOf("latency_p50_ns") + 1)).isEmpty();
        assertThat(row.get(header.indexOf("kicks_sent") + 1)).isEqualTo("3");
    }
}
