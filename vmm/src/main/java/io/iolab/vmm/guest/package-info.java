/**
 * What guests do: a small kernel on top of the drivers, and programs that make traffic.
 *
 * <pre>
 *   Program --Endpoint.send--> GuestKernel --NetDriver--> device --> ... --> Peer --> Program of the other side
 * </pre>
 *
 * <p>A program does not know whether it runs in a guest, on bare metal or in a peer that costs the guest nothing.
 *
 * <p>Threading: a program runs on the thread of its processor or peer.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.guest;
