/**
 * Ethernet frames and the ports they pass through; the packets of a small IPv4 stack, built and checked in place; capture
 * files (IEEE 802.3 and 802.1Q; RFC 791, 768, 792, 826, 1071, 1624; draft-ietf-opsawg-pcap and -pcapng).
 *
 * <pre>
 *   NIC --FramePort.send--> link, switch, peer ... --FramePort.send--> NIC
 *                               |
 *                               +--> PcapWriter --> file --> CaptureReader --> replay
 * </pre>
 *
 * <p>A frame is the bytes from the destination address to the last payload byte, without preamble and FCS. The callee of
 * {@link io.iolab.devices.net.FramePort#send} copies what it keeps.
 *
 * <p>A received packet is hostile: ask {@code check} of its protocol before reading a field. Nothing here allocates per frame.
 *
 * <p>Threading: a port is called by one thread at a time; writers and readers of captures belong to one thread.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.net;
