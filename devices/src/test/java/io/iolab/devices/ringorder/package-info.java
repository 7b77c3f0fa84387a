/**
 * Whether a virtqueue loses a wake-up, by trying every order in which two processors can perform its accesses.
 *
 * <pre>
 *   Program (the real driver queue) --Memory--+                        +-- store buffer --+
 *                                             +-- Replay --Step--> Explorer               +--> memory
 *   Program (the real device queue) --DmaPort-+                        +-- store buffer --+
 * </pre>
 *
 * <p>A program is run again and again from its start: the results of the accesses that it has made are played back to it, and the
 * first access beyond them is the next {@link io.iolab.devices.ringorder.Step} of its side. So the real queues run without a
 * thread, every state can be gone back to, and time is nothing but the order of steps. The explorer makes every choice, of side
 * and of buffered store, in every state once: it visits all interleavings and counts them. Two histories of a program after which
 * each of its fields is the same are one state ({@link io.iolab.devices.ringorder.ProgramState}); a test compares the counts with
 * those of exploring every history for itself.
 *
 * <p>What is asserted is the purpose of the suppression protocol (virtio 1.2 sections 2.7.10, 2.7.13.4.1 and 2.8.21.3.1): when
 * nothing can happen any more, the driver has all its buffers back, and the device sleeps with an empty ring.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.ringorder;
