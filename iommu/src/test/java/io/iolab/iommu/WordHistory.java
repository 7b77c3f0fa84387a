package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What words of memory have held, and until when. A cache may hold any value that was in force at some time since it was last emptied,
 * so that a set of values stands for every cache that a unit could have.
 */
final class WordHistory {
    private record Past(long value, long until) {}

    private final Memory memory;
    private final Map<Long, List<Past>> past = new HashMap<>();
    private long now = 1;

    WordHistory(Memory memory) {
        this.memory = memory;
    }

    /** Changes a word. Time passes. */
    void change(long hpa, long value) {
        past.computeIfAbsent(hpa, word -> new ArrayList<>()).add(new Past(memory.readLong(hpa), tick()));
        memory.writeLong(hpa, value);
    }

    /** A word has been changed by the unit. Time passes. */
    void changed(long hpa, long before) {
        past.computeIfAbsent(hpa, word -> new ArrayList<>()).add(new Past(before, tick()));
    }

    /** The time of an event; later events have later times. */
    long tick() {
        return now++;
    }

    /** The present value and those that were in force at {@code since} or later, each once. */
    long[] values(long hpa, long since) {
        List<Past> words = past.get(hpa);
        long present = memory.readLong(hpa);
        if (words == null) {
            return new long[] {present};
        }
        long[] values = new long[words.size() + 1];
        int count = 0;
        values[count++] = present;
        for (Past word : words) {
            if (word.until >= since && !contains(values, count, word.value)) {
                values[count++] = word.value;
            }
        }
        return Arrays.copyOf(values, count);
    }

    private static boolean contains(long[] values, int count, long value) {
        for (int i = 0; i < count; i++) {
            if (values[i] == value) {
                return true;
            }
        }
        return false;
    }

    void forget() {
        past.clear();
    }
}
