package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.spec.Spec;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The modern PCI transport, virtio 1.2 section 4.1. */
class PciTransportTest {
    private final Lab lab = new Lab();
    private final ConfigSpace config = lab.device.config();

    @AfterEach
    void close() {
        lab.close();
    }

    @Test
    @Spec(id = "V1.1", section = "virtio 1.2 4.1.2.1")
    @Spec(id = "V1.2", section = "virtio 1.2 4.1.2.1")
    @DisplayName("V1, 4.1.2: vendor 1AF4, device 1041, revision at least 1, an Ethernet controller")
    void shouldIdentifyItselfAsModernNetDevice() {
        assertThat(config.read(0x00, 4)).isEqualTo(0x1041_1AF4);
        assertThat(config.read(0x08, 4)).isEqualTo(0x0200_0001);
        assertThat(config.read(0x2E, 2)).isGreaterThanOrEqualTo(0x40);
        assertThat(config.read(0x3D, 1)).isEqualTo(1);
    }

    @Test
    @DisplayName("V2, V3, 4.1.4: the capability list as QEMU 11.1 has it, but for the number of vectors")
    void shouldListCapabilitiesLikeQemu() {
        // Configuration space 0x40 to 0xA3 of a recorded virtio-net-pci with 4 vectors.
        String recorded = "09001001040000000000000000100000"
                + "09401003040000000010000000100000"
                + "09501004040000000020000000100000"
                + "09601402040000000030000000100000"
                + "04000000" + "0970140500000000000000000000000000000000"
                + "118403000100000001080000";
        byte[] expected = HexFormat.of().parseHex(recorded);
        expected[0x9A - 0x40] = 2;
        byte[] actual = new byte[expected.length];
        for (int i = 0; i < actual.length; i++) {
            actual[i] = (byte) config.read(0x40 + i, 1);
        }
        assertThat(HexFormat.of().formatHex(actual)).isEqualTo(HexFormat.of().formatHex(expected));
        assertThat(config.read(0x34, 1)).isEqualTo(0x98);
        assertThat(config.read(0x06, 2) & 0x10).isEqualTo(0x10);
    }

    @Test
    @Spec(id = "V12.2", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("V4, V12, 4.1.4.3: values after reset, queue by queue")
    void shouldShowDefaultsAfterReset() {
        assertThat(lab.common(Lab.NUM_QUEUES, 2)).isEqualTo(2);
        assertThat(lab.common(Lab.CONFIG_VECTOR, 2)).isEqualTo(0xFFFF);
        assertThat(lab.status()).isZero();
        for (int q = 0; q < 4; q++) {
            lab.common(Lab.QUEUE_SELECT, 2, q);
            assertThat(lab.common(Lab.QUEUE_SELECT, 2)).isEqualTo(q);
            assertThat(lab.common(Lab.QUEUE_SIZE, 2)).isEqualTo(q < 2 ? 256 : 0);
            assertThat(lab.common(Lab.QUEUE_VECTOR, 2)).isEqualTo(0xFFFF);
            assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isZero();
            assertThat(lab.common(Lab.QUEUE_NOTIFY_OFF, 2)).isEqualTo(q < 2 ? q : 0);
            for (int offset = Lab.QUEUE_DESC; offset < 0x38; offset += 4) {
                assertThat(lab.common(offset, 4)).isZero();
            }
        }
    }

    @Test
    @DisplayName("4.1.4.3: 64-bit fields are two halves; a 64-bit access is split")
    void shouldKeepHalvesApartWhenAddressesAreWritten() {
        lab.common(Lab.QUEUE_DESC + 4, 4, 0x1122_3344L);
        assertThat(lab.common(Lab.QUEUE_DESC, 8)).isEqualTo(0x1122_3344_0000_0000L);
        lab.common(Lab.QUEUE_DESC, 4, 0xFFFF_FFF0L);
        assertThat(lab.common(Lab.QUEUE_DESC, 8)).isEqualTo(0x1122_3344_FFFF_FFF0L);
        lab.common(Lab.QUEUE_DEVICE, 8, 0x0123_4567_89AB_CDECL);
        assertThat(lab.common(Lab.QUEUE_DEVICE, 4)).isEqualTo(0x89AB_CDECL);
        assertThat(lab.common(Lab.QUEUE_DEVICE + 4, 4)).isEqualTo(0x0123_4567L);
    }

    @ParameterizedTest
    @CsvSource({"0x14,4", "0x14,2", "0x18,4", "0x18,1", "0x00,2", "0x00,8", "0x20,1", "0x22,4", "0x10,8"})
    @DisplayName("4.1.3.1: an access of another width than the field's is ignored and counted")
    void shouldIgnoreAccessWhenWidthIsWrong(String offset, int width) {
        int at = Integer.decode(offset);
        assertThat(lab.common(at, width)).isZero();
        lab.common(at, width, 1);
        assertThat(lab.device.counters().ignored(RegisterFault.WRONG_WIDTH)).isEqualTo(2);
        assertThat(lab.status()).isZero();
    }

    @Test
    @DisplayName("STYLE 11: accesses to nothing read 0 and are counted; read-only fields do not change")
    void shouldIgnoreAccessWhenNothingIsThere() {
        for (long offset : new long[] {0x38, 0x3C, 0xFFC, 0x1004, 0x2FFC, 0x4000, -4}) {
            assertThat(lab.device.readBar(4, offset, 4)).isZero();
        }
        assertThat(lab.device.readBar(0, 0, 4)).isZero();
        assertThat(lab.device.readBar(1, 0x400, 4)).isZero();
        lab.device.writeBar(4, 0x3008, 2, 2);
        assertThat(lab.device.counters().ignored(RegisterFault.UNKNOWN_OFFSET)).isEqualTo(9);
        lab.common(Lab.NUM_QUEUES, 2, 9);
        lab.common(Lab.DEVICE_FEATURE, 4, 9);
        lab.device.writeBar(4, 0x2000, 1, 9);
        lab.device.writeBar(4, 0x1000, 1, 9);
        assertThat(lab.device.counters().ignored(RegisterFault.READ_ONLY)).isEqualTo(4);
        assertThat(lab.common(Lab.NUM_QUEUES, 2)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,2", "128,128", "256,256", "0,256", "3,256", "255,256", "512,256", "32768,256", "65535,256"})
    @Spec(id = "V12.2", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("V12, 2.7, 4.1.4.3.2: queue_size takes powers of two up to the maximum")
    void shouldTakeQueueSizeOnlyWhenPowerOfTwo(int written, int read) {
        lab.common(Lab.QUEUE_SIZE, 2, written);
        assertThat(lab.common(Lab.QUEUE_SIZE, 2)).isEqualTo(read);
    }

    @ParameterizedTest
    @CsvSource({"8,0,0", "0,1,0", "0,0,2", "0,0,1"})
    @DisplayName("2.7: a queue that is not aligned to 16, 2 and 4 bytes cannot be enabled")
    void shouldRefuseQueueWhenMisaligned(long desc, long avail, long used) {
        lab.negotiate(0);
        lab.placeQueue(0, 8, 0x1_0000 + desc, 0x2_0000 + avail, 0x3_0000 + used);
        lab.common(Lab.QUEUE_ENABLE, 2, 1);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isZero();
        assertThat(lab.device.counters().ignored(RegisterFault.ILLEGAL_STATE)).isEqualTo(1);
    }

    @Test
    @DisplayName("2.7: a ring that wraps around the address space cannot be enabled")
    void shouldRefuseQueueWhenItWraps() {
        lab.negotiate(0);
        lab.placeQueue(0, 8, -64L, 0x2_0000, 0x3_0000);
        lab.common(Lab.QUEUE_ENABLE, 2, 1);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isZero();
    }

    @Test
    @DisplayName(
            "4.1.4.3.2: configuration after queue_enable, after DRIVER_OK and of absent queues is ignored and counted")
    void shouldIgnoreQueueConfigurationWhenLate() {
        lab.negotiate(0);
        lab.enableQueue(0, 8);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isEqualTo(1);
        long desc = lab.common(Lab.QUEUE_DESC, 8);
        lab.placeQueue(0, 16, 0x10, 0x20, 0x30);
        lab.common(Lab.QUEUE_ENABLE, 2, 0);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).as("0 never disables").isEqualTo(1);
        assertThat(lab.common(Lab.QUEUE_SIZE, 2)).isEqualTo(8);
        assertThat(lab.common(Lab.QUEUE_DESC, 8)).isEqualTo(desc);
        assertThat(lab.device.counters().ignored(RegisterFault.ILLEGAL_STATE)).isEqualTo(8);

        lab.status(0xF);
        lab.common(Lab.QUEUE_SELECT, 2, 1);
        lab.common(Lab.QUEUE_ENABLE, 2, 1);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isZero();
        lab.common(Lab.QUEUE_SELECT, 2, 2);
        lab.common(Lab.QUEUE_ENABLE, 2, 1);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isZero();
        assertThat(lab.device.counters().ignored(RegisterFault.ILLEGAL_STATE)).isEqualTo(10);
    }

    @Test
    @DisplayName("3.1.1: a queue cannot be enabled before FEATURES_OK")
    void shouldRefuseQueueWhenFeaturesAreOpen() {
        lab.status(3);
        lab.placeQueue(0, 8, 0x1_0000, 0x2_0000, 0x3_0000);
        lab.common(Lab.QUEUE_ENABLE, 2, 1);
        assertThat(lab.common(Lab.QUEUE_ENABLE, 2)).isZero();
    }

    @Test
    @Spec(id = "V6.1", section = "virtio 1.2 2.4.1")
    @Spec(id = "V6.2", section = "virtio 1.2 4.1.4.3.1")
    @Spec(id = "V6.3", section = "virtio 1.2 4.1.5.1.2.1")
    @DisplayName("V6, 2.4: reset takes everything back but the generation; no DMA and no interrupt afterwards")
    void shouldForgetEverythingWhenReset() {
        lab.negotiate(Lab.NET_STATUS);
        lab.enableQueue(0, 8);
        lab.enableQueue(1, 8);
        lab.enableMsix();
        lab.mapVectors(0, 1, 2);
        lab.status(0xF);
        lab.device.setLink(false);
        lab.device.setLink(true);
        long generation = lab.common(Lab.GENERATION, 1);
        lab.device.writeBar(1, 16 * 2 + 12, 4, 1);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.device.readBar(1, 0x800, 8))
                .as("pending on the masked vector")
                .isEqualTo(4);
        lab.messages.clear();

        lab.status(0);

        lab.device.writeBar(1, 16 * 2 + 12, 4, 0);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.messages).isEmpty();
        assertThat(lab.sent).hasSize(1);
        assertThat(lab.isr()).isZero();
        assertThat(lab.common(Lab.GENERATION, 1)).isEqualTo(generation);
        lab.common(Lab.DRIVER_FEATURE_SELECT, 4, 1);
        assertThat(lab.common(Lab.DRIVER_FEATURE, 4)).isZero();
        shouldShowDefaultsAfterReset();
    }

    @Test
    @DisplayName("PCI 6.1: a conventional reset clears configuration space and device")
    void shouldReturnToPowerOnWhenPciIsReset() {
        lab.start(0, 8);
        lab.enableMsix();
        config.write(0x20, 4, 0xF000_0000);
        lab.device.reset();
        assertThat(config.read(0x04, 2)).isZero();
        assertThat(config.read(0x20, 4)).isEqualTo(0xC);
        assertThat(config.read(0x9A, 2)).isEqualTo(2);
        assertThat(lab.device.readBar(1, 12, 4)).isEqualTo(1);
        assertThat(lab.status()).isZero();
    }

    @Test
    @DisplayName("PCI 6.2.2: without bus mastering nothing moves and nothing is lost")
    void shouldWaitWhenBusMasterIsOff() {
        lab.start(0, 8);
        lab.transmit(Lab.frame(60, 1));
        config.write(0x04, 2, 0x2);
        lab.kick(Lab.TX);
        assertThat(lab.device.poll(8)).isZero();
        assertThat(lab.device.workPending()).isFalse();
        assertThat(lab.status()).isEqualTo(0xF);
        config.write(0x04, 2, 0x6);
        assertThat(lab.device.workPending()).isTrue();
        assertThat(lab.device.poll(8)).isEqualTo(1);
    }

    @Test
    @Spec(id = "V10.1", section = "virtio 1.2 2.5.2")
    @DisplayName("V10, V26, 5.1.4: mac and status can be read before FEATURES_OK, in any width")
    void shouldShowDeviceConfigurationBeforeNegotiation() {
        for (int i = 0; i < 6; i++) {
            assertThat((byte) lab.device.readBar(4, 0x2000 + i, 1)).isEqualTo(Lab.MAC[i]);
        }
        assertThat(lab.device.readBar(4, 0x2006, 2)).isEqualTo(1);
        assertThat(lab.device.readBar(4, 0x2000, 8)).isEqualTo(0x0001_5634_1200_5452L);
    }

    @Test
    @Spec(id = "V11.1", section = "virtio 1.2 4.1.4.3.1")
    @Spec(id = "V14.2", section = "virtio 1.2 4.1.4.5.1")
    @DisplayName("V9, V11, 2.5: a link change shows in status, generation and one interrupt, if STATUS was negotiated")
    void shouldNotifyWhenLinkChanges() {
        lab.start(Lab.NET_STATUS, 8);
        long generation = lab.common(Lab.GENERATION, 1);
        lab.device.setLink(false);
        assertThat(lab.common(Lab.GENERATION, 1)).isNotEqualTo(generation);
        assertThat(lab.device.readBar(4, 0x2006, 2)).isZero();
        assertThat(lab.pin).isTrue();
        assertThat(lab.isr()).isEqualTo(2);
        lab.device.setLink(false);
        assertThat(lab.pin).isFalse();

        lab.start(0, 8);
        lab.device.setLink(true);
        assertThat(lab.isr()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 255, 256, 512, 65_536})
    @Spec(id = "V11.2", section = "virtio 1.2 4.1.4.3.1")
    @DisplayName("V11, 2.5: the generation differs around any number of changes")
    void shouldDifferAroundAnyNumberOfChanges(int changes) {
        lab.start(Lab.NET_STATUS, 8);
        long generation = lab.common(Lab.GENERATION, 1);
        for (int i = 0; i < changes; i++) {
            lab.device.setLink(i % 2 == 1);
        }
        assertThat(lab.common(Lab.GENERATION, 1)).isNotEqualTo(generation);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 77, 0x7FF, 0x800, 0xFFFF})
    @Spec(id = "V13.1", section = "virtio 1.2 4.1.5.1.2.1")
    @DisplayName("V13, 4.1.5.1.2: a vector that exists reads back, any other reads back NO_VECTOR")
    void shouldReadBackVectorWhenMapped(int vector) {
        int expected = vector < 3 ? vector : 0xFFFF;
        lab.common(Lab.CONFIG_VECTOR, 2, vector);
        lab.common(Lab.QUEUE_VECTOR, 2, vector);
        assertThat(lab.common(Lab.CONFIG_VECTOR, 2)).isEqualTo(expected);
        assertThat(lab.common(Lab.QUEUE_VECTOR, 2)).isEqualTo(expected);
        lab.common(Lab.QUEUE_VECTOR, 2, 0xFFFF);
        assertThat(lab.common(Lab.QUEUE_VECTOR, 2)).as("unmapped").isEqualTo(0xFFFF);
    }

    @Test
    @Spec(id = "V13.1", section = "virtio 1.2 4.1.5.1.2.1")
    @Spec(id = "V14.2", section = "virtio 1.2 4.1.4.5.1")
    @Spec(id = "V15.1", section = "virtio 1.2 4.1.5.3.1")
    @DisplayName(
            "V13, V14, V15, 4.1.5.1.3: MSI-X vectors by event; ISR stays for configuration changes; NO_VECTOR is silent")
    void shouldSendMessageOfMappedVectorOnly() {
        lab.enableMsix();
        lab.start(Lab.NET_STATUS, 8);
        lab.mapVectors(0, 1, 2);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.messages).containsExactly(new Lab.Message(0xFEE0_2000L, 0x42));
        assertThat(lab.isr()).isZero();

        lab.receiveBuffer(2000);
        lab.arrive(Lab.frame(60, 2));
        lab.poll();
        assertThat(lab.messages).hasSize(2).last().isEqualTo(new Lab.Message(0xFEE0_1000L, 0x41));

        lab.device.setLink(false);
        assertThat(lab.messages).hasSize(3).last().isEqualTo(new Lab.Message(0xFEE0_0000L, 0x40));
        assertThat(lab.isr()).isEqualTo(2);

        lab.mapVectors(0xFFFF, 0xFFFF, 0xFFFF);
        lab.device.setLink(true);
        lab.transmit(Lab.frame(60, 3));
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.messages).hasSize(3);
        assertThat(lab.pin).isFalse();
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(2);
    }

    @Test
    @Spec(id = "V14.1", section = "virtio 1.2 4.1.4.5.1")
    @Spec(id = "V14.3", section = "virtio 1.2 4.1.4.5.1")
    @DisplayName("V14, 4.1.4.5: ISR is the OR of its causes, reading clears it and drops the pin")
    void shouldDeassertWhenIsrIsRead() {
        lab.start(Lab.NET_STATUS, 8);
        lab.transmit(Lab.frame(60, 1));
        lab.kick(Lab.TX);
        lab.poll();
        lab.device.setLink(false);
        assertThat(lab.pinRises).isEqualTo(1);
        assertThat(config.read(0x06, 2) & 0x8).isEqualTo(0x8);
        assertThat(lab.isr()).isEqualTo(3);
        assertThat(lab.pin).isFalse();
        assertThat(config.read(0x06, 2) & 0x8).isZero();
        assertThat(lab.isr()).isZero();
    }

    private void window(int bar, int offset, int length) {
        config.write(0x84 + 4, 1, bar);
        config.write(0x84 + 8, 4, offset);
        config.write(0x84 + 12, 4, length);
    }

    @Test
    @Spec(id = "V16.1", section = "virtio 1.2 4.1.4.9.1")
    @DisplayName("V16, 4.1.4.9: the configuration access window carries out reads and writes, kicks included")
    void shouldAccessBarThroughConfigurationSpace() {
        window(4, Lab.NUM_QUEUES, 2);
        assertThat(config.read(0x94, 2)).isEqualTo(2);
        window(4, Lab.STATUS, 1);
        config.write(0x94, 1, 1);
        assertThat(lab.status()).isEqualTo(1);
        assertThat(config.read(0x94, 1)).isEqualTo(1);
        window(4, 0x2000, 4);
        assertThat(config.read(0x94, 4)).isEqualTo(0x1200_5452);

        lab.start(0, 8);
        lab.transmit(Lab.frame(60, 1));
        window(4, 0x3004, 2);
        config.write(0x94, 2, 1);
        lab.poll();
        assertThat(lab.sent).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "4,0x14,3",
        "4,0x14,0",
        "4,0x11,2",
        "4,0x4000,1",
        "4,-4,4",
        "0,0x14,1",
        "5,0x14,1",
        "6,0x14,1",
        "255,0,4"
    })
    @DisplayName("4.1.4.9.2: a window onto nothing does nothing")
    void shouldDoNothingWhenWindowIsInvalid(int bar, String offset, int length) {
        window(bar, Integer.decode(offset), length);
        config.write(0x94, 4, 1);
        config.read(0x94, 4);
        assertThat(lab.status()).isZero();
        for (RegisterFault fault : RegisterFault.values()) {
            assertThat(lab.device.counters().ignored(fault)).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "4,0x14,device_status",
        "4,0x24,queue_desc",
        "4,0x38,queue_notif_config_data",
        "4,0x3A,queue_reset",
        "4,0x3C,unimplemented",
        "4,0x1000,isr_status",
        "4,0x1001,unimplemented",
        "4,0x2005,mac",
        "4,0x2006,status",
        "4,0x2100,unimplemented",
        "4,0x3004,queue_notify",
        "4,0x3008,unimplemented",
        "1,0x2C,msix_table",
        "1,0x30,unimplemented",
        "1,0x800,msix_pba",
        "1,0x808,unimplemented",
        "0,0,unimplemented",
        "4,-1,unimplemented",
        "4,0x4000,unimplemented"
    })
    @DisplayName("PciFunction: every offset has a name")
    void shouldNameRegister(int bar, String offset, String name) {
        assertThat(lab.device.registerName(bar, Integer.decode(offset))).isEqualTo(name);
    }
}
