package io.iolab.vmm.assign;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.PowerManagement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** An assigned function as vfio-pci shows it: configuration space and MSI-X are the guest's own, registers are the device's. */
class AssignedFunctionTest {
    private static final int MSIX = 0xA0;
    private static final int PM = 0x40;
    private static final int VECTORS = 3;
    private static final int PENDING_AT = 0x2000;
    private static final int ENABLE = 1 << 15;

    /** A port that only takes messages. */
    private static final class Messages implements DmaPort {
        final List<String> seen = new ArrayList<>();
        HostInterrupts target;

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            int data = LittleEndian.getInt(source, offset);
            seen.add(Long.toHexString(iova) + "=" + Integer.toHexString(data));
            if (target != null) {
                target.message(iova, data);
            }
            return DmaFault.NONE;
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return DmaFault.NOT_MAPPED;
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return DmaFault.NOT_MAPPED.asResult();
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return DmaFault.NOT_MAPPED;
        }
    }

    /** A NIC with registers in BAR0 and MSI-X in BAR3. */
    private static final class Physical implements PciFunction {
        final Messages messages = new Messages();
        final ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x02_00_00)
                .subsystem(0x8086, 0xA01F)
                .bar(new Bar(0, Bar.Kind.MEMORY32, 0x2_0000, false))
                .bar(new Bar(2, Bar.Kind.IO, 32, false))
                .bar(new Bar(3, Bar.Kind.MEMORY32, 0x4000, false))
                .interruptPin(1);
        final MsixTable msix;
        final List<String> accesses = new ArrayList<>();
        int resets;

        Physical() {
            new PowerManagement(config, PM, 0xC822, this::reset);
            msix = new MsixTable(config, MSIX, VECTORS, 3, 0, 3, PENDING_AT, messages);
            config.seal();
        }

        @Override
        public ConfigSpace config() {
            return config;
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            accesses.add("read " + bar + ":" + offset);
            return 0x1234;
        }

        @Override
        public void writeBar(int bar, long offset, int width, long value) {
            if (bar == 3) {
                msix.writeTable(offset, width, value);
            } else {
                accesses.add("write " + bar + ":" + offset + "=" + value);
            }
        }

        @Override
        public int poll(int budget) {
            throw new IllegalStateException("an engine of its own polls it");
        }

        @Override
        public long nextDeadlineNanos() {
            return 5;
        }

        @Override
        public boolean workPending() {
            return true;
        }

        @Override
        public void reset() {
            config.reset();
            resets++;
        }

        @Override
        public String registerName(int bar, long offset) {
            return "REG" + offset;
        }
    }

    private final Physical physical = new Physical();
    private final HostInterrupts host = new HostInterrupts();
    private final Messages guestMessages = new Messages();
    private final AssignedFunction assigned = new AssignedFunction(Devices.open(physical, host), guestMessages);

    AssignedFunctionTest() {
        physical.messages.target = host;
    }

    private void guestEntry(int vector, long address, int data, boolean masked) {
        assigned.writeBar(3, 16L * vector, 4, address & 0xFFFF_FFFFL);
        assigned.writeBar(3, 16L * vector + 4, 4, address >>> 32);
        assigned.writeBar(3, 16L * vector + 8, 4, data);
        assigned.writeBar(3, 16L * vector + 12, 4, masked ? 1 : 0);
    }

    private void enable() {
        assigned.config().write(MSIX + 2, 2, ENABLE);
    }

    @Test
    void shouldShowTheIdentityAndShapeOfTheRealDevice() {
        ConfigSpace config = assigned.config();

        assertThat(config.read(ConfigSpace.VENDOR_ID, 4)).isEqualTo(0x10D3_8086);
        assertThat(config.read(ConfigSpace.CLASS_CODE, 1)).isZero();
        assertThat(config.read(ConfigSpace.CLASS_CODE + 1, 1)).isZero();
        assertThat(config.read(ConfigSpace.CLASS_CODE + 2, 1)).isEqualTo(2);
        assertThat(config.read(ConfigSpace.SUBSYSTEM_ID, 2)).isEqualTo(0xA01F);
        assertThat(config.bar(0)).isEqualTo(physical.config.bar(0));
        assertThat(config.bar(3)).isEqualTo(physical.config.bar(3));
        assertThat(config.read(ConfigSpace.CAPABILITIES_POINTER, 1)).isEqualTo(PM);
        assertThat(config.read(PM + 1, 1)).isEqualTo(MSIX);
        assertThat(config.read(MSIX + 2, 2)).isEqualTo(VECTORS - 1);
        assertThat(config.read(MSIX + 8, 4)).isEqualTo(PENDING_AT | 3);
    }

    @Test
    void shouldKeepTheGuestsBarsToTheGuest() {
        physical.config.write(ConfigSpace.BAR0, 4, 0xF000_0000);

        assigned.config().write(ConfigSpace.BAR0, 4, 0xE000_0000);
        assigned.config().write(ConfigSpace.BAR0 + 12, 4, -1);

        assertThat(assigned.config().barAddress(0)).isEqualTo(0xE000_0000L);
        assertThat(assigned.config().read(ConfigSpace.BAR0 + 12, 4)).isEqualTo(-0x4000);
        assertThat(physical.config.barAddress(0)).isEqualTo(0xF000_0000L);
        assertThat(physical.config.barAddress(3)).isZero();
    }

    @Test
    void shouldPassBusMasteringThroughAndKeepDecodingOn() {
        assigned.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER);
        assertThat(physical.config.busMaster()).isTrue();
        assertThat(physical.config.memoryEnabled()).isTrue();

        assigned.config().write(ConfigSpace.COMMAND, 2, 0);
        assertThat(physical.config.busMaster()).isFalse();
        assertThat(physical.config.memoryEnabled()).as("the host's mapping").isTrue();
        assertThat(assigned.config().memoryEnabled()).isFalse();
    }

    @Test
    void shouldNotLetTheGuestChangeThePowerState() {
        assigned.config().write(PM + 4, 2, 3);

        assertThat(assigned.config().read(PM + 4, 2)).isZero();
        assertThat(physical.config.read(PM + 4, 2)).isZero();
    }

    @Test
    void shouldPassRegistersThrough() {
        assigned.writeBar(0, 0x10, 4, 7);

        assertThat(assigned.readBar(0, 0x20, 4)).isEqualTo(0x1234);
        assertThat(physical.accesses).containsExactly("write 0:16=7", "read 0:32");
        assertThat(assigned.registerName(0, 8)).isEqualTo("REG8");
        assertThat(assigned.registerName(3, 8)).isEqualTo("MSIX_TABLE");
        assertThat(assigned.registerName(3, PENDING_AT)).isEqualTo("MSIX_PBA");
    }

    @Test
    @DisplayName("every page of a memory BAR is mapped but those with a byte of the MSI-X table or the pending bits")
    void shouldMapWholePagesWithoutVectors() {
        for (long offset = 0; offset < 0x2_0000; offset += 4) {
            assertThat(assigned.mapped(0, offset)).isTrue();
        }
        for (long offset = 0; offset < 0x4000; offset += 4) {
            assertThat(assigned.mapped(3, offset))
                    .as("offset " + offset)
                    .isEqualTo(offset >>> 12 != 0 && offset >>> 12 != PENDING_AT >>> 12);
        }
        assertThat(assigned.mapped(2, 0)).as("ports").isFalse();
        assertThat(assigned.mapped(5, 0)).as("no such BAR").isFalse();
    }

    @Test
    void shouldLeaveRunningTheDeviceToItsEngine() {
        assertThat(assigned.poll(64)).isZero();
        assertThat(assigned.workPending()).isFalse();
        assertThat(assigned.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName(
            "the guest reads back its own entries; the physical ones hold host vectors, each firing the guest's of its number")
    void shouldTranslateInterrupts() {
        guestEntry(0, 0xFEE0_0000L, 0x41, false);
        guestEntry(1, 0xFEE0_1000L, 0x42, false);
        enable();

        assertThat(assigned.readBar(3, 16, 8)).isEqualTo(0xFEE0_1000L);
        assertThat(assigned.readBar(3, 24, 4)).isEqualTo(0x42);
        assertThat(physical.msix.enabled()).isTrue();
        assertThat(physical.msix.readTable(24, 4)).isNotEqualTo(0x42);
        assertThat(physical.msix.fire(1)).isTrue();
        assertThat(physical.msix.fire(0)).isTrue();

        assertThat(guestMessages.seen).containsExactly("fee01000=42", "fee00000=41");
        assertThat(host.spurious()).isZero();
    }

    @Test
    @DisplayName("a masked vector pends in the guest's own bit array and is sent once when unmasked (PCI 3.0 6.8.3.5)")
    void shouldPendAMaskedVector() {
        guestEntry(2, 0xFEE0_0000L, 0x43, true);
        enable();

        physical.msix.fire(2);
        physical.msix.fire(2);
        assertThat(guestMessages.seen).isEmpty();
        assertThat(assigned.readBar(3, PENDING_AT, 4)).isEqualTo(1 << 2);

        assigned.writeBar(3, 2 * 16 + 12, 4, 0);
        assertThat(guestMessages.seen).containsExactly("fee00000=43");
        assertThat(assigned.readBar(3, PENDING_AT, 4)).isZero();
    }

    @Test
    void shouldHearNothingWhileTheGuestHasMsixOff() {
        guestEntry(0, 0xFEE0_0000L, 0x41, false);
        enable();
        assigned.config().write(MSIX + 2, 2, 0);

        physical.msix.fire(0);

        assertThat(guestMessages.seen).isEmpty();
    }

    @Test
    @DisplayName("beside table and pending bits the VMM carries an access out on the device")
    void shouldPassOnAccessesBesideTheTable() {
        for (long offset : new long[] {16L * VECTORS, 0x1FFC, PENDING_AT + 8, 0x3FF8}) {
            assertThat(assigned.readBar(3, offset, 4)).as("offset " + offset).isEqualTo(0x1234);
        }
        assertThat(physical.accesses).hasSize(4);
    }

    @Test
    @DisplayName("no access reaches the physical table or pending bits, not by its last byte either")
    void shouldKeepThePhysicalVectorsFromTheGuest() {
        guestEntry(0, 0xFEE0_0000L, 0x41, false);
        enable();
        List<Long> before = new ArrayList<>();
        for (int at = 0; at < 16 * VECTORS; at += 4) {
            before.add(physical.msix.readTable(at, 4));
        }

        for (long offset : new long[] {16L * VECTORS - 1, 16L * VECTORS - 4, 2, 8, PENDING_AT, PENDING_AT - 2}) {
            for (int width : new int[] {1, 2, 4, 8}) {
                assigned.writeBar(3, offset, width, -1);
                assigned.readBar(3, offset, width);
            }
        }

        for (int at = 0; at < 16 * VECTORS; at += 4) {
            assertThat(physical.msix.readTable(at, 4)).isEqualTo(before.get(at / 4));
        }
        assertThat(physical.accesses)
                .as("only those that end before the pending bits")
                .containsExactly("read 3:" + (PENDING_AT - 2), "read 3:" + (PENDING_AT - 2));
    }

    @Test
    void shouldResetThePhysicalFunctionAndForgetTheGuest() {
        guestEntry(0, 0xFEE0_0000L, 0x41, false);
        enable();
        assigned.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_BUS_MASTER);
        assigned.config().write(ConfigSpace.BAR0, 4, 0xE000_0000);

        assigned.reset();

        assertThat(physical.resets).as("one when it was opened").isEqualTo(2);
        assertThat(physical.config.busMaster()).isFalse();
        assertThat(physical.msix.enabled()).isFalse();
        assertThat(assigned.config().barAddress(0)).isZero();
        assertThat(assigned.readBar(3, 8, 4)).isZero();
        assertThat(assigned.readBar(3, 12, 4)).as("masked").isOne();
    }

    @Test
    @DisplayName("any number of resets uses up no host vectors")
    void shouldUseTheSameHostVectorsAfterAReset() {
        for (int i = 0; i < 100; i++) {
            guestEntry(1, 0xFEE0_0000L, 0x50 + i, false);
            enable();
            physical.msix.fire(1);
            assigned.reset();
        }

        assertThat(guestMessages.seen).hasSize(100).endsWith("fee00000=b3");
        assertThat(host.spurious()).isZero();
    }
}
