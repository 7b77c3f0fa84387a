/**
 * The Intel 8254x Ethernet controller, with two faces: the 82540EM (PCI, INTx) and the 82574L (PCIe, MSI-X). Follows the
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" (82540 SDM) and the 82574 datasheet.
 *
 * <pre>
 *   TDT write --> TransmitUnit --> TransmitQueue --DMA--> descriptors, payload --> FramePort (wire)
 *   wire --send--> ReceiveUnit --filter--> ReceiveQueue --DMA--> buffers, descriptors
 *                        `--no descriptor--> PacketBuffer --RDT write, poll--^
 *   causes --> InterruptUnit --> INTx pin | MSI | MSI-X       MDIC --> Phy --> Link --> STATUS.LU
 *   PAUSE frames, packet buffer level --> FlowControl --> TransmitUnit pauses, XOFF and XON on the wire
 *   asleep: wire, link --> WakeUp --> WUS, PME
 * </pre>
 *
 * <p>What the guest gets wrong, and what happens:
 *
 * <table>
 * <caption>Outcomes</caption>
 * <tr><th>Guest does</th><th>Device does</th></tr>
 * <tr><td>unknown register, wrong width, write to a read-only register</td><td>ignored; reads give 0; counted</td></tr>
 * <tr><td>ring length 0, head or tail beyond the ring</td><td>the queue stands still, counted once per doorbell</td></tr>
 * <tr><td>ring not reachable by DMA</td><td>the queue stands still until the next doorbell; counted</td></tr>
 * <tr><td>transmit buffer not reachable</td><td>the packet is dropped, its descriptors complete; counted</td></tr>
 * <tr><td>unknown descriptor type, oversized packet, TSO without MSS or header</td><td>packet dropped, descriptors
 * complete; counted</td></tr>
 * <tr><td>receive buffer not reachable</td><td>those bytes are lost, the descriptor completes; counted</td></tr>
 * <tr><td>a frame's descriptors have no buffer, more than 128 of them</td><td>the frame is dropped as an overrun</td></tr>
 * <tr><td>a ring full of descriptors that carry nothing</td><td>sixteen for each frame of a poll's budget, then the next
 * poll's</td></tr>
 * <tr><td>receive ring too small for a frame</td><td>the frame is dropped as an overrun (MPC, RXO)</td></tr>
 * </table>
 *
 * <p>Choices that a driver may see:
 *
 * <ul>
 *   <li>Write-back thresholds (WTHRESH of TXDCTL and RXDCTL) are upper bounds on a batch that hardware may end early: here a
 *       batch ends with the poll, so no completion waits for a threshold. Prefetch and host thresholds show nothing outside.
 *   <li>Flow control counts, obeys and sends PAUSE frames; the packet buffer fills only while no receive descriptor is free.
 *   <li>No function level reset on either part: D3hot to D0 and the bus's reset do what it would do.
 *   <li>Not modelled: half duplex and line errors, so their counters stay 0; the SPI EEPROM behind the 82574's EECD pins, whose
 *       drivers use EERD and EEWR; TIMADJ and auxiliary time stamp pins; manageability.
 * </ul>
 *
 * <p>Threading: one thread owns a controller and makes every call on it. Register writes only mark work; {@code poll} does
 * it. Counters may be read by any thread, without any order between them.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.e1000;
