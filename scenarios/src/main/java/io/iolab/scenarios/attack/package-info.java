/**
 * Attacks on isolation, each with the defence switched off and on, on real bytes.
 *
 * <pre>
 *   Attack --builds--&gt; AttackedHost: memory with canaries, RemappingUnit, IommuDriver, PCI fabric, VFIO
 *      |                    ^
 *      +-- requests through functions' ports only --+
 *   AttackRunner: attack x Defence --&gt; AttackOutcome: Verdict (compared memory), fault records, walks, bytes, figures
 * </pre>
 *
 * <p>An attacker has what a guest has: the function assigned to it. What an attack takes or destroys is found by comparing memory with
 * what was there before; nothing is assumed from the way a request ended. What host software gets wrong, where an attack needs that,
 * is done with loads and stores as host software would.
 *
 * <p>Threading: one thread; every run has a host of its own.
 */
@NullMarked
package io.iolab.scenarios.attack;

import org.jspecify.annotations.NullMarked;
