package io.iolab.vmm.remote;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * A stream socket by its number in the process, which Java's own channels cannot adopt: the way to a descriptor that was inherited. No call
 * blocks but {@link #sendAll}. Linux only: the constants are those of its C library on all 64-bit architectures.
 *
 * <p>Threading: one thread at a time.
 */
final class PosixSocket implements AutoCloseable {
    /** More than any frame, and enough for most commands. */
    private static final int BUFFER = 64 << 10;

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_TYPE = 3;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    /** sun_path, its terminating 0 included. */
    private static final int PATH_BYTES = 108;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup C = LINKER.defaultLookup();
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle SOCKET = call("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle CONNECT =
            call("connect", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle GETSOCKOPT =
            call("getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final MethodHandle RECV =
            call("recv", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle SEND =
            call("send", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle PPOLL = call(
            "ppoll", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final MethodHandle CLOSE = call("close", FunctionDescriptor.of(INT, INT));

    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment captured = arena.allocate(CAPTURED);
    private final MemorySegment buffer = arena.allocate(BUFFER);
    private boolean open = true;

    private PosixSocket(int fd) {
        this.fd = fd;
    }

    private static MethodHandle call(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(C.findOrThrow(name), type, Linker.Option.captureCallState("errno"));
    }

    /**
     * Connects to a listening socket.
     *
     * @throws IOException if nobody listens there; the message names the path
     */
    static PosixSocket connect(String path) throws IOException {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length >= PATH_BYTES) {
            throw new IOException(path + ": longer than the " + (PATH_BYTES - 1) + " bytes of a socket address");
        }
        PosixSocket socket = new PosixSocket(newSocket());
        try {
            socket.connectTo(name, path);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static int newSocket() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(CAPTURED);
            int fd = (int) SOCKET.invokeExact(errno, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (fd < 0) {
                throw new IOException("cannot create a socket: error " + (int) ERRNO.get(errno, 0L));
            }
            return fd;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private void connectTo(byte[] name, String path) throws IOException {
        MemorySegment address = buffer.asSlice(0, 2 + PATH_BYTES).fill((byte) 0);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, 2, name.length);
        try {
            if ((int) CONNECT.invokeExact(captured, fd, address, 2 + PATH_BYTES) < 0) {
                throw new IOException(path + ": cannot connect: " + explain(errno()));
            }
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /**
     * Takes over a socket that this process inherited.
     *
     * @throws IOException if the number is not that of an open stream socket
     */
    static PosixSocket adopt(int fd) throws IOException {
        PosixSocket socket = new PosixSocket(fd);
        try {
            MemorySegment value = socket.buffer.asSlice(0, 4);
            MemorySegment length = socket.buffer.asSlice(8, 4);
            length.set(INT, 0, 4);
            if ((int) GETSOCKOPT.invokeExact(socket.captured, fd, SOL_SOCKET, SO_TYPE, value, length) < 0
                    || value.get(INT, 0) != SOCK_STREAM) {
                throw new IOException("file descriptor " + fd + " is not an open stream socket");
            }
            return socket;
        } catch (Throwable e) {
            socket.arena.close();
            throw rethrow(e);
        }
    }

    private static IOException rethrow(Throwable e) {
        return switch (e) {
            case IOException io -> io;
            case RuntimeException r -> throw r;
            case Error error -> throw error;
            default -> throw new IllegalStateException(e);
        };
    }

    private int errno() {
        return (int) ERRNO.get(captured, 0L);
    }

    private static String explain(int errno) {
        return switch (errno) {
            case 2 -> "no such file or directory";
            case 13 -> "permission denied";
            case 111 -> "nobody listens there";
            default -> "error " + errno;
        };
    }

    int fd() {
        return fd;
    }

    /**
     * Takes what has arrived.
     *
     * @return bytes stored; 0 when there is nothing now, -1 when the peer is gone
     */
    int receive(byte[] target, int offset, int length) {
        long got;
        try {
            got = (long) RECV.invokeExact(captured, fd, buffer, (long) Math.min(length, BUFFER), MSG_DONTWAIT);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        if (got > 0) {
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, target, offset, (int) got);
            return (int) got;
        }
        return got < 0 && tryLater() ? 0 : -1;
    }

    private boolean tryLater() {
        int errno = errno();
        return errno == EAGAIN || errno == EINTR;
    }

    /** @return bytes taken, 0 when there is no room now, -1 when the peer is gone */
    int send(byte[] source, int offset, int length) {
        return send(source, offset, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    private int send(byte[] source, int offset, int length, int flags) {
        int part = Math.min(length, BUFFER);
        MemorySegment.copy(source, offset, buffer, ValueLayout.JAVA_BYTE, 0, part);
        long sent;
        try {
            sent = (long) SEND.invokeExact(captured, fd, buffer, (long) part, flags);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        return sent >= 0 ? (int) sent : tryLater() ? 0 : -1;
    }

    /** Waits until all is taken; what a peer that is gone does not take is lost. */
    void sendAll(byte[] source, int offset, int length) {
        int at = offset;
        while (at < offset + length) {
            int sent = send(source, at, offset + length - at, MSG_NOSIGNAL);
            if (sent < 0) {
                return;
            }
            at += sent;
        }
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            try {
                int ignored = (int) CLOSE.invokeExact(captured, fd);
                assert ignored <= 0;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            } finally {
                arena.close();
            }
        }
    }

    /** Waits for any of several sockets. */
    static final class Poller {
        private static final int RECORD = 8;
        private static final short IN = 1;
        private static final short OUT = 4;

        private final MemorySegment records;
        private final MemorySegment timeout = Arena.ofAuto().allocate(16, 8);
        private final MemorySegment errno = Arena.ofAuto().allocate(CAPTURED);
        private int count;

        Poller(int capacity) {
            records = Arena.ofAuto().allocate((long) RECORD * Math.max(1, capacity), 4);
        }

        /** Starts a new set. */
        void clear() {
            count = 0;
        }

        /** @return where to ask about it after {@link #await} */
        int add(PosixSocket socket, boolean input, boolean output) {
            long at = (long) RECORD * count;
            records.set(INT, at, socket.fd);
            records.set(ValueLayout.JAVA_SHORT, at + 4, (short) ((input ? IN : 0) | (output ? OUT : 0)));
            records.set(ValueLayout.JAVA_SHORT, at + 6, (short) 0);
            return count++;
        }

        /** @param nanos how long at most; negative for as long as it takes */
        void await(long nanos) {
            MemorySegment limit = MemorySegment.NULL;
            if (nanos >= 0) {
                timeout.set(LONG, 0, nanos / 1_000_000_000);
                timeout.set(LONG, 8, nanos % 1_000_000_000);
                limit = timeout;
            }
            try {
                int ready = (int) PPOLL.invokeExact(errno, records, (long) count, limit, MemorySegment.NULL);
                if (ready < 0) {
                    // A signal came: nothing is ready, and the caller asks again.
                    for (int i = 0; i < count; i++) {
                        records.set(ValueLayout.JAVA_SHORT, (long) RECORD * i + 6, (short) 0);
                    }
                }
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /** Whether something happened that was asked for, or the peer went away. */
        boolean ready(int index) {
            return records.get(ValueLayout.JAVA_SHORT, (long) RECORD * index + 6) != 0;
        }
    }
}
