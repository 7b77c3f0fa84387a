package io.iolab.devices.e1000;

import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.register.RegisterFile;
import java.util.Arrays;

/**
 * Wake-up (82540 SDM 6.4): what arrives is looked at for a reason to wake the system.
 *
 * <pre>
 *   WUC.APME, any power state ---- magic packet ------------------------+
 *   D3hot, address filter passed - the filters that WUFC enables -------+--> WUS, WUPL, WUPM, PMCSR.PME_Status, PME#
 *   D3hot, WUFC.LNKC ------------- link change -------------------------+
 * </pre>
 *
 * <p>The first packet stays in WUPM: no other is looked at until software has cleared the packet bits of WUS, nor another link
 * change until it has cleared LNKC. WUS, WUPL, WUPM and the two PME bits survive every reset, as on a board with auxiliary
 * power. PME# is asserted while PME_Status and PME_En are set; an APM wake-up asserts it whatever PME_En says, if WUC.APMPME
 * wants so. Where PME# leads is the board's affair: here its assertions are counted.
 */
final class WakeUp {
    static final int LINK = 1;
    static final int MAGIC = 1 << 1;
    static final int EXACT = 1 << 2;
    static final int MULTICAST = 1 << 3;
    static final int BROADCAST = 1 << 4;
    static final int ARP = 1 << 5;
    static final int DIRECTED_IPV4 = 1 << 6;
    static final int DIRECTED_IPV6 = 1 << 7;
    static final int FLEXIBLE = 1 << 16;
    private static final int PACKETS = 0x000F_00FE;

    private static final int APM_ENABLE = 1;
    private static final int PME_ENABLE = 1 << 1;
    private static final int PME_STATUS = 1 << 2;
    private static final int APM_PME = 1 << 3;
    /** The same two in PMCSR. */
    private static final int PMCSR_ENABLE = 1 << 8;

    private static final int PMCSR_STATUS = 1 << 15;
    private static final int STICKY = PMCSR_ENABLE | PMCSR_STATUS;

    private static final int KEPT_BYTES = 128;
    private static final int LONGEST = 2047;
    private static final int MIN_LENGTH = 60;
    private static final int HEADER_LENGTH = 14;

    private final RegisterFile registers;
    private final ConfigSpace config;
    private final int pmcsr;
    private final WakeFilters filters;
    private final E1000Counters counters;
    private final byte[] padded = new byte[MIN_LENGTH];
    private boolean apm;
    private boolean asserted;
    private boolean assertedByApm;
    private boolean resetting;

    /** @param pmcsr offset of the power management control and status register */
    WakeUp(Core core, ConfigSpace config, int pmcsr, ReceiveFilter addresses) {
        this.registers = core.registers();
        this.config = config;
        this.pmcsr = pmcsr;
        this.filters = new WakeFilters(core, addresses);
        this.counters = core.counters();
        config.onWrite(pmcsr, 2, this::evaluate);
        registers.onRead(E1000Registers.WUC, this::control);
        registers.onWrite(E1000Registers.WUC, (written, previous) -> controlWritten(written));
    }

    /** WUC: PME_En and PME_Status are those of PMCSR. */
    private int control() {
        int power = config.get(pmcsr, 2);
        return registers.get(E1000Registers.WUC) & ~(PME_ENABLE | PME_STATUS)
                | ((power & PMCSR_ENABLE) != 0 ? PME_ENABLE : 0)
                | ((power & PMCSR_STATUS) != 0 ? PME_STATUS : 0);
    }

    private void controlWritten(int written) {
        apm = (written & APM_ENABLE) != 0;
        int power = config.get(pmcsr, 2) & ~PMCSR_ENABLE | ((written & PME_ENABLE) != 0 ? PMCSR_ENABLE : 0);
        config.put(pmcsr, 2, (written & PME_STATUS) != 0 ? power & ~PMCSR_STATUS : power);
        evaluate();
    }

    /** After a reset: APME is what the EEPROM says. */
    void loadFromEeprom(boolean apmEnabled) {
        apm = apmEnabled;
        registers.set(E1000Registers.WUC, apmEnabled ? APM_ENABLE : 0);
    }

    /** Runs {@code reset}, which clears registers, around what survives it. */
    void keepAcross(Runnable reset) {
        int status = registers.get(E1000Registers.WUS);
        int length = registers.get(E1000Registers.WUPL);
        int[] packet = new int[KEPT_BYTES / 4];
        for (int i = 0; i < packet.length; i++) {
            packet[i] = registers.get(E1000Registers.WUPM + 4 * i);
        }
        reset.run();
        registers.set(E1000Registers.WUS, status);
        registers.set(E1000Registers.WUPL, length);
        for (int i = 0; i < packet.length; i++) {
            registers.set(E1000Registers.WUPM + 4 * i, packet[i]);
        }
    }

    /** Resets configuration space but for the PME bits (PCI PM 3.2.4). */
    void resetConfiguration() {
        int kept = config.get(pmcsr, 2) & STICKY;
        // In between PME# does not move.
        resetting = true;
        config.reset();
        resetting = false;
        config.put(pmcsr, 2, config.get(pmcsr, 2) & ~STICKY | kept);
        evaluate();
    }

    /** Whether every frame must be shown to {@link #watch}, although the function is awake. */
    boolean watches() {
        return apm;
    }

    /** A frame that arrives while the function is awake: only APM wake-up looks at it. */
    void watch(byte[] frame, int offset, int length) {
        if (length >= MIN_LENGTH && idle() && filters.isMagic(frame, offset, length)) {
            wakeByMagic(frame, offset, length);
        }
    }

    /** A frame that arrives while the function sleeps. */
    void sleepThrough(byte[] frame, int offset, int length) {
        if (length < HEADER_LENGTH || !idle()) {
            return;
        }
        if (length < MIN_LENGTH) {
            Arrays.fill(padded, (byte) 0);
            System.arraycopy(frame, offset, padded, 0, length);
            sleepThrough(padded, 0, MIN_LENGTH);
            return;
        }
        int reasons = filters.match(frame, offset, length, registers.get(E1000Registers.WUFC) & PACKETS);
        if (reasons != 0) {
            store(frame, offset, length, reasons);
            config.put(pmcsr, 2, config.get(pmcsr, 2) | PMCSR_STATUS);
            evaluate();
        } else if (apm && filters.isMagic(frame, offset, length)) {
            wakeByMagic(frame, offset, length);
        }
    }

    private void wakeByMagic(byte[] frame, int offset, int length) {
        store(frame, offset, length, MAGIC);
        if ((registers.get(E1000Registers.WUC) & APM_PME) != 0) {
            assertedByApm = true;
            config.put(pmcsr, 2, config.get(pmcsr, 2) | PMCSR_STATUS);
        }
        evaluate();
    }

    /** The link changed while the function sleeps. */
    void linkChanged() {
        int status = registers.get(E1000Registers.WUS);
        if ((registers.get(E1000Registers.WUFC) & LINK) != 0 && (status & LINK) == 0) {
            counters.wakeEvents++;
            registers.set(E1000Registers.WUS, status | LINK);
            config.put(pmcsr, 2, config.get(pmcsr, 2) | PMCSR_STATUS);
            evaluate();
        }
    }

    private boolean idle() {
        return (registers.get(E1000Registers.WUS) & PACKETS) == 0;
    }

    private void store(byte[] frame, int offset, int length, int reasons) {
        counters.wakeEvents++;
        registers.set(E1000Registers.WUS, registers.get(E1000Registers.WUS) | reasons);
        registers.set(E1000Registers.WUPL, Math.min(length, LONGEST));
        for (int i = 0; i < KEPT_BYTES; i += 4) {
            int word = 0;
            for (int k = 0; k < 4 && i + k < length; k++) {
                word |= (frame[offset + i + k] & 0xFF) << 8 * k;
            }
            registers.set(E1000Registers.WUPM + i, word);
        }
    }

    /** PME# follows its status and enable bits. */
    private void evaluate() {
        if (resetting) {
            return;
        }
        int power = config.get(pmcsr, 2);
        boolean status = (power & PMCSR_STATUS) != 0;
        assertedByApm &= status;
        boolean wanted = status && (assertedByApm || (power & PMCSR_ENABLE) != 0);
        counters.pmeAssertions += wanted && !asserted ? 1 : 0;
        asserted = wanted;
    }
}
