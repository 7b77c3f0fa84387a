/**
 * YAML files that people write, cost profiles and scenarios: read with the line and column of every value, so that each error
 * says where it is and what was expected.
 *
 * <pre>
 *   file --snakeyaml-engine--> node tree with marks --> ConfigNode.text/integer/picos/child(...) or ConfigException
 * </pre>
 *
 * <p>Threading: set-up only.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.config;
