package io.iolab.vmm.assign;

import java.util.Optional;

/**
 * The outcome of a call that opens something.
 *
 * @param value present if {@code errno} is {@link Errno#OK}
 */
public record Opened<T>(Errno errno, Optional<T> value) {
    static <T> Opened<T> of(T value) {
        return new Opened<>(Errno.OK, Optional.of(value));
    }

    static <T> Opened<T> failed(Errno errno) {
        return new Opened<>(errno, Optional.empty());
    }

    /** @throws IllegalStateException if the call failed */
    public T orElseThrow() {
        return value.orElseThrow(() -> new IllegalStateException(errno.name()));
    }
}
