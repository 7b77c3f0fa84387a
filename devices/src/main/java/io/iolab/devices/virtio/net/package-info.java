/**
 * The virtio network device (virtio 1.2 section 5.1): one receive and one transmit queue behind the PCI transport.
 *
 * <pre>
 *   driver --kick--> marks transmitq --poll--> Transmitter: chain -> header + frame --FramePort.send--> wire
 *   wire --send(frame)--> Receiver: header + frame -> one buffer, or several with MRG_RXBUF -> used ring
 *                                                    poll --> one interrupt decision a burst and queue
 * </pre>
 *
 * <p>While the transmitter works its driver need not kick; when the ring is found empty it must again, and the ring is looked
 * at once more. The receiver wants kicks only while it is out of buffers.
 *
 * <p>Threading: one thread owns the device and makes every call.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.virtio.net;
