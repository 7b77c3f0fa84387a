/**
 * What one step of a data path costs on the machine at hand, in nanoseconds and in allocated bytes, by JMH. Devices are driven as
 * drivers drive them: registers, descriptors and rings, nothing else.
 *
 * <pre>
 *   {@link io.iolab.vmm.bench.E1000TransmitBenchmark}   TDT write, poll: a frame from ring to wire
 *   {@link io.iolab.vmm.bench.E1000ReceiveBenchmark}    a frame from wire to ring, poll, ICR, RDT
 *   {@link io.iolab.vmm.bench.SplitQueueBenchmark}      a buffer through a split virtqueue, no device around it
 *   {@link io.iolab.vmm.bench.RingExchangeBenchmark} a buffer through a virtqueue between two threads
 *   {@link io.iolab.vmm.bench.VirtioNetBenchmark}       a frame through virtio-net, both directions
 *   {@link io.iolab.vmm.bench.RemappingBenchmark}       hits, walks, nested walks, and the bare loads below them
 *   {@link io.iolab.vmm.bench.InterruptRemappingBenchmark} an interrupt message, remapped or posted
 *   {@link io.iolab.vmm.bench.SwitchBenchmark}          a frame across the learning switch, and the links alone
 * </pre>
 *
 * <p>To run them, from the root of the checkout, {@code FLAGS} being {@code iolab.jvmFlags} of the parent pom:
 *
 * <pre>
 *   mvn -Pjmh -DskipTests -pl vmm -am package
 *   java FLAGS -jar vmm/target/benchmarks.jar -prof gc              all of them, about five minutes
 *   java FLAGS -jar vmm/target/benchmarks.jar Remapping -prof gc    those whose name has Remapping in it
 *   java FLAGS -jar vmm/target/benchmarks.jar E1000Transmit -p ring=4096 -prof stack
 * </pre>
 *
 * <p>{@code gc.alloc.rate.norm} must be 0 B/op but for the fraction that JMH itself allocates. On a shared machine believe ratios
 * within one run, and {@code cpu.time.norm} of {@code -prof io.iolab.vmm.bench.CpuTimeProfiler} before the score. Each fork sees
 * one wire, one kind of port and one kind of memory, so calls that a whole lab makes through several classes are inlined here:
 * the figures are floors.
 *
 * <p>Threading: one thread, and two in {@link io.iolab.vmm.bench.RingExchangeBenchmark}.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.bench;
