package io.iolab.scenarios.attack;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.explain.TableExplainer;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.scenarios.iommu.FaultLedger;
import io.iolab.scenarios.iommu.TableView;
import io.iolab.scenarios.iommu.WithoutUnit;
import io.iolab.vmm.assign.Errno;
import io.iolab.vmm.assign.HostInterrupts;
import io.iolab.vmm.assign.ReservedRegion;
import io.iolab.vmm.assign.UserMemory;
import io.iolab.vmm.assign.VfioContainer;
import io.iolab.vmm.assign.VfioDevice;
import io.iolab.vmm.assign.VfioGroup;
import io.iolab.vmm.assign.VfioHost;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciTree;
import io.iolab.vmm.groups.Quirks;
import io.iolab.vmm.pci.PciTopology;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.RootComplex;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The host of an attack: memory whose owners are known, a remapping unit that is on, its driver, a PCI hierarchy and VFIO.
 *
 * <p>Order: {@link #build} the hierarchy, {@link #start}, {@link #region} memory, {@link #assign} functions, attack; {@link #faults}
 * whenever records are to be read.
 */
final class AttackedHost implements TableView, AutoCloseable {
    static final int PAGE = 4096;

    private static final long UNIT = 0xFED9_0000L;
    private static final int GCMD = 0x18;
    private static final int GSTS = 0x1C;
    /** What GSTS shows of commands that last; the others are one-shot (VT-d 10.4.4). */
    private static final int STEADY = 0x96FF_FFFF;

    private static final long BYTES = 32 << 20;
    private static final long TABLES = 1 << 20;
    private static final long REGIONS = 8 << 20;
    /** A page of nobody's between two regions, so that they never share a mapping by accident. */
    private static final long GAP = PAGE;

    /** So many equal bytes in a row are no chance. */
    private static final int CERTAIN_BYTES = 8;

    private static final UserMemory HOST_MEMORY = (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size);

    final PhysicalMemory memory = PhysicalMemory.allocate(BYTES);
    final Processors processors = new Processors();
    final RemappingUnit unit;
    final IommuDriver driver;
    final PciTopology.Builder build;
    final CpuPort cpu;

    private final FrameSource frames = new Frames();
    private final Defence defence;
    private final HostFlaw flaw;
    private final TableExplainer explainer;
    private final FaultLedger ledger;
    private final List<MemoryRegion> regions = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<BytesFound> bytes = new ArrayList<>();
    private final List<TableWalk> walks = new ArrayList<>();
    private final List<Figure> figures = new ArrayList<>();
    private RequestType requestType = RequestType.UNTRANSLATED;
    private @Nullable PciTopology topology;
    private @Nullable VfioHost vfio;
    private long nextFrame = TABLES;
    private long nextRegion = REGIONS;

    AttackedHost(RemappingOptions options, Defence defence) {
        this(options, defence, HostFlaw.NONE);
    }

    AttackedHost(RemappingOptions options, Defence defence, HostFlaw flaw) {
        this.defence = defence;
        this.flaw = flaw;
        unit = new RemappingUnit(options, flaw.unitsMemory().apply(memory), processors);
        cpu = reached(new RegisterPort());
        explainer = new TableExplainer(memory, options.capabilities());
        ledger = new FaultLedger(this::failedWalk, this::withoutUnit);
        driver = new IommuDriver(cpu, UNIT, flaw.driversMemory().apply(memory), frames);
        driver.enable();
        build = new PciTopology.Builder(RootComplex.of(unit));
    }

    /** Registers as software of this host reaches them. */
    final CpuPort reached(CpuPort registers) {
        return flaw.registers().apply(registers);
    }

    boolean defended() {
        return defence == Defence.ON;
    }

    /** Numbers buses and switches access control on as an operating system does, if {@code accessControl}. */
    VfioHost start(boolean accessControl, ReservedRegion... reserved) {
        return start(accessControl, false, reserved);
    }

    VfioHost start(boolean accessControl, boolean translationBlocking, ReservedRegion... reserved) {
        PciTopology built = build.build();
        built.start();
        topology = built;
        ConfigAccess config = flaw.configuration().apply(built.host().configAccess());
        if (accessControl) {
            PciTree.scan(config).enableAccessControl(translationBlocking);
        }
        VfioHost created = new VfioHost(
                () -> IommuGroups.of(PciTree.scan(config), Quirks.NONE),
                driver,
                new HostInterrupts(),
                config,
                built.host()::function,
                flaw.forgetsReservedMemory() ? List.of() : List.of(reserved));
        vfio = created;
        return created;
    }

    PciTopology topology() {
        return Objects.requireNonNull(topology);
    }

    VfioHost vfio() {
        return Objects.requireNonNull(vfio);
    }

    /** Memory of somebody, with a canary in it. */
    MemoryRegion region(String owner, int pages) {
        int length = pages * PAGE;
        byte[] canary = MemoryRegion.canary(owner, length);
        MemoryRegion region = new MemoryRegion(owner, nextRegion, length, canary);
        nextRegion += length + GAP;
        memory.write(region.hpa(), canary, 0, length);
        regions.add(region);
        return region;
    }

    /** Bytes of a region that are not what they were; a few of them become evidence. */
    long changed(MemoryRegion region) {
        return changed(region.owner(), region.hpa(), region.canary());
    }

    /** The same of memory that has had another owner before. */
    long changed(String owner, long hpa, byte[] canary) {
        byte[] now = new byte[canary.length];
        memory.read(hpa, now, 0, now.length);
        long count = 0;
        for (int i = 0; i < now.length; i++) {
            count += now[i] != canary[i] ? 1 : 0;
        }
        bytes.add(BytesFound.of(owner + " after the attack", hpa, now));
        return count;
    }

    /** Bytes of a region, from {@code offset} on, that the attacker has in {@code loot}; a few of them become evidence. */
    long seen(MemoryRegion region, int offset, byte[] loot) {
        byte[] canary = Arrays.copyOfRange(region.canary(), offset, offset + loot.length);
        return seen(region.owner(), canary, region.hpa() + offset, loot);
    }

    /** The same of bytes that are not in host memory. */
    long seen(String owner, byte[] canary, long address, byte[] loot) {
        bytes.add(BytesFound.of("the attacker's buffer, meant for " + owner, address, loot));
        long count = 0;
        int run = 0;
        for (int i = 0; i <= loot.length; i++) {
            if (i < loot.length && loot[i] == canary[i]) {
                run++;
            } else {
                // Other content agrees in one byte of 256 by chance, which is no leak.
                count += run >= CERTAIN_BYTES ? run : 0;
                run = 0;
            }
        }
        return count;
    }

    /** Gives a function to a guest, with its whole group: address space, device, bus mastering. */
    Assigned assign(int rid, ProbeFunction function) {
        AssignedDevice opened = open(rid);
        return new Assigned(function, opened.container());
    }

    /** The same of a group that is in a container already. */
    Assigned use(int rid, ProbeFunction function, VfioGroup group, VfioContainer container) {
        busMaster(group.openDevice("0000:" + RequesterId.format(rid)).orElseThrow());
        return new Assigned(function, container);
    }

    /** Opens a device for a guest, as a process with VFIO does. */
    AssignedDevice open(int rid) {
        VfioHost host = vfio();
        VfioGroup group = host.groups()
                .groupOf(rid)
                .map(found -> {
                    found.assignable().forEach(member -> host.bind(member.rid(), VfioHost.VFIO_DRIVER));
                    return host.openGroup(found.number()).orElseThrow();
                })
                .orElseThrow();
        VfioContainer container = host.openContainer();
        must(group.setContainer(container), "SET_CONTAINER");
        must(container.setIommu(VfioContainer.Extension.TYPE1V2), "SET_IOMMU");
        VfioDevice device = group.openDevice("0000:" + RequesterId.format(rid)).orElseThrow();
        busMaster(device);
        return new AssignedDevice(group, container, device);
    }

    private static void busMaster(VfioDevice device) {
        device.writeRegion(
                VfioDevice.CONFIG_REGION,
                ConfigSpace.COMMAND,
                2,
                ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER);
    }

    /** Maps a region for a guest's functions. */
    void map(Assigned function, long iova, MemoryRegion region, MapRights rights) {
        map(function.container(), iova, region, rights);
    }

    void map(VfioContainer container, long iova, MemoryRegion region, MapRights rights) {
        must(container.mapDma(HOST_MEMORY, region.hpa(), iova, region.length(), rights), "MAP_DMA");
    }

    static void must(Errno errno, String call) {
        if (errno != Errno.OK) {
            throw new IllegalStateException(call + ": " + errno);
        }
    }

    /** Gives a function an address space without asking for its group, as host software that ignores groups does. */
    Domain attach(int rid) {
        Domain domain = driver.createDomain();
        driver.attach(rid, domain);
        return domain;
    }

    /** Lets a function of the host's own make requests. */
    void enableFunction(int rid) {
        topology()
                .host()
                .configAccess()
                .write(rid, ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER);
    }

    /** Host software changes a bit of GCMD and waits for nothing: the unit answers at once. */
    void command(int bit) {
        store32(GCMD, load32(GSTS) & STEADY | bit);
    }

    /** Where a function of this host is. */
    int rid(PciFunction function) {
        return topology().port(function).orElseThrow().rid();
    }

    /** Host software clears the last entry of a page walk and does nothing else. */
    void clearLeaf(int rid, long iova) {
        TableWalk walk = explain(new WalkRequest(rid, iova, Access.READ));
        memory.storeLongRelease(walk.steps().getLast().entryHpa(), 0);
    }

    /** A page changes hands. @return what its new owner puts there */
    byte[] reuse(MemoryRegion page, String owner) {
        byte[] secret = MemoryRegion.canary(owner, PAGE);
        memory.write(page.hpa(), secret, 0, PAGE);
        regions.addFirst(new MemoryRegion(owner, page.hpa(), PAGE, secret));
        note("the page at 0x%x is now %s", page.hpa(), owner);
        return secret;
    }

    /** Keeps what the tables would answer now. */
    void walkEvidence(WalkRequest request) {
        walks.add(explain(request));
    }

    /** Keeps what the interrupt-remapping table would answer now. */
    void entryEvidence(int rid, int index) {
        walks.add(interrupt(rid, index));
    }

    /** Interrupts that have arrived at a processor; they become evidence. */
    long interrupts(int apicId, int vector) {
        long count = processors.count(apicId, vector);
        note("interrupts with vector 0x%x at processor %d: %d", vector, apicId, count);
        return count;
    }

    /** A zeroed page for tables that no driver builds. */
    long frame() {
        return frames.allocatePage();
    }

    void store64(int register, long value) {
        cpu.store(UNIT + register, 8, value);
    }

    long load64(int register) {
        return cpu.load(UNIT + register, 8);
    }

    int load32(int register) {
        return cpu.load32(UNIT + register);
    }

    void store32(int register, int value) {
        cpu.store32(UNIT + register, value);
    }

    void note(String format, Object... arguments) {
        notes.add(String.format(
                format, Arrays.stream(arguments).map(AttackedHost::shown).toArray()));
    }

    private static Object shown(Object argument) {
        if (argument instanceof DmaFault fault) {
            return fault == DmaFault.NONE ? "done" : "refused, " + fault;
        }
        return argument;
    }

    void figure(String name, long value, String unit) {
        figures.add(new Figure(name, value, unit));
    }

    void evidence(String title, long address, byte[] found) {
        bytes.add(BytesFound.of(title, address, found));
    }

    /** Reads the unit's fault records. */
    void faults() {
        faults(RequestType.UNTRANSLATED);
    }

    /** Reads the unit's fault records, of requests of this type. */
    void faults(RequestType type) {
        requestType = type;
        driver.handleFaults(ledger::add);
    }

    @Override
    public TableWalk interrupt(int rid, int index) {
        return explainer.interrupt(unit.registers(), rid, index);
    }

    @Override
    public TableWalk explain(WalkRequest request) {
        return explainer.explain(unit.registers(), request);
    }

    private Optional<TableWalk> failedWalk(FaultReport report) {
        return Optional.of(explainer.fault(unit.registers(), report, requestType));
    }

    private String withoutUnit(FaultReport report) {
        return WithoutUnit.of(report, requestType, this::whoseMemory);
    }

    private String whoseMemory(long page) {
        return regions.stream()
                .filter(region -> region.contains(page))
                .map(region -> region.owner() + " at host address 0x" + Long.toHexString(page))
                .findFirst()
                .orElseGet(() -> memory.contains(page, PAGE)
                        ? "host memory at 0x" + Long.toHexString(page) + ", whoever owns it,"
                        : "nothing, as no memory is at 0x" + Long.toHexString(page) + ",");
    }

    /** @param claimed whether the attack was said to be defended */
    AttackOutcome outcome(Attack attack, Defence claimed, Verdict verdict) {
        faults();
        long merged = unit.counters().faultsCollapsed();
        if (merged > 0) {
            note("the unit merged %d more faults into pending records of the same source", merged);
        }
        return new AttackOutcome(
                attack, claimed, verdict, notes, ledger.faults(), ledger.others(), walks, bytes, figures);
    }

    @Override
    public void close() {
        memory.close();
    }

    private final class Frames implements FrameSource {
        @Override
        public long allocatePage() {
            long hpa = nextFrame;
            if (hpa >= REGIONS) {
                throw new IllegalStateException("no frame is left for tables");
            }
            nextFrame += PAGE;
            memory.fill(hpa, PAGE, (byte) 0);
            return hpa;
        }

        @Override
        public void freePage(long hpa) {}
    }

    private final class RegisterPort implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return unit.registers().read(pa - UNIT, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            unit.registers().write(pa - UNIT, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}
