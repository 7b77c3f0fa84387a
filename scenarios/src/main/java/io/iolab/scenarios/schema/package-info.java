/**
 * Words for building JSON Schema documents (draft 2020-12), and checking a document against one.
 *
 * <pre>
 *   scenario keys, result fields --JsonSchema--&gt; what iolab scenario schema prints, what editors complete from
 *   a document --SchemaCheck--&gt; where it departs from its schema
 * </pre>
 *
 * <p>Threading: stateless; any thread.
 */
@NullMarked
package io.iolab.scenarios.schema;

import org.jspecify.annotations.NullMarked;
