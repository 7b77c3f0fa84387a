/**
 * ACPI tables of the lab's machines. {@link io.iolab.vmm.acpi.DmarTable} tells an operating system of remapping units, reserved memory and
 * root ports with ATS (VT-d chapter 8).
 *
 * <pre>
 *   records --DmarTable.toBytes--> bytes in guest memory --DmarTable.parse--> records, or where it is malformed
 * </pre>
 *
 * <p>Threading: values.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.acpi;
