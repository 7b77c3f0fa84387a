/**
 * Scenario files: what traffic runs over which paths, for how long, at which costs.
 *
 * <pre>
 *   bundled name or file --ScenarioCatalog--&gt; text --ScenarioReader--&gt; Scenario --labConfig()--&gt; the machine
 *                                                        |
 *                                       ScenarioKeys (one object per key) --ScenarioSchema--&gt; JSON Schema
 * </pre>
 *
 * <p>The reader and the schema come from the same {@code Key} objects, so neither can know a key that the other does not.
 * Every error says file, line and column, and what was expected there.
 *
 * <p>Threading: set-up only.
 */
@NullMarked
package io.iolab.scenarios.scenario;

import org.jspecify.annotations.NullMarked;
