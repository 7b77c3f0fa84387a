package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.PciDevice;

/** What differs between members of the family: identity, reset, NVM, PHY, interrupts. Hot calls are {@link #resume} and a flag. */
abstract sealed class Part permits Part82540, Part82574 {
    static final int ALL = 0xFFFF_FFFF;
    private static final int RECEIVE_ADDRESSES = 15;
    private static final int TABLE_WORDS = 128;
    private static final int STATISTICS = 0x4000;
    private static final int STATISTICS_END = 0x4100;
    private static final int PAUSE_ADDRESS_LOW = 0x00C2_8001;
    private static final int PAUSE_ADDRESS_HIGH = 0x0100;
    private static final int PAUSE_TYPE = 0x8808;
    private static final int PAUSE_TIME = 0xFFFF;
    private static final int VLAN_TYPE = 0x8100;
    private static final int XON_ENABLE = 1 << 31;

    static final long MILLISECOND = 1_000_000;

    final DriverPlatform platform;
    final PciDevice device;
    final E1000Options options;
    final RegisterWindow registers;
    /** Set in interrupt context, taken by poll. */
    boolean linkChanged;

    /** Takes finished descriptors off the transmit ring; the transmit interrupt runs it. */
    Runnable reapTransmits = () -> {};

    Part(DriverPlatform platform, PciDevice device, E1000Options options) {
        this.platform = platform;
        this.device = device;
        this.options = options;
        this.registers = new RegisterWindow(platform.cpu(), device.memoryBar(0).address());
    }

    static Part of(DriverPlatform platform, PciDevice device, E1000Options options) {
        int id = device.vendorId() << 16 | device.deviceId();
        return switch (id) {
            case Part82540.ID -> new Part82540(platform, device, options);
            case Part82574.ID -> new Part82574(platform, device, options);
            default ->
                throw DriverException.register(
                        "PCI vendor and device id", id & 0xFFFF_FFFFL, "8086100e (82540EM) or 808610d3 (82574L)");
        };
    }

    /** The driver that Linux has for this part. */
    abstract String driverName();

    /** What that driver calls a transmit hang. */
    abstract String hangTitle();

    /** Probes and initializes. @return the station address */
    abstract byte[] bringUp();

    abstract ReceiveRing.Layout receiveLayout();

    /** Programs both units; receive is on afterwards, with no descriptor yet. Transmit waits for the link. */
    abstract void configure(TransmitRing transmit, ReceiveRing receive);

    /** Claims interrupts, sets the station filters again as an opening driver does, and turns interrupts on. */
    abstract void connectInterrupts(byte[] mac);

    /** The ring is full: the next finished transmission must interrupt, be it finished already. */
    abstract void awaitTransmit();

    /** Ends a poll that ran dry: interrupts that the handler turned off come on again, and one that is due fires. */
    abstract void resume();

    abstract Phy phy();

    final void clearInterruptsForReset() {
        registers.write(Reg.IMC, ALL);
    }

    /** Without the flushing reads in between, a chipset may merge the writes (an erratum that Linux works around). */
    final void clearTable(int offset) {
        for (int i = 0; i < TABLE_WORDS; i++) {
            registers.write(offset + 4 * i, 0);
            registers.flush();
        }
    }

    final void setStationAddress(byte[] mac) {
        int low = mac[0] & 0xFF | (mac[1] & 0xFF) << 8 | (mac[2] & 0xFF) << 16 | mac[3] << 24;
        int high = mac[4] & 0xFF | (mac[5] & 0xFF) << 8 | Reg.RAH_AV;
        for (int i = 0; i < RECEIVE_ADDRESSES; i++) {
            registers.write(Reg.RAL0 + 8 * i, i == 0 ? low : 0);
            registers.flush();
            registers.write(Reg.RAH0 + 8 * i, i == 0 ? high : 0);
            registers.flush();
        }
    }

    /** The pause frame's address, type and time: parts of the set-up even when nobody pauses. */
    final void setUpFlowControl() {
        registers.write(Reg.FCT, PAUSE_TYPE);
        registers.write(Reg.FCAH, PAUSE_ADDRESS_HIGH);
        registers.write(Reg.FCAL, PAUSE_ADDRESS_LOW);
        registers.write(Reg.FCTTV, PAUSE_TIME);
    }

    /** Thresholds that leave room for a full frame and for a tenth of the receive buffer. */
    final void setFlowThresholds(int receiveKilobytes) {
        int bytes = receiveKilobytes << 10;
        int high = Math.min(bytes * 9 / 10, bytes - 1518) & 0xFFF8;
        registers.write(Reg.FCRTL, high - 8 | XON_ENABLE);
        registers.write(Reg.FCRTH, high);
    }

    /** Statistics clear on read. */
    final void clearStatistics() {
        for (int offset = STATISTICS; offset < STATISTICS_END; offset += 4) {
            if (offset != 0x4044 && offset != 0x4098 && offset != 0x409C) {
                registers.read(offset);
            }
        }
    }

    final void setVlanType() {
        registers.write(Reg.VET, VLAN_TYPE);
    }

    /** RCTL without EN: broadcast accepted, thresholds at half a ring, no bad frames, buffers of the wanted size. */
    final int receiveControl() {
        return Reg.RCTL_BAM | sizeBits(options.bufferSize()) | (options.bufferSize() > 2048 ? Reg.RCTL_LPE : 0);
    }

    /** BSIZE 17:16 and BSEX 25 (8254x SDM table 13-67). */
    private static int sizeBits(int bufferSize) {
        boolean extended = bufferSize > 2048;
        int unit = extended ? bufferSize >>> 4 : bufferSize;
        int bsize = 3 - (Integer.numberOfTrailingZeros(unit) - 8);
        return bsize << 16 | (extended ? 1 << 25 : 0);
    }

    /** Link up lets transmission begin; Linux's watchdog does the same. */
    final boolean updateLink() {
        linkChanged = false;
        phy().read(Phy.BMSR);
        phy().read(Phy.BMSR);
        if ((registers.read(Reg.STATUS) & Reg.STATUS_LU) == 0) {
            return false;
        }
        int tctl = registers.read(Reg.TCTL);
        if ((tctl & Reg.TCTL_EN) == 0) {
            registers.write(Reg.TCTL, tctl & ~Reg.TCTL_COLD | Reg.TCTL_COLD_63 | Reg.TCTL_EN);
        }
        return true;
    }

    final void programTransmitRing(TransmitRing ring) {
        registers.write(Reg.TDLEN, ring.bytes());
        registers.write(Reg.TDBAH, (int) (ring.busAddress() >>> 32));
        registers.write(Reg.TDBAL, (int) ring.busAddress());
        registers.write(Reg.TDT, 0);
        registers.write(Reg.TDH, 0);
    }

    final void programReceiveRing(ReceiveRing ring) {
        registers.write(Reg.RDLEN, ring.bytes());
        registers.write(Reg.RDBAH, (int) (ring.busAddress() >>> 32));
        registers.write(Reg.RDBAL, (int) ring.busAddress());
        registers.write(Reg.RDT, 0);
        registers.write(Reg.RDH, 0);
    }

    final void delayMillis(int millis) {
        platform.delayNanos(millis * MILLISECOND);
    }
}
