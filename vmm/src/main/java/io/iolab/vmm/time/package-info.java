/**
 * Time: two ways to run the same actors, and what boundary crossings cost.
 *
 * <pre>
 *   Actor.step() &lt;-- Timeline     virtual: one thread, always the actor with the smallest local time
 *               &lt;-- WallThreads  wall: one thread per group of actors, frames handed over through rings
 *   CostProfile (YAML, every number with unit, source and era) --> Costs: picoseconds --> Actor.spend
 * </pre>
 *
 * <p>Virtual time is deterministic: same seed and profile, same output, byte for byte. Times are picoseconds in a
 * {@code long}, so that costs below a nanosecond add up exactly and nothing depends on floating point.
 *
 * <p>Threading: an actor is stepped by one thread. {@link io.iolab.vmm.time.Actor#wake} may be called from any thread in
 * wall time, and from the timeline's thread in virtual time.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.time;
