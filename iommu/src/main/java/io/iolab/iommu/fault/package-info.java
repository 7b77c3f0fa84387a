/**
 * What becomes of a blocked request: reasons, fault records, the fault event, the page-request queue (VT-d chapter 7).
 *
 * <pre>
 *   walk --FaultReason--> FaultRecorder --> FRCD[n], FSTS --> EventSignal (FECTL IM, IP) --> MessagePort
 *                            ^ FPD, PFO, collapse                  ^ also the invalidation completion event (IECTL)
 *
 *   page request --> PageRequestQueue --> memory, PQT, PRS --> EventSignal (PECTL)
 * </pre>
 *
 * <p>Threading: under the unit's lock.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.fault;
