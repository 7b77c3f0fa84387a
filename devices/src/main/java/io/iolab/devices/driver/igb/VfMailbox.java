package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;

/** The virtual function's side of the mailbox, in igbvf's order and with its waits. */
final class VfMailbox {
    private static final int MEMORY = 0x0800;
    private static final int V2PMAILBOX = 0x0C40;
    private static final int REQ = 1;
    private static final int ACK = 1 << 1;
    private static final int VFU = 1 << 2;
    private static final int PFSTS = 1 << 4;
    private static final int PFACK = 1 << 5;
    private static final int RSTI = 1 << 6;
    private static final int RSTD = 1 << 7;
    /** What a read of V2PMAILBOX clears, so it is remembered here. */
    private static final int READ_CLEAR = PFSTS | PFACK | RSTD;

    private static final int ANSWER_TRIES = 2000;
    private static final long ANSWER_NANOS = 500_000;
    private static final int RESET_TRIES = 200;
    private static final long RESET_NANOS = 5_000;
    private static final int LOCK_TRIES = 10;
    private static final long LOCK_NANOS = 1_000_000;

    private final RegisterWindow registers;
    private final DriverPlatform platform;
    private int seen;

    VfMailbox(RegisterWindow registers, DriverPlatform platform) {
        this.registers = registers;
        this.platform = platform;
    }

    private boolean take(int bits) {
        seen |= registers.read(V2PMAILBOX);
        boolean set = (seen & bits) != 0;
        // RSTI is no event: it is there until the PF is ready.
        seen &= READ_CLEAR & ~bits;
        return set;
    }

    /** Whether the PF is, or was since the last look, in reset. */
    boolean resetSeen() {
        return take(RSTI | RSTD);
    }

    /** @throws DriverException if the PF stays in reset */
    void awaitPhysicalFunction() {
        for (int attempt = 0; resetSeen(); attempt++) {
            if (attempt == RESET_TRIES) {
                throw DriverException.register("V2PMAILBOX", registers.read(V2PMAILBOX), "RSTI and RSTD clear");
            }
            platform.delayNanos(RESET_NANOS);
        }
    }

    private boolean lock() {
        for (int attempt = 0; attempt < LOCK_TRIES; attempt++) {
            registers.write(V2PMAILBOX, VFU);
            seen |= registers.read(V2PMAILBOX);
            if ((seen & VFU) != 0) {
                seen &= READ_CLEAR;
                return true;
            }
            seen &= READ_CLEAR;
            platform.delayNanos(LOCK_NANOS);
        }
        return false;
    }

    /** @return false if the PF did not let go, or did not acknowledge */
    boolean send(int[] words, int count) {
        if (!lock()) {
            return false;
        }
        take(PFSTS);
        take(PFACK);
        for (int i = 0; i < count; i++) {
            registers.write(MEMORY + 4 * i, words[i]);
        }
        registers.write(V2PMAILBOX, REQ);
        return await(PFACK);
    }

    private boolean await(int bit) {
        for (int attempt = 0; attempt < ANSWER_TRIES; attempt++) {
            if (take(bit)) {
                return true;
            }
            platform.delayNanos(ANSWER_NANOS);
        }
        return false;
    }

    /** Waits for an answer. @return whether there was one */
    boolean receive(int[] words, int count) {
        return await(PFSTS) && read(words, count);
    }

    /** Reads what lies in the mailbox, new or not, and acknowledges it. @return false if the PF holds it */
    boolean read(int[] words, int count) {
        if (!lock()) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            words[i] = registers.read(MEMORY + 4 * i);
        }
        registers.write(V2PMAILBOX, ACK);
        return true;
    }
}
