/**
 * Faults that a guest or a device can cause, as values. Guest input is hostile, so none of these is ever an exception;
 * exceptions are bugs of ours.
 *
 * <p>Threading: constants only.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.fault;
