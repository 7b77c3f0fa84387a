package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.MsixVectors;
import io.iolab.devices.driver.pci.PciBar;
import io.iolab.devices.driver.pci.PciDevice;

/**
 * The driver for a virtual function of the 82576 (8086:10CA), as igbvf does it: everything that concerns others is asked of the physical
 * function's driver by mailbox. It needs three MSI-X vectors. Frames of up to 2048 bytes are sent, one descriptor each.
 *
 * <p>{@link #watchdog} is to be called every two seconds or so: it finds out that the physical function was reset.
 */
public final class IgbVfDriver extends DataPath {
    static final int ID = 0x8086_10CA;

    private static final int VTCTRL = 0x0000;
    private static final int VTCTRL_RST = 1 << 26;
    private static final int VTSTATUS = 0x0008;
    private static final int STATUS_LU = 1 << 1;
    private static final int EICS = 0x1520;
    private static final int EIMS = 0x1524;
    private static final int EIMC = 0x1528;
    private static final int EIAC = 0x152C;
    private static final int EIAM = 0x1530;
    private static final int EICR = 0x1580;
    private static final int EITR = 0x1680;
    private static final int IVAR = 0x1700;
    private static final int IVAR_MISC = 0x1740;
    private static final int RDBAL = 0x2800;
    private static final int RDBAH = 0x2804;
    private static final int RDLEN = 0x2808;
    private static final int SRRCTL = 0x280C;
    private static final int RDH = 0x2810;
    private static final int RDT = 0x2818;
    private static final int RXDCTL = 0x2828;
    private static final int TDBAL = 0x3800;
    private static final int TDBAH = 0x3804;
    private static final int TDLEN = 0x3808;
    private static final int TDH = 0x3810;
    private static final int DCA_TXCTRL = 0x3814;
    private static final int TXCTRL_WRITE_BACK_RELAXED = 1 << 11;
    private static final int TDT = 0x3818;
    private static final int TXDCTL = 0x3828;
    private static final int QUEUE_ENABLE = 1 << 25;
    /** One buffer of 2 KB a descriptor, frames lost when there is none. */
    private static final int SRRCTL_ONE_BUFFER_DROP = 0x8200_0002;
    /** Enabled; write back after 1, host threshold 8, prefetch below 16. */
    private static final int RXDCTL_OPEN = 0x0201_0810;

    private static final int VECTOR_TRANSMIT = 0;
    private static final int VECTOR_RECEIVE = 1;
    private static final int VECTOR_MAILBOX = 2;
    private static final int VECTORS = 3;
    private static final int ALL_VECTORS = 7;
    private static final int IVAR_VALID = 1 << 7;
    /** MTU 1500, header, FCS, tag. */
    private static final int LONGEST_FRAME = 1522;

    private static final long MILLISECOND = 1_000_000;
    private static final long LINK_WAIT_NANOS = 5_000 * MILLISECOND;
    private static final long LINK_POLL_NANOS = 10 * MILLISECOND;

    private final DriverPlatform platform;
    private final PciDevice device;
    private final IgbOptions options;
    private final RegisterWindow registers;
    private final VfMailbox mailbox;
    private final MsixVectors vectors;
    private final AdvancedTransmitRing transmit;
    private final AdvancedReceiveRing receive;
    private final int[] words = new int[Message.WORDS];
    private byte[] mac = new byte[6];
    private int masked;
    private boolean checkLink;
    private boolean linkUp;
    private boolean clearToSend;

    /** @throws DriverException if this is no such function, or it has fewer than three vectors */
    public static IgbVfDriver create(DriverPlatform platform, PciDevice device, IgbOptions options) {
        if ((device.vendorId() << 16 | device.deviceId()) != ID) {
            throw new DriverException(device + " is no virtual function of an 82576");
        }
        device.enable(PciDevice.COMMAND_MEMORY | PciDevice.COMMAND_BUS_MASTER);
        PciBar bar = device.memoryBar(0);
        RegisterWindow window = new RegisterWindow(platform.cpu(), bar.address());
        return new IgbVfDriver(
                platform,
                device,
                options,
                window,
                new AdvancedTransmitRing(platform, options.txRing()),
                new AdvancedReceiveRing(platform, window, RDT, options.rxRing()));
    }

    private IgbVfDriver(
            DriverPlatform platform,
            PciDevice device,
            IgbOptions options,
            RegisterWindow registers,
            AdvancedTransmitRing transmit,
            AdvancedReceiveRing receive) {
        super(registers, transmit, receive, TDT);
        this.platform = platform;
        this.device = device;
        this.options = options;
        this.registers = registers;
        this.transmit = transmit;
        this.receive = receive;
        this.mailbox = new VfMailbox(registers, platform);
        this.vectors = device.enableMsix(VECTORS);
    }

    @Override
    public String name() {
        return "igbvf";
    }

    @Override
    public byte[] macAddress() {
        return mac.clone();
    }

    /** Whether there is link and the physical function's driver lets this one send. */
    public boolean linkUp() {
        return linkUp;
    }

    /** {@inheritDoc} Waits up to five seconds for link. */
    @Override
    public void open() {
        registers.write(EIMC, ~0);
        registers.write(EIAC, 0);
        registers.flush();
        reset();
        reset();
        setStationAddress();
        vectors.route(VECTOR_TRANSMIT, platform.allocateMessage(() -> dataInterrupt(VECTOR_TRANSMIT)));
        vectors.route(VECTOR_RECEIVE, platform.allocateMessage(() -> dataInterrupt(VECTOR_RECEIVE)));
        vectors.route(VECTOR_MAILBOX, platform.allocateMessage(this::mailboxInterrupt));
        bringUp();
    }

    /** Rings, filters and interrupts, after a reset. */
    private void bringUp() {
        java.util.Arrays.fill(words, 0);
        words[0] = Message.SET_MULTICAST;
        ask(Message.WORDS);
        openTransmit();
        openReceive();
        openInterrupts();
        clearToSend = true;
        checkLink = true;
        for (long waited = 0; !updateLink() && waited < LINK_WAIT_NANOS; waited += LINK_POLL_NANOS) {
            platform.delayNanos(LINK_POLL_NANOS);
        }
    }

    /** The function's own reset, then RESET by mailbox, which returns the station address. */
    private void reset() {
        registers.setBits(VTCTRL, VTCTRL_RST);
        mailbox.awaitPhysicalFunction();
        words[0] = Message.RESET;
        if (!mailbox.send(words, 1)) {
            throw new DriverException(device + ": the physical function acknowledges no RESET");
        }
        platform.delayNanos(10 * MILLISECOND);
        if (!mailbox.receive(words, 3)) {
            throw new DriverException(device + ": the physical function answers no RESET");
        }
        if (words[0] == (Message.RESET | Message.ACK)) {
            mac = Message.address(words[1], words[2]);
        } else if (words[0] == (Message.RESET | Message.NACK)) {
            mac = ownAddress();
        } else {
            throw DriverException.register("the answer to RESET", words[0] & 0xFFFF_FFFFL, "0x80000001 or 0x40000001");
        }
    }

    /** An address of this driver's making where Linux takes a random one: locally administered, from the routing id. */
    private byte[] ownAddress() {
        return new byte[] {0x02, 0x76, 0x00, 0x00, (byte) (device.rid() >>> 8), (byte) device.rid()};
    }

    private void setStationAddress() {
        words[0] = Message.SET_MAC;
        words[1] = Message.addressLow(mac);
        words[2] = Message.addressHigh(mac);
        ask(3);
    }

    /** Sends a request and takes its answer. @return whether the physical function's driver agreed */
    private boolean ask(int count) {
        int type = words[0] & Message.TYPE;
        if (!mailbox.send(words, count) || !mailbox.receive(words, 1)) {
            return false;
        }
        return (words[0] & Message.TYPE) == type && (words[0] & Message.ACK) != 0;
    }

    /**
     * Asks for frames of a VLAN, or no longer.
     *
     * @param vlan 0 to 4095
     * @return whether the physical function's driver agreed
     */
    public boolean setVlan(int vlan, boolean wanted) {
        java.util.Arrays.fill(words, 0);
        words[0] = Message.SET_VLAN | (wanted ? 1 : 0) << Message.INFO_SHIFT;
        words[1] = vlan;
        return ask(2);
    }

    /**
     * Asks for frames to group addresses, in place of those asked for before.
     *
     * @param groups at most 30
     * @return whether the physical function's driver agreed
     */
    public boolean setMulticast(java.util.List<byte[]> groups) {
        java.util.Arrays.fill(words, 0);
        int count = Math.min(groups.size(), 30);
        words[0] = Message.SET_MULTICAST | count << Message.INFO_SHIFT;
        for (int i = 0; i < count; i++) {
            byte[] group = groups.get(i);
            int hash = (group[4] & 0xFF) >>> 4 | (group[5] & 0xFF) << 4;
            words[1 + i / 2] |= hash << 16 * (i & 1);
        }
        return ask(Message.WORDS);
    }

    /**
     * Asks for another station address. If refused, the present one stays.
     *
     * @param address six bytes
     * @return whether the physical function's driver agreed
     */
    public boolean setMacAddress(byte[] address) {
        byte[] before = mac;
        mac = address.clone();
        words[0] = Message.SET_MAC;
        words[1] = Message.addressLow(mac);
        words[2] = Message.addressHigh(mac);
        boolean agreed = ask(3);
        if (!agreed) {
            mac = before;
        }
        return agreed;
    }

    private void openTransmit() {
        registers.clearBits(TXDCTL, QUEUE_ENABLE);
        registers.flush();
        platform.delayNanos(10 * MILLISECOND);
        transmit.clear();
        registers.write(TDLEN, transmit.bytes());
        registers.write(TDBAL, (int) transmit.busAddress());
        registers.write(TDBAH, (int) (transmit.busAddress() >>> 32));
        registers.write(TDH, 0);
        registers.write(TDT, 0);
        registers.clearBits(DCA_TXCTRL, TXCTRL_WRITE_BACK_RELAXED);
        registers.setBits(TXDCTL, QUEUE_ENABLE);
    }

    private void openReceive() {
        registers.write(SRRCTL, SRRCTL_ONE_BUFFER_DROP);
        registers.clearBits(RXDCTL, QUEUE_ENABLE);
        registers.flush();
        platform.delayNanos(10 * MILLISECOND);
        receive.clear();
        registers.write(RDBAL, (int) receive.busAddress());
        registers.write(RDBAH, (int) (receive.busAddress() >>> 32));
        registers.write(RDLEN, receive.bytes());
        registers.write(RDH, 0);
        registers.write(RDT, 0);
        words[0] = Message.SET_LPE;
        words[1] = LONGEST_FRAME;
        ask(2);
        registers.write(RXDCTL, RXDCTL_OPEN);
        receive.refill();
    }

    private void openInterrupts() {
        registers.write(IVAR, IVAR_VALID << 8 | IVAR_VALID | VECTOR_RECEIVE);
        registers.write(IVAR_MISC, IVAR_VALID | VECTOR_MAILBOX);
        registers.write(EITR + 4 * VECTOR_TRANSMIT, options.itr());
        registers.write(EITR + 4 * VECTOR_RECEIVE, options.itr());
        registers.read(EICR);
        registers.write(EIAC, ALL_VECTORS);
        registers.write(EIAM, ALL_VECTORS);
        masked = 0;
        registers.write(EIMS, standing());
    }

    /** The vectors that are on whenever no poll is due. */
    private int standing() {
        return options.txInterrupts() ? ALL_VECTORS : ALL_VECTORS & ~(1 << VECTOR_TRANSMIT);
    }

    private boolean dataInterrupt(int vector) {
        masked |= 1 << vector & standing();
        return true;
    }

    /** A completion since the vector was last on has its cause waiting, and interrupts at once. */
    @Override
    void awaitTransmit() {
        if (!options.txInterrupts()) {
            registers.write(EIMS, 1 << VECTOR_TRANSMIT);
        }
    }

    private boolean mailboxInterrupt() {
        checkLink = true;
        masked |= 1 << VECTOR_MAILBOX;
        return true;
    }

    @Override
    void resume() {
        if (masked != 0) {
            int again = masked;
            masked = 0;
            registers.write(EIMS, again);
        }
    }

    @Override
    void housekeeping() {
        if (checkLink) {
            updateLink();
        }
    }

    /** Whether the physical function still lets us send is in the last word 0 of the mailbox. */
    private boolean updateLink() {
        boolean reset = mailbox.resetSeen();
        if (reset) {
            linkUp = false;
        }
        boolean electrical = (registers.read(VTSTATUS) & STATUS_LU) != 0;
        if (!electrical) {
            linkUp = false;
            checkLink = false;
            return false;
        }
        if (!mailbox.read(words, 1)) {
            return linkUp;
        }
        clearToSend = (words[0] & Message.CTS) != 0;
        linkUp = clearToSend;
        checkLink = false;
        return linkUp;
    }

    /**
     * Looks at the link and at whether the physical function's driver still knows this one; if not, after a reset of the physical
     * function, everything is set up anew. Ends with an interrupt of the receive vector, in case one was lost.
     */
    public void watchdog() {
        if (!updateLink() && !clearToSend) {
            reset();
            setStationAddress();
            bringUp();
        }
        registers.write(EICS, 1 << VECTOR_RECEIVE);
    }
}
