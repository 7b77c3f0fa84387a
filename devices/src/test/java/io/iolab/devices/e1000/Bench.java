package io.iolab.devices.e1000;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A controller with memory, wire, clock and interrupt receivers around it. It acts only through BARs, configuration space and
 * memory; register offsets are transcribed from the manuals' tables.
 */
final class Bench implements AutoCloseable {
    static final int CTRL = 0x0;
    static final int STATUS = 0x8;
    static final int EECD = 0x10;
    static final int EERD = 0x14;
    static final int CTRL_EXT = 0x18;
    static final int MDIC = 0x20;
    static final int FCT = 0x30;
    static final int VET = 0x38;
    static final int ICR = 0xC0;
    static final int ITR = 0xC4;
    static final int ICS = 0xC8;
    static final int IMS = 0xD0;
    static final int IMC = 0xD8;
    static final int EIAC = 0xDC;
    static final int IAM = 0xE0;
    static final int IVAR = 0xE4;
    static final int EITR = 0xE8;
    static final int RCTL = 0x100;
    static final int TCTL = 0x400;
    static final int PBA = 0x1000;
    static final int RDBAL = 0x2800;
    static final int RDBAH = 0x2804;
    static final int RDLEN = 0x2808;
    static final int RDH = 0x2810;
    static final int RDT = 0x2818;
    static final int RDTR = 0x2820;
    static final int RADV = 0x282C;
    static final int TDBAL = 0x3800;
    static final int TDBAH = 0x3804;
    static final int TDLEN = 0x3808;
    static final int TDH = 0x3810;
    static final int TDT = 0x3818;
    static final int TIDV = 0x3820;
    static final int TXDCTL = 0x3828;
    static final int TADV = 0x382C;
    static final int RXCSUM = 0x5000;
    static final int RFCTL = 0x5008;
    static final int MTA = 0x5200;
    static final int RAL = 0x5400;
    static final int RAH = 0x5404;
    static final int VFTA = 0x5600;
    static final int MRQC = 0x5818;

    static final int RX_EN = 1 << 1;
    static final int RX_SBP = 1 << 2;
    static final int RX_UPE = 1 << 3;
    static final int RX_MPE = 1 << 4;
    static final int RX_LPE = 1 << 5;
    static final int RX_BAM = 1 << 15;
    static final int RX_VFE = 1 << 18;
    static final int RX_SECRC = 1 << 26;
    static final int TX_EN = 1 << 1;
    static final int TX_PSP = 1 << 3;

    static final int EOP = 1;
    static final int IFCS = 1 << 1;
    static final int IC = 1 << 2;
    static final int RS = 1 << 3;
    static final int DEXT = 1 << 5;
    static final int VLE = 1 << 6;
    static final int IDE = 1 << 7;

    static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    static final byte[] PEER = {0x52, 0x54, 0x00, (byte) 0xAA, (byte) 0xBB, (byte) 0xCC};
    static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};

    static final long TX_RING = 0x10000;
    static final long RX_RING = 0x20000;
    static final long TX_BUFFERS = 0x100000;
    static final long RX_BUFFERS = 0x200000;
    static final int RX_BUFFER = 2048;

    record Message(long address, int data) {}

    final PhysicalMemory ram = PhysicalMemory.allocate(8 << 20);
    final List<byte[]> sent = new ArrayList<>();
    final List<Message> messages = new ArrayList<>();
    final E1000 device;
    Delivery wireAnswer = Delivery.ACCEPTED;
    long now = 1_000_000;
    boolean pin;
    int pinRises;
    int txSize;
    int rxSize;
    int txTail;

    Bench(E1000Model model) {
        this(model, dma -> dma);
    }

    Bench(E1000Model model, UnaryOperator<DmaPort> wrap) {
        DmaPort dma = wrap.apply(new DirectDma(ram, (address, data) -> messages.add(new Message(address, data))));
        device = E1000.create(model, MAC, dma, this::setPin, this::wire, () -> now);
        device.config().write(0x04, 2, 0x7);
    }

    static Bench i82540em() {
        return new Bench(E1000Model.I82540EM);
    }

    static Bench i82574l() {
        return new Bench(E1000Model.I82574L);
    }

    private void setPin(boolean asserted) {
        pinRises += asserted && !pin ? 1 : 0;
        pin = asserted;
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

    int poll() {
        return device.poll(256);
    }

    /** Rings of {@code size} descriptors, transmitter on with padding. */
    void openTransmit(int size) {
        txSize = size;
        txTail = 0;
        write(TDBAL, (int) TX_RING);
        write(TDBAH, 0);
        write(TDLEN, 16 * size);
        write(TDH, 0);
        write(TDT, 0);
        write(TCTL, TX_EN | TX_PSP);
    }

    /** Receives broadcast and our address without FCS, all descriptors but one given to the device. */
    void openReceive(int size) {
        openReceive(size, RX_BAM | RX_SECRC);
    }

    void openReceive(int size, int rctl) {
        rxSize = size;
        for (int i = 0; i < size; i++) {
            ram.writeLong(RX_RING + 16L * i, RX_BUFFERS + (long) RX_BUFFER * i);
            ram.writeLong(RX_RING + 16L * i + 8, 0);
        }
        write(RDBAL, (int) RX_RING);
        write(RDBAH, 0);
        write(RDLEN, 16 * size);
        write(RDH, 0);
        write(RDT, size - 1);
        write(RCTL, rctl | RX_EN);
    }

    void describe(int index, long low, long high) {
        ram.writeLong(TX_RING + 16L * index, low);
        ram.writeLong(TX_RING + 16L * index + 8, high);
    }

    /** A legacy descriptor; fields from the most significant down. */
    static long legacy(int length, int command) {
        return legacy(length, command, 0, 0, 0);
    }

    static long legacy(int length, int command, int special, int css, int cso) {
        return length | (long) cso << 16 | (long) command << 24 | (long) css << 40 | (long) special << 48;
    }

    static long data(int length, int command, int options, int special) {
        return length | 1L << 20 | (long) (command | DEXT) << 24 | (long) options << 40 | (long) special << 48;
    }

    /** Puts one frame behind the others, EOP and RS set. */
    void queue(byte[] frame) {
        queue(frame, EOP | IFCS | RS);
    }

    void queue(byte[] frame, int command) {
        long iova = TX_BUFFERS + 2048L * txTail;
        ram.write(iova, frame, 0, frame.length);
        describe(txTail, iova, legacy(frame.length, command));
        txTail = (txTail + 1) % txSize;
    }

    void kick() {
        write(TDT, txTail);
        poll();
    }

    int txStatus(int index) {
        return ram.readByte(TX_RING + 16L * index + 12) & 0xFF;
    }

    /** Delivers from the wire and polls. */
    Delivery arrive(byte[] frame) {
        Delivery delivery = device.send(frame, 0, frame.length);
        poll();
        return delivery;
    }

    int rxLength(int index) {
        return ram.readShort(RX_RING + 16L * index + 8) & 0xFFFF;
    }

    int rxChecksum(int index) {
        return ram.readShort(RX_RING + 16L * index + 10) & 0xFFFF;
    }

    int rxStatus(int index) {
        return ram.readByte(RX_RING + 16L * index + 12) & 0xFF;
    }

    int rxErrors(int index) {
        return ram.readByte(RX_RING + 16L * index + 13) & 0xFF;
    }

    int rxSpecial(int index) {
        return ram.readShort(RX_RING + 16L * index + 14) & 0xFFFF;
    }

    byte[] rxBytes(int index, int length) {
        byte[] bytes = new byte[length];
        ram.read(RX_BUFFERS + (long) RX_BUFFER * index, bytes, 0, length);
        return bytes;
    }

    /** A frame of {@code length} bytes with a counting payload. */
    static byte[] frame(byte[] destination, int length) {
        byte[] frame = new byte[length];
        System.arraycopy(destination, 0, frame, 0, 6);
        System.arraycopy(PEER, 0, frame, 6, 6);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        for (int i = 14; i < length; i++) {
            frame[i] = (byte) (i * 7);
        }
        return frame;
    }

    static byte[] bytes(String hex) {
        return java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
    }
}
