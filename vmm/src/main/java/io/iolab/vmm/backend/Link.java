package io.iolab.vmm.backend;

import io.iolab.devices.net.Delivery;
import io.iolab.vmm.time.Actor;
import org.jspecify.annotations.Nullable;

/**
 * One direction of an Ethernet link. A frame occupies the wire for its bytes plus preamble, FCS and inter-frame gap (24 bytes,
 * IEEE 802.3 clauses 3.1.1 and 4.4.2), padded to the 64-byte minimum, and arrives after the propagation delay. A sender may be
 * ahead of the wire by as many frames as the queue holds; then it meets BUSY. Frames on their way along the cable are not in the
 * queue, up to {@value #MAX_UNDER_WAY} of them; frames that have arrived and are not taken are.
 *
 * <p>Threading: {@link #send} on the sender's thread, everything about arrival on the receiver's. A waiting sender is woken
 * without a lock, which may miss it when the two are on different threads; those are polled and need no waking.
 */
public final class Link {
    /** Preamble and start delimiter 8, FCS 4, inter-frame gap 12. */
    private static final int WIRE_OVERHEAD = 24;

    private static final int MINIMUM_WITHOUT_FCS = 60;
    private static final long PICOS_PER_SECOND = 1_000_000_000_000L;
    /** 44 ms of the smallest frames at gigabit speed. */
    private static final int MAX_UNDER_WAY = 1 << 16;

    private final String name;
    private final FrameRing ring;
    private final long bitsPerSecond;
    private final long delayPicos;
    /** When each of the last frames, as many as the queue holds, has left the queue. */
    private final long[] departures;

    private long wireFreePicos;
    private @Nullable Actor receiver;
    private @Nullable Actor sender;
    private @Nullable FrameTap tap;
    private volatile boolean senderWaits;
    private long frames;
    private long bytes;

    /**
     * @param bitsPerSecond 1 to 10^12
     * @param queueFrames a power of two
     */
    public Link(String name, long bitsPerSecond, long delayPicos, int queueFrames) {
        if (bitsPerSecond < 1 || bitsPerSecond > PICOS_PER_SECOND || delayPicos < 0) {
            throw new IllegalArgumentException(name + ": " + bitsPerSecond + " bit/s, delay " + delayPicos + " ps");
        }
        this.name = name;
        this.bitsPerSecond = bitsPerSecond;
        this.delayPicos = delayPicos;
        this.departures = new long[queueFrames];
        long underWay = Math.min(MAX_UNDER_WAY, -Math.floorDiv(-delayPicos, wirePicos(0)));
        this.ring = new FrameRing(queueFrames + (int) underWay);
    }

    /** How long a frame occupies the wire. */
    private long wirePicos(int length) {
        return 8L * (Math.max(length, MINIMUM_WITHOUT_FCS) + WIRE_OVERHEAD) * PICOS_PER_SECOND / bitsPerSecond;
    }

    public String name() {
        return name;
    }

    /** Who is woken at a frame's arrival. */
    public void receiver(Actor actor) {
        receiver = actor;
    }

    /** Who is woken when a full queue has room again. */
    public void sender(Actor actor) {
        sender = actor;
    }

    /** Records every frame that enters the wire. */
    public void tap(FrameTap frameTap) {
        tap = frameTap;
    }

    /**
     * Puts a frame on the wire at {@code nowPicos}, or as soon as the frames before it have passed.
     *
     * @return ACCEPTED, or BUSY when the queue is full
     */
    public Delivery send(byte[] frame, int offset, int length, long nowPicos) {
        int turn = (int) frames & departures.length - 1;
        if (departures[turn] > nowPicos) {
            Actor waiting = sender;
            if (waiting != null) {
                waiting.wake(departures[turn]);
            }
            return Delivery.BUSY;
        }
        if (!ring.hasRoom()) {
            senderWaits = true;
            return Delivery.BUSY;
        }
        long start = Math.max(nowPicos, wireFreePicos);
        wireFreePicos = start + wirePicos(length);
        departures[turn] = wireFreePicos;
        long arrival = wireFreePicos + delayPicos;
        ring.offer(frame, offset, length, arrival);
        frames++;
        bytes += length;
        FrameTap t = tap;
        if (t != null) {
            t.frame(start / 1000, frame, offset, length);
        }
        Actor to = receiver;
        if (to != null) {
            to.wake(arrival);
        }
        return Delivery.ACCEPTED;
    }

    /** When the wire will have passed everything sent so far. */
    public long wireFreePicos() {
        return wireFreePicos;
    }

    /** Receiver: whether a frame has arrived by {@code nowPicos}. */
    public boolean arrived(long nowPicos) {
        FrameRing.Slot head = ring.peek();
        return head != null && head.arrivalPicos <= nowPicos;
    }

    /** Receiver: when the next frame arrives; {@link Actor#NEVER} if none is under way. */
    public long nextArrivalPicos() {
        FrameRing.Slot head = ring.peek();
        return head == null ? Actor.NEVER : head.arrivalPicos;
    }

    /** Receiver: the bytes of the oldest frame; only while {@link #arrived} holds. */
    public byte[] frame() {
        return head().bytes;
    }

    public int frameLength() {
        return head().length;
    }

    private FrameRing.Slot head() {
        FrameRing.Slot head = ring.peek();
        if (head == null) {
            throw new IllegalStateException(name + ": no frame has arrived");
        }
        return head;
    }

    /** Receiver: takes the oldest frame off, at {@code nowPicos}. */
    public void release(long nowPicos) {
        ring.release();
        Actor from = sender;
        if (senderWaits && from != null) {
            senderWaits = false;
            from.wake(nowPicos);
        }
    }

    /** Frames that entered the wire. */
    public long frames() {
        return frames;
    }

    /** Bytes that entered the wire, without overhead. */
    public long bytes() {
        return bytes;
    }
}
