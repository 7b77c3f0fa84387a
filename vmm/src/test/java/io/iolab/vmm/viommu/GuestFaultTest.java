package io.iolab.vmm.viommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whose fault it is when the physical unit blocks an assigned function: the guest's, or the host's. Sections are those of VT-d. */
class GuestFaultTest {
    private static final long IOVA = 0x2_3456_7000L;
    private static final long PAGE = 4096;
    private static final long GUEST_BYTES = 16 << 20;
    private static final int EVENT_DATA = 0x41;
    private static final int NO_PASID = -1;

    /** Entries of the guest's tables are found by what they lead to. */
    private static final long GUEST_TABLES = 8 << 20;

    private final List<ViommuMachine> machines = new ArrayList<>();

    /** A fault record as the guest's processor reads it. */
    private record Record(int source, long page, boolean read, int reason, int pasid) {}

    private ViommuMachine machine(ViommuMode mode) {
        try {
            ViommuMachine machine = new ViommuMachine(mode, CostProfile.bundled(CostProfile.DEFAULT));
            machines.add(machine);
            // FEDATA, FEADDR, then FECTL with IM clear.
            machine.unit().write(0x3C, 4, EVENT_DATA);
            machine.unit().write(0x40, 4, 0xFEE0_0000L);
            machine.unit().write(0x38, 4, 0);
            return machine;
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void release() {
        machines.forEach(ViommuMachine::close);
    }

    private static DmaFault write(DmaPort port, long iova) {
        return port.write(iova, new byte[] {0x5A}, 0, 1, DmaKind.PAYLOAD);
    }

    private static DmaFault read(DmaPort port, long iova) {
        return port.read(iova, new byte[1], 0, 1, DmaKind.PAYLOAD);
    }

    /** Reads and clears what the guest's unit has recorded (10.4.14), by its registers alone. */
    private static List<Record> records(ViommuMachine machine) {
        VirtualUnit unit = machine.unit();
        long cap = unit.read(0x08, 8);
        long first = (cap >>> 24 & 0x3FF) * 16;
        int count = (int) (cap >>> 40 & 0xFF) + 1;
        List<Record> found = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long low = unit.read(first + 16L * i, 8);
            long high = unit.read(first + 16L * i + 8, 8);
            if (high < 0) {
                int pasid = (high & 1L << 31) != 0 ? (int) (high >>> 40) & 0xF_FFFF : NO_PASID;
                found.add(new Record(
                        (int) high & 0xFFFF, low, (high & 1L << 62) != 0, (int) (high >>> 32) & 0xFF, pasid));
                unit.write(first + 16L * i + 12, 4, 1L << 31);
            }
        }
        return found;
    }

    private static Record guests(long page, boolean read, FaultReason reason) {
        return new Record(ViommuMachine.GUEST_RID, page, read, reason.code(), NO_PASID);
    }

    private static boolean pending(ViommuMachine machine) {
        return (machine.unit().read(0x34, 4) & 2) != 0;
    }

    /** The entry that maps this guest page, wherever the guest's driver has put it. */
    private static long entryOf(ViommuMachine machine, long gpa) {
        for (long at = GUEST_TABLES; at < GUEST_BYTES; at += 8) {
            long entry = machine.guestMemory().readLong(at);
            if ((entry & 0x000F_FFFF_FFFF_F000L) == gpa && (entry & 3) != 0) {
                return at;
            }
        }
        throw new AssertionError("no entry leads to 0x" + Long.toHexString(gpa));
    }

    @ParameterizedTest
    @EnumSource(ViommuMode.class)
    @DisplayName(
            "7.2, 7.3: what the guest has not mapped is recorded in its unit under its names, and its fault event comes")
    void shouldTellTheGuestOfWhatItDidNotMap(ViommuMode mode) {
        ViommuMachine machine = machine(mode);
        boolean nested = mode == ViommuMode.NESTED;
        assertThat(write(machine.function(), IOVA + 5)).isNotEqualTo(DmaFault.NONE);
        assertThat(pending(machine)).as("FSTS.PPF").isTrue();
        assertThat(machine.guestMessages()).containsExactly(EVENT_DATA);
        FaultReason written = nested ? FaultReason.FIRST_LEVEL_NOT_PRESENT : FaultReason.WRITE_DENIED;
        assertThat(records(machine)).containsExactly(guests(IOVA, false, written));
        assertThat(pending(machine)).isFalse();
        assertThat(read(machine.function(), IOVA)).isNotEqualTo(DmaFault.NONE);
        FaultReason readReason = nested ? FaultReason.FIRST_LEVEL_NOT_PRESENT : FaultReason.READ_DENIED;
        assertThat(records(machine)).containsExactly(guests(IOVA, true, readReason));
        assertThat(machine.guestMessages()).containsExactly(EVENT_DATA, EVENT_DATA);
        assertThat(machine.hostFaults()).as("left to the host").isEmpty();
    }

    @Test
    @DisplayName("7.1.3: a page that the guest lets be read only refuses writes in the guest's name")
    void shouldTellTheGuestOfItsRights() {
        ViommuMachine nested = machine(ViommuMode.NESTED);
        nested.driver().map(IOVA, 0x7000, PAGE);
        long entry = entryOf(nested, 0x7000);
        nested.guestMemory().writeLong(entry, nested.guestMemory().readLong(entry) & ~2L);
        assertThat(write(nested.function(), IOVA)).isEqualTo(DmaFault.NO_WRITE);
        assertThat(records(nested)).containsExactly(guests(IOVA, false, FaultReason.SCALABLE_WRITE_DENIED));
    }

    @Test
    @DisplayName("7.1.2: reserved bits in the guest's legacy tables reach it by their own reasons, not as absent pages")
    void shouldNameWhatIsWrongInTheGuestsTables() {
        ViommuMachine shadow = machine(ViommuMode.SHADOW_QUEUE);
        shadow.driver().map(IOVA, 0x7000, PAGE);
        long entry = entryOf(shadow, 0x7000);
        // Beyond the unit's host address width.
        shadow.guestMemory().writeLong(entry, shadow.guestMemory().readLong(entry) | 1L << 51);
        invalidateAll(shadow);
        assertThat(write(shadow.function(), IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(records(shadow)).containsExactly(guests(IOVA, false, FaultReason.PAGE_ENTRY_RESERVED));
    }

    /** CCMD and IOTLB by registers, both global (10.4.7, 10.4.8). */
    private static void invalidateAll(ViommuMachine machine) {
        machine.unit().write(0x18, 4, 1L << 31);
        machine.unit().write(0x28, 8, 1L << 63 | 1L << 61);
        long iotlb = (machine.unit().read(0x10, 8) >>> 8 & 0x3FF) * 16 + 8;
        machine.unit().write(iotlb, 8, 1L << 63 | 1L << 60);
    }

    @Test
    @DisplayName("7.1.2: a cleared context entry is reason 2")
    void shouldTellTheGuestOfItsContextEntry() {
        ViommuMachine shadow = machine(ViommuMode.SHADOW_QUEUE);
        shadow.driver().map(IOVA, 0x7000, PAGE);
        // RTADDR, root entry of bus 0, context entry of the function.
        long root = shadow.unit().read(0x20, 8) & ~0xFFFL;
        long context = (shadow.guestMemory().readLong(root) & ~0xFFFL) + 16L * ViommuMachine.GUEST_RID;
        shadow.guestMemory().writeLong(context, 0);
        invalidateAll(shadow);
        assertThat(write(shadow.function(), IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(records(shadow)).containsExactly(guests(IOVA, false, FaultReason.CONTEXT_NOT_PRESENT));
        // FPD, bit 1.
        shadow.guestMemory().writeLong(context, 2);
        assertThat(write(shadow.function(), IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(records(shadow)).as("7.2: qualified, and FPD is set").isEmpty();
        assertThat(shadow.hostFaults()).isEmpty();
    }

    @Test
    @DisplayName(
            "6.1: in caching mode an entry that was absent stays so until the guest invalidates, and faults as absent")
    void shouldTellTheGuestOfAMappingItDidNotInvalidate() {
        ViommuMachine shadow = machine(ViommuMode.SHADOW_QUEUE);
        shadow.driver().map(IOVA, 0x7000, PAGE);
        long entry = entryOf(shadow, 0x7000);
        shadow.guestMemory().writeLong(entry + 8, 0x8000 | 3);
        assertThat(read(shadow.function(), IOVA + PAGE)).isNotEqualTo(DmaFault.NONE);
        assertThat(records(shadow)).containsExactly(guests(IOVA + PAGE, true, FaultReason.READ_DENIED));
    }

    @Test
    @DisplayName(
            "a first-level table beyond the guest's memory: the second level refuses, the guest's unit would not find the table")
    void shouldTranslateRefusalsOfTheSecondLevelForTables() {
        ViommuMachine nested = machine(ViommuMode.NESTED);
        nested.driver().map(IOVA, 0x7000, PAGE);
        long table = entryOf(nested, 0x7000) & ~0xFFFL;
        long above = entryOf(nested, table);
        nested.guestMemory().writeLong(above, GUEST_BYTES + 0x1000 | 7);
        assertThat(write(nested.function(), IOVA)).isNotEqualTo(DmaFault.NONE);
        assertThat(nested.physicalUnit().counters().faults(FaultReason.NESTED_TABLE_NOT_READABLE))
                .isEqualTo(1);
        assertThat(records(nested)).containsExactly(guests(IOVA, false, FaultReason.FIRST_LEVEL_UNREADABLE));
        assertThat(nested.hostFaults()).isEmpty();
    }

    // ---- what is not the guest's

    @ParameterizedTest
    @EnumSource(ViommuMode.class)
    @DisplayName(
            "10.4.4: while the guest's unit is off it records nothing; the host hears of DMA beyond the guest's memory")
    void shouldKeepFaultsWhileTheGuestsUnitIsOff(ViommuMode mode) {
        ViommuMachine machine = machine(mode);
        int queue = mode == ViommuMode.SHADOW_REGISTERS ? 0 : 1 << 26;
        machine.unit().write(0x18, 4, queue);
        assertThat(write(machine.function(), GUEST_BYTES)).isNotEqualTo(DmaFault.NONE);
        assertKept(machine, GUEST_BYTES);
    }

    private static void assertKept(ViommuMachine machine, long page) {
        assertThat(machine.hostFaults()).extracting(FaultReport::rid).containsExactly(ViommuMachine.RID);
        assertThat(machine.hostFaults()).extracting(FaultReport::iovaPage).containsExactly(page);
        assertThat(records(machine)).isEmpty();
        assertThat(machine.guestMessages()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(ViommuMode.class)
    @DisplayName(
            "a page of the guest that its tables map beyond its memory faults on no unit of its own: the host keeps it")
    void shouldKeepWhatLeadsOutOfTheGuest(ViommuMode mode) {
        ViommuMachine machine = machine(mode);
        machine.driver().map(IOVA, GUEST_BYTES + 0x5000, PAGE);
        assertThat(write(machine.function(), IOVA)).isNotEqualTo(DmaFault.NONE);
        assertKept(machine, IOVA);
    }

    @Test
    @DisplayName(
            "3.8: what the host's second level refuses inside the guest's memory is the host's, and told to no guest")
    void shouldKeepWhatTheSecondLevelRefuses() {
        ViommuMachine machine = machine(ViommuMode.NESTED);
        machine.driver().map(IOVA, 0x7000, PAGE);
        machine.driver().map(IOVA + PAGE, 5 << 20, PAGE);
        assertThat(write(machine.function(), IOVA)).isEqualTo(DmaFault.NONE);
        // The host takes two megabytes of the guest's memory away.
        machine.host().domainOf(ViommuMachine.RID).unmap(4 << 20, 2 << 20);
        assertThat(write(machine.function(), IOVA + PAGE)).isNotEqualTo(DmaFault.NONE);
        assertThat(machine.physicalUnit().counters().faults(FaultReason.NESTED_DENIED))
                .isEqualTo(1);
        assertKept(machine, IOVA + PAGE);
    }

    @Test
    void shouldKeepFaultsOfFunctionsThatAreNotTheGuests() {
        ViommuMachine machine = machine(ViommuMode.SHADOW_QUEUE);
        int stranger = 7 << 3;
        assertThat(write(machine.physicalUnit().portFor(stranger), 0)).isNotEqualTo(DmaFault.NONE);
        assertThat(machine.hostFaults()).extracting(FaultReport::rid).containsExactly(stranger);
        assertThat(records(machine)).isEmpty();
    }
}
