package io.iolab.vmm.remote;

import io.iolab.devices.driver.pci.PortConfigAccess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * How long a server's e1000 takes to transmit a frame: a full ring of 4096 descriptors of 60 bytes each, one write of TDT a lap, on a cable
 * that leads nowhere. The round trip of the command is in it, a few nanoseconds a frame.
 */
public final class QtestBench {
    private static final int RING = 4096;
    private static final int FRAMES = RING - 1;
    private static final int FRAME_BYTES = 60;
    private static final int DESCRIPTOR = 16;
    /** EOP, IFCS, RS. */
    private static final byte COMMAND = 0x0B;

    private static final long RING_ADDRESS = 0x10_0000;
    private static final long BUFFER_ADDRESS = 0x20_0000;
    private static final long REGISTERS = 0xE000_0000L;
    private static final int RID = 4 << 3;

    private static final int BAR0 = 0x10;
    private static final int PCI_COMMAND = 0x04;
    private static final int CTRL = 0x0000;
    private static final int CTRL_SLU = 1 << 6;
    private static final int TCTL = 0x0400;
    private static final int TDBAL = 0x3800;
    private static final int TDBAH = 0x3804;
    private static final int TDLEN = 0x3808;
    private static final int TDH = 0x3810;
    private static final int TDT = 0x3818;

    /** What a server that compiles while it runs takes to be done with it. */
    private static final long WARM_UP_NANOS = 3_000_000_000L;

    private QtestBench() {}

    /**
     * Starts a server and measures it.
     *
     * @param server program and first arguments
     * @param turns at least 1
     * @param laps of a turn, at least 1
     * @return nanoseconds a frame of each turn, ascending
     * @throws IOException if the server cannot be started or goes away
     */
    public static double[] measure(List<String> server, int turns, int laps) throws IOException {
        Path rom = Files.createTempFile("iolab-halt-", ".rom");
        Path errors = Files.createTempFile("iolab-qtest-", ".txt");
        try {
            Files.write(rom, haltRom());
            // A processor that only halts, for a QEMU without the qtest accelerator; whoever has no processor ignores
            // it.
            List<String> machine = List.of(
                    "-machine", "q35",
                    "-m", "64M",
                    "-netdev", "hubport,hubid=0,id=n0",
                    "-device", "e1000,addr=04.0,netdev=n0,mac=52:54:00:12:34:56",
                    "-bios", rom.toString(),
                    "-accel", "tcg");
            try (QtestClient client = QtestClient.start(server, machine, ProcessBuilder.Redirect.to(errors.toFile()))) {
                return measure(client, turns, laps);
            } catch (IOException e) {
                throw new IOException(
                        e.getMessage() + "; it said: "
                                + Files.readString(errors).strip(),
                        e);
            }
        } finally {
            Files.delete(rom);
            Files.delete(errors);
        }
    }

    /** HLT all over, and at the reset vector CLI, HLT, and back to HLT. */
    private static byte[] haltRom() {
        byte[] rom = new byte[0x10000];
        Arrays.fill(rom, 0, 0xFFF0, (byte) 0xF4);
        byte[] vector = {(byte) 0xFA, (byte) 0xF4, (byte) 0xEB, (byte) 0xFD};
        System.arraycopy(vector, 0, rom, 0xFFF0, vector.length);
        return rom;
    }

    private static double[] measure(QtestClient client, int turns, int laps) throws IOException {
        prepare(client);
        int tail = 0;
        for (long start = System.nanoTime(); System.nanoTime() - start < WARM_UP_NANOS; ) {
            tail = lap(client, tail);
        }
        double[] results = new double[turns];
        for (int turn = 0; turn < turns; turn++) {
            long start = System.nanoTime();
            for (int lap = 0; lap < laps; lap++) {
                tail = lap(client, tail);
            }
            results[turn] = (System.nanoTime() - start) / (double) laps / FRAMES;
            int head = client.load32(REGISTERS + TDH);
            if (head != tail) {
                throw new IOException("the ring stands at " + head + " of " + tail);
            }
        }
        Arrays.sort(results);
        return results;
    }

    private static void prepare(QtestClient client) {
        PortConfigAccess config = new PortConfigAccess(client);
        config.write(RID, BAR0, 4, (int) REGISTERS);
        config.write(RID, PCI_COMMAND, 2, 0x6);
        ByteBuffer ring = ByteBuffer.allocate(RING * DESCRIPTOR).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < RING; i++) {
            ring.putLong(BUFFER_ADDRESS)
                    .putShort((short) FRAME_BYTES)
                    .put((byte) 0)
                    .put(COMMAND)
                    .putInt(0);
        }
        client.write(RING_ADDRESS, ring.array());
        byte[] frame = new byte[FRAME_BYTES];
        Arrays.fill(frame, 0, 6, (byte) 0xFF);
        client.write(BUFFER_ADDRESS, frame);
        client.store32(REGISTERS + CTRL, client.load32(REGISTERS + CTRL) | CTRL_SLU);
        client.store32(REGISTERS + TDBAL, (int) RING_ADDRESS);
        client.store32(REGISTERS + TDBAH, 0);
        client.store32(REGISTERS + TDLEN, RING * DESCRIPTOR);
        client.store32(REGISTERS + TDH, 0);
        client.store32(REGISTERS + TDT, 0);
        client.store32(REGISTERS + TCTL, 0x0103_F0FA);
    }

    private static int lap(QtestClient client, int tail) {
        int next = (tail + FRAMES) % RING;
        client.store32(REGISTERS + TDT, next);
        return next;
    }
}
