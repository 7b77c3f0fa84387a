package io.iolab.devices.pci;

/**
 * The power management capability (PCI Bus Power Management 1.2 chapter 3) of a function with D0 and D3hot. In D3hot only
 * configuration space answers; coming back to D0 resets the function unless it says No Soft Reset.
 */
public final class PowerManagement {
    public static final int CAPABILITY_ID = 0x01;

    private static final int D0 = 0;
    private static final int D3HOT = 3;
    private static final int STATE = 3;
    private static final int NO_SOFT_RESET = 1 << 3;
    private static final int PME_ENABLE = 1 << 8;
    private static final int DATA_SELECT = 0xF << 9;
    private static final int PME_STATUS = 1 << 15;

    private final ConfigSpace config;
    private final int control;
    private final Runnable softReset;
    private int state = D0;

    /**
     * Adds the capability to {@code config} at {@code capability}.
     *
     * @param capabilities the PMC register; D1 and D2 (bits 9 and 10) are not supported
     * @param softReset resets the whole function, configuration space too
     */
    public PowerManagement(ConfigSpace config, int capability, int capabilities, Runnable softReset) {
        this.config = config;
        this.control = capability + 4;
        this.softReset = softReset;
        config.capability(capability, CAPABILITY_ID)
                .field(capability + 2, 2, capabilities, 0, 0)
                .field(control, 2, 0, STATE | PME_ENABLE | DATA_SELECT, PME_STATUS)
                .onReset(() -> state = D0)
                .onWrite(control, 2, this::controlWritten);
    }

    private void controlWritten() {
        int value = config.get(control, 2);
        int requested = value & STATE;
        if (requested != D0 && requested != D3HOT) {
            // A state that the function lacks is ignored: the field keeps its value (section 3.2.4).
            config.put(control, 2, value & ~STATE | state);
            return;
        }
        boolean wakes = state == D3HOT && requested == D0;
        state = requested;
        if (wakes && (value & NO_SOFT_RESET) == 0) {
            softReset.run();
        }
    }

    /** Whether the function runs; otherwise it is in D3hot. */
    public boolean inD0() {
        return state == D0;
    }
}
