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
