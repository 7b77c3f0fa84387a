package io.iolab.devices.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The comparison that judges the devices, judged. */
class JudgementTest {
    private static final String TABLE = """
            = QEMU_DEVIATION: manual 1.2
            # a comment
            a.b | 0x1 | 0x2
            *2 c.*.d | 1 | absent
            """;

    private static List<Facts.Difference> differences(String recorded, String ours) {
        return Facts.differences(
                Facts.flatten(Json.object(Json.parse(recorded))), Facts.flatten(Json.object(Json.parse(ours))));
    }

    @Test
    void shouldFindNothingWhenRecordingsAgree() {
        String text = "{\"a\": [1, 2], \"b\": {\"c\": \"0x5\", \"d\": true}}";
        assertThat(differences(text, text)).isEmpty();
    }

    @Test
    void shouldNamePathAndBothValues() {
        assertThat(differences("{\"a\": {\"b\": \"0x1\"}, \"x\": 1}", "{\"a\": {\"b\": \"0x2\"}, \"y\": 2}"))
                .extracting(Object::toString)
                .containsExactly("a.b | 0x1 | 0x2", "x | 1 | absent", "y | absent | 2");
    }

    @Test
    void shouldSplitByteDumpsIntoTheBytesThatDiffer() {
        assertThat(differences("{\"a\": \"000102030405060708\"}", "{\"a\": \"0001ff03040506aabb00\"}"))
                .extracting(Object::toString)
                .containsExactly("a@length | 9 | 10", "a@2 | 02 | ff", "a@7 | 0708 | aabb");
    }

    @Test
    void shouldAcceptListedDifferences() {
        Judgement judgement = Judgement.ofText(
                TABLE,
                differences(
                        "{\"a\": {\"b\": \"0x1\"}, \"c\": {\"x\": {\"d\": 1}, \"y\": {\"d\": 1}}}",
                        "{\"a\": {\"b\": \"0x2\"}}"));
        assertThat(judgement.unlisted()).isEmpty();
        assertThat(judgement.stale()).isEmpty();
        assertThat(judgement.counts()).isEqualTo(Map.of(Judgement.Reason.QEMU_DEVIATION, 3));
    }

    @Test
    void shouldRejectOtherValuesAndMissingCounts() {
        Judgement judgement = Judgement.ofText(
                TABLE,
                differences("{\"a\": {\"b\": \"0x1\"}, \"c\": {\"x\": {\"d\": 1}}}", "{\"a\": {\"b\": \"0x3\"}}"));
        assertThat(judgement.unlisted()).containsExactly("a.b | 0x1 | 0x3");
        assertThat(judgement.stale())
                .containsExactly("a.b | 0x1 | 0x2   (seen 0 times)", "*2 c.*.d | 1 | absent   (seen 1 times)");
    }

    @Test
    void shouldRejectLinesWithoutReason() {
        assertThatThrownBy(() -> Judgement.ofText("a | 1 | 2", List.of()))
                .hasMessageContaining("before the first group");
        assertThatThrownBy(() -> Judgement.ofText("= BOARD_CHOICE: ", List.of()))
                .hasMessageContaining("without a reason");
    }

    @Test
    void shouldReadEveryRecording() {
        for (String name : List.of("e1000-7.2.json", "e1000e-7.2.json", "virtio-net-7.2.json")) {
            assertThat(Facts.flatten(Json.resource(name))).as(name).hasSizeGreaterThan(100);
        }
    }
}
