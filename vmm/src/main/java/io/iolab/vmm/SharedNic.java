package io.iolab.vmm;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.igb.IgbDriver;
import io.iolab.devices.driver.igb.IgbOptions;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.driver.pci.VirtualFunctions;
import io.iolab.devices.igb.Igb82576;
import io.iolab.devices.igb.Igb82576Counters;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import io.iolab.devices.pci.PciFunction;
import io.iolab.vmm.backend.LearningSwitch;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.backend.PcieDma;
import io.iolab.vmm.backend.WorkAccount;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.pci.PciHost;
import io.iolab.vmm.pci.PciTopology;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;

/**
 * The lab's 82576, at 01:00.0 of the host: the host's driver has the physical function, and each guest that asks for one a virtual
 * function. One engine moves the frames of all, over one port.
 *
 * <pre>
 *   guest A's igbvf -- VF 0, 01:10.0 --\
 *   guest B's igbvf -- VF 1, 01:10.2 ---+-- pool switch -- port, one cable -- LearningSwitch
 *   HostKernel, igb -- PF,   01:00.0 --/    (what A sends to B stays inside)
 *        DMA of each under its own requester id --&gt; root port 00:01.0 --&gt; VT-d
 * </pre>
 *
 * <p>Threading: all guests with a virtual function run on the device's thread, group {@value #NAME}.
 */
final class SharedNic {
    /** Of its port and cables; no guest's name has a dot. */
    static final String NAME = "82576.port";

    private static final byte[] PHYSICAL_MAC = {0x02, 0x10, 0x1A, 0x02, 0x00, 0x01};
    private static final int RID = 0x0100;
    private static final int ROOT_PORT = 1 << 3;
    private static final int RING = 64;
    private static final NicWorker.Costs HARDWARE = new NicWorker.Costs(0, 0, 0, null);

    private final List<PathContext> guests;
    private final WorkAccount account;
    private final Cabling.Cable cable;
    private final Igb82576 device;
    private final HostKernel kernel;
    private final NicWorker engine;
    private final List<Integer> rids = new ArrayList<>();

    private SharedNic(
            List<PathContext> guests,
            WorkAccount account,
            Cabling.Cable cable,
            Igb82576 device,
            HostKernel kernel,
            NicWorker engine) {
        this.guests = guests;
        this.account = account;
        this.cable = cable;
        this.device = device;
        this.kernel = kernel;
        this.engine = engine;
    }

    /**
     * Plugs the device into the host and boots the host's driver, which enables as many virtual functions as there are guests and gives
     * them the guests' station addresses.
     *
     * @param guests at least one; the first has VF 0
     */
    static SharedNic plug(Host host, List<PathContext> guests, LearningSwitch fabric) {
        PathContext first = guests.getFirst();
        WorkAccount account = new WorkAccount(new GuestLedger(NAME, Path.PASSTHROUGH));
        HostKernel.Time time = new HostKernel.Time(account);
        Cabling.Cable cable = Cabling.Cable.plug(NAME, first.config().link(), true, fabric);
        List<Igb82576> made = new ArrayList<>();
        PciTopology hierarchy = host.plugBehindPort(routes -> {
            Igb82576 controller = Igb82576.create(
                    PHYSICAL_MAC,
                    new Ports(routes, host, guests, account),
                    InterruptPin.UNCONNECTED,
                    NicWorker.wire(cable.fromNic(), account, 0),
                    time);
            made.add(controller);
            return controller;
        });
        Igb82576 device = made.getFirst();
        HostKernel kernel = new HostKernel(host, hierarchy.host(), RID, device, time);
        NicWorker engine = new NicWorker(
                NAME,
                new Served(device, kernel, time),
                account,
                cable.toNic(),
                cable.fromNic(),
                HARDWARE,
                first.burst());
        account.owner(engine, null);
        SharedNic nic = new SharedNic(List.copyOf(guests), account, cable, device, kernel, engine);
        nic.boot(hierarchy.host());
        return nic;
    }

    /** What an operating system does with such a device, in Linux's order: driver, then virtual functions, their addresses last. */
    private void boot(PciHost pci) {
        // Firmware has placed all BARs, so the windows are not drawn upon.
        PciBus bus = new PciBus(
                kernel,
                pci.configAccess(),
                new ResourceWindow("MMIO", 0xE000_0000L, 0x1000_0000L),
                new ResourceWindow("I/O", 0xC000L, 0x3000L));
        PciDevice physical = bus.scan().getFirst();
        bus.forwardAlternativeRouting(ROOT_PORT);
        for (PciDevice virtual : VirtualFunctions.enable(kernel, bus, physical, guests.size(), true)) {
            rids.add(virtual.rid());
        }
        IgbDriver driver = IgbDriver.create(
                kernel,
                physical,
                IgbOptions.physical().unmoderated().withRings(RING, RING).withVirtualFunctions(guests.size()));
        kernel.run(driver);
        for (int vf = 0; vf < guests.size(); vf++) {
            driver.setVirtualMac(vf, guests.get(vf).mac());
        }
    }

    /** The number of a guest's virtual function. */
    int index(PathContext guest) {
        return guests.indexOf(guest);
    }

    /** A virtual function's requester id. */
    int rid(int vf) {
        return rids.get(vf);
    }

    PciFunction function(int vf) {
        return device.functions().get(vf + 1);
    }

    Igb82576Counters counters() {
        return device.counters();
    }

    /** Whose time the device's work is, whatever function it is for. */
    WorkAccount account() {
        return account;
    }

    NicWorker engine() {
        return engine;
    }

    Cabling.Cable cable() {
        return cable;
    }

    /** After a guest's access to its function: the host hears what it was told by that. */
    void touched() {
        kernel.serve();
    }

    /** The functions' ways to memory: each as its own requester, and accounted to its guest. */
    private static final class Ports implements IntFunction<DmaPort> {
        private final IntFunction<DmaPort> routes;
        private final Host host;
        private final List<PathContext> guests;
        private final WorkAccount account;
        private int next;

        Ports(IntFunction<DmaPort> routes, Host host, List<PathContext> guests, WorkAccount account) {
            this.routes = routes;
            this.host = host;
            this.guests = guests;
            this.account = account;
        }

        /** Virtual functions are asked for in order, once each: nobody disables them. */
        @Override
        public DmaPort apply(int offset) {
            LongSupplier walks = host.iommu().countersFor(RID + offset)::walkAccesses;
            DmaPort route = routes.apply(offset);
            if (offset == 0) {
                GuestLedger nobody = new GuestLedger(NAME, Path.PASSTHROUGH);
                return new PcieDma(route, account, nobody, guests.getFirst().profile(), walks);
            }
            PathContext guest = guests.get(next++);
            return guest.bugs().dma(new PcieDma(route, account, guest.ledger(), guest.profile(), walks));
        }
    }

    /** The device as its engine runs it, with the host's driver at its side. */
    private record Served(Igb82576 device, HostKernel kernel, HostKernel.Time time) implements NetworkFunction {
        @Override
        public ConfigSpace config() {
            return device.config();
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            return device.readBar(bar, offset, width);
        }

        @Override
        public void writeBar(int bar, long offset, int width, long value) {
            device.writeBar(bar, offset, width, value);
        }

        @Override
        public int poll(int budget) {
            int moved = device.poll(budget);
            kernel.serve();
            return moved;
        }

        @Override
        public long nextDeadlineNanos() {
            return time.inRun(device.nextDeadlineNanos());
        }

        @Override
        public boolean workPending() {
            return device.workPending();
        }

        @Override
        public void reset() {
            device.reset();
        }

        @Override
        public String registerName(int bar, long offset) {
            return device.registerName(bar, offset);
        }

        @Override
        public void setLink(boolean connected) {
            device.setLink(connected);
        }

        @Override
        public Delivery send(byte[] frame, int offset, int length) {
            return device.send(frame, offset, length);
        }
    }
}
