/**
 * Processors: a vCPU whose accesses to trapped windows exit, and a bare processor that has none; local APIC and I/O APIC.
 *
 * <pre>
 *   guest software --load, store, in, out--> Vcpu --exit (counted, timed, charged)--> GuestWindow --> device, irqchip
 *                                                 \-- no exit: mapped BAR --------------------------> device
 *   device --MSI, pin--> PostedVectors, IoApic --> LocalApic --injection--> GuestSoftware.interrupt
 *   device --MSI--> remapping unit --> PostedInterrupts (host memory) --> LocalApic --no exit--> GuestSoftware.interrupt
 * </pre>
 *
 * <p>Exit reasons, and which event costs which exits without APICv, follow the Intel SDM volume 3 (chapters 25 to 29) and KVM:
 * a trapped page shows as EPT_VIOLATION once and as EPT_MISCONFIG from then on.
 *
 * <p>Threading: a processor and everything it calls run on its actor's thread. {@link io.iolab.vmm.vcpu.Processor#post} may
 * be called from any thread.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.vcpu;
