/**
 * Interrupt remapping and posting (VT-d chapter 5): what becomes of a write to 0xFEEx_xxxx on its way to the processors.
 *
 * <pre>
 *   message (rid, address, data)
 *     |  IRES=0: unmodified            bit 4 = 0: compatibility format, passes with CFIS=1 and EIME=0
 *     v
 *   InterruptRequest: index --> InterruptEntryCache --miss--> table in host memory
 *     v
 *   InterruptEntry: P, reserved bits, source check (SVT, SQ, SID)
 *     |  IM=0                                  |  IM=1
 *     v                                        v
 *   message rebuilt from the entry         PostedDescriptor in host memory: PIR, ON; message NV to NDST only when due
 *
 *   anything wrong --> FaultReason 0x20..0x29 --> FaultRecorder, and the message is dropped
 * </pre>
 *
 * <p>Threading: messages from any thread, without a lock when the entry is cached. Commands and misses are under the unit's lock.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.interrupt;
