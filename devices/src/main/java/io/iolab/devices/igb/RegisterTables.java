package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;
import static io.iolab.devices.register.RegisterSpec.readClear;
import static io.iolab.devices.register.RegisterSpec.readOnly;
import static io.iolab.devices.register.RegisterSpec.readWrite;

import io.iolab.devices.register.RegisterMap;
import io.iolab.devices.register.RegisterSpec;
import java.util.ArrayList;
import java.util.List;

/** The physical function's registers as data, and the second offsets under which some of them answer as well. */
final class RegisterTables {
    static final RegisterMap MAP = new RegisterMap(WINDOW, all());

    private static final long ALL = 0xFFFF_FFFFL;
    private static final int OLD_RX_QUEUES = 0x2800;
    private static final int OLD_TX_QUEUES = 0x3800;
    private static final int OLD_QUEUE_STRIDE = 0x100;

    /** For each 32-bit word of BAR0, the offset that really answers. */
    private static final int[] ALIASES = aliases();

    private RegisterTables() {}

    /** The offset that answers for {@code offset}, which lies inside BAR0 and is a multiple of 4. */
    static int canonical(int offset) {
        return ALIASES[offset >>> 2];
    }

    /** The four first queues have the addresses of older parts too (82576 datasheet 8.1.1), as have the interrupt registers. */
    private static int[] aliases() {
        int[] aliases = new int[WINDOW / 4];
        for (int i = 0; i < aliases.length; i++) {
            aliases[i] = 4 * i;
        }
        int[] older = {0x00C0, 0x00C8, 0x00D0, 0x00D8, 0x00E0};
        int[] present = {ICR, ICS, IMS, IMC, IAM};
        for (int i = 0; i < older.length; i++) {
            aliases[older[i] >>> 2] = present[i];
        }
        for (int queue = 0; queue < 4; queue++) {
            for (int word = 0; word < QUEUE_STRIDE; word += 4) {
                aliases[OLD_RX_QUEUES + OLD_QUEUE_STRIDE * queue + word >>> 2] = RDBAL + QUEUE_STRIDE * queue + word;
                aliases[OLD_TX_QUEUES + OLD_QUEUE_STRIDE * queue + word >>> 2] = TDBAL + QUEUE_STRIDE * queue + word;
            }
        }
        return aliases;
    }

    private static List<RegisterSpec> all() {
        List<RegisterSpec> all = new ArrayList<>();
        addGeneral(all);
        addInterrupts(all);
        addReceive(all);
        addTransmit(all);
        addQueues(all);
        addVirtualization(all);
        addStatistics(all);
        return all;
    }

    private static RegisterSpec plain(String name, int offset, long reset) {
        return readWrite(name, offset, reset, ALL, "82576 datasheet 8");
    }

    private static void addGeneral(List<RegisterSpec> all) {
        all.add(readWrite("CTRL", CTRL, 0x0014_0241, ALL & ~(1L << 26), "82576 datasheet 8.2.1"));
        all.add(new RegisterSpec("STATUS", STATUS, 4, 0, 0, STATUS_PHYRA, 0, "82576 datasheet 8.2.2"));
        all.add(readWrite("EECD", EECD, 0x0000_0300, 0xF, "82576 datasheet 8.4.1"));
        all.add(readWrite("EERD", EERD, 2, 0xFFFD, "82576 datasheet 8.4.2"));
        all.add(plain("CTRL_EXT", CTRL_EXT, 0));
        all.add(readWrite("MDIC", MDIC, 1 << 28, 0x2FFF_FFFF, "82576 datasheet 8.2.4"));
        all.add(plain("FCAL", 0x28, 0x00C2_8001));
        all.add(plain("FCAH", 0x2C, 0x0100));
        all.add(plain("FCT", 0x30, 0x8808));
        all.add(plain("CONNSW", 0x34, 0));
        all.add(plain("VET", VET, 0x8100));
        all.add(plain("FCTTV", 0x170, 0));
        all.add(plain("LEDCTL", 0xE00, 0x0000_8302));
        all.add(plain("PBA_ECC", 0x1100, 0));
        all.add(readWrite("EEMNGCTL", EEMNGCTL, 0x8004_0000L, 0x8003_FFFFL, "82576 datasheet 8.4.21"));
        all.add(readOnly("FRTIMER", FRTIMER, 0, "82576 datasheet 8.14.11"));
        all.addAll(plain("PCS", 0x4200, 0).times(8, 4));
        all.add(plain("WUC", 0x5800, 0));
        all.add(plain("WUFC", 0x5808, 0));
        all.add(plain("WUS", 0x5810, 0));
        all.add(plain("MANC", 0x5820, 0));
        all.add(plain("GCR", 0x5B00, 0));
        all.add(readOnly("FACTPS", 0x5B30, 0x2000_0004L, "82576 datasheet 8.6.8"));
        all.add(readWrite("SWSM", SWSM, 1, 3, "82576 datasheet 8.15.1"));
        all.add(readWrite("FWSM", 0x5B54, 0, 0, "82576 datasheet 8.15.2"));
        all.add(plain("SW_FW_SYNC", 0x5B5C, 0));
        all.add(plain("DCA_CTRL", 0x5B74, 1));
        all.addAll(plain("TSYNC", 0xB600, 0).times(16, 4));
    }

    private static void addInterrupts(List<RegisterSpec> all) {
        String section = "82576 datasheet 8.8";
        all.add(readWrite("ICR", ICR, 0, 0, section));
        all.add(readWrite("ICS", ICS, 0, 0, section));
        all.add(readWrite("IMS", IMS, 0, 0, section));
        all.add(readWrite("IMC", IMC, 0, 0, section));
        all.add(readWrite("IAM", IAM, 0, ALL, section));
        all.add(readWrite("GPIE", GPIE, 0, ALL, section));
        all.add(readWrite("EICS", EICS, 0, 0, section));
        all.add(readWrite("EIMS", EIMS, 0, 0, section));
        all.add(readWrite("EIMC", EIMC, 0, 0, section));
        all.add(readWrite("EIAC", EIAC, 0, 0x01FF_FFFF, section));
        all.add(readWrite("EIAM", EIAM, 0, 0x01FF_FFFF, section));
        all.add(readWrite("EICR", EICR, 0, 0, section));
        all.addAll(readWrite("EITR", EITR, 0, 0x7FFF, section).times(InterruptUnit.CAUSES, 4));
        all.addAll(readWrite("IVAR", IVAR, 0, 0x9F9F_9F9FL, section).times(8, 4));
        all.add(readWrite("IVAR_MISC", IVAR_MISC, 0, 0x9F9F, section));
        all.add(readWrite("PBACLR", PBACLR, 0, 0, section));
    }

    private static void addReceive(List<RegisterSpec> all) {
        all.add(plain("RCTL", RCTL, 0));
        all.add(plain("FCRTL0", 0x2160, 0));
        all.add(plain("FCRTH0", 0x2168, 0));
        all.add(plain("RXPBS", 0x2404, 0x40));
        all.add(readWrite("QDE", QDE, 0, 0xFFFF, "82576 datasheet 8.14"));
        all.add(plain("FCRTV", 0x2460, 0));
        all.add(plain("DMACR", 0x2508, 0));
        all.add(readWrite("RXCSUM", RXCSUM, 0x300, 0x3FFF, "82576 datasheet 8.10.18"));
        all.add(plain("RLPML", RLPML, 0x2600));
        all.add(plain("RFCTL", 0x5008, 0));
        all.addAll(plain("MTA", MTA, 0).times(128, 4));
        for (int i = 0; i < AddressFilter.ENTRIES; i++) {
            all.add(plain("RAL[" + i + "]", AddressFilter.ral(i), 0));
            all.add(readWrite("RAH[" + i + "]", AddressFilter.ral(i) + 4, 0, 0x87FD_FFFFL, "82576 datasheet 8.10.22"));
        }
        all.addAll(plain("PSRTYPE", PSRTYPE, 0).times(POOLS, 4));
        all.addAll(plain("VFTA", VFTA, 0).times(128, 4));
        all.add(plain("MRQC", MRQC, 0));
        all.addAll(plain("RETA", RETA, 0).times(32, 4));
        all.addAll(plain("RSSRK", RSSRK, 0).times(10, 4));
        all.addAll(plain("UTA", UTA, 0).times(128, 4));
    }

    private static void addTransmit(List<RegisterSpec> all) {
        all.add(plain("TCTL", TCTL, 0));
        all.add(plain("TCTL_EXT", 0x404, 0x0001_0840));
        all.add(plain("TIPG", 0x410, 0x0060_2008));
        all.add(plain("TXPBS", 0x3404, 0x28));
        all.add(plain("DTXSWC", DTXSWC, 0));
        all.add(new RegisterSpec("WVBR", WVBR, 4, 0, 0, 0, ALL, "82576 datasheet 8.14"));
        all.add(plain("DTXCTL", DTXCTL, 0));
        all.addAll(plain("VMVIR", VMVIR, 0).times(POOLS, 4));
    }

    private static void addQueues(List<RegisterSpec> all) {
        String rx = "82576 datasheet 8.10";
        String tx = "82576 datasheet 8.12";
        addQueue(all, readWrite("RDBAL", RDBAL, 0, 0xFFFF_FF80L, rx));
        addQueue(all, readWrite("RDBAH", RDBAH, 0, ALL, rx));
        addQueue(all, readWrite("RDLEN", RDLEN, 0, 0xF_FF80, rx));
        addQueue(all, readWrite("SRRCTL", SRRCTL, 0, 0x8E00_0F7FL, rx));
        addQueue(all, readWrite("RDH", RDH, 0, 0xFFFF, rx));
        addQueue(all, readWrite("RXCTL", RXCTL, 0, 0xFF00_F3E0L, rx));
        addQueue(all, readWrite("RDT", RDT, 0, 0xFFFF, rx));
        addQueue(all, readWrite("RXDCTL", RXDCTL, 0x0001_0000, 0x021F_1F1F, rx));
        addQueue(all, new RegisterSpec("RQDPC", RQDPC, 4, 0, 0, 0, ALL, rx));
        addQueue(all, readWrite("TDBAL", TDBAL, 0, 0xFFFF_FF80L, tx));
        addQueue(all, readWrite("TDBAH", TDBAH, 0, ALL, tx));
        addQueue(all, readWrite("TDLEN", TDLEN, 0, 0xF_FF80, tx));
        addQueue(all, readWrite("TDH", TDH, 0, 0xFFFF, tx));
        addQueue(all, readWrite("TXCTL", TXCTL, 0x2A00, 0xFF00_FFE0L, tx));
        addQueue(all, readWrite("TDT", TDT, 0, 0xFFFF, tx));
        addQueue(all, readWrite("TXDCTL", TXDCTL, 0, 0x021F_1F1F, tx));
        addQueue(all, readWrite("TDWBAL", TDWBAL, 0, 0xFFFF_FFFDL, tx));
        addQueue(all, readWrite("TDWBAH", TDWBAH, 0, ALL, tx));
    }

    private static void addQueue(List<RegisterSpec> all, RegisterSpec first) {
        all.addAll(first.times(QUEUES, QUEUE_STRIDE));
    }

    private static void addVirtualization(List<RegisterSpec> all) {
        String section = "82576 datasheet 8.14";
        all.addAll(plain("VMBMEM", VMBMEM, 0).times(16 * POOLS, 4));
        all.addAll(readWrite("P2VMAILBOX", P2VMAILBOX, 0, 0, section).times(POOLS, 4));
        all.addAll(readWrite("V2PMAILBOX", V2PMAILBOX, 0, 0, section).times(POOLS, 4));
        all.add(new RegisterSpec("MBVFICR", MBVFICR, 4, 0, 0, 0x00FF_00FF, 0, section));
        all.add(readWrite("MBVFIMR", MBVFIMR, 0xFF, 0xFF, section));
        all.add(new RegisterSpec("VFLRE", VFLRE, 4, 0, 0, 0xFF, 0, section));
        all.add(readWrite("VFRE", VFRE, 0xFF, 0xFF, section));
        all.add(readWrite("VFTE", VFTE, 0xFF, 0xFF, section));
        all.add(plain("VT_CTL", VT_CTL, 0));
        all.addAll(readWrite("VMOLR", VMOLR, 0x2600, 0xDF03_3FFFL, section).times(POOLS, 4));
        all.add(readWrite("RPLOLR", RPLOLR, 0, 0xC000_0000L, section));
        all.addAll(readWrite("VLVF", VLVF, 0, 0x801F_FFFFL, section).times(32, 4));
        for (int vf = 0; vf < POOLS; vf++) {
            int base = VF_STRIDE * vf;
            addVf(all, vf, "PVTCTRL", PVTCTRL + base, 0);
            addVf(all, vf, "PVTEICS", PVTEICS + base, 0);
            addVf(all, vf, "PVTEIMS", PVTEIMS + base, 0);
            addVf(all, vf, "PVTEIMC", PVTEIMC + base, 0);
            addVf(all, vf, "PVTEIAC", PVTEIAC + base, 0);
            addVf(all, vf, "PVTEIAM", PVTEIAM + base, 0);
            addVf(all, vf, "PVTEICR", PVTEICR + base, 0);
            addVf(all, vf, "VTIVAR", VTIVAR + base, 0x8383_8383L);
            addVf(all, vf, "VTIVAR_MISC", VTIVAR_MISC + base, 0x83);
            for (int counter : VfStatistics.OFFSETS) {
                addVf(all, vf, "PVF_" + Integer.toHexString(counter), counter + base, 0);
            }
        }
    }

    private static void addVf(List<RegisterSpec> all, int vf, String name, int offset, long writable) {
        all.add(readWrite(name + "[" + vf + "]", offset, 0, writable, "82576 datasheet 8.26"));
    }

    private static void addStatistics(List<RegisterSpec> all) {
        for (int offset = STATISTICS; offset < 0x4128; offset += 4) {
            all.add(readClear(statistic(offset), offset, "82576 datasheet 8.19"));
        }
    }

    private static String statistic(int offset) {
        return switch (offset) {
            case MPC -> "MPC";
            case GPRC -> "GPRC";
            case BPRC -> "BPRC";
            case MPRC -> "MPRC";
            case GPTC -> "GPTC";
            case GORCL -> "GORCL";
            case GORCL + 4 -> "GORCH";
            case GOTCL -> "GOTCL";
            case GOTCL + 4 -> "GOTCH";
            case RNBC -> "RNBC";
            case RUC -> "RUC";
            case ROC -> "ROC";
            case TPR -> "TPR";
            case TPT -> "TPT";
            case MPTC -> "MPTC";
            case BPTC -> "BPTC";
            default -> "STATISTIC_" + Integer.toHexString(offset);
        };
    }
}
