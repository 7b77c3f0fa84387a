package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.pci.MsixVectors;
import io.iolab.devices.driver.pci.PciBar;
import io.iolab.devices.driver.pci.PciDevice;

/**
 * The driver for the physical function of the 82576 (8086:10C9), as igb does it: one queue pair in the pool behind those of the virtual
 * functions, which is the default pool; switching between pools and anti-spoofing on; the mailbox is served in interrupts.
 *
 * <p>Virtual functions are enabled by configuration space ({@link io.iolab.devices.driver.pci.VirtualFunctions}) before {@link #open};
 * {@link IgbOptions#virtualFunctions} says how many there are.
 */
public final class IgbDriver extends DataPath {
    static final int ID = 0x8086_10C9;

    private static final int VECTOR_OTHER = 0;
    private static final int VECTOR_DATA = 1;
    private static final int VECTORS = 2;
    private static final int IVAR_VALID = 1 << 7;
    private static final int NVM_WORDS = 64;
    private static final int NVM_CHECKSUM = 0xBABA;
    private static final int NVM_TRIES = 1000;
    private static final int MDIC_WRITE = 1 << 26;
    private static final int MDIC_READ = 1 << 27;
    private static final int MDIC_READY = 1 << 28;
    private static final int PHY_ADDRESS = 1 << 21;
    private static final int PHY_ID_HIGH = 2;
    private static final int PHY_ID_HIGH_82576 = 0x02A8;
    private static final int BMCR_NEGOTIATE = 0x1200;
    private static final int SRRCTL_ONE_BUFFER = 0x0200_0002;
    private static final int RXDCTL_OPEN = 0x0201_0808;
    private static final int TXDCTL_OPEN = 0x0210_0108;
    private static final int DTXCTL_VLAN_ADDED = 1 << 4;
    private static final int ALL_QUEUES = 0xFFFF;
    private static final int LONGEST = 0x2600;
    private static final int MOST_POOLS = 8;
    private static final long MILLISECOND = 1_000_000;
    private static final long LINK_WAIT_NANOS = 5_000 * MILLISECOND;
    private static final long LINK_POLL_NANOS = 10 * MILLISECOND;

    private final DriverPlatform platform;
    private final IgbOptions options;
    private final RegisterWindow registers;
    private final MsixVectors vectors;
    private final AdvancedTransmitRing transmit;
    private final AdvancedReceiveRing receive;
    private final MailboxServer mailbox;
    private final int pool;
    private byte[] mac = new byte[6];
    private boolean masked;
    private boolean linkChanged;
    private long spoofEvents;
    private int spoofedQueues;

    /** @throws DriverException if this is no such function, or its BARs or vectors are missing */
    public static IgbDriver create(DriverPlatform platform, PciDevice device, IgbOptions options) {
        if ((device.vendorId() << 16 | device.deviceId()) != ID) {
            throw new DriverException(device + " is no 82576");
        }
        device.enable(PciDevice.COMMAND_MEMORY | PciDevice.COMMAND_BUS_MASTER);
        PciBar bar = device.memoryBar(0);
        RegisterWindow window = new RegisterWindow(platform.cpu(), bar.address());
        int pool = options.virtualFunctions();
        return new IgbDriver(
                platform,
                device,
                options,
                window,
                new AdvancedTransmitRing(platform, options.txRing()),
                new AdvancedReceiveRing(
                        platform, window, Reg.RX_QUEUE + Reg.QUEUE_STRIDE * pool + Reg.TAIL, options.rxRing()));
    }

    private IgbDriver(
            DriverPlatform platform,
            PciDevice device,
            IgbOptions options,
            RegisterWindow registers,
            AdvancedTransmitRing transmit,
            AdvancedReceiveRing receive) {
        super(registers, transmit, receive, Reg.TX_QUEUE + Reg.QUEUE_STRIDE * options.virtualFunctions() + Reg.TAIL);
        this.platform = platform;
        this.options = options;
        this.registers = registers;
        this.transmit = transmit;
        this.receive = receive;
        this.pool = options.virtualFunctions();
        this.mailbox = new MailboxServer(registers, platform, options.virtualFunctions());
        this.vectors = device.enableMsix(VECTORS);
    }

    @Override
    public String name() {
        return "igb";
    }

    @Override
    public byte[] macAddress() {
        return mac.clone();
    }

    /**
     * Gives a virtual function its station address, as {@code ip link set ... vf n mac}: from then on it may not take another.
     *
     * @param vf 0 to {@link IgbOptions#virtualFunctions} - 1
     */
    public void setVirtualMac(int vf, byte[] address) {
        mailbox.assign(vf, address);
    }

    /** Requests of virtual functions, RESET included. */
    public long mailboxRequests() {
        return mailbox.requests();
    }

    /** Requests that were answered with NACK. */
    public long mailboxRefusals() {
        return mailbox.refusals();
    }

    /** Interrupts that were about a frame with an address or VLAN that is not its sender's. */
    public long spoofEvents() {
        return spoofEvents;
    }

    /** The queues that WVBR has named so far, a bit each; those of virtual function n are n and n+8. */
    public int spoofedQueues() {
        return spoofedQueues;
    }

    /** {@inheritDoc} Waits up to five seconds for link. */
    @Override
    public void open() {
        vectors.route(VECTOR_OTHER, platform.allocateMessage(this::otherInterrupt));
        vectors.route(VECTOR_DATA, platform.allocateMessage(this::dataInterrupt));
        bringUp();
    }

    /** Resets the controller under the feet of its virtual functions, which find out by their watchdogs, and opens it again. */
    public void reset() {
        mailbox.forget();
        bringUp();
    }

    private void bringUp() {
        resetHardware();
        mac = readStationAddress();
        initialize();
        openTransmit();
        openPools();
        openReceive();
        openInterrupts();
        registers.setBits(Reg.CTRL_EXT, Reg.CTRL_EXT_DRV_LOAD | Reg.CTRL_EXT_PFRSTD);
        receive.refill();
        for (long waited = 0; !linkUp() && waited < LINK_WAIT_NANOS; waited += LINK_POLL_NANOS) {
            platform.delayNanos(LINK_POLL_NANOS);
        }
    }

    private boolean linkUp() {
        return (registers.read(Reg.STATUS) & Reg.STATUS_LU) != 0;
    }

    private void resetHardware() {
        registers.setBits(Reg.CTRL, Reg.CTRL_GIO_MASTER_DISABLE);
        for (int i = 0; i < 800 && (registers.read(Reg.STATUS) & Reg.STATUS_GIO_MASTER_ENABLE) != 0; i++) {
            platform.delayNanos(MILLISECOND / 10);
        }
        registers.write(Reg.IMC, ~0);
        registers.write(Reg.EIMC, ~0);
        registers.write(Reg.RCTL, 0);
        registers.write(Reg.TCTL, Reg.TCTL_PSP);
        registers.flush();
        platform.delayNanos(10 * MILLISECOND);
        registers.setBits(Reg.CTRL, Reg.CTRL_RST);
        for (int attempt = 0; (registers.read(Reg.EECD) & Reg.EECD_AUTO_RD) == 0; attempt++) {
            if (attempt == 10) {
                throw new DriverException("EECD shows no AUTO_RD (bit 9) 10 ms after a reset");
            }
            platform.delayNanos(MILLISECOND);
        }
        registers.write(Reg.IMC, ~0);
        registers.read(Reg.ICR);
    }

    private byte[] readStationAddress() {
        int sum = 0;
        int[] words = new int[3];
        for (int i = 0; i < NVM_WORDS; i++) {
            int word = nvmWord(i);
            sum += word;
            if (i < words.length) {
                words[i] = word;
            }
        }
        if ((sum & 0xFFFF) != NVM_CHECKSUM) {
            throw DriverException.register("the sum of all NVM words", sum & 0xFFFF, "0xbaba");
        }
        return Message.address(words[0] | words[1] << 16, words[2]);
    }

    private int nvmWord(int index) {
        registers.write(Reg.EERD, index << 2 | 1);
        int eerd = registers.read(Reg.EERD);
        for (int attempt = 0; (eerd & 2) == 0; attempt++) {
            if (attempt == NVM_TRIES) {
                throw DriverException.register("EERD", eerd & 0xFFFF_FFFFL, "DONE (bit 1) for word " + index);
            }
            platform.delayNanos(5_000);
            eerd = registers.read(Reg.EERD);
        }
        return eerd >>> 16;
    }

    private int phy(int command, int register, int value) {
        registers.write(Reg.MDIC, command | PHY_ADDRESS | register << 16 | value);
        int mdic = registers.read(Reg.MDIC);
        for (int attempt = 0; (mdic & MDIC_READY) == 0 && attempt < NVM_TRIES; attempt++) {
            platform.delayNanos(50_000);
            mdic = registers.read(Reg.MDIC);
        }
        return mdic & 0xFFFF;
    }

    private void initialize() {
        clear(Reg.VFTA);
        registers.write(Reg.RAL, Message.addressLow(mac));
        registers.write(Reg.RAL + 4, Message.addressHigh(mac) | Reg.RAH_AV | 1 << Reg.RAH_POOL_SHIFT + pool);
        for (int i = 1; i < 16; i++) {
            registers.write(Reg.RAL + 8 * i, 0);
            registers.write(Reg.RAL + 8 * i + 4, 0);
        }
        for (int i = 0; i < 8; i++) {
            registers.write(Reg.RAL_HIGH + 8 * i, 0);
            registers.write(Reg.RAL_HIGH + 8 * i + 4, 0);
        }
        clear(Reg.MTA);
        clear(Reg.UTA);
        int id = phy(MDIC_READ, PHY_ID_HIGH, 0);
        if (id != PHY_ID_HIGH_82576) {
            throw DriverException.register("PHY register 2", id, "0x2a8");
        }
        registers.setBits(Reg.CTRL, Reg.CTRL_SLU);
        phy(MDIC_WRITE, 0, BMCR_NEGOTIATE);
    }

    private void clear(int table) {
        for (int i = 0; i < 128; i++) {
            registers.write(table + 4 * i, 0);
        }
    }

    private void openTransmit() {
        transmit.clear();
        int queue = Reg.TX_QUEUE + Reg.QUEUE_STRIDE * pool;
        registers.write(queue + Reg.CONTROL, 0);
        registers.flush();
        platform.delayNanos(10 * MILLISECOND);
        registers.write(queue + Reg.LENGTH, transmit.bytes());
        registers.write(queue + Reg.BASE_LOW, (int) transmit.busAddress());
        registers.write(queue + Reg.BASE_HIGH, (int) (transmit.busAddress() >>> 32));
        registers.write(queue + Reg.HEAD, 0);
        registers.write(queue + Reg.TAIL, 0);
        registers.write(queue + Reg.CONTROL, TXDCTL_OPEN);
        registers.setBits(Reg.TCTL, Reg.TCTL_EN);
    }

    /** Virtual functions first, then the pool that takes what is nobody's: this one. */
    private void openPools() {
        if (pool == 0) {
            return;
        }
        registers.write(Reg.MRQC, Reg.MRQC_VMDQ);
        registers.write(Reg.VT_CTL, pool << Reg.VT_CTL_POOL_SHIFT | Reg.VT_CTL_REPLICATION);
        registers.write(Reg.QDE, ALL_QUEUES);
        for (int i = 0; i < MOST_POOLS; i++) {
            registers.write(Reg.VMOLR + 4 * i, i <= pool ? mailbox.receiveControl(i, LONGEST) : LONGEST);
        }
        registers.setBits(Reg.VFRE, 1 << pool);
        registers.setBits(Reg.VFTE, 1 << pool);
        int watched = 0xFFFF & ~(1 << pool | 1 << pool + MOST_POOLS);
        registers.write(Reg.DTXSWC, Reg.DTXSWC_LOOPBACK | watched);
        registers.setBits(Reg.DTXCTL, DTXCTL_VLAN_ADDED);
    }

    private void openReceive() {
        receive.clear();
        int queue = Reg.RX_QUEUE + Reg.QUEUE_STRIDE * pool;
        registers.write(queue + Reg.SRRCTL, SRRCTL_ONE_BUFFER);
        registers.write(queue + Reg.CONTROL, 0);
        registers.write(queue + Reg.BASE_LOW, (int) receive.busAddress());
        registers.write(queue + Reg.BASE_HIGH, (int) (receive.busAddress() >>> 32));
        registers.write(queue + Reg.LENGTH, receive.bytes());
        registers.write(queue + Reg.HEAD, 0);
        registers.write(queue + Reg.TAIL, 0);
        registers.write(queue + Reg.CONTROL, RXDCTL_OPEN);
        int filter = pool == 0 ? Reg.RCTL_BAM : Reg.RCTL_BAM | Reg.RCTL_VFE | Reg.RCTL_LPE;
        registers.write(Reg.RCTL, Reg.RCTL_EN | Reg.RCTL_SECRC | filter);
    }

    private void openInterrupts() {
        registers.write(Reg.GPIE, Reg.GPIE_MSIX);
        registers.write(Reg.IVAR_MISC, (IVAR_VALID | VECTOR_OTHER) << 8);
        int entry = IVAR_VALID | VECTOR_DATA;
        registers.write(Reg.IVAR + 4 * pool, entry | entry << 8);
        registers.write(Reg.EITR + 4 * VECTOR_DATA, options.itr());
        int all = 1 << VECTOR_OTHER | 1 << VECTOR_DATA;
        registers.setBits(Reg.EIAC, all);
        registers.setBits(Reg.EIAM, all);
        registers.read(Reg.ICR);
        masked = false;
        registers.write(Reg.EIMS, all);
        registers.write(Reg.MBVFIMR, 0xFF);
        registers.write(Reg.IMS, Reg.INT_LSC | Reg.INT_DOUTSYNC | (pool == 0 ? 0 : Reg.INT_VMMB));
    }

    private boolean dataInterrupt() {
        masked = true;
        return true;
    }

    private boolean otherInterrupt() {
        int icr = registers.read(Reg.ICR);
        if ((icr & Reg.INT_DOUTSYNC) != 0) {
            spoofEvents++;
            spoofedQueues |= registers.read(Reg.WVBR);
        }
        if ((icr & Reg.INT_VMMB) != 0) {
            mailbox.serve();
        }
        linkChanged |= (icr & Reg.INT_LSC) != 0;
        registers.write(Reg.EIMS, 1 << VECTOR_OTHER);
        return linkChanged;
    }

    @Override
    void resume() {
        if (masked) {
            masked = false;
            registers.write(Reg.EIMS, 1 << VECTOR_DATA);
        }
    }

    /** Each transmission interrupts anyway. */
    @Override
    void awaitTransmit() {}

    @Override
    void housekeeping() {
        if (linkChanged) {
            linkChanged = false;
            mailbox.ping();
        }
    }
}
