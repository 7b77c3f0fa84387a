package io.iolab.vmm.remote;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A machine at the end of two sockets: the client listens, the server connects, first to the qtest socket, then to the monitor's. It serves
 * until the client closes the qtest socket or says quit.
 */
public final class QtestServer implements AutoCloseable {
    private static final long FOREVER = -1;
    private static final int NOT_ASKED = -1;

    private final RemoteMachine machine;
    private final DeviceRack rack;
    private final PosixSocket qtest;
    private final @Nullable PosixSocket monitorSocket;
    private final List<String> warnings = new ArrayList<>();
    private final LineReader lines = new LineReader();
    private final DocumentReader documents = new DocumentReader();
    private final StringBuilder replies = new StringBuilder();
    private final QtestProtocol protocol;
    private final Monitor monitor;
    private final PosixSocket.Poller poller;
    private boolean monitorOpen;
    /** Places in the poller. */
    private int qtestAt;

    private int monitorAt;
    private final int[] cableAt;

    /**
     * Builds the machine and connects.
     *
     * @param version of the lab, for who asks the monitor
     * @throws OptionException if the machine asked for makes no sense
     * @throws IOException if a socket cannot be reached or a descriptor is none
     */
    public QtestServer(QtestOptions options, String version) throws OptionException, IOException {
        warnings.addAll(options.warnings());
        machine = build(options);
        rack = new DeviceRack(machine, warnings);
        PosixSocket connected = null;
        try {
            for (Properties netdev : options.netdevs()) {
                rack.addNetdev(netdev);
            }
            rack.addDevices(options.devices().stream()
                    .filter(device -> !isRemappingUnit(device))
                    .toList());
            connected = PosixSocket.connect(options.qtestPath());
            qtest = connected;
            String path = options.monitorPath();
            monitorSocket = path == null ? null : PosixSocket.connect(path);
        } catch (IOException | OptionException e) {
            if (connected != null) {
                connected.close();
            }
            rack.sockets().forEach(netdev -> netdev.socket().close());
            machine.close();
            throw e;
        }
        monitorOpen = monitorSocket != null;
        protocol = new QtestProtocol(machine, text -> replies.append(text).append('\n'));
        monitor = new Monitor(machine, rack.netdevs(), version, this::sendToMonitor);
        cableAt = new int[rack.sockets().size()];
        poller = new PosixSocket.Poller(2 + cableAt.length);
    }

    private RemoteMachine build(QtestOptions options) throws OptionException {
        io.iolab.iommu.RemappingOptions remapping = null;
        for (Properties device : options.devices()) {
            if (isRemappingUnit(device)) {
                if (remapping != null || options.machine() != MachineType.Q35) {
                    throw new OptionException("-device intel-iommu: one, and on -machine q35");
                }
                remapping = RemappingProperties.options(device, warnings);
            }
        }
        return new RemoteMachine(
                options.machine(), options.memoryBytes(), new MachineTime(options.virtualTime()), remapping);
    }

    private static boolean isRemappingUnit(Properties device) {
        return device.head().equals("intel-iommu");
    }

    /** What of the command line was ignored, one line each. */
    public List<String> warnings() {
        return warnings;
    }

    /** Serves until the client has gone or says quit. */
    public void run() {
        if (monitorOpen) {
            monitor.greet();
        }
        boolean served = true;
        while (served) {
            await();
            served = serve();
        }
    }

    /** Waits until a peer has something, a cable has room, or a device's time has come. */
    private void await() {
        poller.clear();
        qtestAt = poller.add(qtest, true, false);
        if (monitorOpen && monitorSocket != null) {
            monitorAt = poller.add(monitorSocket, true, false);
        }
        for (int i = 0; i < cableAt.length; i++) {
            SocketNetdev cable = rack.sockets().get(i);
            boolean waits = cable.open() && (cable.wantsInput() || cable.wantsOutput());
            cableAt[i] = waits ? poller.add(cable.socket(), cable.wantsInput(), cable.wantsOutput()) : NOT_ASKED;
        }
        poller.await(patience());
    }

    private long patience() {
        long due = machine.nextDeadline();
        if (machine.time().virtual() || due == Long.MAX_VALUE) {
            return FOREVER;
        }
        return Math.max(0, due - machine.time().nanos());
    }

    /** Frames come first: they were sent before the command that asks what became of them. */
    private boolean serve() {
        boolean moved = !machine.time().virtual();
        for (int i = 0; i < cableAt.length; i++) {
            if (cableAt[i] != NOT_ASKED && poller.ready(cableAt[i])) {
                SocketNetdev cable = rack.sockets().get(i);
                cable.flush();
                if (cable.wantsInput()) {
                    cable.receive();
                }
                moved = true;
            }
        }
        if (moved) {
            machine.settle();
        }
        if (monitorOpen && poller.ready(monitorAt)) {
            serveMonitor();
        }
        boolean connected = true;
        if (poller.ready(qtestAt)) {
            connected = lines.fill(qtest);
            for (String line = lines.next(); line != null; line = lines.next()) {
                protocol.handle(line);
            }
        }
        flush();
        return connected && !monitor.quitRequested();
    }

    private void serveMonitor() {
        PosixSocket socket = monitorSocket;
        if (socket == null) {
            return;
        }
        monitorOpen = documents.fill(socket);
        for (String text = documents.next(); text != null; text = documents.next()) {
            monitor.handle(text);
        }
    }

    private void sendToMonitor(String document) {
        PosixSocket socket = monitorSocket;
        if (socket != null) {
            byte[] bytes = (document + "\r\n").getBytes(StandardCharsets.UTF_8);
            socket.sendAll(bytes, 0, bytes.length);
        }
    }

    private void flush() {
        if (!replies.isEmpty()) {
            byte[] bytes = replies.toString().getBytes(StandardCharsets.ISO_8859_1);
            replies.setLength(0);
            qtest.sendAll(bytes, 0, bytes.length);
        }
    }

    @Override
    public void close() {
        qtest.close();
        if (monitorSocket != null) {
            monitorSocket.close();
        }
        rack.sockets().forEach(netdev -> netdev.socket().close());
        machine.close();
    }
}
