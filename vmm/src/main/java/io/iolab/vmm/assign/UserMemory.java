package io.iolab.vmm.assign;

/** The memory of the program that assigns devices: what it may map for them, page by page. */
@FunctionalInterface
public interface UserMemory {

    /** Hands on a piece that is contiguous in both spaces. */
    @FunctionalInterface
    interface RunConsumer {
        /** @param length bytes, a multiple of 4096 */
        void run(long vaddr, long hpa, long length);
    }

    /**
     * Hands out {@code [vaddr, vaddr + size)} in ascending order, as host physical memory; nothing for a part that is not there.
     *
     * @param vaddr page-aligned, in the program's address space
     * @param size a multiple of 4096
     */
    void forEachRun(long vaddr, long size, RunConsumer consumer);
}
