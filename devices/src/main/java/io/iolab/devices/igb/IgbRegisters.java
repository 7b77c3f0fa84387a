package io.iolab.devices.igb;

/** Offsets and bits of the physical function's registers (82576 datasheet chapter 8), in ascending order of offset. */
final class IgbRegisters {
    /** Bytes of the physical function's BAR0, and of a virtual function's. */
    static final int WINDOW = 0x20000;

    static final int VF_WINDOW = 0x4000;

    static final int QUEUES = 16;
    static final int POOLS = 8;

    static final int CTRL = 0x0000;
    static final int CTRL_GIO_MASTER_DISABLE = 1 << 2;
    static final int CTRL_SLU = 1 << 6;
    static final int CTRL_RST = 1 << 26;
    static final int CTRL_VME = 1 << 30;
    static final int CTRL_PHY_RST = 1 << 31;
    static final int STATUS = 0x0008;
    static final int STATUS_FD = 1;
    static final int STATUS_LU = 1 << 1;
    static final int STATUS_SPEED_1000 = 2 << 6;
    static final int STATUS_INITIALISED = 1 << 9;
    static final int STATUS_PHYRA = 1 << 10;
    static final int STATUS_NUM_VFS_SHIFT = 14;
    static final int STATUS_IOV = 1 << 18;
    static final int STATUS_GIO_MASTER_ENABLE = 1 << 19;
    /** What VTSTATUS shows of STATUS. */
    static final int STATUS_VF_VIEW = STATUS_FD | STATUS_LU | 3 << 6;

    static final int EECD = 0x0010;
    static final int EERD = 0x0014;
    static final int CTRL_EXT = 0x0018;
    static final int CTRL_EXT_PFRSTD = 1 << 14;
    static final int CTRL_EXT_IAME = 1 << 27;
    static final int MDIC = 0x0020;
    static final int VET = 0x0038;
    static final int RCTL = 0x0100;
    static final int RCTL_EN = 1 << 1;
    static final int RCTL_UPE = 1 << 3;
    static final int RCTL_MPE = 1 << 4;
    static final int RCTL_LPE = 1 << 5;
    static final int RCTL_MO_SHIFT = 12;
    static final int RCTL_BAM = 1 << 15;
    static final int RCTL_VFE = 1 << 18;
    static final int RCTL_SECRC = 1 << 26;
    static final int TCTL = 0x0400;
    static final int TCTL_EN = 1 << 1;
    static final int VMBMEM = 0x0800;
    static final int P2VMAILBOX = 0x0C00;
    static final int V2PMAILBOX = 0x0C40;
    static final int MBVFICR = 0x0C80;
    static final int MBVFIMR = 0x0C84;
    static final int VFLRE = 0x0C88;
    static final int VFRE = 0x0C8C;
    static final int VFTE = 0x0C90;
    static final int EEMNGCTL = 0x1010;
    static final int FRTIMER = 0x1048;
    static final int ICR = 0x1500;
    static final int ICR_TXDW = 1;
    static final int ICR_LSC = 1 << 2;
    static final int ICR_RXDW = 1 << 7;
    static final int ICR_VMMB = 1 << 8;
    static final int ICR_DOUTSYNC = 1 << 28;
    static final int ICR_INTA = 1 << 31;
    static final int ICS = 0x1504;
    static final int IMS = 0x1508;
    static final int IMC = 0x150C;
    static final int IAM = 0x1510;
    static final int GPIE = 0x1514;
    static final int GPIE_NSICR = 1;
    static final int GPIE_EIAME = 1 << 30;
    static final int EICS = 0x1520;
    static final int EIMS = 0x1524;
    static final int EIMC = 0x1528;
    static final int EIAC = 0x152C;
    static final int EIAM = 0x1530;
    static final int EICR = 0x1580;
    static final int EITR = 0x1680;
    static final int IVAR = 0x1700;
    static final int IVAR_MISC = 0x1740;
    static final int QDE = 0x2408;
    static final int DTXSWC = 0x3500;
    static final int DTXSWC_MAC_SPOOF = 1;
    static final int DTXSWC_VLAN_SPOOF = 1 << 8;
    static final int DTXSWC_LOCAL_LOOPBACK = 1 << 16;
    static final int DTXSWC_VMDQ_LOOPBACK = 1 << 31;
    static final int WVBR = 0x3554;
    static final int DTXCTL = 0x3590;
    static final int VMVIR = 0x3700;
    static final int STATISTICS = 0x4000;
    static final int MPC = 0x4010;
    static final int GPRC = 0x4074;
    static final int BPRC = 0x4078;
    static final int MPRC = 0x407C;
    static final int GPTC = 0x4080;
    static final int GORCL = 0x4088;
    static final int GOTCL = 0x4090;
    static final int RNBC = 0x40A0;
    static final int RUC = 0x40A4;
    static final int ROC = 0x40AC;
    static final int TPR = 0x40D0;
    static final int TPT = 0x40D4;
    static final int MPTC = 0x40F0;
    static final int BPTC = 0x40F4;
    static final int RXCSUM = 0x5000;
    static final int RXCSUM_PCSS = 0xFF;
    static final int RXCSUM_IPOFL = 1 << 8;
    static final int RXCSUM_TUOFL = 1 << 9;
    static final int RXCSUM_PCSD = 1 << 13;
    static final int RLPML = 0x5004;
    static final int MTA = 0x5200;
    static final int RAL = 0x5400;
    static final int RAL_HIGH = 0x54E0;
    static final int RAH_AV = 1 << 31;
    static final int RAH_POOL_SHIFT = 18;
    static final int PSRTYPE = 0x5480;
    static final int VFTA = 0x5600;
    static final int MRQC = 0x5818;
    static final int MRQC_ENABLE = 7;
    static final int MRQC_RSS = 2;
    static final int MRQC_VMDQ = 3;
    static final int MRQC_VMDQ_RSS = 5;
    static final int VT_CTL = 0x581C;
    static final int VT_CTL_POOL_SHIFT = 7;
    static final int VT_CTL_IGNORE_MAC = 1 << 28;
    static final int VT_CTL_NO_DEFAULT_POOL = 1 << 29;
    static final int VT_CTL_REPLICATION = 1 << 30;
    static final int VMOLR = 0x5AD0;
    static final int VMOLR_RLPML = 0x3FFF;
    static final int VMOLR_LPE = 1 << 16;
    static final int VMOLR_RSSE = 1 << 17;
    static final int VMOLR_AUPE = 1 << 24;
    static final int VMOLR_ROMPE = 1 << 25;
    static final int VMOLR_ROPE = 1 << 26;
    static final int VMOLR_BAM = 1 << 27;
    static final int VMOLR_MPME = 1 << 28;
    static final int VMOLR_STRVLAN = 1 << 30;
    static final int VMOLR_STRCRC = 1 << 31;
    static final int RPLOLR = 0x5AF0;
    static final int SWSM = 0x5B50;
    static final int PBACLR = 0x5B68;
    static final int RETA = 0x5C00;
    static final int RSSRK = 0x5C80;
    static final int VLVF = 0x5D00;
    static final int VLVF_POOL_SHIFT = 12;
    static final int VLVF_ENABLE = 1 << 31;
    static final int UTA = 0xA000;

    /** A receive queue's registers, {@link #QUEUE_STRIDE} bytes a queue. */
    static final int RDBAL = 0xC000;

    static final int RDBAH = 0xC004;
    static final int RDLEN = 0xC008;
    static final int SRRCTL = 0xC00C;
    static final int SRRCTL_DROP_EN = 1 << 31;
    static final int RDH = 0xC010;
    static final int RXCTL = 0xC014;
    static final int RDT = 0xC018;
    static final int RXDCTL = 0xC028;
    static final int RQDPC = 0xC030;
    static final int TDBAL = 0xE000;
    static final int TDBAH = 0xE004;
    static final int TDLEN = 0xE008;
    static final int TDH = 0xE010;
    static final int TXCTL = 0xE014;
    static final int TDT = 0xE018;
    static final int TXDCTL = 0xE028;
    static final int TDWBAL = 0xE038;
    static final int TDWBAH = 0xE03C;
    static final int QUEUE_STRIDE = 0x40;
    /** Of RXDCTL and TXDCTL. */
    static final int QUEUE_ENABLE = 1 << 25;

    /** A virtual function's registers as the PF sees them, {@link #VF_STRIDE} bytes a VF. */
    static final int PVTCTRL = 0x10000;

    static final int PVTCTRL_RST = 1 << 26;
    static final int PVFGPRC = 0x10010;
    static final int PVFGPTC = 0x10014;
    static final int PVFGORC = 0x10018;
    static final int PVTEICS = 0x10020;
    static final int PVTEIMS = 0x10024;
    static final int PVTEIMC = 0x10028;
    static final int PVTEIAC = 0x1002C;
    static final int PVTEIAM = 0x10030;
    static final int PVFGOTC = 0x10034;
    static final int PVFMPRC = 0x10038;
    static final int PVFGPRLBC = 0x10040;
    static final int PVFGPTLBC = 0x10044;
    static final int PVFGORLBC = 0x10048;
    static final int PVFGOTLBC = 0x10050;
    static final int PVTEICR = 0x10080;
    /**
     * A VF finds VTIVAR and VTIVAR_MISC at the offsets of the PF's own IVAR. Where the PF sees a VF's, no source that we have seen says:
     * these places are this model's.
     */
    static final int VTIVAR = 0x11700;

    static final int VTIVAR_MISC = 0x11720;
    static final int VF_STRIDE = 0x100;

    private IgbRegisters() {}
}
