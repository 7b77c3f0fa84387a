package io.iolab.scenarios.attack;

/**
 * A figure of safety.
 *
 * @param name {@code stale_window}
 * @param value how much
 * @param unit {@code ns x pages}, {@code bytes}
 */
public record Figure(String name, long value, String unit) {}
