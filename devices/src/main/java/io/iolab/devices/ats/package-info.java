/**
 * Address translation services on the side of a function (PCI Express Base chapter 10; PASID, 6.20): a cache of translations in front of
 * the function's port, page requests for what is not there, the capabilities with which software allows all that, and a function that
 * does not ask for leave.
 *
 * <pre>
 *   function --DmaPort--> CachedPort --miss: translate--> TranslationPort (AT=01)
 *                             |  hit: translated() (AT=10)
 *                             |  U bit, messages, services off: untranslated() (AT=00)
 *                             +--absent: PageRequests --requestPage ... response--> once more
 *   unit --invalidate--> DeviceTlb: entry gone, requests in flight done, then the completion
 * </pre>
 *
 * <p>Threading: the thread that runs the function, except that invalidations and page group responses come on any.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.ats;
