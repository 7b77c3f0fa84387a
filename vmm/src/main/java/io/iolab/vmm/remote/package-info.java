/**
 * The lab's devices offered to clients that are no guests of the lab: here over QEMU's qtest protocol, with which a test program does what a
 * processor would do, and QMP beside it (QEMU documentation, "QTest Device Emulation Testing Framework" and "QMP Reference Manual").
 *
 * <pre>
 *   client --qtest line--> QtestProtocol --access--> RemoteMachine --> RAM, PciHost --> PciFunction
 *          &lt;--IRQ n, reply--      |                       `-- settle: poll until nothing is pending now
 *   client --QMP--> Monitor ------'        wire --frames--> SocketNetdev --send--> NetworkFunction
 *                    QtestServer: one loop waits for all of them, and for the next deadline of a device
 * </pre>
 *
 * <p>Where QEMU stops with an assertion on a command that it does not expect, the answer here is a line that begins with FAIL, and the
 * machine lives on.
 *
 * <p>Threading: a server and all that belongs to it run on the thread that called {@code QtestServer.run}. {@code QtestClient} is for
 * one thread of its own.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.remote;
