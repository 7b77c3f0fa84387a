/**
 * Bugs that real drivers, devices and hosts had, put into a run on purpose.
 *
 * <pre>
 *   driver --DriverPlatform: CpuPort, Memory--> | defect | --> device
 *   device --DmaPort, InterruptPin, FramePort--> | defect | --> memory, I/O APIC, wire
 *   host   --MapRights--> | defect | --> IOMMU tables
 * </pre>
 *
 * <p>Models and drivers stay as they are: a defect sits on the boundary between the two and does there what the party at fault would
 * have done. What it needs to know (where the rings are) it reads off that boundary too, from the driver's register writes. Without a
 * bug every port is handed through as it is.
 *
 * <p>Threading: each port is used on the thread that uses it without a defect. A driver's and a device's side share indices and one
 * held-back store, through volatile fields.
 */
@NullMarked
package io.iolab.vmm.inject;

import org.jspecify.annotations.NullMarked;
