/**
 * The lab put together: one host, its guests on their paths, the switch and the peers.
 *
 * <pre>
 *   LabConfig --&gt; Lab: host memory, IOMMU, switch, and per guest
 *       processor -- e1000 emulated in the VMM --------------------\
 *       processor -- virtio-net, served by a worker ----------------+-- Link -- LearningSwitch -- Link -- Peer
 *       processor -- assigned 82574L -- VT-d --(engine of its own)--+
 *       processor -- igbvf, virtual function of an 82576 -- VT-d --/   one engine and one cable for all of these
 * </pre>
 *
 * <p>This is the only package that wires modules together. Threading: a lab is built and driven by one thread.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm;
