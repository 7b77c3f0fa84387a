package io.iolab.vmm.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Each error names file, line and column (1-based) of what is wrong, and what was expected there. */
class ConfigNodeTest {
    private enum Colour {
        DARK_RED,
        BLUE
    }

    private static ConfigNode parse(String text) throws ConfigException {
        return ConfigNode.parse("f.yaml", text);
    }

    private static void refuses(ThrowingCallable reading, int line, int column, String... words) {
        ConfigException error = catchThrowableOfType(ConfigException.class, reading);
        assertThat(error).as("refused").isNotNull();
        assertThat(error).hasMessageStartingWith("f.yaml:" + line + ":" + column + ": ");
        assertThat(error.getMessage()).contains(words);
        assertThat(error.line()).isEqualTo(line);
        assertThat(error.column()).isEqualTo(column);
        assertThat(error.file()).isEqualTo("f.yaml");
    }

    @Test
    void shouldReadEveryKindOfValue() throws ConfigException {
        ConfigNode node = parse("""
                name: lab
                ratio: 2.5
                count: 0x10
                on: true
                colour: dark-red
                delay: 10us
                sizes: [64B, 1KiB]
                child: {key: value}
                list:
                  - {n: 1}
                  - {n: 2}
                """);

        assertThat(node.text("name")).isEqualTo("lab");
        assertThat(node.decimal("ratio")).isEqualByComparingTo("2.5");
        assertThat(node.integer("count", 0, 16)).isEqualTo(16);
        assertThat(node.flag("on", false)).isTrue();
        assertThat(node.choice("colour", Colour.class)).isEqualTo(Colour.DARK_RED);
        assertThat(node.quantity("delay", Quantity.TIME)).isEqualTo(10_000_000);
        assertThat(node.quantities("sizes", Quantity.SIZE)).containsExactly(64L, 1024L);
        assertThat(node.child("child").text("key")).isEqualTo("value");
        List<ConfigNode> list = node.children("list");
        assertThat(list).hasSize(2);
        assertThat(list.get(1).integer("n", 0, 9)).isEqualTo(2);
        node.finish();
    }

    @Test
    void shouldUseWhatTheCallerSaysWhenAKeyIsAbsent() throws ConfigException {
        ConfigNode node = parse("a: b");

        assertThat(node.text("t", "x")).isEqualTo("x");
        assertThat(node.integer("i", 0, 9, 7)).isEqualTo(7);
        assertThat(node.flag("f", true)).isTrue();
        assertThat(node.choice("c", Colour.BLUE)).isEqualTo(Colour.BLUE);
        assertThat(node.quantity("q", Quantity.TIME, 5)).isEqualTo(5);
        assertThat(node.optionalChild("o")).isEmpty();
        assertThat(node.children("l")).isEmpty();
    }

    @Test
    void shouldKeepKeysInFileOrder() throws ConfigException {
        ConfigNode node = parse("zebra: 1\nant: 2\nmole: 3\nbee: 4\nyak: 5\ncat: 6\n");

        assertThat(node.keys()).containsExactly("zebra", "ant", "mole", "bee", "yak", "cat");
        node.finish();
    }

    @Test
    void shouldPointAtTheFirstUnknownKeyAndNameTheKnownOnes() {
        refuses(
                () -> {
                    ConfigNode node = parse("a: 1\nbb:\n  c: 2\n  dd: 3\n");
                    node.scalar("a", "x");
                    ConfigNode child = node.child("bb");
                    child.scalar("c", "x");
                    node.finish();
                    child.finish();
                },
                4,
                3,
                "bb: unknown key 'dd'",
                "known here: c");
    }

    @Test
    void shouldPointAtTheValueThatIsWrong() throws ConfigException {
        ConfigNode node = parse("""
                number: ten
                whole: 11
                flag: maybe
                colour: green
                delay: 10
                sizes: [64B, big]
                text: 5
                list: {}
                child: []
                scalar: [1]
                """);

        refuses(() -> node.decimal("number"), 1, 9, "number: expected a number", "ten");
        refuses(() -> node.integer("whole", 0, 10), 2, 8, "from 0 to 10", "'11'");
        refuses(() -> node.flag("flag", true), 3, 7, "true or false", "maybe");
        refuses(() -> node.choice("colour", Colour.class), 4, 9, "dark-red, blue", "green");
        refuses(() -> node.quantity("delay", Quantity.TIME), 5, 8, "a time such as 10us", "'10'");
        refuses(() -> node.quantities("sizes", Quantity.SIZE), 6, 14, "sizes[1]", "'big'");
        refuses(() -> node.text("text"), 7, 7, "quote it");
        refuses(() -> node.children("list"), 8, 7, "expected a list");
        refuses(() -> node.child("child"), 9, 8, "expected a mapping");
        refuses(() -> node.integer("scalar", 0, 1), 10, 9, "expected a whole number");
        refuses(() -> node.text("absent"), 1, 1, "missing key 'absent'");
    }

    @Test
    void shouldNameTheWayToAValueInAList() throws ConfigException {
        ConfigNode node = parse("guests:\n  - {name: a}\n  - {name: [b]}\n");

        refuses(() -> node.children("guests").get(1).text("name"), 3, 12, "guests[1].name: expected a text");
        refuses(() -> parse("guests: [a]").children("guests"), 1, 10, "guests[0]: expected a mapping");
    }

    @Test
    void shouldRefuseAKeyThatAppearsTwice() {
        refuses(() -> parse("a: 1\nb: 2\na: 3\n"), 3, 1, "key 'a' appears twice");
    }

    @Test
    void shouldRefuseWhatIsNoMapping() {
        refuses(() -> parse(""), 1, 1, "expected a mapping");
        refuses(() -> parse("- a\n- b\n"), 1, 1, "expected a mapping");
        refuses(() -> parse("? [a, b]\n: c\n"), 1, 3, "expected a plain key");
    }

    @Test
    void shouldPointAtBrokenYaml() {
        refuses(() -> parse("a: 1\n  b: 2\n"), 2, 4, "not YAML");
        refuses(() -> parse("a: [1\nb: 2\n"), 2, 2, "not YAML");
        refuses(() -> parse("a: *nobody\n"), 1, 4, "not YAML");
        refuses(() -> parse("a: 1\n---\nb: 2\n"), 2, 1, "not YAML");
    }

    @Test
    @DisplayName("a character that YAML does not allow is found as well")
    void shouldPointAtAForbiddenCharacter() {
        refuses(() -> parse("a: 1\nb: x\u0007y\n"), 2, 5, "not YAML");
    }

    @Test
    @DisplayName("a document that contains itself is read no deeper than it is asked for")
    void shouldNotLoopOnAnAliasToItself() throws ConfigException {
        ConfigNode node = parse("a: &x {b: *x}\n");

        assertThat(node.child("a").child("b").child("b").has("b")).isTrue();
    }
}
