package io.iolab.devices.e1000;

import static io.iolab.devices.register.RegisterSpec.readClear;
import static io.iolab.devices.register.RegisterSpec.readOnly;
import static io.iolab.devices.register.RegisterSpec.readWrite;

import io.iolab.devices.register.RegisterMap;
import io.iolab.devices.register.RegisterSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * The registers of each model as data, in the order of 82540 SDM 13.2 and 82574 datasheet 10.2. Reset values that
 * come from the EEPROM are loaded over these by {@link Eeprom}'s owner; behaviour is attached by the units.
 */
final class RegisterTables {
    private static final long ALL = 0xFFFF_FFFFL;
    private static final long RING_BASE = 0xFFFF_FFF0L;
    /** Bits 19:7: a multiple of 128 bytes (82540 SDM 13.4). */
    private static final long RING_LENGTH = 0x000F_FF80L;

    private static final long WORD = 0xFFFFL;
    private static final long FIFO_POINTER = 0x1FFFL;

    /** Name and offset of each statistics register. */
    private static final String[] STATISTICS = {
        "CRCERRS:4000",
        "ALGNERRC:4004",
        "SYMERRS:4008",
        "RXERRC:400C",
        "MPC:4010",
        "SCC:4014",
        "ECOL:4018",
        "MCC:401C",
        "LATECOL:4020",
        "COLC:4028",
        "DC:4030",
        "TNCRS:4034",
        "SEC:4038",
        "CEXTERR:403C",
        "RLEC:4040",
        "XONRXC:4048",
        "XONTXC:404C",
        "XOFFRXC:4050",
        "XOFFTXC:4054",
        "FCRUC:4058",
        "PRC64:405C",
        "PRC127:4060",
        "PRC255:4064",
        "PRC511:4068",
        "PRC1023:406C",
        "PRC1522:4070",
        "GPRC:4074",
        "BPRC:4078",
        "MPRC:407C",
        "GPTC:4080",
        "GORCL:4088",
        "GORCH:408C",
        "GOTCL:4090",
        "GOTCH:4094",
        "RNBC:40A0",
        "RUC:40A4",
        "RFC:40A8",
        "ROC:40AC",
        "RJC:40B0",
        "MGTPRC:40B4",
        "MGTPDC:40B8",
        "MGTPTC:40BC",
        "TORL:40C0",
        "TORH:40C4",
        "TOTL:40C8",
        "TOTH:40CC",
        "TPR:40D0",
        "TPT:40D4",
        "PTC64:40D8",
        "PTC127:40DC",
        "PTC255:40E0",
        "PTC511:40E4",
        "PTC1023:40E8",
        "PTC1522:40EC",
        "MPTC:40F0",
        "BPTC:40F4",
        "TSCTC:40F8",
        "TSCTFC:40FC"
    };

    static final RegisterMap I82540EM = new RegisterMap(E1000Registers.WINDOW, i82540em());
    static final RegisterMap I82574L = new RegisterMap(E1000Registers.WINDOW, i82574l());

    /** One reset value and mask for each model; a register that a model lacks is given by its absence from the list. */
    private record Face(E1000Model model) {
        long pick(long i82540em, long i82574l) {
            return model == E1000Model.I82540EM ? i82540em : i82574l;
        }
    }

    private RegisterTables() {}

    private static List<RegisterSpec> i82540em() {
        List<RegisterSpec> all = new ArrayList<>();
        Face face = new Face(E1000Model.I82540EM);
        general(all, face);
        interrupts(all, face);
        receive(all, face);
        transmit(all, face);
        filters(all);
        wakeUp(all, face);
        statistics(all);
        aliases(all);
        return all;
    }

    private static List<RegisterSpec> i82574l() {
        List<RegisterSpec> all = new ArrayList<>();
        Face face = new Face(E1000Model.I82574L);
        general(all, face);
        interrupts(all, face);
        receive(all, face);
        transmit(all, face);
        filters(all);
        wakeUp(all, face);
        statistics(all);
        aliases(all);
        nvmAndFirmware(all);
        secondQueues(all);
        pciExpress(all);
        timeStamps(all);
        return all;
    }

    private static void general(List<RegisterSpec> all, Face face) {
        // The reset values of CTRL and STATUS are computed: EEPROM and link decide (82540 SDM 13.4).
        all.add(readWrite("CTRL", 0x0000, 0, face.pick(0xDFFC_1BE9L, 0xFFFC_1BEDL), "13.4"));
        all.add(readWrite("CTRL_DUP", 0x0004, 0, ALL, "13.4"));
        all.add(readOnly("STATUS", 0x0008, 0, "13.4"));
        all.add(readWrite("EECD", 0x0010, 0, face.pick(0x0000_0077L, 0x00F8_0077L), "13.4"));
        all.add(readWrite("EERD", 0x0014, face.pick(0, 2), ALL, "13.4"));
        all.add(readWrite("CTRL_EXT", 0x0018, 0, face.pick(0x00C0_FFFFL, 0xFFFF_CFFFL), "13.4"));
        all.add(readWrite("FLA", 0x001C, 0, ALL, "13.4"));
        all.add(readWrite("MDIC", 0x0020, 0, ALL, "13.4"));
        all.add(readWrite("FCAL", 0x0028, 0, ALL, "13.4"));
        all.add(readWrite("FCAH", 0x002C, 0, WORD, "13.4"));
        all.add(readWrite("FCT", 0x0030, 0, WORD, "13.4"));
        // The manuals differ over 0 and 8100h; drivers write it before they rely on it.
        all.add(readWrite("VET", 0x0038, 0x8100, WORD, "13.4"));
        all.add(readWrite("FCTTV", 0x0170, 0, WORD, "13.4"));
        all.add(readWrite("TXCW", 0x0178, 0, ALL, "13.4"));
        all.add(readOnly("RXCW", 0x0180, 0, "13.4"));
        all.add(readWrite("LEDCTL", 0x0E00, face.pick(0x0706_8302L, 0x0006_8302L), 0xCFCF_CFCFL, "13.4"));
        // 64 KB of packet buffer, 40 KB on the 82574; the upper half is what receive leaves to transmit.
        all.add(readWrite("PBA", 0x1000, face.pick(0x0010_0030L, 0x0014_0014L), 0x7F, "13.4"));
        all.addAll(readWrite("PBM", 0x10000, 0, ALL, "13.4").times(16384, 4));
    }

    private static void interrupts(List<RegisterSpec> all, Face face) {
        all.add(readWrite("ICR", 0x00C0, 0, 0, "13.4"));
        all.add(readWrite("ITR", 0x00C4, 0, WORD, "13.4"));
        all.add(readWrite("ICS", 0x00C8, 0, 0, "13.4"));
        all.add(readWrite("IMS", 0x00D0, 0, 0, "13.4"));
        all.add(readWrite("IMC", 0x00D8, 0, 0, "13.4"));
        if (face.model() == E1000Model.I82574L) {
            all.add(readWrite("EIAC", 0x00DC, 0, 0x01F0_0000L, "82574 10.2"));
            all.add(readWrite("IAM", 0x00E0, 0, ALL, "82574 10.2"));
            all.add(readWrite("IVAR", 0x00E4, 0, 0x800F_FFFFL, "82574 10.2"));
            all.addAll(readWrite("EITR", 0x00E8, 0, WORD, "82574 10.2").times(5, 4));
        }
    }

    private static void receive(List<RegisterSpec> all, Face face) {
        all.add(readWrite("RCTL", 0x0100, 0, face.pick(0x06DF_FFFEL, 0x7EDF_FFFEL), "13.4"));
        all.add(readWrite("FCRTL", 0x2160, 0, 0x8000_FFF8L, "13.4"));
        all.add(readWrite("FCRTH", 0x2168, 0, 0x8000_FFF8L, "13.4"));
        all.add(readWrite("RDFH", 0x2410, 0, FIFO_POINTER, "13.8"));
        all.add(readWrite("RDFT", 0x2418, 0, FIFO_POINTER, "13.8"));
        all.add(readWrite("RDFHS", 0x2420, 0, FIFO_POINTER, "13.8"));
        all.add(readWrite("RDFTS", 0x2428, 0, FIFO_POINTER, "13.8"));
        all.add(readWrite("RDFPC", 0x2430, 0, FIFO_POINTER, "13.8"));
        all.add(readWrite("RDBAL", 0x2800, 0, RING_BASE, "13.4"));
        all.add(readWrite("RDBAH", 0x2804, 0, ALL, "13.4"));
        all.add(readWrite("RDLEN", 0x2808, 0, RING_LENGTH, "13.4"));
        all.add(readWrite("RDH", 0x2810, 0, WORD, "13.4"));
        all.add(readWrite("RDT", 0x2818, 0, WORD, "13.4"));
        all.add(readWrite("RDTR", 0x2820, 0, WORD, "13.4"));
        all.add(readWrite("RXDCTL", 0x2828, face.pick(0, 0x0001_0000L), 0x013F_3F3FL, "13.4"));
        all.add(readWrite("RADV", 0x282C, 0, WORD, "13.4"));
        all.add(readWrite("RSRPD", 0x2C00, 0, 0xFFF, "13.4"));
        all.add(readWrite("RXCSUM", 0x5000, face.pick(0, 0x300), face.pick(0x7FF, 0x37FF), "13.4"));
        if (face.model() == E1000Model.I82574L) {
            all.add(readWrite("PSRCTL", 0x2170, 0x0004_0402L, 0x3F3F_3F7FL, "82574 10.2"));
            all.add(readWrite("RAID", 0x2C08, 0, WORD, "82574 10.2"));
            all.add(readWrite("RFCTL", 0x5008, 0, 0x0007_FFFFL, "82574 10.2"));
            all.add(readWrite("MRQC", 0x5818, 0, 0x003F_0003L, "82574 10.2"));
            all.addAll(readWrite("RETA", 0x5C00, 0, ALL, "82574 10.2").times(32, 4));
            all.addAll(readWrite("RSSRK", 0x5C80, 0, ALL, "82574 10.2").times(10, 4));
        }
    }

    private static void transmit(List<RegisterSpec> all, Face face) {
        // Bits 0 and 2 do not exist; bit 0 was a reset on the 82542 only (82540 SDM 13.4).
        all.add(readWrite("TCTL", 0x0400, 0, face.pick(0x017F_FFFAL, 0x1FFF_FFFAL), "13.4"));
        all.add(readWrite("TIPG", 0x0410, face.pick(0, 0x0060_2008L), 0x3FFF_FFFFL, "13.4"));
        all.add(readWrite("AIT", 0x0458, 0, WORD, "13.4"));
        all.add(readWrite("TXDMAC", 0x3000, 0, 1, "13.4"));
        all.add(readWrite("TDFH", 0x3410, face.pick(0, 0x600), face.pick(0x7FF, FIFO_POINTER), "13.8"));
        all.add(readWrite("TDFT", 0x3418, face.pick(0, 0x600), face.pick(0x7FF, FIFO_POINTER), "13.8"));
        all.add(readWrite("TDFHS", 0x3420, face.pick(0, 0x600), FIFO_POINTER, "13.8"));
        all.add(readWrite("TDFTS", 0x3428, face.pick(0, 0x600), FIFO_POINTER, "13.8"));
        all.add(readWrite("TDFPC", 0x3430, 0, FIFO_POINTER, "13.8"));
        all.add(readWrite("TDBAL", 0x3800, 0, RING_BASE, "13.4"));
        all.add(readWrite("TDBAH", 0x3804, 0, ALL, "13.4"));
        all.add(readWrite("TDLEN", 0x3808, 0, RING_LENGTH, "13.4"));
        all.add(readWrite("TDH", 0x3810, 0, WORD, "13.4"));
        all.add(readWrite("TDT", 0x3818, 0, WORD, "13.4"));
        all.add(readWrite("TIDV", 0x3820, 0, WORD, "13.4"));
        all.add(readWrite("TXDCTL", 0x3828, 0, face.pick(0xFF3F_3F3FL, 0xFF7F_3F3FL), "13.4"));
        all.add(readWrite("TADV", 0x382C, 0, WORD, "13.4"));
        all.add(readWrite("TSPMT", 0x3830, 0x0100_0400L, ALL, "13.4"));
    }

    private static void filters(List<RegisterSpec> all) {
        all.addAll(readWrite("MTA", 0x5200, 0, ALL, "13.5").times(128, 4));
        all.addAll(readWrite("RAL", 0x5400, 0, ALL, "13.5").times(16, 8));
        all.addAll(readWrite("RAH", 0x5404, 0, 0x8003_FFFFL, "13.5").times(16, 8));
        all.addAll(readWrite("VFTA", 0x5600, 0, ALL, "13.5").times(128, 4));
    }

    private static void wakeUp(List<RegisterSpec> all, Face face) {
        all.add(new RegisterSpec("WUC", 0x5800, 4, 0, 0x8000_000BL, 0x4, 0, "13.6"));
        all.add(readWrite("WUFC", 0x5808, 0, 0x000F_80FFL, "13.6"));
        all.add(new RegisterSpec("WUS", 0x5810, 4, 0, 0, 0x000F_00FFL, 0, "13.6"));
        all.add(readWrite("MANC", 0x5820, face.pick(0x0022_2300L, 0x1000_0000L), ALL, "13.4"));
        all.add(readWrite("IPAV", 0x5838, 0, 0x0001_000FL, "13.6"));
        all.addAll(readWrite("IP4AT", 0x5840, 0, ALL, "13.6").times(4, 8));
        all.addAll(readWrite("IP6AT", 0x5880, 0, ALL, "13.6").times(4, 4));
        all.add(readOnly("WUPL", 0x5900, 0, "13.6"));
        all.addAll(readOnly("WUPM", 0x5A00, 0, "13.6").times(32, 4));
        all.addAll(readWrite("FFLT", 0x5F00, 0, 0x7FF, "13.6").times(4, 8));
        all.addAll(readWrite("FFMT", 0x9000, 0, 0xF, "13.6").times(128, 8));
        all.addAll(readWrite("FFVT", 0x9800, 0, ALL, "13.6").times(128, 8));
    }

    /** 82540 SDM 13.7: cleared by a read. The 64-bit pairs and the shared totals are served by {@link Statistics}. */
    private static void statistics(List<RegisterSpec> all) {
        for (String entry : STATISTICS) {
            int colon = entry.indexOf(':');
            int offset = Integer.parseInt(entry.substring(colon + 1), 16);
            all.add(readClear(entry.substring(0, colon), offset, "13.7"));
        }
    }

    /** Where the 82542 had these registers; kept decoded for old drivers. {@link RegisterAliases} says what they lead to. */
    private static void aliases(List<RegisterSpec> all) {
        for (RegisterAliases.Alias alias : RegisterAliases.ALL) {
            all.addAll(readWrite(alias.name() + "_82542", alias.offset(), 0, ALL, "13.2")
                    .times(alias.count(), 4));
        }
    }

    private static void nvmAndFirmware(List<RegisterSpec> all) {
        all.add(readWrite("EXTCNF_CTRL", 0x0F00, 0x8, 0x0FFF_0FFFL, "82574 10.2"));
        all.add(readWrite("EXTCNF_SIZE", 0x0F08, 0, ALL, "82574 10.2"));
        all.add(readWrite("POEMB", 0x0F10, 0x30D, 0xFFFF, "82574 10.2"));
        all.add(readWrite("PBS", 0x1008, 0x28, 0x3F, "82574 10.2"));
        all.add(readWrite("EEMNGCTL", 0x1010, 0x8000_0000L, 0x0004_0000L, "82574 10.2"));
        all.add(readWrite("FLASHT", 0x1028, 2, WORD, "82574 10.2"));
        all.add(readWrite("EEWR", 0x102C, 2, ALL, "82574 10.2"));
        all.add(readWrite("FLSWCTL", 0x1030, 0xC000_0000L, 0x3FFF_FFFFL, "82574 10.2"));
        all.add(readWrite("FLSWDATA", 0x1034, 0, ALL, "82574 10.2"));
        all.add(readWrite("FLSWCNT", 0x1038, 0, ALL, "82574 10.2"));
        all.add(readWrite("FLOP", 0x103C, 0, ALL, "82574 10.2"));
        all.add(readWrite("FLOL", 0x1050, 1, ALL, "82574 10.2"));
        // Bit 0, SMBI, is set by a read.
        all.add(readWrite("SWSM", 0x5B50, 1, 0x3, "82574 10.2"));
        all.add(readOnly("FWSM", 0x5B54, 0, "82574 10.2"));
        all.add(readWrite("SWSM2", 0x5B58, 0, 0x2, "82574 10.2"));
    }

    private static void secondQueues(List<RegisterSpec> all) {
        all.add(readWrite("RDBAL1", 0x2900, 0, RING_BASE, "82574 10.2"));
        all.add(readWrite("RDBAH1", 0x2904, 0, ALL, "82574 10.2"));
        all.add(readWrite("RDLEN1", 0x2908, 0, RING_LENGTH, "82574 10.2"));
        all.add(readWrite("RDH1", 0x2910, 0, WORD, "82574 10.2"));
        all.add(readWrite("RDT1", 0x2918, 0, WORD, "82574 10.2"));
        all.add(readWrite("RXDCTL1", 0x2928, 0x0001_0000L, 0x013F_3F3FL, "82574 10.2"));
        all.add(readWrite("TARC0", 0x3840, 0x403, 0x7800_07FFL, "82574 10.2"));
        all.add(readWrite("TDBAL1", 0x3900, 0, RING_BASE, "82574 10.2"));
        all.add(readWrite("TDBAH1", 0x3904, 0, ALL, "82574 10.2"));
        all.add(readWrite("TDLEN1", 0x3908, 0, RING_LENGTH, "82574 10.2"));
        all.add(readWrite("TDH1", 0x3910, 0, WORD, "82574 10.2"));
        all.add(readWrite("TDT1", 0x3918, 0, WORD, "82574 10.2"));
        all.add(readWrite("TXDCTL1", 0x3928, 0, 0xFF7F_3F3FL, "82574 10.2"));
        all.add(readWrite("TARC1", 0x3940, 0x403, 0x7800_07FFL, "82574 10.2"));
        all.add(readClear("IAC", 0x4100, "82574 10.2"));
        all.add(readClear("ICRXPTC", 0x4104, "82574 10.2"));
        all.add(readClear("ICRXATC", 0x4108, "82574 10.2"));
        all.add(readClear("ICTXPTC", 0x410C, "82574 10.2"));
        all.add(readClear("ICTXATC", 0x4110, "82574 10.2"));
        all.add(readClear("ICTXQEC", 0x4118, "82574 10.2"));
        all.add(readClear("ICTXQMTC", 0x411C, "82574 10.2"));
        all.add(readClear("ICRXDMTC", 0x4120, "82574 10.2"));
        all.add(readClear("ICRXOC", 0x4124, "82574 10.2"));
    }

    private static void pciExpress(List<RegisterSpec> all) {
        all.add(readWrite("MANC2H", 0x5860, 0, ALL, "82574 10.2"));
        all.addAll(readWrite("MDEF", 0x5890, 0, ALL, "82574 10.2").times(8, 4));
        // Bits 23, 25 and 26 are read-only.
        all.add(readWrite("GCR", 0x5B00, 0x0680_0200L, 0xF97F_FFFFL, "82574 10.2"));
        all.add(readWrite("FACTPS", 0x5B30, 0x2000_0004L, 0x2000_0000L, "82574 10.2"));
        all.add(readWrite("GCR2", 0x5B64, 0, ALL, "82574 10.2"));
        all.add(readWrite("PBACLR", 0x5B68, 0, 0x1F, "82574 10.2"));
    }

    /** IEEE 1588 clock; {@link TimeSync} makes it run. */
    private static void timeStamps(List<RegisterSpec> all) {
        all.add(readWrite("SYSTIML", 0xB600, 0, ALL, "82574 10.2"));
        all.add(readWrite("SYSTIMH", 0xB604, 0, ALL, "82574 10.2"));
        all.add(readWrite("TIMINCA", 0xB608, 0, ALL, "82574 10.2"));
        all.add(readWrite("TSYNCTXCTL", 0xB614, 0, 0x10, "82574 10.2"));
        all.add(readOnly("TXSTMPL", 0xB618, 0, "82574 10.2"));
        all.add(readOnly("TXSTMPH", 0xB61C, 0, "82574 10.2"));
        all.add(readWrite("TSYNCRXCTL", 0xB620, 0, 0x1E, "82574 10.2"));
        all.add(readOnly("RXSTMPL", 0xB624, 0, "82574 10.2"));
        all.add(readOnly("RXSTMPH", 0xB628, 0, "82574 10.2"));
        all.add(readWrite("RXCFGL", 0xB634, 0x88F7, ALL, "82574 10.2"));
        all.add(readWrite("RXUDP", 0xB638, 0x319, WORD, "82574 10.2"));
    }
}
