/**
 * The IOMMU test device of QEMU (document "iommu-testdev" of its specifications, QEMU 10.2 and later): writes a pattern where it is told
 * to, through whatever translates for it, and looks whether it arrived where the tester says that it should.
 *
 * <pre>
 *   GVA, GPA, LEN, ATTRS --DBELL=1--> armed --read of TRIGGERING--> write at GVA through the IOMMU
 *                                                                   read at GPA from memory, compare
 *                                                                   RESULT
 * </pre>
 *
 * <p>Threading: one thread owns a device and makes every call on it. It does its DMA inside the register read that triggers it.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.testdev;
