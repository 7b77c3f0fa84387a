package io.iolab.iommu.invalidate;

/** IQERCD.IQEI: why the queue stopped; the ordinal is the code. */
enum QueueError {
    NONE,
    INVALID_TAIL,
    FETCH_ERROR,
    INVALID_TYPE,
    RESERVED_FIELD,
    INVALID_WIDTH,
    MISALIGNED_TAIL,
    INVALID_TABLE_MODE
}
