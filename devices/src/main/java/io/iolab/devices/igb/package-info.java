/**
 * The Intel 82576 Ethernet controller with its virtual functions (82576 datasheet; PCI Express SR-IOV 1.1): one physical function,
 * up to eight virtual ones, each with its requester id, BARs, MSI-X and two queue pairs of the sixteen, and a switch between them.
 *
 * <pre>
 *   PF BAR0 ----------------------------> RegisterFile &lt;-- VfWindow &lt;-- VF n BAR0
 *                                             |
 *   TDT --&gt; TransmitQueue --DMA of its function--&gt; TransmitUnit --spoofed?--&gt; wire
 *                                                       |  VMDq loopback
 *   wire --send--&gt; ReceiveUnit &lt;--pools-- PoolSwitch &lt;--+
 *                     `--one copy a pool--&gt; ReceiveQueue --DMA of its function--&gt; buffers
 *   Mailbox: VF n &lt;--16 words, locks, interrupts--&gt; PF driver (which answers; the model does not)
 *   causes --&gt; InterruptUnit --EICR bit 22-3n+v--&gt; MSI-X of VF n | of the PF
 *   SingleRootVirtualization --VF Enable, NumVFs--&gt; VirtualFunction 0..7
 * </pre>
 *
 * <p>A queue belongs to the function of its pool: queues n and n+8 to VF n while that one is enabled, else to the physical function;
 * its DMA carries that function's requester id. All state of a virtual function lives in the physical function's register file, where
 * the PF driver sees it at the alias offsets; {@code VfWindow} is a map of offsets.
 *
 * <p>What the guest gets wrong is answered as in {@link io.iolab.devices.e1000}: unknown registers read 0, a ring with an index beyond
 * its length or out of reach of DMA stands still, a malformed packet is dropped and its descriptors complete, all of it counted.
 *
 * <p>Choices that a driver may see:
 *
 * <ul>
 *   <li>Prefetch, host and write-back thresholds have no effect: every completion is written back at once.
 *   <li>Automatic masking (EIAM) on a message needs GPIE.EIAME for the physical function's vectors and nothing for a VF's.
 *   <li>A segmented packet always leaves with complete checksums, whatever IXSM and TXSM say.
 *   <li>Untagged frames pass VLAN anti-spoofing.
 *   <li>Broadcast and multicast frames go to the default pool alone while replication (VT_CTL.30) is off.
 *   <li>Not modelled: flow control, time stamps, DCA, header replication rules, SerDes, wake-up, the flash behind BAR1.
 * </ul>
 *
 * <p>Threading: one thread owns the whole controller, all functions of it, and makes every call on it. Register writes only mark work;
 * {@code poll} does it: the physical function's for all queues, a virtual function's for its own.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.igb;
