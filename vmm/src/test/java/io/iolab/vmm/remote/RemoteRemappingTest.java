package io.iolab.vmm.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.pci.PortConfigAccess;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A client programs the remapping unit and makes the test device and others use it, all through the socket. Registers and tables are
 * written word by word from VT-d chapters 9 and 10.
 */
class RemoteRemappingTest {
    private static final long UNIT = 0xFED9_0000L;
    private static final int GSTS = 0x1C;
    private static final int FSTS = 0x34;
    private static final int FRCD = 0x220;
    private static final int TRANSLATION = 1 << 31;
    private static final int ROOT_POINTER = 1 << 30;
    private static final int QUEUE = 1 << 26;
    private static final int REMAPPING = 1 << 25;
    private static final int INTERRUPT_TABLE = 1 << 24;
    private static final int COMPATIBILITY = 1 << 23;

    private static final long TESTDEV = 0xE000_0000L;
    private static final long EDU = 0xE010_0000L;
    private static final int TESTDEV_RID = 3 << 3;
    private static final int EDU_RID = 4 << 3;
    private static final int IO_APIC_RID = 0xFF00;
    private static final int WRITE_FAILED = 0xDEAD_0002;

    private static final long ROOT = 0x1_0000;
    private static final long CONTEXT = 0x1_1000;
    private static final long DIRECTORY = 0x1_2000;
    private static final long PASIDS = 0x1_3000;
    private static final long LEVEL4 = 0x1_4000;
    private static final long TABLE = 0x2_0000;
    private static final long PAGE = 0x10_0000;
    /** Indices 0, 1, 2, 3 from the top, offset 0x568. */
    private static final long IOVA = 1L << 30 | 2L << 21 | 3L << 12 | 0x568;

    private Served served;
    private PortConfigAccess config;

    private void start(String options) throws IOException {
        served = Served.start(
                "-machine",
                "q35",
                "-device",
                options,
                "-device",
                "iommu-testdev,addr=03.0",
                "-device",
                "edu,addr=04.0");
        config = new PortConfigAccess(served.client());
        place(TESTDEV_RID, TESTDEV);
        place(EDU_RID, EDU);
    }

    private void place(int rid, long base) {
        config.write(rid, 0x10, 4, (int) base);
        config.write(rid, 0x04, 2, 0x6);
    }

    @AfterEach
    void end() throws IOException {
        served.close();
    }

    private QtestClient client() {
        return served.client();
    }

    private int register(int offset) {
        return client().load32(UNIT + offset);
    }

    private void put(long address, long value) {
        client().store(address, 8, value);
    }

    private void command(int bit, boolean on) {
        int steady = register(GSTS) & 0x96FF_FFFF;
        client().store32(UNIT + 0x18, on ? steady | bit : steady & ~bit);
        assertThat(register(GSTS) & bit).as("GSTS").isEqualTo(on ? bit : 0);
    }

    private void translate(long rootPointer) {
        put(UNIT + 0x20, rootPointer);
        command(ROOT_POINTER, true);
        command(TRANSLATION, true);
    }

    /** Arms and triggers; the result register. */
    private int transfer(long iova, long gpa) {
        client().store32(TESTDEV + 0x04, (int) iova);
        client().store32(TESTDEV + 0x08, (int) (iova >>> 32));
        client().store32(TESTDEV + 0x1C, (int) gpa);
        client().store32(TESTDEV + 0x20, (int) (gpa >>> 32));
        client().store32(TESTDEV + 0x0C, 4);
        client().store32(TESTDEV + 0x14, 1);
        client().load32(TESTDEV);
        return client().load32(TESTDEV + 0x10);
    }

    /** Four levels that lead {@link #IOVA} to {@link #PAGE}. */
    private void chain(long rights) {
        for (int level = 0; level < 3; level++) {
            put(LEVEL4 + 0x1000L * level + 8L * level, LEVEL4 + 0x1000L * (level + 1) | rights);
        }
        put(LEVEL4 + 0x3000 + 24, PAGE | rights);
    }

    private void legacy(long low, long high) {
        put(ROOT, CONTEXT | 1);
        put(CONTEXT + 16L * TESTDEV_RID + 8, high);
        put(CONTEXT + 16L * TESTDEV_RID, low);
    }

    /** RID_PASID is 0. */
    private void scalable(long entry, long third) {
        put(ROOT, CONTEXT | 1);
        put(CONTEXT + 32L * TESTDEV_RID, DIRECTORY | 1);
        put(DIRECTORY, PASIDS | 1);
        put(PASIDS + 8, 7);
        put(PASIDS + 16, third);
        put(PASIDS, entry);
    }

    // ---- DMA

    /** VT-d 9.3, 9.6: translation type, and type of the PASID entry; the modes of QEMU's own test of its unit. */
    @ParameterizedTest
    @CsvSource({
        "legacy-pass-through, intel-iommu, false",
        "legacy-tables, intel-iommu, true",
        "scalable-pass-through, 'intel-iommu,scalable-mode=on', false",
        "scalable-second-level, 'intel-iommu,scalable-mode=on', true",
        "scalable-first-level, 'intel-iommu,scalable-mode=on,fsts=on', true",
    })
    void shouldTranslateInEveryMode(String mode, String options, boolean translated) throws IOException {
        start(options);
        chain(mode.endsWith("first-level") ? 7 : 3);
        switch (mode) {
            case "legacy-pass-through" -> legacy(2 << 2 | 1, 2 | 7 << 8);
            case "legacy-tables" -> legacy(LEVEL4 | 1, 2 | 7 << 8);
            case "scalable-pass-through" -> scalable(4 << 6 | 2 << 2 | 1, 0);
            case "scalable-second-level" -> scalable(LEVEL4 | 2 << 6 | 2 << 2 | 1, 0);
            default -> scalable(1 << 6 | 1, LEVEL4);
        }
        translate(ROOT | (mode.startsWith("scalable") ? 1 << 10 : 0));
        long iova = translated ? IOVA : 0x10_0568;
        assertThat(transfer(iova, PAGE + 0x568)).as("fault record %x", fault()).isZero();
        assertThat(client().load32(PAGE + 0x568)).isEqualTo(0x1234_5678);
        assertThat(register(FSTS) & 2).isZero();
    }

    /** High half of the fault record (VT-d 10.4.14.2). */
    private long fault() {
        return client().load(UNIT + FRCD + 8, 8);
    }

    private int faultReason() {
        return (int) (fault() >>> 32) & 0xFF;
    }

    @Test
    @DisplayName("VT-d 7.2.1: a blocked write is recorded with its reason, page and source, and raises the fault event")
    void shouldReportFaultsByRecordAndMessage() throws IOException {
        start("intel-iommu,scalable-mode=on");
        chain(1);
        scalable(LEVEL4 | 2 << 6 | 2 << 2 | 1, 0);
        client().store32(UNIT + 0x3C, 0x41);
        client().store32(UNIT + 0x40, 0xFEE0_1000);
        client().store32(UNIT + 0x38, 0);
        translate(ROOT | 1 << 10);
        assertThat(transfer(IOVA, PAGE)).isEqualTo(WRITE_FAILED);
        assertThat(register(FSTS) & 0xFF03).as("PPF, FRI 0").isEqualTo(2);
        assertThat(faultReason()).as("SM: no write permission").isEqualTo(0x85);
        assertThat(client().load(UNIT + FRCD, 8)).isEqualTo(IOVA & ~0xFFFL);
        assertThat((int) fault() & 0xFFFF).isEqualTo(TESTDEV_RID);
        assertThat(messages()).isEqualTo("[{\"address\":4276097024,\"data\":65}]");
        assertThat(messages()).as("taken").isEqualTo("[]");
    }

    private String messages() {
        String reply = client().monitor("x-iolab-take-messages", "{}");
        return reply.substring("{\"return\":".length(), reply.length() - 1);
    }

    /** VT-d 6.5.2: a stale translation serves until it is invalidated; the wait's status word says when that is done. */
    @Test
    void shouldForgetWhatTheQueueInvalidates() throws IOException {
        start("intel-iommu");
        chain(3);
        legacy(LEVEL4 | 1, 2 | 7 << 8);
        translate(ROOT);
        assertThat(transfer(IOVA, PAGE + 0x568)).isZero();
        put(LEVEL4 + 0x3000 + 24, 0);
        assertThat(transfer(IOVA, PAGE + 0x568)).as("cached").isZero();
        queue(0x2 | 3 << 4 | 7 << 16, IOVA & ~0xFFFL);
        queue(0x5 | 1 << 5 | 0x77L << 32, 0x9000);
        assertThat(client().load32(0x9000)).isEqualTo(0x77);
        assertThat(transfer(IOVA, PAGE + 0x568)).isEqualTo(WRITE_FAILED);
        assertThat(faultReason()).isEqualTo(5);
    }

    private int tail;

    private void queue(long low, long high) {
        if ((register(GSTS) & QUEUE) == 0) {
            put(UNIT + 0x88, 0);
            put(UNIT + 0x90, 0x8000);
            command(QUEUE, true);
        }
        put(0x8000 + tail + 8, high);
        put(0x8000 + tail, low);
        tail += 16;
        client().store32(UNIT + 0x88, tail);
    }

    // ---- interrupts

    private void remapInterrupts() {
        put(UNIT + 0xB8, TABLE | 7);
        command(INTERRUPT_TABLE, true);
        command(REMAPPING, true);
    }

    /** VT-d 9.9: vector, destination in 47:40, source id checked in full. */
    private void entry(int index, int vector, int destination, int source) {
        put(TABLE + 16L * index + 8, 1 << 18 | source);
        put(TABLE + 16L * index, (long) destination << 40 | (long) vector << 16 | 1);
    }

    /** The MSI capability at 0x40, and one interrupt. */
    private void raise(int address, int data) {
        config.write(EDU_RID, 0x44, 4, address);
        boolean wide = (config.read(EDU_RID, 0x42, 2) & 0x80) != 0;
        if (wide) {
            config.write(EDU_RID, 0x48, 4, 0);
        }
        config.write(EDU_RID, wide ? 0x4C : 0x48, 2, data);
        config.write(EDU_RID, 0x42, 2, 1);
        client().store32(EDU + 0x60, 1);
        client().store32(EDU + 0x64, 1);
    }

    @Test
    @DisplayName("VT-d 5.1.4: a message in remappable format is rebuilt from its entry, level asserted")
    void shouldRemapMessagesOfDevices() throws IOException {
        start("intel-iommu");
        entry(5, 0x91, 3, EDU_RID);
        raise(0xFEE0_0000 | 5 << 5 | 1 << 4, 0);
        assertThat(messages()).as("off: as sent").contains("\"address\":" + (0xFEE0_00B0L));
        remapInterrupts();
        raise(0xFEE0_0000 | 5 << 5 | 1 << 4, 0);
        assertThat(messages()).isEqualTo("[{\"address\":" + 0xFEE0_3000L + ",\"data\":" + 0x4091 + "}]");
    }

    @ParameterizedTest
    @CsvSource({
        "6, true, 0x22, nothing there",
        "7, true, 0x26, of another source",
        "0x4000, true, 0x21, beyond the table",
        "5, false, 0x25, compatibility format",
    })
    void shouldBlockMessagesThatTheTableDoesNotAllow(int index, boolean remappable, int reason, String why)
            throws IOException {
        start("intel-iommu");
        entry(5, 0x91, 3, EDU_RID);
        entry(7, 0x92, 3, TESTDEV_RID);
        remapInterrupts();
        raise(remappable ? 0xFEE0_0010 | index << 5 : 0xFEE0_1000, 0);
        assertThat(messages()).isEqualTo("[]");
        assertThat(faultReason()).as(why).isEqualTo(reason);
        assertThat((int) fault() & 0xFFFF).isEqualTo(EDU_RID);
    }

    @Test
    void shouldLetCompatibilityFormatThroughWhereSoftwareSaysSo() throws IOException {
        start("intel-iommu");
        remapInterrupts();
        command(COMPATIBILITY, true);
        raise(0xFEE0_1000, 0x33);
        assertThat(messages()).isEqualTo("[{\"address\":" + 0xFEE0_1000L + ",\"data\":51}]");
    }

    private void ioApic(int index, int value) {
        client().store32(0xFEC0_0000L, index);
        client().store32(0xFEC0_0010L, value);
    }

    /** VT-d 5.1.5.1: RTE bit 48 format, 63:49 index 14:0, bit 11 index 15. Slot 4's INTA# is input 20 on this board. */
    @ParameterizedTest
    @CsvSource({"9, 0", "0x1003, 0x26", "8, 0x22"})
    void shouldRemapTheIoApicUnderItsOwnSourceId(int index, int reason) throws IOException {
        start("intel-iommu");
        put(UNIT + 0xB8, TABLE | 15);
        command(INTERRUPT_TABLE, true);
        command(REMAPPING, true);
        entry(9, 0x94, 2, IO_APIC_RID);
        entry(0x1003, 0x95, 2, EDU_RID);
        ioApic(0x10 + 2 * 20 + 1, index << 17 | 1 << 16);
        client().store32(0xFEC0_0000L, 0x10 + 2 * 20 + 1);
        assertThat(client().load32(0xFEC0_0010L)).as("kept").isEqualTo(index << 17 | 1 << 16);
        ioApic(0x10 + 2 * 20, 1 << 15 | 0x94);
        assertThat(messages()).isEqualTo("[]");
        client().store32(EDU + 0x60, 1);
        assertThat(messages())
                .isEqualTo(reason == 0 ? "[{\"address\":" + 0xFEE0_2000L + ",\"data\":" + 0x4094 + "}]" : "[]");
        assertThat(faultReason()).isEqualTo(reason);
        if (reason != 0) {
            assertThat((int) fault() & 0xFFFF).isEqualTo(IO_APIC_RID);
        }
    }

    @Test
    void shouldSendTheIoApicsInterruptsInCompatibilityFormatWhileRemappingIsOff() throws IOException {
        start("intel-iommu");
        ioApic(0x10 + 2 * 20 + 1, 5 << 24);
        ioApic(0x10 + 2 * 20, 1 << 15 | 1 << 11 | 0x44);
        client().store32(EDU + 0x60, 1);
        assertThat(messages()).isEqualTo("[{\"address\":" + 0xFEE0_5004L + ",\"data\":" + 0xC044 + "}]");
    }
}
