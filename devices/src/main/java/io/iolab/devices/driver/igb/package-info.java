/**
 * Drivers for the 82576 in the shape of Linux's: {@code igb} for the physical function, which also answers the mailbox, and {@code
 * igbvf} for a virtual one (82576 datasheet 7.10 and chapter 8).
 *
 * <pre>
 *   IgbVfDriver --VfMailbox--&gt; [16 words, V2PMAILBOX | P2VMAILBOX] --VMMB--&gt; IgbDriver --MailboxServer--&gt; RAH, VLVF, VMOLR, VFRE
 *        `-- AdvancedTransmitRing, AdvancedReceiveRing --'--------------------- the same rings
 * </pre>
 *
 * <p>A virtual function's driver waits for its answers by {@code DriverPlatform.delayNanos}: time that passes there must let the driver
 * of the physical function take its interrupts.
 *
 * <p>Threading: each driver on its vCPU.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver.igb;
