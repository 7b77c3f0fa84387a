package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * controlq (virtio 1.2 section 5.1.6.5): the readable part of a chain is a command, over however many buffers; the first
 * writable byte takes the ack, those behind it a result. The command is carried out before the chain is used.
 */
final class ControlQueue {
    private static final byte ACK_OK = 0;
    private static final byte ACK_ERR = 1;
    private static final int ANSWER = 1 + Commands.MAX_RESULT;

    private final VirtioPci transport;
    private final DmaPort dma;
    private final Commands commands;
    private final VirtioNetCounters counters;
    private final byte[] command = new byte[Commands.MAX_BYTES];
    /** Addresses of the answer's bytes, each on its own, since any may lie in another buffer. */
    private final long[] answerIovas = new long[ANSWER];

    private final byte[] ack = new byte[1];
    private @Nullable Virtqueue queue;
    private boolean pending;
    private int room;
    private int length;
    private boolean legible;

    ControlQueue(VirtioPci transport, Commands commands, VirtioNetCounters counters) {
        this.transport = transport;
        this.dma = transport.dma();
        this.commands = commands;
        this.counters = counters;
    }

    void start(@Nullable Virtqueue controlq) {
        queue = controlq;
        pending = controlq != null;
    }

    void stop() {
        start(null);
    }

    void kicked() {
        pending = queue != null;
    }

    boolean pending() {
        return pending;
    }

    /** @return commands answered */
    int poll(int budget) {
        Virtqueue ring = queue;
        if (ring == null || !pending) {
            return 0;
        }
        ring.disableKicks();
        int served = 0;
        while (served < budget && pending && advance(ring)) {
            served++;
        }
        ring.publish();
        RingFault fault = ring.fault();
        if (fault != null) {
            transport.ringFault(fault);
        }
        return served;
    }

    private boolean advance(Virtqueue ring) {
        Virtqueue.Take found = ring.take();
        if (found == Virtqueue.Take.EMPTY) {
            pending = ring.enableKicks();
            found = pending ? ring.take() : found;
        }
        if (found != Virtqueue.Take.CHAIN || !gather(ring.chain())) {
            return false;
        }
        if (room == 0) {
            ring.fail(RingFault.TOO_SHORT);
            return false;
        }
        ring.complete(ring.token(), answer(legible ? commands.execute(command, length) : Commands.REFUSED));
        return true;
    }

    /** Reads the command and notes where its answer goes; false on a fault of the ring. */
    private boolean gather(DescriptorChain chain) {
        length = 0;
        room = 0;
        legible = true;
        Step step;
        while ((step = chain.next()) == Step.DESCRIPTOR) {
            if (chain.writable()) {
                for (long i = 0; i < chain.length() && room < ANSWER; i++) {
                    answerIovas[room++] = chain.iova() + i;
                }
            } else if (chain.length() > 0 && legible) {
                append(chain.iova(), chain.length());
            }
        }
        return step == Step.END;
    }

    private void append(long iova, long bytes) {
        legible = bytes <= command.length - length
                && dma.read(iova, command, length, (int) bytes, DmaKind.PAYLOAD) == DmaFault.NONE;
        length += legible ? (int) bytes : 0;
    }

    /** @return bytes written */
    private int answer(int resultBytes) {
        boolean fits = resultBytes >= 0 && 1 + resultBytes <= room;
        counters.commands++;
        counters.commandErrors += fits ? 0 : 1;
        int written = 0;
        // The result first: whoever sees the ack finds it complete.
        for (int i = 0; fits && i < resultBytes; i++) {
            if (dma.write(answerIovas[1 + i], commands.result(), i, 1, DmaKind.PAYLOAD) != DmaFault.NONE) {
                return 0;
            }
            written++;
        }
        ack[0] = fits ? ACK_OK : ACK_ERR;
        return dma.write(answerIovas[0], ack, 0, 1, DmaKind.PAYLOAD) == DmaFault.NONE ? written + 1 : 0;
    }
}
