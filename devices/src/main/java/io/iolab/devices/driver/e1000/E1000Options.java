package io.iolab.devices.driver.e1000;

/**
 * What an administrator can set: ring sizes (ethtool -G) and interrupt moderation (ethtool -C, module parameters).
 *
 * @param txRing descriptors, 8 to 4096, a multiple of 8
 * @param rxRing descriptors, 8 to 4096, a multiple of 8 and of {@code rxBatchRefill}, at least twice the latter
 * @param bufferSize bytes of a receive buffer: 256, 512, 1024, 2048, 4096, 8192 or 16384; a transmit buffer has 2048
 * @param itr least gap between interrupts in units of 256 ns, 0 (none) to 65535: ITR on the 82540EM, EITR on the 82574L
 * @param tidv transmit interrupt delay in units of 1.024 us, 0 (no IDE bit, no delay) to 65535; no effect in MSI-X mode
 * @param tadv absolute limit of that delay, same unit
 * @param rdtr receive delay timer in units of 1.024 us, 0 (none) to 65535; no effect in MSI-X mode
 * @param radv absolute limit of that delay, same unit
 * @param rxBatchRefill receive descriptors given back at once, a power of two
 * @param txInterrupts whether each finished transmission may interrupt; if not, finished descriptors are found when the next
 *     frame is queued, as virtio-net does it, and an interrupt is asked for only while the ring is full
 */
public record E1000Options(
        int txRing,
        int rxRing,
        int bufferSize,
        int itr,
        int tidv,
        int tadv,
        int rdtr,
        int radv,
        int rxBatchRefill,
        boolean txInterrupts) {

    public E1000Options {
        checkRing("txRing", txRing);
        checkRing("rxRing", rxRing);
        if (Integer.bitCount(bufferSize) != 1 || bufferSize < 256 || bufferSize > 16384) {
            throw new IllegalArgumentException("bufferSize " + bufferSize + " is not a power of two from 256 to 16384");
        }
        checkTimer("itr", itr);
        checkTimer("tidv", tidv);
        checkTimer("tadv", tadv);
        checkTimer("rdtr", rdtr);
        checkTimer("radv", radv);
        if (Integer.bitCount(rxBatchRefill) != 1 || rxRing % rxBatchRefill != 0 || rxRing < 2 * rxBatchRefill) {
            throw new IllegalArgumentException("rxBatchRefill " + rxBatchRefill + " does not fit a ring of " + rxRing);
        }
    }

    /** Linux's: 256 descriptors each way, 2 KiB buffers, 20 000 interrupts a second at most, TIDV 8, TADV 32, RADV 8. */
    public static E1000Options defaults() {
        return new E1000Options(256, 256, 2048, 195, 8, 32, 0, 8, 16, true);
    }

    /** The same with every interrupt delay off: one interrupt for each event that finds interrupts on. */
    public E1000Options unmoderated() {
        return new E1000Options(txRing, rxRing, bufferSize, 0, 0, 0, 0, 0, rxBatchRefill, txInterrupts);
    }

    public E1000Options withRings(int transmit, int receive) {
        return new E1000Options(
                transmit, receive, bufferSize, itr, tidv, tadv, rdtr, radv, rxBatchRefill, txInterrupts);
    }

    /** The same with or without an interrupt for each transmission. */
    public E1000Options withTxInterrupts(boolean each) {
        return new E1000Options(txRing, rxRing, bufferSize, itr, tidv, tadv, rdtr, radv, rxBatchRefill, each);
    }

    /** @param gap in units of 256 ns */
    public E1000Options withItr(int gap) {
        return new E1000Options(txRing, rxRing, bufferSize, gap, tidv, tadv, rdtr, radv, rxBatchRefill, txInterrupts);
    }

    public E1000Options withBufferSize(int bytes) {
        return new E1000Options(txRing, rxRing, bytes, itr, tidv, tadv, rdtr, radv, rxBatchRefill, txInterrupts);
    }

    /** TDLEN and RDLEN count in units of 128 bytes (8254x SDM 13.4.27). */
    private static void checkRing(String name, int size) {
        if (size < 8 || size > 4096 || size % 8 != 0) {
            throw new IllegalArgumentException(name + " " + size + " is not a multiple of 8 from 8 to 4096");
        }
    }

    private static void checkTimer(String name, int value) {
        if (value < 0 || value > 0xFFFF) {
            throw new IllegalArgumentException(name + " " + value + " does not fit 16 bits");
        }
    }
}
