package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.PciFunction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;

/**
 * A controller with memory, wire, clock and interrupt receivers around it. Register offsets are transcribed from the datasheet's
 * tables; nothing reaches into the model.
 */
final class Bench implements AutoCloseable {
    static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    static final byte[] PEER = {0x52, 0x54, 0x00, (byte) 0xAA, (byte) 0xBB, (byte) 0xCC};
    static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};
    static final byte[] GROUP = {0x01, 0x00, 0x5E, 0x00, 0x12, 0x34};

    static final int RST = 1 << 26;
    static final int PFRSTD = 1 << 14;
    static final int ENABLE = 1 << 25;
    static final int EOP = 1 << 24;
    static final int IFCS = 1 << 25;
    static final int RS = 1 << 27;
    static final int DEXT = 1 << 29;
    static final int VLE = 1 << 30;
    static final int TSE = 1 << 31;
    static final int DATA = 3 << 20;
    static final int CONTEXT = 2 << 20;
    static final int SRIOV = 0x160;
    static final long MESSAGES = 0xFEE0_0000L;
    static final int RING = 64;

    /** @param rid distance of the sender's routing id from the physical function's */
    record Message(int rid, long address, int data) {}

    final PhysicalMemory ram = PhysicalMemory.allocate(32 << 20);
    final List<byte[]> sent = new ArrayList<>();
    final List<Message> messages = new ArrayList<>();
    /** Routing id distances that have touched memory. */
    final TreeSet<Integer> masters = new TreeSet<>();

    final Igb82576 device;
    Delivery wireAnswer = Delivery.ACCEPTED;
    long now = 1_000_000;
    private final int[] tails = new int[16];

    Bench() {
        device = Igb82576.create(MAC, this::port, InterruptPin.UNCONNECTED, this::wire, () -> now);
        device.config().write(0x04, 2, 0x6);
    }

    private DmaPort port(int rid) {
        DirectDma direct = new DirectDma(ram, (address, data) -> messages.add(new Message(rid, address, data)));
        return new DmaPort() {
            @Override
            public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
                masters.add(rid);
                return direct.read(iova, target, offset, length, kind);
            }

            @Override
            public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
                masters.add(rid);
                return direct.write(iova, source, offset, length, kind);
            }

            @Override
            public int loadShortAcquire(long iova, DmaKind kind) {
                return direct.loadShortAcquire(iova, kind);
            }

            @Override
            public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
                masters.add(rid);
                return direct.storeShortRelease(iova, value, kind);
            }
        };
    }

    private Delivery wire(byte[] frame, int offset, int length) {
        if (wireAnswer != Delivery.BUSY) {
            sent.add(Arrays.copyOfRange(frame, offset, offset + length));
        }
        return wireAnswer;
    }

    @Override
    public void close() {
        ram.close();
    }

    int read(int offset) {
        return (int) device.readBar(0, offset, 4);
    }

    void write(int offset, int value) {
        device.writeBar(0, offset, 4, value & 0xFFFF_FFFFL);
    }

    void set(int offset, int bits) {
        write(offset, read(offset) | bits);
    }

    PciFunction vf(int index) {
        return Objects.requireNonNull(device.functionAt(device.routingIdOffset(index)));
    }

    int vfRead(int index, int offset) {
        return (int) vf(index).readBar(0, offset, 4);
    }

    void vfWrite(int index, int offset, int value) {
        vf(index).writeBar(0, offset, 4, value & 0xFFFF_FFFFL);
    }

    /** NumVFs, then VF Enable and VF MSE, with ARI; the functions may master the bus. */
    void enableVfs(int count) {
        device.config().write(SRIOV + 0x24, 4, 0xA000_0000);
        device.config().write(SRIOV + 0x30, 4, 0xA010_0000);
        device.config().write(SRIOV + 0x10, 2, count);
        device.config().write(SRIOV + 0x08, 2, 0x19);
        for (int i = 0; i < count; i++) {
            vf(i).config().write(0x04, 2, 0x6);
        }
    }

    /** What a PF driver does for its pools: VMDq, replication, loopback, all pools on, station address i for pool i, PF ready. */
    void openPools(int vfs) {
        enableVfs(vfs);
        write(0x5818, 3);
        write(0x581C, vfs << 7 | 1 << 30);
        for (int pool = 0; pool <= vfs; pool++) {
            write(0x5AD0 + 4 * pool, 0x2600 | 1 << 16 | 1 << 24 | 1 << 27 | 1 << 31);
            address(pool + 1, macOf(pool), 1 << pool);
        }
        write(0x5400, 0);
        write(0x5404, 0);
        write(0x0C8C, 0xFF);
        write(0x0C90, 0xFF);
        write(0x3500, 1 << 31);
        write(0x0100, 1 << 1 | 1 << 26 | 1 << 18);
        write(0x0400, 1 << 1 | 1 << 3);
        set(0x0018, PFRSTD);
    }

    static byte[] macOf(int pool) {
        return new byte[] {0x02, 0, 0, 0, 0x10, (byte) pool};
    }

    /** Puts an address into entry {@code index} of RAL and RAH, for the pools of a bitmap. */
    void address(int index, byte[] mac, int pools) {
        int ral = index < 16 ? 0x5400 + 8 * index : 0x54E0 + 8 * (index - 16);
        write(ral, mac[0] & 0xFF | (mac[1] & 0xFF) << 8 | (mac[2] & 0xFF) << 16 | mac[3] << 24);
        write(ral + 4, mac[4] & 0xFF | (mac[5] & 0xFF) << 8 | pools << 18 | 1 << 31);
    }

    long rxRing(int queue) {
        return 0x10_0000L + 0x1000L * queue;
    }

    long txRing(int queue) {
        return 0x20_0000L + 0x1000L * queue;
    }

    long rxBuffer(int queue, int index) {
        return 0x40_0000L + (long) queue * RING * 2048 + 2048L * index;
    }

    long txBuffer(int queue, int index) {
        return 0x100_0000L + (long) queue * RING * 2048 + 2048L * index;
    }

    /** A receive ring of {@value #RING}, all but one given to the device: one buffer of 2 KB each, or {@code srrctl}. */
    void openReceive(int queue, int srrctl) {
        for (int i = 0; i < RING; i++) {
            ram.writeLong(rxRing(queue) + 16L * i, rxBuffer(queue, i));
            ram.writeLong(rxRing(queue) + 16L * i + 8, 0);
        }
        int base = 0xC000 + 0x40 * queue;
        write(base, (int) rxRing(queue));
        write(base + 4, 0);
        write(base + 8, 16 * RING);
        write(base + 0xC, srrctl);
        write(base + 0x28, ENABLE);
        write(base + 0x18, RING - 1);
    }

    void openReceive(int queue) {
        openReceive(queue, 0x0200_0002);
    }

    void openTransmit(int queue) {
        tails[queue] = 0;
        int base = 0xE000 + 0x40 * queue;
        write(base, (int) txRing(queue));
        write(base + 4, 0);
        write(base + 8, 16 * RING);
        write(base + 0x28, ENABLE);
    }

    /** Puts a descriptor at the tail, without telling the device. */
    void describe(int queue, long low, int dw2, int dw3) {
        long at = txRing(queue) + 16L * tails[queue];
        ram.writeLong(at, low);
        ram.writeInt(at + 8, dw2);
        ram.writeInt(at + 12, dw3);
        tails[queue] = (tails[queue] + 1) % RING;
    }

    /** Bytes of a packet into the buffer of the tail's slot. @return its address */
    long fill(int queue, byte[] bytes) {
        long at = txBuffer(queue, tails[queue]);
        ram.write(at, bytes, 0, bytes.length);
        return at;
    }

    void kick(int queue) {
        write(0xE018 + 0x40 * queue, tails[queue]);
        device.poll(256);
    }

    /** Sends one frame in one data descriptor. */
    void transmit(int queue, byte[] frame) {
        describe(queue, fill(queue, frame), frame.length | DATA | EOP | IFCS | RS | DEXT, frame.length << 14);
        kick(queue);
    }

    int txStatus(int queue, int index) {
        return ram.readInt(txRing(queue) + 16L * index + 12);
    }

    Delivery arrive(byte[] frame) {
        Delivery delivery = device.send(frame, 0, frame.length);
        device.poll(256);
        return delivery;
    }

    int rxWord(int queue, int index, int word) {
        return ram.readInt(rxRing(queue) + 16L * index + 4L * word);
    }

    int rxStatus(int queue, int index) {
        return rxWord(queue, index, 2);
    }

    int rxLength(int queue, int index) {
        return rxWord(queue, index, 3) & 0xFFFF;
    }

    byte[] rxBytes(int queue, int index) {
        byte[] bytes = new byte[rxLength(queue, index)];
        ram.read(rxBuffer(queue, index), bytes, 0, bytes.length);
        return bytes;
    }

    /** Which of queues 0 to 7 have their first frame. */
    int receivers() {
        int found = 0;
        for (int queue = 0; queue < 8; queue++) {
            found |= (rxStatus(queue, 0) & 1) << queue;
        }
        return found;
    }

    /** MSI-X on, vector v of the function sends {@code data + v}. */
    void openVectors(PciFunction function, int count, int data) {
        for (int v = 0; v < count; v++) {
            function.writeBar(3, 16L * v, 4, MESSAGES);
            function.writeBar(3, 16L * v + 4, 4, 0);
            function.writeBar(3, 16L * v + 8, 4, data + v);
            function.writeBar(3, 16L * v + 12, 4, 0);
        }
        function.config().write(0x72, 2, 0x8000);
        assertThat(function.config().read(0x72, 2)).isEqualTo(0x8000 | count - 1);
    }

    List<Integer> takeMessages() {
        List<Integer> data = messages.stream().map(Message::data).toList();
        messages.clear();
        return data;
    }

    /** A frame of {@code length} bytes with a counting payload. */
    static byte[] frame(byte[] destination, byte[] source, int length) {
        byte[] frame = new byte[length];
        System.arraycopy(destination, 0, frame, 0, 6);
        System.arraycopy(source, 0, frame, 6, 6);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        for (int i = 14; i < length; i++) {
            frame[i] = (byte) (i * 7);
        }
        return frame;
    }

    /** The same with a tag in front of its type. */
    static byte[] tagged(byte[] destination, byte[] source, int vlan, int length) {
        byte[] frame = frame(destination, source, length);
        System.arraycopy(
                new byte[] {(byte) 0x81, 0, (byte) (vlan >> 8), (byte) vlan, (byte) 0x88, (byte) 0xB5},
                0,
                frame,
                12,
                6);
        return frame;
    }
}
