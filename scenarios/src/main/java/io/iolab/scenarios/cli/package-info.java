/**
 * The command line: arguments in, the result on standard output, progress and logs on standard error.
 *
 * <pre>
 *   arguments ──▶ Main ──▶ subcommand ──▶ stdout (result), stderr (progress), exit code
 * </pre>
 *
 * <p>Threading: one command per process, on the main thread. This is the only package that may print.
 */
@NullMarked
package io.iolab.scenarios.cli;

import org.jspecify.annotations.NullMarked;
