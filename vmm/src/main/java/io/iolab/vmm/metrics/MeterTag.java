package io.iolab.vmm.metrics;

import java.util.Locale;

/** The tags that meters carry. Their values are constants of enums or names from the scenario, so there are few of them. */
public enum MeterTag {
    PATH,
    GUEST,
    DIRECTION,
    REASON,
    HANDLER,
    OUTCOME,
    CAUSE,
    OP,
    KIND,
    RESULT,
    QUEUE,
    SHARE,
    VERSION;

    /** As registries and queries write it. */
    public String key() {
        return label(this);
    }

    /** A constant as a tag's key or value: {@code dma_fault}. */
    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
