/**
 * Which requirement of which specification is checked by which test.
 *
 * <pre>
 *   devices/src/test/resources/conformance/*.yaml  --+
 *                                                    +--> CONFORMANCE.md
 *   test classes of all modules, @Spec             --+
 * </pre>
 *
 * <p>Threading: none.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.conformance;
