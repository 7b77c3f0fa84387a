/**
 * How a device asks for attention: a level-triggered pin (INTx), or a memory write that a root complex recognises (MSI).
 *
 * <pre>
 *   device --InterruptPin--> I/O APIC pin
 *   device --DmaPort write to 0xFEEx_xxxx--> root complex --MessagePort--> local APIC
 * </pre>
 *
 * <p>Threading: pins and message ports are called on the thread that runs the device; receivers that live on another
 * thread do the hand-over.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.irq;
