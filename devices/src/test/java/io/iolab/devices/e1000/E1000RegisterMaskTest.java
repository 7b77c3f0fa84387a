package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** 82540 SDM 13.4 to 13.8, 82574 datasheet 10.2: which bits of a register software can change. */
class E1000RegisterMaskTest {
    @ParameterizedTest
    @CsvSource({
        // name, offset, value after all ones on the 82540EM and the 82574L, "-" where the part has no such register
        "FLA,0x1C,0xFFFFFFFF,0xFFFFFFFF",
        "FCAL,0x28,0xFFFFFFFF,0xFFFFFFFF",
        "FCAH,0x2C,0xFFFF,0xFFFF",
        "FCT,0x30,0xFFFF,0xFFFF",
        "VET,0x38,0xFFFF,0xFFFF",
        "ITR,0xC4,0xFFFF,0xFFFF",
        "EIAC,0xDC,-,0x1F00000",
        "IAM,0xE0,-,0xFFFFFFFF",
        "IVAR,0xE4,-,0x800FFFFF",
        "EITR0,0xE8,-,0xFFFF",
        "EITR4,0xF8,-,0xFFFF",
        "FCTTV,0x170,0xFFFF,0xFFFF",
        "TXCW,0x178,0xFFFFFFFF,0xFFFFFFFF",
        "RXCW,0x180,0,0",
        "TIPG,0x410,0x3FFFFFFF,0x3FFFFFFF",
        "AIT,0x458,0xFFFF,0xFFFF",
        "LEDCTL,0xE00,0xCFCFCFCF,0xCFCFCFCF",
        "EXTCNF_CTRL,0xF00,-,0xFFF0FFF",
        "EXTCNF_SIZE,0xF08,-,0xFFFFFFFF",
        "POEMB,0xF10,-,0xFFFF",
        "PBA,0x1000,0x40,0x28",
        "PBS,0x1008,-,0x3F",
        "PSRCTL,0x2170,-,0x3F3F3F7F",
        "FCRTL,0x2160,0x8000FFF8,0x8000FFF8",
        "FCRTH,0x2168,0x8000FFF8,0x8000FFF8",
        "RDFH,0x2410,0x1FFF,0x1FFF",
        "RDFPC,0x2430,0x1FFF,0x1FFF",
        "RDBAL,0x2800,0xFFFFFFF0,0xFFFFFFF0",
        "RDBAH,0x2804,0xFFFFFFFF,0xFFFFFFFF",
        "RDLEN,0x2808,0xFFF80,0xFFF80",
        "RDH,0x2810,0xFFFF,0xFFFF",
        "RDT,0x2818,0xFFFF,0xFFFF",
        "RDTR,0x2820,0xFFFF,0xFFFF",
        "RXDCTL,0x2828,0x13F3F3F,0x13F3F3F",
        "RADV,0x282C,0xFFFF,0xFFFF",
        "RDBAL1,0x2900,-,0xFFFFFFF0",
        "RDLEN1,0x2908,-,0xFFF80",
        "RXDCTL1,0x2928,-,0x13F3F3F",
        "RSRPD,0x2C00,0xFFF,0xFFF",
        "RAID,0x2C08,-,0xFFFF",
        "TDFH,0x3410,0x7FF,0x1FFF",
        "TDBAL,0x3800,0xFFFFFFF0,0xFFFFFFF0",
        "TDBAH,0x3804,0xFFFFFFFF,0xFFFFFFFF",
        "TDLEN,0x3808,0xFFF80,0xFFF80",
        "TDH,0x3810,0xFFFF,0xFFFF",
        "TDT,0x3818,0xFFFF,0xFFFF",
        "TIDV,0x3820,0xFFFF,0xFFFF",
        "TXDCTL,0x3828,0xFF3F3F3F,0xFF7F3F3F",
        "TADV,0x382C,0xFFFF,0xFFFF",
        "TARC0,0x3840,-,0x780007FF",
        "TDLEN1,0x3908,-,0xFFF80",
        "TXDCTL1,0x3928,-,0xFF7F3F3F",
        "TARC1,0x3940,-,0x780007FF",
        "RXCSUM,0x5000,0x7FF,0x37FF",
        "RFCTL,0x5008,-,0x7FFFF",
        "MTA[127],0x53FC,0xFFFFFFFF,0xFFFFFFFF",
        "RAL[15],0x5478,0xFFFFFFFF,0xFFFFFFFF",
        "RAH[15],0x547C,0x8003FFFF,0x8003FFFF",
        "VFTA[127],0x57FC,0xFFFFFFFF,0xFFFFFFFF",
        "WUC,0x5800,0x8000000B,0x8000000B",
        "WUFC,0x5808,0xF80FF,0xF80FF",
        "WUS,0x5810,0,0",
        "MRQC,0x5818,-,0x3F0003",
        "MANC,0x5820,0xFFFFFFFF,0xFFFFFFFF",
        "IPAV,0x5838,0x1000F,0x1000F",
        "IP4AT[3],0x5858,0xFFFFFFFF,0xFFFFFFFF",
        "IP6AT[3],0x588C,0xFFFFFFFF,0xFFFFFFFF",
        "WUPL,0x5900,0,0",
        "WUPM[31],0x5A7C,0,0",
        "GCR,0x5B00,-,0xFFFFFFFF",
        "SWSM,0x5B50,-,0x3",
        "FWSM,0x5B54,-,0",
        "SWSM2,0x5B58,-,0x2",
        "RETA[31],0x5C7C,-,0xFFFFFFFF",
        "RSSRK[9],0x5CA4,-,0xFFFFFFFF",
        "FFLT[3],0x5F18,0x7FF,0x7FF",
        "FFMT[127],0x93F8,0xF,0xF",
        "FFVT[127],0x9BF8,0xFFFFFFFF,0xFFFFFFFF",
        "TIMINCA,0xB608,-,0xFFFFFFFF",
        "TSYNCTXCTL,0xB614,-,0x10",
        "TSYNCRXCTL,0xB620,-,0x1E",
        "RXUDP,0xB638,-,0xFFFF",
        "PBM[16383],0x1FFFC,0xFFFFFFFF,0xFFFFFFFF",
    })
    @DisplayName("All ones read back as the defined bits; zero reads back as zero, read-only bits aside")
    void shouldKeepDefinedBits(String name, String offset, String conventional, String express) {
        for (E1000Model model : E1000Model.values()) {
            String expected = model == E1000Model.I82540EM ? conventional : express;
            try (Bench bench = new Bench(model)) {
                int register = Integer.decode(offset);
                assertThat(bench.device.registerName(0, register).equals("unimplemented"))
                        .as("%s on %s", name, model)
                        .isEqualTo(expected.equals("-"));
                if (!expected.equals("-")) {
                    bench.write(register, -1);
                    assertThat(bench.read(register))
                            .as("%s on %s", name, model)
                            .isEqualTo(Long.decode(expected).intValue());
                    bench.write(register, 0);
                    // PBA: what receive leaves to transmit. GCR: three bits are read-only.
                    int rest = switch (name) {
                        case "PBA" -> model == E1000Model.I82540EM ? 64 << 16 : 40 << 16;
                        case "GCR" -> 0x0680_0000;
                        default -> 0;
                    };
                    assertThat(bench.read(register)).as("%s on %s", name, model).isEqualTo(rest);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName(
            "13.4 LEDCTL: what software writes stays through a link change, and the EEPROM's value is back after a reset")
    void shouldKeepLeds(E1000Model model) {
        try (Bench bench = new Bench(model)) {
            int reset = bench.read(0xE00);
            assertThat(reset).isEqualTo(model == E1000Model.I82540EM ? 0x0706_8302 : 0x0006_8302);
            bench.write(0xE00, 0x0E0E_0E0F);
            bench.device.setLink(false);
            bench.device.setLink(true);
            assertThat(bench.read(0xE00)).isEqualTo(0x0E0E_0E0F);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(0xE00)).isEqualTo(reset);
        }
    }

    @Test
    @DisplayName(
            "82574 10.2 SWSM, FWSM, EXTCNF_CTRL: SMBI is taken by a read, SWESMBI and ownership stick, no firmware answers")
    void shouldServeSemaphores() {
        try (Bench bench = Bench.i82574l()) {
            assertThat(bench.read(0x5B50)).as("SMBI set at reset").isEqualTo(1);
            bench.write(0x5B50, 0);
            assertThat(bench.read(0x5B50)).isZero();
            assertThat(bench.read(0x5B50)).isEqualTo(1);
            bench.write(0x5B50, 2);
            assertThat(bench.read(0x5B50)).as("SWESMBI granted, SMBI free").isEqualTo(2);
            assertThat(bench.read(0x5B50)).isEqualTo(3);
            assertThat(bench.read(0x5B54)).isZero();
            bench.write(0xF00, 0x20);
            assertThat(bench.read(0xF00)).isEqualTo(0x20);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(0xF00)).isEqualTo(8);
            assertThat(bench.read(0x5B50)).isEqualTo(1);
        }
    }
}
