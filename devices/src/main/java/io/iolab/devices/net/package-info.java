/**
 * Ethernet frames and the ports they pass through; capture files.
 *
 * <pre>
 *   NIC --FramePort.send--> link, switch, peer ... --FramePort.send--> NIC
 * </pre>
 *
 * <p>A frame is the bytes from the destination address to the last payload byte, without preamble and FCS. The callee of
 * {@link io.iolab.devices.net.FramePort#send} copies what it keeps.
 *
 * <p>Threading: a port is called by one thread at a time.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.net;
