package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.spec.Spec;
import org.junit.jupiter.api.Test;

/** Registers at rest and the GCMD/GSTS protocol (VT-d 10.4.1 to 10.4.6). */
class GlobalCommandTest {
    private static DmaFault touch(Bench bench, long iova) {
        return bench.unit.portFor(Tables.RID).read(iova, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    @Test
    void shouldResetAsListed() {
        try (Bench bench = new Bench()) {
            assertThat(bench.load32(0x00)).as("VER").isEqualTo(0x10);
            assertThat(bench.load32(Bench.GSTS)).isZero();
            assertThat(bench.load32(Bench.FSTS)).isZero();
            assertThat(bench.load32(Bench.FECTL)).isEqualTo(1 << 31);
            assertThat(bench.load32(Bench.IECTL)).isEqualTo(1 << 31);
            for (int offset : new int[] {Bench.RTADDR, Bench.CCMD, Bench.IQH, Bench.IQT, Bench.IQA, Bench.IOTLB}) {
                assertThat(bench.load64(offset)).as("0x%x", offset).isZero();
            }
        }
    }

    /** Writing all ones shows which bits each register keeps. */
    @Test
    void shouldKeepWritableBitsOnly() {
        try (Bench bench = new Bench()) {
            long address = (1L << 46) - 4096;
            bench.store64(Bench.RTADDR, -1);
            assertThat(bench.load64(Bench.RTADDR)).isEqualTo(address | 0xC00);
            bench.store64(Bench.IQA, -1);
            assertThat(bench.load64(Bench.IQA)).isEqualTo(address | 0x807);
            bench.store64(Bench.IQT, -1);
            assertThat(bench.load64(Bench.IQT)).isEqualTo(0x7FFF0);
            bench.store32(Bench.FEDATA, -1);
            assertThat(bench.load32(Bench.FEDATA)).isEqualTo(0xFFFF);
            bench.store32(Bench.FEADDR, -1);
            assertThat(bench.load32(Bench.FEADDR)).isEqualTo(-4);
            bench.store32(Bench.FEADDR + 4, -1);
            assertThat(bench.load32(Bench.FEADDR + 4)).as("FEUADDR without EIM").isZero();
            bench.store64(Bench.IVA, -1);
            assertThat(bench.load64(Bench.IVA)).as("write-only").isZero();
            bench.store64(Bench.CCMD, 0x3_FFFF_FFFFL);
            assertThat(bench.load64(Bench.CCMD)).as("SID and FM are write-only").isEqualTo(0xFFFF);
            bench.store64(Bench.IOTLB, Long.MAX_VALUE);
            assertThat(bench.load64(Bench.IOTLB)).isEqualTo(0x3003_FFFF_0000_0000L);
            bench.store32(0x64, -1);
            assertThat(bench.load32(0x64)).as("PMEN without protected regions").isZero();
            assertThat(bench.load32(Bench.GCMD)).as("write-only").isZero();
        }
    }

    @Test
    void shouldAnnounceOptionsInCapabilities() {
        RemappingOptions options = RemappingOptions.builder()
                .addressWidths(39, 57)
                .guestAddressWidth(50)
                .domainIdBits(12)
                .faultRecords(5)
                .largePages(true, false)
                .cachingMode(true)
                .writeBufferFlush(true)
                .coherentWalks(false)
                .build();
        try (Bench bench = new Bench(options)) {
            long cap = bench.load64(Bench.CAP);
            assertThat(cap & 7).as("ND").isEqualTo(4);
            assertThat(cap >>> 4 & 1).as("RWBF").isEqualTo(1);
            assertThat(cap >>> 7 & 1).as("CM").isEqualTo(1);
            assertThat(cap >>> 8 & 0x1F).as("SAGAW").isEqualTo(0b01010);
            assertThat(cap >>> 16 & 0x3F).as("MGAW").isEqualTo(49);
            assertThat(cap >>> 24 & 0x3FF).as("FRO").isEqualTo(0x22);
            assertThat(cap >>> 34 & 0xF).as("SLLPS").isEqualTo(1);
            assertThat(cap >>> 40 & 0xFF).as("NFR").isEqualTo(4);
            assertThat(cap >>> 48 & 0x3F).as("MAMV").isEqualTo(18);
            assertThat(bench.load64(Bench.ECAP)).as("QI, PT, IRO").isEqualTo(0xF42);
        }
    }

    @Test
    void shouldIgnoreAccessesOfOddWidth() {
        try (Bench bench = new Bench()) {
            assertThat(bench.cpu.load(Bench.BASE + Bench.FECTL, 2)).isZero();
            bench.cpu.store(Bench.BASE + Bench.FEDATA, 1, 0x55);
            bench.cpu.store(Bench.BASE + Bench.RTADDR + 4, 8, 0x55);
            assertThat(bench.load32(Bench.FEDATA)).isZero();
            assertThat(bench.unit.ignored(RegisterFault.WRONG_WIDTH)).isEqualTo(3);
        }
    }

    @Test
    @Spec(id = "G31.1", section = "VT-d 3.3 10.4.4")
    void shouldPassUntranslatedUntilEnabled() {
        try (Bench bench = new Bench()) {
            Tables.build(bench.memory);
            bench.memory.writeLong(Tables.PAGE, 0x1122_3344L);
            byte[] seen = new byte[8];
            DmaPort port = bench.unit.portFor(Tables.RID);

            assertThat(port.read(Tables.PAGE, seen, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
            assertThat(seen[0]).isEqualTo((byte) 0x44);
            assertThat(port.read(Tables.IOVA, seen, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.BEYOND_MEMORY);

            bench.setRoot(Tables.ROOT);
            assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.SRTP);
            bench.translation(true);
            assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.SRTP | Bench.TE);
            assertThat(port.read(Tables.IOVA, seen, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
            assertThat(seen[0]).isEqualTo((byte) 0x44);
            assertThat(port.read(Tables.PAGE, seen, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NO_READ);

            bench.translation(false);
            assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.SRTP);
            assertThat(port.read(Tables.PAGE, seen, 0, 8, DmaKind.PAYLOAD)).isEqualTo(DmaFault.NONE);
        }
    }

    /** The root pointer is taken over by SRTP, not by the write to RTADDR. */
    @Test
    @Spec(id = "G30.1", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G30.2", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G30.3", section = "VT-d 3.3 10.4.4")
    void shouldLatchRootPointerAtSrtp() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            long emptyRoot = 0x3_0000;
            bench.store64(Bench.RTADDR, emptyRoot);
            assertThat(touch(bench, Tables.IOVA)).as("RTADDR alone").isEqualTo(DmaFault.NONE);

            bench.store32(Bench.GCMD, Bench.TE | Bench.SRTP);
            assertThat(touch(bench, Tables.IOVA))
                    .as("cached entries survive SRTP")
                    .isEqualTo(DmaFault.NONE);
            assertThat(bench.unit.portFor(1).read(0, new byte[1], 0, 1, DmaKind.PAYLOAD))
                    .as("the new root is empty")
                    .isEqualTo(DmaFault.NOT_MAPPED);

            bench.store64(Bench.CCMD, 1L << 63 | 1L << 61);
            assertThat(touch(bench, Tables.IOVA)).isEqualTo(DmaFault.NOT_MAPPED);
        }
    }

    /** Cached entries outlive TE going off and on: only invalidation removes them. */
    @Test
    @Spec(id = "G31.2", section = "VT-d 3.3 10.4.4")
    void shouldKeepCachesAcrossTranslationOff() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            assertThat(touch(bench, Tables.IOVA)).isEqualTo(DmaFault.NONE);
            bench.translation(false);
            bench.memory.writeLong(Tables.ENTRY1, 0);
            bench.translation(true);
            assertThat(touch(bench, Tables.IOVA)).isEqualTo(DmaFault.NONE);
        }
    }

    @Test
    @Spec(id = "G27", section = "VT-d 3.3 10.4.4")
    void shouldFinishWriteBufferFlushWithStatusZero() {
        try (Bench bench =
                new Bench(RemappingOptions.builder().writeBufferFlush(true).build())) {
            bench.store32(Bench.GCMD, Bench.WBF);
            assertThat(bench.load32(Bench.GSTS)).isZero();
        }
    }

    /** Every bit alone, from each steady state: only offered bits show in GSTS. */
    @Test
    @Spec(id = "G29", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G28", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G25.2", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G0.3", section = "VT-d 3.3 10.4.4")
    void shouldFollowSingleCommandsAndNothingElse() {
        for (int bit = 23; bit <= 31; bit++) {
            try (Bench bench = new Bench()) {
                int command = 1 << bit;
                bench.store32(Bench.GCMD, command);
                boolean shows = command == Bench.TE || command == Bench.SRTP || command == Bench.QIE;
                assertThat(bench.load32(Bench.GSTS)).as("bit %d", bit).isEqualTo(shows ? command : 0);
                long illegal = shows || command == Bench.WBF ? 0 : 1;
                assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE))
                        .as("bit %d", bit)
                        .isEqualTo(illegal);
            }
        }
    }

    @Test
    @Spec(id = "G0.1", section = "VT-d 3.3 10.4.4")
    void shouldCarryOutAndCountSeveralChangesAtOnce() {
        try (Bench bench = new Bench()) {
            bench.store32(Bench.GCMD, Bench.TE | Bench.QIE);
            assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.TE | Bench.QIE);
            assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE)).isEqualTo(1);
        }
    }

    @Test
    void shouldNotOfferQueueThatIsAbsent() {
        try (Bench bench =
                new Bench(RemappingOptions.builder().queuedInvalidation(false).build())) {
            bench.store32(Bench.GCMD, Bench.QIE);
            assertThat(bench.load32(Bench.GSTS)).isZero();
            bench.store64(Bench.IQA, 0x5000);
            assertThat(bench.load64(Bench.IQA)).isZero();
        }
    }
}
