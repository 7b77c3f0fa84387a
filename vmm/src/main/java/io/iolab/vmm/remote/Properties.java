package io.iolab.vmm.remote;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One option's value in QEMU's form: {@code head,key=value,flag}, where a doubled comma stands for a comma and a flag means {@code on}. What
 * is taken is gone, so that what is left at the end was not understood.
 */
final class Properties {
    private final String what;
    private final String head;
    private final Map<String, String> values = new LinkedHashMap<>();

    private Properties(String what, String head) {
        this.what = what;
        this.head = head;
    }

    /**
     * @param what the option, for messages
     * @param headKey what the head may also be called, as in {@code driver=e1000}
     */
    static Properties parse(String what, String text, String headKey) throws OptionException {
        String[] parts = text.replace(",,", "\0").split(",", -1);
        String first = parts[0].replace('\0', ',');
        boolean named = first.startsWith(headKey + "=");
        boolean headless = first.indexOf('=') >= 0;
        Properties result = new Properties(what, named ? first.substring(headKey.length() + 1) : headless ? "" : first);
        for (int i = headless && !named ? 0 : 1; i < parts.length; i++) {
            String part = parts[i].replace('\0', ',');
            int equals = part.indexOf('=');
            if (part.isEmpty() || equals == 0) {
                throw new OptionException(what + " " + text + ": an empty property");
            }
            if (equals < 0) {
                result.values.put(part, "on");
            } else {
                result.values.put(part.substring(0, equals), part.substring(equals + 1));
            }
        }
        return result;
    }

    String head() {
        return head;
    }

    /** The names that nobody took. */
    Iterable<String> left() {
        return values.keySet();
    }

    @Nullable
    String take(String key) {
        return values.remove(key);
    }

    String take(String key, String otherwise) {
        String value = values.remove(key);
        return value == null ? otherwise : value;
    }

    String require(String key) throws OptionException {
        String value = values.remove(key);
        if (value == null || value.isEmpty()) {
            throw new OptionException(describe() + ": " + key + "= is missing");
        }
        return value;
    }

    /** Null when it is not given. */
    @Nullable
    Boolean takeSwitch(String key) throws OptionException {
        String value = values.remove(key);
        return value == null ? null : isOn(key, value);
    }

    boolean isOn(String key, String value) throws OptionException {
        return switch (value) {
            case "on", "yes", "true", "y" -> true;
            case "off", "no", "false", "n" -> false;
            default -> throw new OptionException(describe() + ": " + key + "=" + value + " is neither on nor off");
        };
    }

    /** A number in C's form; {@code otherwise} when it is not given. */
    long takeNumber(String key, long low, long high, long otherwise) throws OptionException {
        String value = values.remove(key);
        if (value == null) {
            return otherwise;
        }
        long number;
        try {
            number = Numbers.parse(value);
        } catch (NumberFormatException e) {
            throw new OptionException(describe() + ": " + key + "=" + value + " is not a number");
        }
        if (number < low || number > high) {
            throw new OptionException(describe() + ": " + key + "=" + value + " is not in " + low + ".." + high);
        }
        return number;
    }

    String describe() {
        return head.isEmpty() ? what : what + " " + head;
    }
}
