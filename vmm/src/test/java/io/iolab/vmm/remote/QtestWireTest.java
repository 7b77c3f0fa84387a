package io.iolab.vmm.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.pci.PortConfigAccess;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Frames on an inherited socket, each after its length in four bytes, most significant first, as QEMU's socket netdev has them. */
class QtestWireTest {
    private static final long REGISTERS = 0xE000_0000L;
    private static final long RX_RING = 0x1_0000;
    private static final long RX_BUFFERS = 0x2_0000;
    private static final long TX_RING = 0x3_0000;
    private static final long TX_BUFFER = 0x4_0000;
    private static final int RID = 3 << 3;

    @TempDir
    private Path folder;

    private Served served;
    private SocketChannel cable;

    @BeforeEach
    void start() throws IOException {
        Path path = folder.resolve("cable");
        PosixSocket inherited;
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(path));
            inherited = PosixSocket.connect(path.toString());
            cable = listening.accept();
        }
        served = Served.start(
                "-machine", "q35",
                "-netdev", "socket,fd=" + inherited.fd() + ",id=n0",
                "-device", "e1000,addr=03.0,netdev=n0,mac=52:54:00:12:34:56");
        PortConfigAccess config = new PortConfigAccess(served.client());
        config.write(RID, 0x10, 4, (int) REGISTERS);
        config.write(RID, 0x04, 2, 0x6);
    }

    @AfterEach
    void end() throws IOException {
        served.close();
        cable.close();
    }

    private void register(int offset, int value) {
        served.client().store32(REGISTERS + offset, value);
    }

    private int register(int offset) {
        return served.client().load32(REGISTERS + offset);
    }

    /** RDBAL, RDLEN, RDT, and RCTL with EN, BAM, UPE and SECRC (82540 SDM 13.4). */
    private void receiver(int descriptors) {
        for (int i = 0; i < 8; i++) {
            served.client().store(RX_RING + 16L * i, 8, RX_BUFFERS + 2048L * i);
        }
        register(0x2800, (int) RX_RING);
        register(0x2808, 128);
        register(0x2818, descriptors);
        register(0x100, 0x0400_800A);
    }

    private void transmitter() {
        register(0x3800, (int) TX_RING);
        register(0x3808, 128);
        register(0x400, 0x0103_F0FA);
    }

    private void putOnCable(byte[]... frames) throws IOException {
        int length = Arrays.stream(frames).mapToInt(frame -> 4 + frame.length).sum();
        ByteBuffer bytes = ByteBuffer.allocate(length);
        for (byte[] frame : frames) {
            bytes.putInt(frame.length).put(frame);
        }
        bytes.flip();
        while (bytes.hasRemaining()) {
            cable.write(bytes);
        }
    }

    private byte[] takeFromCable() throws IOException {
        int length = ByteBuffer.wrap(exactly(4)).getInt();
        return exactly(length);
    }

    private byte[] exactly(int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            assertThat(cable.read(bytes)).isPositive();
        }
        return bytes.array();
    }

    private static byte[] frame(int length, int seed) {
        byte[] frame = new byte[length];
        new java.util.SplittableRandom(seed).nextBytes(frame);
        frame[0] = 0x52;
        return frame;
    }

    /** Asks again until the head has moved so far: frames come on a socket of their own, in their own time. */
    private void awaitHead(int head) {
        for (int i = 0; i < 1_000_000 && register(0x2810) != head; i++) {
            Thread.onSpinWait();
        }
        assertThat(register(0x2810)).isEqualTo(head);
    }

    @Test
    void shouldReceiveWhatComesOnTheCable() throws IOException {
        receiver(7);
        byte[] first = frame(60, 1);
        byte[] second = frame(1500, 2);
        putOnCable(first, second);
        awaitHead(2);
        assertThat(served.client().read(RX_BUFFERS, 60)).isEqualTo(first);
        assertThat(served.client().read(RX_BUFFERS + 2048, 1500)).isEqualTo(second);
    }

    @Test
    void shouldPutTogetherWhatComesInPieces() throws IOException {
        receiver(7);
        byte[] frame = frame(200, 3);
        byte[] all = ByteBuffer.allocate(204).putInt(200).put(frame).array();
        for (int at = 0; at < all.length; at += 3) {
            cable.write(ByteBuffer.wrap(all, at, Math.min(3, all.length - at)));
            register(0x8);
        }
        awaitHead(1);
        assertThat(served.client().read(RX_BUFFERS, 200)).isEqualTo(frame);
    }

    @Test
    void shouldSkipFramesLongerThanAny() throws IOException {
        receiver(7);
        byte[] good = frame(100, 4);
        putOnCable(new byte[SocketNetdev.LONGEST + 1], good);
        awaitHead(1);
        assertThat(served.client().read(RX_BUFFERS, 100)).isEqualTo(good);
    }

    @Test
    void shouldNoticeFramesWhileTheClientIsSilent() throws IOException {
        receiver(7);
        served.client().command("irq_intercept_in ioapic");
        register(0xD0, 0x80);
        putOnCable(frame(60, 5));
        awaitHead(1);
        assertThat(served.client().interrupts()).containsExactly("raise 23");
    }

    @Test
    void shouldSendWhatIsTransmitted() throws IOException {
        transmitter();
        byte[] frame = frame(1000, 6);
        served.client().write(TX_BUFFER, frame);
        ByteBuffer descriptor = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        descriptor.putLong(TX_BUFFER).putInt(1000 | 0x0B00_0000);
        served.client().write(TX_RING, descriptor.array());
        register(0x3818, 1);
        assertThat(takeFromCable()).isEqualTo(frame);
    }

    /** A cable that nobody reads holds the transmitter up, and loses nothing. */
    @Test
    void shouldKeepFramesBackWhileTheCableIsFull() throws IOException {
        transmitter();
        served.client().write(TX_BUFFER, frame(1500, 7));
        ByteBuffer ring = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 8; i++) {
            ring.putLong(TX_BUFFER).putLong(1500 | 0x0B00_0000);
        }
        served.client().write(TX_RING, ring.array());
        int tail = 0;
        int sent = 0;
        // Far more than sockets hold: the head must come to rest before the tail.
        while (sent < 4000) {
            int next = (tail + 7) % 8;
            register(0x3818, next);
            sent += 7;
            tail = next;
            if (register(0x3810) != tail) {
                break;
            }
        }
        assertThat(register(0x3810)).isNotEqualTo(tail);
        for (int i = 0; i < sent; i++) {
            assertThat(takeFromCable()).hasSize(1500);
        }
        assertThat(register(0x3810)).isEqualTo(tail);
    }

    @Test
    void shouldGoOnWithoutThePeer() throws IOException {
        transmitter();
        cable.close();
        served.client()
                .write(
                        TX_RING,
                        ByteBuffer.allocate(16)
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .putLong(TX_BUFFER)
                                .putInt(60 | 0x0B00_0000)
                                .array());
        register(0x3818, 1);
        assertThat(register(0x3810)).isEqualTo(1);
    }
}
