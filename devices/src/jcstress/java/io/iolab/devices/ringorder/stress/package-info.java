/**
 * Races on a virtqueue between two processors, the real ones of the machine at hand, by jcstress: a driver's and a device's end
 * of one small ring, each on its thread, over {@link io.iolab.devices.memory.PhysicalMemory}.
 *
 * <pre>
 *   {@link io.iolab.devices.ringorder.stress.SplitOffer}, {@link io.iolab.devices.ringorder.stress.PackedOffer}
 *       whoever sees a buffer available sees what is in it                    (virtio 1.2 sections 2.7.13, 2.8.21)
 *   {@link io.iolab.devices.ringorder.stress.SplitReturn}, {@link io.iolab.devices.ringorder.stress.PackedReturn}
 *       whoever sees a buffer used sees which one, and what is in it          (2.7.14, 2.8.22)
 *   {@link io.iolab.devices.ringorder.stress.SplitKick}, {@link io.iolab.devices.ringorder.stress.PackedKick}
 *       the driver kicks, or the device finds the buffer in its second look   (2.7.13.4.1, 2.8.21.3.1)
 *   {@link io.iolab.devices.ringorder.stress.SplitInterrupt}, {@link io.iolab.devices.ringorder.stress.PackedInterrupt}
 *       the device interrupts, or the driver finds the buffer in its second look
 *   {@link io.iolab.devices.ringorder.stress.PackedEventOrder}
 *       whoever sees the flags of event suppression sees the place they speak of (2.8.14)
 *   {@link io.iolab.devices.ringorder.stress.UnfencedKick}, {@link io.iolab.devices.ringorder.stress.UnfencedInterrupt}
 *       the control: without the fences both miss, and this bench can see it
 * </pre>
 *
 * <p>To run them, from the root of the checkout, {@code FLAGS} being {@code iolab.jvmFlags} of the parent pom:
 *
 * <pre>
 *   mvn -Pjcstress -DskipTests -pl devices -am package
 *   java FLAGS -jar devices/target/jcstress.jar -m quick -jvmArgs "FLAGS" -r devices/target/jcstress-results
 *   java FLAGS -jar devices/target/jcstress.jar -t Kick -jvmArgs "FLAGS"       those whose name has Kick in it
 * </pre>
 *
 * <p>An x86 shows what x86 may do. What a release store alone promises is tried by the schedule explorer of the unit tests.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.ringorder.stress;
