/**
 * How tests say which requirement of which specification they check. Nothing here runs.
 *
 * <p>Threading: none.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.spec;
