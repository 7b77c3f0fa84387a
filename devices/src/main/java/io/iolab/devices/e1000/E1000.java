package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.BusMasterGate;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.IntxLine;
import io.iolab.devices.pci.MsiCapability;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.pci.PowerManagement;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An Intel 8254x Ethernet controller as a PCI function. See the package for what is inside and for what happens to malformed
 * input.
 *
 * <p>It comes up with the cable plugged in. STATUS.LU follows once CTRL.SLU is set, which the EEPROM of this board does, and
 * auto-negotiation is done, which takes no time unless {@link #autonegotiation} says otherwise. While there is no link, frames
 * from the wire are thrown away and transmit descriptors stay queued.
 *
 * <p>Receive descriptors and their interrupt may be put off until the next {@link #poll}: the owner polls after a burst. A frame
 * that the wire side has no room for is kept and offered again by each poll; {@link #workPending} stays true meanwhile.
 *
 * <p>Registers take aligned 4-byte accesses, and aligned 8-byte ones as two of them; others are ignored and counted. In D3hot
 * all windows read as all ones and take no writes; frames and link changes may still set PME ({@link
 * E1000Counters#pmeAssertions}).
 */
public final class E1000 implements NetworkFunction {
    private static final int IO_ADDRESS = 0;
    private static final int IO_DATA = 4;

    private final E1000Model model;
    private final Core core;
    private final ConfigSpace config;
    private final int ioBar;
    private final PowerManagement power;
    private final @Nullable VectorWindow vectors;
    private final InterruptUnit interrupts;
    private final LinkUnit link;
    private final TransmitUnit transmitter;
    private final ReceiveUnit receiver;
    private final FlowControl flow;
    private final TimeSync time;
    private final WakeUp wake;
    private final Eeprom eeprom;
    private int ioAddress;
    private boolean polling;

    private E1000(
            E1000Model model,
            E1000Board board,
            byte[] mac,
            DmaPort dma,
            InterruptPin intx,
            FramePort wire,
            Clock clock) {
        this.model = model;
        this.core = Core.of(model, clock);
        this.eeprom = new Eeprom(model, mac);
        this.config = PciFace.create(model, board, eeprom);
        this.ioBar = board.ioBar(model);
        VectorPlacement placement = board.vectors();
        DmaPort gate = new BusMasterGate(config, dma);
        MsiCapability msi = null;
        MsixTable msix = null;
        if (model == E1000Model.I82540EM) {
            this.power = new PowerManagement(config, PciFace.PCI_POWER, PciFace.POWER_CAPABILITIES, this::reset);
            PciFace.addPcix(config);
        } else {
            this.power = new PowerManagement(config, PciFace.PCIE_POWER, PciFace.POWER_CAPABILITIES, this::reset);
            msi = new MsiCapability(config, PciFace.MSI, gate);
            PciFace.addPcie(config);
            msix = new MsixTable(
                    config,
                    PciFace.MSIX,
                    PciFace.VECTORS,
                    placement.bar(),
                    placement.table(),
                    placement.bar(),
                    placement.pendingBits(),
                    gate);
            PciFace.addExtended(config, mac);
        }
        this.vectors = msix == null ? null : new VectorWindow(msix, placement);
        IntxLine pin = new IntxLine(config, intx, messagesEnabled(msi, msix));
        this.interrupts = new InterruptUnit(core, new InterruptUnit.Signals(pin, msi, msix));
        this.link = new LinkUnit(core, eeprom, interrupts, this::controllerReset);
        this.flow = new FlowControl(core, link, wire);
        this.time = new TimeSync(core);
        ReceiveUnit.Parts parts = new ReceiveUnit.Parts(link, interrupts, flow, time);
        this.receiver = new ReceiveUnit(core, config, gate, parts);
        this.transmitter = new TransmitUnit(core, gate, parts, new TransmitOutput(core, parts, wire, receiver::accept));
        int pmcsr = (model == E1000Model.I82540EM ? PciFace.PCI_POWER : PciFace.PCIE_POWER) + 4;
        this.wake = new WakeUp(core, config, pmcsr, receiver.filter());
        link.onChange(this::linkChanged);
        new NvmRegisters(core, eeprom, link.phy(), interrupts).attach();
        RegisterAliases.attach(core.registers());
        interrupts.onMessageMode(this::dropDelays);
        if (model == E1000Model.I82574L) {
            attachSemaphore();
        }
        config.seal();
        restart();
    }

    /** As the longer form, on the {@link E1000Board#REFERENCE} board. */
    public static E1000 create(
            E1000Model model, byte[] mac, DmaPort dma, InterruptPin intx, FramePort wire, Clock clock) {
        return create(model, E1000Board.REFERENCE, mac, dma, intx, wire, clock);
    }

    /**
     * Builds a controller that is powered on and not configured.
     *
     * @param mac the station address to put into the EEPROM: six bytes, not multicast
     * @param dma the function's way to memory, without regard to the command register: that gate is inside
     * @param intx what INTA# is wired to
     * @param wire takes transmitted frames
     * @throws IllegalArgumentException if {@code mac} is no station address
     */
    public static E1000 create(
            E1000Model model,
            E1000Board board,
            byte[] mac,
            DmaPort dma,
            InterruptPin intx,
            FramePort wire,
            Clock clock) {
        return new E1000(model, board, mac.clone(), dma, intx, wire, clock);
    }

    /**
     * Sets how long auto-negotiation takes, from now on and for the one that power-on began: 0, the default, or some two
     * seconds as on copper.
     *
     * @param nanos not negative
     */
    public E1000 autonegotiation(long nanos) {
        if (nanos < 0) {
            throw new IllegalArgumentException("auto-negotiation in " + nanos + " ns");
        }
        link.negotiationNanos(nanos);
        return this;
    }

    private static BooleanSupplier messagesEnabled(@Nullable MsiCapability msi, @Nullable MsixTable msix) {
        return () -> msi != null && msi.enabled() || msix != null && msix.enabled();
    }

    public E1000Model model() {
        return model;
    }

    public E1000Counters counters() {
        return core.counters();
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    /** SWSM bit 0 is a test-and-set semaphore: a read returns it and sets it (82574 datasheet 10.2). */
    private void attachSemaphore() {
        RegisterFile registers = core.registers();
        registers.onRead(E1000Registers.SWSM, () -> {
            int value = registers.get(E1000Registers.SWSM);
            registers.set(E1000Registers.SWSM, value | 1);
            return value;
        });
    }

    private void dropDelays() {
        transmitter.cancelDelay();
        receiver.cancelDelays();
    }

    /** CTRL.RST: the MAC starts over, PHY and PCI configuration stay (82540 SDM 13.4, CTRL). */
    private void controllerReset() {
        RegisterFile registers = core.registers();
        int pba = registers.get(E1000Registers.PBA);
        int pbs = registers.get(E1000Registers.PBS);
        int fla = registers.get(E1000Registers.FLA);
        restart();
        if (model == E1000Model.I82574L) {
            // The split of the packet memory survives on this part.
            registers.set(E1000Registers.PBS, pbs);
            registers.set(E1000Registers.FLA, fla);
            registers.write(E1000Registers.PBA, 4, pba & 0xFFFF_FFFFL);
        }
    }

    private void linkChanged() {
        if (!power.inD0()) {
            wake.linkChanged();
        }
    }

    private void restart() {
        core.counters().resets++;
        wake.keepAcross(core.registers()::reset);
        core.statistics().reset();
        interrupts.reset();
        flow.reset();
        time.reset();
        transmitter.reset();
        receiver.reset();
        link.loadFromEeprom();
        wake.loadFromEeprom(eeprom.wakeUpEnabled());
    }

    @Override
    public void reset() {
        wake.resetConfiguration();
        ioAddress = 0;
        restart();
        link.powerOn();
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        if (!power.inD0()) {
            return -1L >>> 64 - 8 * width;
        }
        VectorWindow window = vectors;
        if (window != null && window.claims(bar, offset)) {
            return window.read(offset, width);
        }
        if (bar == ioBar) {
            return readIo(offset, width);
        }
        return switch (bar) {
            case PciFace.REGISTER_BAR -> core.registers().read(offset, width);
            default -> 0;
        };
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (!power.inD0()) {
            return;
        }
        VectorWindow window = vectors;
        if (window != null && window.claims(bar, offset)) {
            window.write(offset, width, value);
            return;
        }
        if (bar == ioBar) {
            writeIo(offset, width, value);
            return;
        }
        switch (bar) {
            case PciFace.REGISTER_BAR -> core.registers().write(offset, width, value);
            default -> {}
        }
    }

    /** The I/O window: an address register, and the register it points at (82540 SDM 13.2.1). */
    private long readIo(long offset, int width) {
        if (width != 4) {
            core.registers().count(RegisterFault.WRONG_WIDTH);
            return 0;
        }
        if (offset == IO_ADDRESS) {
            return ioAddress & 0xFFFF_FFFFL;
        }
        return offset == IO_DATA ? core.registers().read(ioAddress & 0xFFFF_FFFFL, 4) : 0;
    }

    private void writeIo(long offset, int width, long value) {
        if (width != 4) {
            core.registers().count(RegisterFault.WRONG_WIDTH);
        } else if (offset == IO_ADDRESS) {
            ioAddress = (int) value;
        } else if (offset == IO_DATA) {
            core.registers().write(ioAddress & 0xFFFF_FFFFL, 4, value);
        }
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (!power.inD0()) {
            core.counters().rxDisabled++;
            if (link.linkUp()) {
                wake.sleepThrough(frame, offset, length);
            }
            return Delivery.FILTERED;
        }
        if (wake.watches() && link.linkUp()) {
            wake.watch(frame, offset, length);
        }
        return receiver.arrive(frame, offset, length);
    }

    @Override
    public void setLink(boolean connected) {
        link.phy().plug(connected);
    }

    /** A call from inside a call, by a wire or pin that answers at once, does nothing: the outer one is at it. */
    @Override
    public int poll(int budget) {
        if (polling || !power.inD0()) {
            return 0;
        }
        polling = true;
        try {
            long now = core.clock().nanos();
            link.phy().poll(now);
            flow.poll(now);
            transmitter.pollTimers(now);
            receiver.pollTimers(now);
            interrupts.poll(now);
            if (!config.busMaster()) {
                return 0;
            }
            int frames = receiver.poll(budget);
            if (frames < budget) {
                frames += transmitter.poll(budget - frames);
            }
            receiver.flush();
            return frames;
        } finally {
            polling = false;
        }
    }

    @Override
    public long nextDeadlineNanos() {
        if (!power.inD0()) {
            return Long.MAX_VALUE;
        }
        long timers = Math.min(Math.min(transmitter.deadline(), receiver.deadline()), flow.deadline());
        return Math.min(Math.min(link.phy().deadline(), interrupts.deadline()), timers);
    }

    @Override
    public boolean workPending() {
        if (!power.inD0()) {
            return false;
        }
        return flow.workPending() || config.busMaster() && (transmitter.workPending() || receiver.workPending());
    }

    @Override
    public String registerName(int bar, long offset) {
        VectorWindow window = vectors;
        if (window != null && window.claims(bar, offset)) {
            return window.registerName(offset);
        }
        if (bar == ioBar) {
            return offset < IO_DATA ? "IOADDR" : offset < 8 ? "IODATA" : "unimplemented";
        }
        return switch (bar) {
            case PciFace.REGISTER_BAR -> core.registers().map().nameAt(offset);
            case PciFace.FLASH_BAR -> model == E1000Model.I82574L ? "FLASH" : "unimplemented";
            default -> "unimplemented";
        };
    }
}
