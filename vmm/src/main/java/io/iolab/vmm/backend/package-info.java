/**
 * What lies behind a NIC: links, a learning switch, and the bounded rings between them.
 *
 * <pre>
 *   NIC --FramePort--> Link ==FrameRing (Disruptor)==> LearningSwitch ==> Link ==> NIC or peer
 * </pre>
 *
 * <p>A link has a bandwidth and a delay; a frame may be taken at the far end from its arrival time on. Rings are bounded: a
 * sender meets BUSY and waits, a switch drops and counts.
 *
 * <p>Threading: each ring has one producer thread and one consumer thread. Disruptor is imported in this package only.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.backend;
