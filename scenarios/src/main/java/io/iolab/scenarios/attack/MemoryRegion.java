package io.iolab.scenarios.attack;

/**
 * A piece of host memory that belongs to somebody, filled with a canary: bytes that are like no others.
 *
 * @param owner {@code guest B's secret}
 * @param hpa page-aligned
 * @param length bytes
 * @param canary what was there at first
 */
@SuppressWarnings("ArrayRecordComponent") // compared byte by byte, never as a value
record MemoryRegion(String owner, long hpa, int length, byte[] canary) {
    boolean contains(long address) {
        return address >= hpa && address < hpa + length;
    }
}
