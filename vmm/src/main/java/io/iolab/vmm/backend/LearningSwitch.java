package io.iolab.vmm.backend;

import io.iolab.devices.net.Delivery;
import io.iolab.vmm.time.Actor;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * A learning Ethernet switch (IEEE 802.1D clause 7): learns which port a source address is behind, forwards to the port of a
 * known destination, floods the rest, never back out of the port of entry. A frame for a port whose link is full is dropped
 * and counted at that port.
 *
 * <p>The address table is open-addressed and bounded; when a bucket run is full the oldest way of probing ends and the frame
 * is flooded, as a hardware table does. Nothing is allocated per frame.
 */
public final class LearningSwitch extends Actor {
    private static final int TABLE_SIZE = 1024;
    private static final int MAX_PROBES = 8;
    private static final int BURST = 32;
    private static final int HEADER = 14;
    private static final long GROUP_BIT = 1L << 40;

    /** A port: the link that frames come in by, the link they leave by, and what was lost there. */
    public static final class Port {
        private final String name;
        private final Link in;
        private final Link out;
        private final List<Lost> watched = new ArrayList<>();
        private long dropped;

        Port(String name, Link in, Link out) {
            this.name = name;
            this.in = in;
            this.out = out;
        }

        public String name() {
            return name;
        }

        /** Frames for this port that found its outgoing link full. */
        public long dropped() {
            return dropped;
        }

        /**
         * Counts from now on what of {@link #dropped} was for one station: several may be behind a port. Set-up only.
         *
         * @param station six bytes, the address as a number
         */
        public LongSupplier droppedFor(long station) {
            Lost lost = new Lost(station);
            watched.add(lost);
            return () -> lost.frames;
        }

        private void drop(long destination) {
            dropped++;
            for (int i = 0; i < watched.size(); i++) {
                Lost lost = watched.get(i);
                lost.frames += lost.station == destination ? 1 : 0;
            }
        }
    }

    private static final class Lost {
        private final long station;
        private long frames;

        Lost(long station) {
            this.station = station;
        }
    }

    private final List<Port> ports = new ArrayList<>();
    private final long hopPicos;
    private final long bytePicos;
    /** Key: address + 1, so that 0 is free. */
    private final long[] addresses = new long[TABLE_SIZE];

    private final int[] portOf = new int[TABLE_SIZE];
    private long forwarded;
    private long flooded;
    private long runts;
    private int turn;

    public LearningSwitch(String name, CostProfile profile) {
        super(name);
        hopPicos = profile.picos(Cost.SWITCH_HOP);
        bytePicos = profile.picos(Cost.SWITCH_BYTE);
    }

    /** Plugs a cable in: {@code in} carries frames to the switch, {@code out} away from it. */
    public Port plug(String portName, Link in, Link out) {
        Port port = new Port(portName, in, out);
        ports.add(port);
        in.receiver(this);
        return port;
    }

    @Override
    protected boolean step() {
        int moved = 0;
        int idlePorts = 0;
        long now = nowPicos();
        while (moved < BURST && idlePorts < ports.size()) {
            Port port = ports.get(turn);
            if (port.in.arrived(now)) {
                forward(turn, port);
                moved++;
                idlePorts = 0;
            } else {
                idlePorts++;
            }
            turn = turn + 1 == ports.size() ? 0 : turn + 1;
        }
        if (moved == 0) {
            sleepUntilNextArrival();
        }
        return moved > 0;
    }

    private void sleepUntilNextArrival() {
        long next = NEVER;
        for (int i = 0; i < ports.size(); i++) {
            next = Math.min(next, ports.get(i).in.nextArrivalPicos());
        }
        if (next == NEVER) {
            idle();
        } else {
            sleepUntil(next);
        }
    }

    private void forward(int from, Port port) {
        byte[] frame = port.in.frame();
        int length = port.in.frameLength();
        spend(hopPicos + length * bytePicos);
        if (length < HEADER) {
            runts++;
        } else {
            learn(address(frame, 6), from);
            long destination = address(frame, 0);
            int to = (destination & GROUP_BIT) != 0 ? -1 : lookUp(destination);
            if (to >= 0) {
                forwarded++;
                if (to != from) {
                    send(ports.get(to), frame, length);
                }
            } else {
                flood(from, frame, length);
            }
        }
        port.in.release(nowPicos());
    }

    private void flood(int from, byte[] frame, int length) {
        flooded++;
        for (int i = 0; i < ports.size(); i++) {
            if (i != from) {
                send(ports.get(i), frame, length);
            }
        }
    }

    private void send(Port port, byte[] frame, int length) {
        if (port.out.send(frame, 0, length, nowPicos()) != Delivery.ACCEPTED) {
            port.drop(length < HEADER ? -1 : address(frame, 0));
        }
    }

    private static long address(byte[] frame, int offset) {
        long address = 0;
        for (int i = 0; i < 6; i++) {
            address = address << 8 | frame[offset + i] & 0xFF;
        }
        return address;
    }

    private static int bucket(long address) {
        return (int) ((address * 0x9E37_79B9_7F4A_7C15L) >>> 54);
    }

    private void learn(long address, int port) {
        if ((address & GROUP_BIT) != 0) {
            return;
        }
        int at = bucket(address);
        for (int i = 0; i < MAX_PROBES; i++) {
            int slot = (at + i) & (TABLE_SIZE - 1);
            if (addresses[slot] == address + 1 || addresses[slot] == 0) {
                addresses[slot] = address + 1;
                portOf[slot] = port;
                return;
            }
        }
    }

    private int lookUp(long address) {
        int at = bucket(address);
        for (int i = 0; i < MAX_PROBES; i++) {
            int slot = (at + i) & (TABLE_SIZE - 1);
            if (addresses[slot] == address + 1) {
                return portOf[slot];
            }
            if (addresses[slot] == 0) {
                return -1;
            }
        }
        return -1;
    }

    /** Frames sent to the one port their destination is behind (or thrown away because it is the port of entry). */
    public long forwarded() {
        return forwarded;
    }

    /** Frames sent to every other port. */
    public long flooded() {
        return flooded;
    }

    /** Frames too short to have an Ethernet header. */
    public long runts() {
        return runts;
    }

    public List<Port> ports() {
        return List.copyOf(ports);
    }
}
