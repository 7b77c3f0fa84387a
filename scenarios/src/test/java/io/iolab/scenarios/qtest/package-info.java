/**
 * The qtest server under the scripts that recorded QEMU's devices: what they write down of ours is held against what they wrote down of
 * QEMU, and every difference against the tables of deviations that the device tests keep.
 *
 * <pre>
 *   python3 record_x.py OUT "java ... qtest" --&gt; OUT --Recording--&gt; facts --differences--&gt; DeviationTable
 * </pre>
 *
 * <p>Threading: tests only.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.scenarios.qtest;
