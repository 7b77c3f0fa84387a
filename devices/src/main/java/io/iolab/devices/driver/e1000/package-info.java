/**
 * A guest's driver for the Intel 82540EM (legacy descriptors, INTx, as Linux's e1000 drives it) and the 82574L (extended
 * receive descriptors, three MSI-X vectors, as Linux's e1000e does): 8254x SDM chapters 3, 5, 13 and 14; 82574 datasheet
 * chapters 7 to 10. Rings, transmit and receive paths are one code; the two parts differ in set-up and interrupts alone.
 *
 * <pre>
 *   queue --copy--> buffer, descriptor in RAM      flush --store--> TDT
 *   interrupt --> handler: flags only (82574L), or ICR, IMC (82540EM) --> poll: DD in RAM, refill, RDT --> IMS
 * </pre>
 *
 * <p>Register accesses. 82540EM: TDT once a flush, RDT once for each 16 frames of a poll or part of them; ICR, IMC and IMS a
 * receive interrupt, ICR a transmit interrupt. 82574L: TDT once a flush, RDT once for 16 frames whatever the polls, and one an
 * interrupt: IMS.
 *
 * <p>Threading: everything runs on the driver's vCPU; the device is the only other party in the rings.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver.e1000;
