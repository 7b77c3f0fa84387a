/**
 * Registers as data: a device lists its registers once, in specification order, with offset, width, reset value and the
 * kind of each bit; {@link io.iolab.devices.register.RegisterFile} applies width rules and masks in one place, and
 * behaviour is attached by register.
 *
 * <pre>
 *   RegisterSpec table --frozen into arrays--> RegisterFile --onRead/onWrite--> device behaviour
 * </pre>
 *
 * <p>Threading: owned by the device; not thread-safe.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.register;
