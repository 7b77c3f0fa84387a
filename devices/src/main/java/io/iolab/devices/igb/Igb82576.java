package io.iolab.devices.igb;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.IntxLine;
import io.iolab.devices.pci.MsiCapability;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.PowerManagement;
import io.iolab.devices.pci.SingleRootVirtualization;
import io.iolab.devices.pci.SriovFunction;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * An Intel 82576 Ethernet controller: this object is its physical function, and gives access to the virtual ones. See the package for
 * what is inside.
 *
 * <p>It comes up with the cable plugged in and CTRL.SLU set, so with link. Without link, frames from the wire are thrown away and
 * transmit descriptors stay queued. Interrupts of received frames are put off until the next {@link #poll} of any function.
 */
public final class Igb82576 implements NetworkFunction, SriovFunction {
    public static final int DEVICE_ID = 0x10C9;
    /** What a virtual function is; its own configuration space says FFFFh (PCI Express SR-IOV 1.1 section 3.4.1.2). */
    public static final int VF_DEVICE_ID = 0x10CA;
    /** The most virtual functions that can be enabled. */
    public static final int VIRTUAL_FUNCTIONS = 8;

    private static final int ALL_QUEUES = (1 << IgbRegisters.QUEUES) - 1;
    private static final int IO_DATA = 4;

    private final Core core;
    private final IntFunction<DmaPort> ports;
    private final ConfigSpace config = PciFace.physical();
    private final DmaPort gate;
    private final PowerManagement power;
    private final MsixTable msix;
    private final SingleRootVirtualization sriov;
    private final InterruptUnit interrupts;
    private final LinkUnit link;
    private final Mailbox mailbox;
    private final AddressFilter addresses;
    private final ReceiveUnit receiver;
    private final TransmitUnit transmitter;
    private final ReceiveQueue[] receiveQueues = new ReceiveQueue[IgbRegisters.QUEUES];
    private final TransmitQueue[] transmitQueues = new TransmitQueue[IgbRegisters.QUEUES];
    private final VirtualFunction[] virtualFunctions = new VirtualFunction[VIRTUAL_FUNCTIONS];
    private List<PciFunction> functions;
    private int active;
    private int ioAddress;
    private boolean polling;

    private Igb82576(long mac, IntFunction<DmaPort> ports, InterruptPin intx, FramePort wire, Clock clock) {
        this.core = Core.of(clock);
        this.ports = ports;
        this.functions = List.of(this);
        this.gate = new BusMasterGate(config, ports.apply(0));
        this.power = new PowerManagement(config, PciFace.POWER, PciFace.POWER_CAPABILITIES, this::reset);
        MsiCapability msi = new MsiCapability(config, PciFace.MSI, 1, true, gate);
        this.msix = new MsixTable(
                config,
                PciFace.MSIX,
                PciFace.VECTORS,
                PciFace.VECTOR_BAR,
                0,
                PciFace.VECTOR_BAR,
                PciFace.PENDING_BITS,
                gate);
        PciFace.addExpress(config, this::reset);
        PciFace.addPhysicalExtended(config, mac);
        this.sriov = new SingleRootVirtualization(
                config, PciFace.VIRTUALIZATION, PciFace.VIRTUAL_FUNCTIONS, this::virtualFunctionsChanged);
        IntxLine pin = new IntxLine(config, intx, () -> msi.enabled() || msix.enabled());
        msi.onSwitch(pin::evaluate);
        msix.onSwitch(pin::evaluate);
        RegisterFile registers = core.registers();
        this.interrupts = new InterruptUnit(registers, clock, msix, msi, pin);
        this.mailbox = new Mailbox(registers, interrupts);
        this.link = new LinkUnit(registers, interrupts, mac, this::restart, mailbox::physicalReady);
        this.addresses = new AddressFilter(registers);
        PoolSwitch pools = new PoolSwitch(registers, addresses);
        this.receiver = new ReceiveUnit(core, pools, link, interrupts, receiveQueues);
        TransmitOutput output = new TransmitOutput(core, pools, receiver, interrupts, wire);
        for (int i = 0; i < IgbRegisters.QUEUES; i++) {
            receiveQueues[i] = new ReceiveQueue(i, registers, gate, core.counters());
            transmitQueues[i] = new TransmitQueue(i, registers, gate, core.counters(), output);
        }
        this.transmitter = new TransmitUnit(core, link, pools, interrupts, transmitQueues);
        VirtualFunction.Parent parent = new Sharing();
        for (int vf = 0; vf < VIRTUAL_FUNCTIONS; vf++) {
            virtualFunctions[vf] = new VirtualFunction(vf, core, interrupts, parent);
            int own = vf;
            registers.onWrite(IgbRegisters.PVTCTRL + IgbRegisters.VF_STRIDE * vf, (written, previous) -> {
                if ((written & IgbRegisters.PVTCTRL_RST) != 0) {
                    resetVf(own);
                }
            });
        }
        config.seal();
        restart();
        link.load(true);
    }

    /**
     * Builds a controller that is powered on and not configured, without virtual functions.
     *
     * @param mac the station address in its EEPROM: six bytes, not multicast
     * @param ports the way to memory of each function, by the distance of its routing id from the physical function's: asked for 0 now
     *     and for a virtual function each time that VF Enable is set
     * @param intx what INTA# is wired to
     * @param wire takes transmitted frames
     * @throws IllegalArgumentException if {@code mac} is no station address
     */
    public static Igb82576 create(
            byte[] mac, IntFunction<DmaPort> ports, InterruptPin intx, FramePort wire, Clock clock) {
        if (mac.length != MacAddress.LENGTH || (mac[0] & 1) != 0) {
            throw new IllegalArgumentException("no station address of " + mac.length + " bytes");
        }
        return new Igb82576(MacAddress.get(mac, 0), ports, intx, wire, clock);
    }

    public Igb82576Counters counters() {
        return core.counters();
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public int sriovCapability() {
        return sriov.offset();
    }

    @Override
    public List<PciFunction> functions() {
        return functions;
    }

    @Override
    public int routingIdOffset(int index) {
        return sriov.routingIdOffset(index);
    }

    @Override
    public @Nullable PciFunction functionAt(int routingIdOffset) {
        if (routingIdOffset == 0) {
            return this;
        }
        int index = sriov.indexAt(routingIdOffset);
        return index < 0 ? null : virtualFunctions[index];
    }

    @Override
    public boolean virtualMemoryEnabled() {
        return sriov.memoryEnabled();
    }

    @Override
    public @Nullable Bar virtualBar(int bar) {
        return sriov.bar(bar);
    }

    @Override
    public long virtualBarAddress(int index, int bar) {
        return sriov.barAddress(index, bar);
    }

    /** VF Enable was set or cleared. Queues n and n+8 change hands. */
    private void virtualFunctionsChanged(int count) {
        interrupts.activeVfs(count);
        link.virtualFunctions(count > 0, count);
        List<PciFunction> present = new ArrayList<>();
        present.add(this);
        for (int vf = 0; vf < VIRTUAL_FUNCTIONS; vf++) {
            VirtualFunction function = virtualFunctions[vf];
            boolean appears = vf < count;
            if (appears) {
                function.appear(ports.apply(sriov.routingIdOffset(vf)));
                present.add(function);
            } else if (vf < active) {
                function.vanish();
            }
            if (appears || vf < active) {
                quiesce(vf);
                hand(vf, appears ? function.dma() : gate);
            }
        }
        active = count;
        functions = List.copyOf(present);
    }

    private void hand(int vf, DmaPort port) {
        for (int queue = vf; queue < IgbRegisters.QUEUES; queue += IgbRegisters.POOLS) {
            receiveQueues[queue].dma = port;
            transmitQueues[queue].dma = port;
        }
    }

    /** Queues and causes of a virtual function start over, and its pool is off until the PF turns it on again. */
    private void quiesce(int vf) {
        RegisterFile registers = core.registers();
        for (int queue = vf; queue < IgbRegisters.QUEUES; queue += IgbRegisters.POOLS) {
            receiveQueues[queue].reset();
            transmitQueues[queue].reset();
        }
        interrupts.resetVf(vf);
        registers.set(IgbRegisters.VFRE, registers.get(IgbRegisters.VFRE) & ~(1 << vf));
        registers.set(IgbRegisters.VFTE, registers.get(IgbRegisters.VFTE) & ~(1 << vf));
    }

    private void resetVf(int vf) {
        if (vf < active) {
            core.counters().vfResets++;
            quiesce(vf);
            mailbox.virtualReset(vf);
        }
    }

    /** CTRL.RST: all registers and queues, those of virtual functions too; PHY, PCI and SR-IOV configuration stay. */
    private void restart() {
        core.counters().resets++;
        core.registers().reset();
        interrupts.reset();
        for (int i = 0; i < IgbRegisters.QUEUES; i++) {
            receiveQueues[i].reset();
            transmitQueues[i].reset();
        }
        for (int vf = 0; vf < active; vf++) {
            quiesce(vf);
        }
        receiver.reset();
        mailbox.physicalReset();
        link.load(false);
        addresses.load();
    }

    /** Conventional and function level reset: virtual functions are gone after it. */
    @Override
    public void reset() {
        config.reset();
        ioAddress = 0;
        restart();
        link.load(true);
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        if (!power.inD0()) {
            return -1L >>> 64 - 8 * width;
        }
        return switch (bar) {
            case PciFace.REGISTER_BAR -> readRegister(offset, width);
            case PciFace.IO_BAR -> readIo(offset, width);
            case PciFace.VECTOR_BAR ->
                offset >= PciFace.PENDING_BITS
                        ? msix.readPending(offset - PciFace.PENDING_BITS, width)
                        : msix.readTable(offset, width);
            default -> 0;
        };
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (!power.inD0()) {
            return;
        }
        if (bar == PciFace.REGISTER_BAR) {
            writeRegister(offset, width, value);
        } else if (bar == PciFace.VECTOR_BAR && offset < PciFace.PENDING_BITS) {
            msix.writeTable(offset, width, value);
        } else if (bar == PciFace.IO_BAR) {
            writeIo(offset, width, value);
        }
    }

    private static long canonical(long offset) {
        boolean inside = offset >= 0 && offset < IgbRegisters.WINDOW && offset % 4 == 0;
        return inside ? RegisterTables.canonical((int) offset) : offset;
    }

    private long readRegister(long offset, int width) {
        return core.registers().read(canonical(offset), width);
    }

    private void writeRegister(long offset, int width, long value) {
        core.registers().write(canonical(offset), width, value);
    }

    /** The I/O window: an address register, and the register it points at. */
    private long readIo(long offset, int width) {
        if (width != 4) {
            core.registers().count(RegisterFault.WRONG_WIDTH);
            return 0;
        }
        if (offset == 0) {
            return ioAddress & 0xFFFF_FFFFL;
        }
        return offset == IO_DATA ? readRegister(ioAddress & 0xFFFF_FFFFL, 4) : 0;
    }

    private void writeIo(long offset, int width, long value) {
        if (width != 4) {
            core.registers().count(RegisterFault.WRONG_WIDTH);
        } else if (offset == 0) {
            ioAddress = (int) value;
        } else if (offset == IO_DATA) {
            writeRegister(ioAddress & 0xFFFF_FFFFL, 4, value);
        }
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (!power.inD0()) {
            core.counters().rxDisabled++;
            return Delivery.FILTERED;
        }
        return receiver.arrive(frame, offset, length);
    }

    @Override
    public void setLink(boolean connected) {
        link.plug(connected);
    }

    /** {@inheritDoc} It serves the queues of all functions. */
    @Override
    public int poll(int budget) {
        return serve(budget, ALL_QUEUES);
    }

    /** A call from inside a call, by a wire that answers at once, does nothing: the outer one is at it. */
    private int serve(int budget, int queues) {
        if (polling || !power.inD0()) {
            return 0;
        }
        polling = true;
        try {
            interrupts.poll(core.clock().nanos());
            int frames = receiver.poll(budget);
            if (frames < budget) {
                frames += transmitter.poll(budget - frames, queues);
            }
            receiver.flush();
            transmitter.flush();
            return frames;
        } finally {
            polling = false;
        }
    }

    @Override
    public long nextDeadlineNanos() {
        return power.inD0() ? interrupts.deadline() : Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return workPending(ALL_QUEUES);
    }

    private boolean workPending(int queues) {
        return power.inD0() && (transmitter.workPending(queues) || receiver.workPending(queues));
    }

    @Override
    public String registerName(int bar, long offset) {
        return switch (bar) {
            case PciFace.REGISTER_BAR -> RegisterTables.MAP.nameAt(canonical(offset & ~3L));
            case PciFace.IO_BAR -> offset == 0 ? "IOADDR" : offset == IO_DATA ? "IODATA" : "unimplemented";
            case PciFace.VECTOR_BAR ->
                offset < 16 * PciFace.VECTORS
                        ? "MSIX_TABLE"
                        : offset >= PciFace.PENDING_BITS && offset < PciFace.PENDING_BITS + 8
                                ? "MSIX_PBA"
                                : "unimplemented";
            default -> "unimplemented";
        };
    }

    /** The controller as its virtual functions need it. */
    private final class Sharing implements VirtualFunction.Parent {
        private int queues(int vf) {
            return 1 << vf | 1 << vf + IgbRegisters.POOLS;
        }

        @Override
        public void resetVf(int vf) {
            Igb82576.this.resetVf(vf);
        }

        @Override
        public int pollVf(int vf, int budget) {
            return serve(budget, queues(vf));
        }

        @Override
        public boolean workPendingVf(int vf) {
            return workPending(queues(vf));
        }

        @Override
        public long deadline() {
            return nextDeadlineNanos();
        }
    }
}
