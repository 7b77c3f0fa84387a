/**
 * Our devices beside recordings of QEMU's: the same accesses in the same order, every recorded fact compared. What differs
 * must stand in a table with a reason; QEMU is a cross-check, the manual decides.
 *
 * <pre>
 *   recorded JSON --Json--&gt; facts  --+
 *                                    +--Judgement (deviation table)--&gt; verdict
 *   replay on a Bench -----&gt; facts --+
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.golden;
