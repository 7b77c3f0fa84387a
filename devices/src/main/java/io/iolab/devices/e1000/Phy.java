package io.iolab.devices.e1000;

import io.iolab.devices.time.Clock;
import java.util.Arrays;
import java.util.List;

/**
 * The copper PHY behind MDIC: Marvell 88E1000 on the 82540EM, BM with register pages on the 82574L (IEEE 802.3 clause 22;
 * 82540 SDM 13.4, MDIC and the PHY register tables).
 *
 * <p>It has link when the cable is plugged in and auto-negotiation is done, or switched off. The partner always agrees to 1000
 * Mbit/s full duplex. Negotiation takes {@link #negotiationNanos}; real copper needs about two seconds, the default of 0 lets
 * a lab start at once.
 */
final class Phy {
    static final int ADDRESS = 1;

    private static final int CONTROL = 0;
    private static final int STATUS = 1;
    private static final int PARTNER = 5;
    private static final int GIGABIT_STATUS = 10;
    private static final int SPECIFIC_STATUS = 17;
    private static final int PAGE_SELECT = 22;
    private static final int OEM_BITS = 25;
    private static final int FIRST_PAGED = 16;
    private static final int PAGES = 8;

    private static final int CONTROL_RESET = 1 << 15;
    private static final int CONTROL_LOOPBACK = 1 << 14;
    private static final int CONTROL_NEGOTIATE = 1 << 12;
    private static final int CONTROL_POWER_DOWN = 1 << 11;
    private static final int CONTROL_RESTART = 1 << 9;
    private static final int STATUS_LINK = 1 << 2;
    private static final int STATUS_NEGOTIATED = 1 << 5;
    private static final int PARTNER_ACKNOWLEDGE = 1 << 14;
    private static final int OEM_RESTART = 1 << 10;

    /** A register: page (0 for the common ones), number, value after reset, and what MDIC may write. */
    private record Register(int page, int number, int reset, int writable) {}

    private static final List<Register> M88 = List.of(
            new Register(0, 0, 0x1140, 0xFFC0),
            new Register(0, 1, 0x7949, 0),
            new Register(0, 2, 0x0141, 0),
            new Register(0, 3, 0x0C20, 0),
            new Register(0, 4, 0x0DE1, 0xFFFF),
            new Register(0, 5, 0x01E0, 0),
            new Register(0, 6, 0x0000, 0),
            new Register(0, 7, 0x2001, 0xFFFF),
            new Register(0, 8, 0x0000, 0),
            new Register(0, 9, 0x0E00, 0xFFFF),
            new Register(0, 10, 0x3C00, 0),
            new Register(0, 15, 0x3000, 0),
            new Register(0, 16, 0x0360, 0xFFFF),
            new Register(0, 17, 0xAC00, 0),
            new Register(0, 18, 0x0000, 0xFFFF),
            new Register(0, 19, 0x0000, 0),
            new Register(0, 20, 0x0D60, 0xFFFF),
            new Register(0, 21, 0x0000, 0),
            new Register(0, 26, 0x000C, 0xFFFF),
            new Register(0, 29, 0x0000, 0xFFFF),
            new Register(0, 30, 0x0000, 0xFFFF));

    private static final List<Register> BM = List.of(
            new Register(0, 0, 0x1140, 0xFFC0),
            new Register(0, 1, 0x7949, 0),
            new Register(0, 2, 0x0141, 0),
            new Register(0, 3, 0x0CB1, 0),
            new Register(0, 4, 0x0DE1, 0xFFFF),
            new Register(0, 5, 0x07E0, 0),
            new Register(0, 6, 0x0004, 0),
            new Register(0, 7, 0x2001, 0xFFFF),
            new Register(0, 8, 0x0000, 0),
            new Register(0, 9, 0x0F00, 0xFFFF),
            new Register(0, 10, 0x3C00, 0),
            new Register(0, 15, 0x3000, 0),
            new Register(0, 16, 0x3360, 0xFFFF),
            new Register(0, 17, 0xAC08, 0),
            new Register(0, 18, 0x0000, 0xFFFF),
            new Register(0, 19, 0x0000, 0),
            new Register(0, 20, 0x0000, 0xFFFF),
            new Register(0, 21, 0x0000, 0),
            new Register(0, 22, 0x0000, 0x7F),
            new Register(0, 25, 0x0000, 0xFFFF),
            new Register(0, 26, 0x0000, 0xFFFF),
            new Register(0, 29, 0x0000, 0xFFFF),
            new Register(0, 30, 0x0000, 0xFFFF),
            new Register(2, 16, 0x0088, 0xFFFF),
            new Register(2, 18, 0x0000, 0xFFFF),
            new Register(2, 19, 0x0000, 0xFFFF),
            new Register(2, 21, 0x1046, 0xFFFF),
            new Register(3, 16, 0x0000, 0xFFFF),
            new Register(3, 17, 0x0000, 0xFFFF),
            new Register(3, 18, 0x4005, 0xFFFF),
            new Register(3, 19, 0x0000, 0),
            new Register(5, 20, 0x0000, 0xFFFF),
            new Register(5, 21, 0x0000, 0xFFFF),
            new Register(6, 17, 0x0000, 0xFFFF));

    private static final int ABSENT = -1;

    private final List<Register> table;
    private final boolean paged;
    private final Clock clock;
    private final Runnable onLinkChange;
    private final int[] values = new int[PAGES * 32];
    private final int[] writable = new int[PAGES * 32];
    private long negotiationNanos;
    private long negotiationDeadline = DelayTimer.NEVER;
    private boolean cable = true;
    private boolean held;
    private boolean negotiated;
    /** Link bit as software sees it: once down it stays down until read (IEEE 802.3 22.2.4.2.13). */
    private boolean latchedLink;

    Phy(E1000Model model, Clock clock, Runnable onLinkChange) {
        this.table = model == E1000Model.I82540EM ? M88 : BM;
        this.paged = model == E1000Model.I82574L;
        this.clock = clock;
        this.onLinkChange = onLinkChange;
        Arrays.fill(values, ABSENT);
        for (Register register : table) {
            writable[32 * register.page() + register.number()] = register.writable();
        }
        reset();
        latchedLink = linkUp();
    }

    void negotiationNanos(long nanos) {
        negotiationNanos = nanos;
        restart();
        latchedLink = linkUp();
    }

    void reset() {
        for (Register register : table) {
            values[32 * register.page() + register.number()] = register.reset();
        }
        restart();
    }

    /** The reset line, CTRL.PHY_RST: held while set, a fresh start when released. */
    void hold(boolean hold) {
        if (hold != held) {
            held = hold;
            reset();
        }
    }

    void plug(boolean connected) {
        if (connected != cable) {
            cable = connected;
            restart();
        }
    }

    boolean loopback() {
        return (values[CONTROL] & CONTROL_LOOPBACK) != 0;
    }

    boolean linkUp() {
        if (held || (values[CONTROL] & CONTROL_POWER_DOWN) != 0) {
            return false;
        }
        return loopback() || cable && (negotiated || (values[CONTROL] & CONTROL_NEGOTIATE) == 0);
    }

    /** Drops the link and negotiates anew. */
    private void restart() {
        negotiated = false;
        negotiationDeadline = DelayTimer.NEVER;
        changed();
        boolean powered = !held && (values[CONTROL] & CONTROL_POWER_DOWN) == 0;
        if (powered && cable && (values[CONTROL] & CONTROL_NEGOTIATE) != 0) {
            negotiationDeadline = clock.nanos() + negotiationNanos;
            if (negotiationNanos == 0) {
                finishNegotiation();
            }
        }
    }

    private void finishNegotiation() {
        negotiationDeadline = DelayTimer.NEVER;
        negotiated = true;
        changed();
    }

    private void changed() {
        latchedLink &= linkUp();
        onLinkChange.run();
    }

    void poll(long now) {
        if (now >= negotiationDeadline) {
            finishNegotiation();
        }
    }

    long deadline() {
        return negotiationDeadline;
    }

    /** Registers 0 to 15 and the page select are common to all pages. */
    private int slot(int number) {
        boolean common = !paged || number < FIRST_PAGED || number == PAGE_SELECT;
        int page = common ? 0 : values[PAGE_SELECT];
        return page < PAGES ? 32 * page + number : 32 * (PAGES - 1) + number;
    }

    /** @return the value, or a negative number for a register that does not exist */
    int read(int number) {
        int slot = slot(number);
        int value = values[slot];
        if (slot >= 32 && slot != number) {
            return value;
        }
        boolean up = linkUp();
        return switch (number) {
            case STATUS -> {
                int now = value | (latchedLink ? STATUS_LINK : 0) | (negotiated ? STATUS_NEGOTIATED : 0);
                latchedLink = up;
                yield now;
            }
            case PARTNER -> negotiated ? value | PARTNER_ACKNOWLEDGE : value;
            case GIGABIT_STATUS, SPECIFIC_STATUS -> up ? value : 0;
            default -> value;
        };
    }

    /** @return false if the register does not exist or takes no writes */
    boolean write(int number, int value) {
        int slot = slot(number);
        if (values[slot] == ABSENT || writable[slot] == 0) {
            return false;
        }
        int previous = values[slot];
        values[slot] = value & writable[slot];
        if (slot == CONTROL) {
            controlWritten(previous);
        } else if (paged && slot == OEM_BITS && (value & OEM_RESTART) != 0) {
            values[slot] &= ~OEM_RESTART;
            restart();
        }
        return true;
    }

    private void controlWritten(int previous) {
        int value = values[CONTROL];
        values[CONTROL] = value & ~(CONTROL_RESET | CONTROL_RESTART);
        if ((value & CONTROL_RESET) != 0) {
            reset();
        } else if ((value & CONTROL_RESTART) != 0
                || ((value ^ previous) & (CONTROL_POWER_DOWN | CONTROL_NEGOTIATE | CONTROL_LOOPBACK)) != 0) {
            restart();
        }
    }
}
