/**
 * What was counted: plain fields, one writer each, per guest and path.
 *
 * <pre>
 *   vCPU, workers, NIC engine, guest program --increment--> GuestLedger
 *   end of warm-up: LedgerSnapshot ... end of run: LedgerSnapshot --minus--> the figures of a report
 *   a scrape: vmm.metrics reads the live fields
 * </pre>
 *
 * <p>Nothing here is estimated: every figure was incremented by the code that did the thing. Exit reasons carry the names
 * of the Intel SDM and of KVM's tracepoints.
 *
 * <p>Threading: each field has one writing thread, stated at the field; a reader on another thread (a scrape) may see a
 * value that is a moment old.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.ledger;
