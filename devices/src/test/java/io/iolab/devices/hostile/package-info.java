/**
 * Guests that mean harm: random and malformed accesses, rings and frames against each device, seeded, with bounds on the work
 * that one access may cause.
 *
 * <pre>
 *   HostileGuest --BAR, config, poll, send--&gt; device --DmaPort--&gt; GuestWindow (the middle third of a memory)
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.hostile;
