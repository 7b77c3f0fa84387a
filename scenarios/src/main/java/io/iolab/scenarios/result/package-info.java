/**
 * What a run found, as people, spreadsheets and programs read it.
 *
 * <pre>
 *   GuestFigures --PathFigures--&gt; figures per packet, rounded once
 *   Report = run + PathFigures --ResultJson--&gt; iolab.result/1 (ResultSchema says what that is)
 *                              --ResultCsv---&gt; one row per path
 *                              --ResultTable-&gt; the table, and the exits as perf kvm stat shows them
 * </pre>
 *
 * <p>Every form prints the same rounded numbers, and the same figures give the same bytes: decimal arithmetic, a fixed number of
 * decimals, a fixed order.
 *
 * <p>Threading: stateless; any thread.
 */
@NullMarked
package io.iolab.scenarios.result;

import org.jspecify.annotations.NullMarked;
