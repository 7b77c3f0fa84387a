/**
 * Time as a device sees it: injected, never read from the machine. A device has no threads and no timers; it states its
 * next deadline and is polled when that time has come.
 *
 * <p>Threading: a clock is read on the thread that runs the device.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.time;
