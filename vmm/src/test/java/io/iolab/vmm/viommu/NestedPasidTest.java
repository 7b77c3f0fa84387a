package io.iolab.vmm.viommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.time.CostProfile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest whose function carries PASIDs, each with first-level tables of its own (VT-d 3.8, 6.5.2.3, 6.5.2.4, 9.4 to 9.6). */
class NestedPasidTest {
    private static final long IOVA = 0x2_3456_7000L;
    private static final long PAGE = 4096;

    private final ViommuMachine machine = machine();

    private static ViommuMachine machine() {
        try {
            return new ViommuMachine(ViommuMode.NESTED, CostProfile.bundled(CostProfile.DEFAULT));
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void release() {
        machine.close();
    }

    private static DmaFault write(DmaPort port, long iova, int value) {
        return port.write(iova, new byte[] {(byte) value}, 0, 1, DmaKind.PAYLOAD);
    }

    private void assertReaches(DmaPort port, long iova, long gpa) {
        machine.guestMemory().writeByte(gpa, (byte) 0);
        assertThat(write(port, iova, 0x5A)).isEqualTo(DmaFault.NONE);
        assertThat(machine.guestMemory().readByte(gpa)).isEqualTo((byte) 0x5A);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 5000})
    @DisplayName("9.6: one IOVA leads to another page under each PASID, and without one")
    void shouldKeepPasidsApart(int pasid) {
        FirstLevelGuest process = machine.driverOfPasid(pasid);
        process.attach(ViommuMachine.GUEST_RID);
        machine.driver().map(IOVA, 0x7000, PAGE);
        process.map(IOVA, 0x9000, PAGE);
        assertReaches(machine.function(), IOVA, 0x7000);
        assertReaches(machine.function(pasid), IOVA, 0x9000);
        assertReaches(machine.function(), IOVA, 0x7000);
        assertThat(write(machine.function(pasid + 1), IOVA, 1))
                .as("a PASID that nobody set up")
                .isNotEqualTo(DmaFault.NONE);
    }

    @Test
    @DisplayName(
            "6.5.2.3: an entry appears and goes with the guest's PASID-selective invalidation, and no other goes with it")
    void shouldFollowPasidEntries() {
        FirstLevelGuest first = machine.driverOfPasid(3);
        FirstLevelGuest second = machine.driverOfPasid(4);
        assertThat(write(machine.function(3), IOVA, 1)).isNotEqualTo(DmaFault.NONE);
        first.map(IOVA, 0x7000, PAGE);
        second.map(IOVA, 0x9000, PAGE);
        first.attach(ViommuMachine.GUEST_RID);
        second.attach(ViommuMachine.GUEST_RID);
        assertReaches(machine.function(3), IOVA, 0x7000);
        assertReaches(machine.function(4), IOVA, 0x9000);
        first.detach(ViommuMachine.GUEST_RID);
        assertThat(write(machine.function(3), IOVA, 1)).isNotEqualTo(DmaFault.NONE);
        assertReaches(machine.function(4), IOVA, 0x9000);
    }

    @Test
    @DisplayName("6.5.2.4: an invalidation by PASID reaches the physical unit for that PASID alone")
    void shouldForwardInvalidationsByPasid() {
        FirstLevelGuest first = machine.driverOfPasid(3);
        FirstLevelGuest second = machine.driverOfPasid(4);
        first.attach(ViommuMachine.GUEST_RID);
        second.attach(ViommuMachine.GUEST_RID);
        first.map(IOVA, 0x7000, PAGE);
        second.map(IOVA, 0x9000, PAGE);
        assertReaches(machine.function(3), IOVA, 0x7000);
        assertReaches(machine.function(4), IOVA, 0x9000);
        long walks = machine.physicalUnit().countersFor(ViommuMachine.RID).walkAccesses();
        first.unmap(IOVA, PAGE);
        assertThat(write(machine.function(3), IOVA, 1)).isNotEqualTo(DmaFault.NONE);
        long afterMiss = machine.physicalUnit().countersFor(ViommuMachine.RID).walkAccesses();
        assertThat(afterMiss).as("it was walked for").isGreaterThan(walks);
        assertReaches(machine.function(4), IOVA, 0x9000);
        assertThat(machine.physicalUnit().countersFor(ViommuMachine.RID).walkAccesses())
                .as("the other PASID's translation is still cached")
                .isEqualTo(afterMiss);
    }

    @Test
    @DisplayName("7.2: faults of requests with PASID reach the guest with it")
    void shouldTellTheGuestThePasid() {
        FirstLevelGuest process = machine.driverOfPasid(9);
        process.attach(ViommuMachine.GUEST_RID);
        assertThat(write(machine.function(9), IOVA, 1)).isNotEqualTo(DmaFault.NONE);
        long record = (machine.unit().read(0x08, 8) >>> 24 & 0x3FF) * 16;
        long high = machine.unit().read(record + 8, 8);
        assertThat(high).as("F").isNegative();
        assertThat(high & 1L << 31).as("PP").isNotZero();
        assertThat(high >>> 40 & 0xF_FFFF).isEqualTo(9);
        assertThat(high >>> 32 & 0xFF).isEqualTo(FaultReason.FIRST_LEVEL_NOT_PRESENT.code());
        assertThat(high & 0xFFFF).isEqualTo(ViommuMachine.GUEST_RID);
        assertThat(machine.hostFaults()).isEmpty();
    }

    @Test
    @DisplayName("10.4.4: with the guest's unit off a request with PASID reaches nothing")
    void shouldBlockPasidsWhileTheGuestsUnitIsOff() {
        FirstLevelGuest process = machine.driverOfPasid(1);
        process.attach(ViommuMachine.GUEST_RID);
        process.map(0x7000, 0x7000, PAGE);
        machine.unit().write(0x18, 4, 1 << 26);
        assertReaches(machine.function(), 0x7000, 0x7000);
        assertThat(write(machine.function(1), 0x7000, 1)).isNotEqualTo(DmaFault.NONE);
        assertThat(write(machine.function(0), 0x7000, 1)).isNotEqualTo(DmaFault.NONE);
        machine.unit().write(0x18, 4, 1L << 31 | 1 << 26);
        assertReaches(machine.function(1), 0x7000, 0x7000);
    }
}
