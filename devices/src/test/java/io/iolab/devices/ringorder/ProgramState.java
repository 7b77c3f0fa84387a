package io.iolab.devices.ringorder;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.virtio.RingDriver;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.virtio.queue.Virtqueue;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a program remembers, word by word: two that are equal go on alike. Found by reflection, so that no field can be
 * forgotten; what a queue reaches its surroundings by has no state of its own.
 */
record ProgramState(List<Long> words) {
    private static final String[] QUEUES = {
        RingDriver.class.getPackageName(), Virtqueue.class.getPackageName(),
    };
    private static final Class<?>[] SURROUNDINGS = {Memory.class, DmaPort.class, CpuPort.class};
    private static final long ABSENT = -1;
    private static final Map<Class<?>, List<Field>> FIELDS = new HashMap<>();

    static ProgramState of(Object subject, long... locals) {
        List<Long> words = new ArrayList<>();
        append(locals, words);
        append(subject, words);
        return new ProgramState(words);
    }

    private static void append(@Nullable Object value, List<Long> words) {
        switch (value) {
            case null -> words.add(ABSENT);
            case Number number -> words.add(number.longValue());
            case Boolean flag -> words.add(flag ? 1L : 0L);
            case Enum<?> constant -> words.add((long) constant.ordinal());
            case Object array when array.getClass().isArray() -> appendElements(array, words);
            default -> appendFields(value, words);
        }
    }

    private static void appendElements(Object array, List<Long> words) {
        int length = Array.getLength(array);
        words.add((long) length);
        for (int i = 0; i < length; i++) {
            append(Array.get(array, i), words);
        }
    }

    private static void appendFields(Object object, List<Long> words) {
        for (Class<?> type : SURROUNDINGS) {
            if (type.isInstance(object)) {
                return;
            }
        }
        try {
            for (Field field : FIELDS.computeIfAbsent(object.getClass(), ProgramState::fields)) {
                append(field.get(object), words);
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Field> fields(Class<?> type) {
        if (!List.of(QUEUES).contains(type.getPackageName())) {
            throw new IllegalStateException("does it remember anything? " + type);
        }
        List<Field> fields = new ArrayList<>();
        for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) {
            for (Field field : at.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers())) {
                    field.setAccessible(true);
                    fields.add(field);
                }
            }
        }
        return fields;
    }
}
