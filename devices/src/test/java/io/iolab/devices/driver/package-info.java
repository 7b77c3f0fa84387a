/**
 * Drivers against a small machine: RAM, configuration ports and ECAM, BAR routing by the command register, interrupt lines
 * and messages that wait until the test takes them.
 *
 * <p>Threading: single-threaded and deterministic; time moves only where a test or a driver's delay moves it.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver;
