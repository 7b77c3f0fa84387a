package io.iolab.vmm.remote;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.NetworkFunction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** {@code -netdev hubport}: a repeater. A frame sent into one port comes out of all others; with one port it is lost. */
final class Hub {
    /** Frames that wait at a port; more are lost, as in a repeater's buffer. */
    private static final int BACKLOG = 256;

    private final List<Port> ports = new ArrayList<>();

    Netdev port() {
        Port port = new Port();
        ports.add(port);
        return port;
    }

    private final class Port implements Netdev {
        private final ArrayDeque<byte[]> arrived = new ArrayDeque<>();

        @Override
        public Delivery send(byte[] frame, int offset, int length) {
            for (Port other : ports) {
                if (other != this && other.arrived.size() < BACKLOG) {
                    other.arrived.add(java.util.Arrays.copyOfRange(frame, offset, offset + length));
                }
            }
            return Delivery.ACCEPTED;
        }

        @Override
        public boolean offerTo(NetworkFunction adapter) {
            boolean taken = false;
            for (byte[] frame = arrived.peek(); frame != null; frame = arrived.peek()) {
                if (adapter.send(frame, 0, frame.length) == Delivery.BUSY) {
                    break;
                }
                arrived.remove();
                taken = true;
            }
            return taken;
        }
    }
}
