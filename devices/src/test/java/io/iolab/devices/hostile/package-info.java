/**
 * Guests that mean harm, and what must come of it: for each input a {@link io.iolab.devices.hostile.Verdict}, PASS or REJECT and
 * never WEDGED; no exception, no access outside of the guest, bounded work for each call.
 *
 * <pre>
 *   published bugs   E1000CveTest, VirtioCveTest, SelfDmaTest --+
 *   Forge, Rogue*    malformed rings from a seed ---------------+-- Attack --registers, memory--&gt; HostileMachine
 *   OpStream         bytes, from Jazzer ------------------------+                                  device on GuestBus
 *   HostileGuest     random accesses --BAR, config, poll, send--&gt; device --DmaPort--&gt; GuestBus      |        |
 *                                                                                     GuestWindow, own BARs
 *   then             Attack.verdict: rests? serves? says why not? and does OrdinaryGuest, with the ordinary driver, get along?
 * </pre>
 *
 * <p>How much: {@code mvn verify} does 4 million accesses and 28 000 rings; {@code mvn -Pnightly verify} 136 million accesses
 * and a million rings of each family: split virtqueues with the usual features; packed and split ones with all features, up to
 * eight pairs, and a control queue; e1000 rings, half of them on each part. The failure of a random test names its seed and how
 * to run it again, with {@code -Diolab.hostile.seed} and {@code -Diolab.hostile.count}.
 *
 * <p>Fuzzing: without more, the inputs in {@code src/test/resources} are run as tests. {@code mvn -Pnightly verify} searches with
 * coverage guidance, for 60 seconds a target; that alone is {@code mvn -Pnightly -pl devices,iommu -am test -Dtest='*FuzzTest'
 * -Dsurefire.failIfNoSpecifiedTests=false}. What breaks is written to {@code src/test/resources} and stays as a regression.
 *
 * <p>Work for each call: {@link io.iolab.devices.hostile.Target.Bound} states the most DMA requests.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.hostile;
