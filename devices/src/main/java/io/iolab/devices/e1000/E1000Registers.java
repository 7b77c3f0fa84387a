package io.iolab.devices.e1000;

/** Register offsets and bits, by the names of the 82540 SDM (chapter 13) and the 82574 datasheet (chapter 10). */
final class E1000Registers {
    /** Size of the register window, BAR0. */
    static final int WINDOW = 0x20000;

    static final int CTRL = 0x0000;
    static final int CTRL_DUP = 0x0004;
    static final int STATUS = 0x0008;
    static final int EECD = 0x0010;
    static final int EERD = 0x0014;
    static final int CTRL_EXT = 0x0018;
    static final int FLA = 0x001C;
    static final int MDIC = 0x0020;
    static final int FCAL = 0x0028;
    static final int FCAH = 0x002C;
    static final int FCT = 0x0030;
    static final int VET = 0x0038;
    static final int FCTTV = 0x0170;
    static final int ICR = 0x00C0;
    static final int ITR = 0x00C4;
    static final int ICS = 0x00C8;
    static final int IMS = 0x00D0;
    static final int IMC = 0x00D8;
    static final int EIAC = 0x00DC;
    static final int IAM = 0x00E0;
    static final int IVAR = 0x00E4;
    static final int EITR = 0x00E8;
    static final int RCTL = 0x0100;
    static final int TCTL = 0x0400;
    static final int PBA = 0x1000;
    static final int PBS = 0x1008;
    static final int EEWR = 0x102C;
    static final int PSRCTL = 0x2170;
    static final int FCRTL = 0x2160;
    static final int FCRTH = 0x2168;
    static final int RDBAL = 0x2800;
    static final int RDBAH = 0x2804;
    static final int RDLEN = 0x2808;
    static final int RDH = 0x2810;
    static final int RDT = 0x2818;
    static final int RDTR = 0x2820;
    static final int RXDCTL = 0x2828;
    static final int RADV = 0x282C;
    static final int RSRPD = 0x2C00;
    static final int RAID = 0x2C08;
    static final int TDBAL = 0x3800;
    static final int TDBAH = 0x3804;
    static final int TDLEN = 0x3808;
    static final int TDH = 0x3810;
    static final int TDT = 0x3818;
    static final int TIDV = 0x3820;
    static final int TXDCTL = 0x3828;
    static final int TADV = 0x382C;
    /** The second queue's ring registers follow the first's at this distance (82574). */
    static final int QUEUE_STRIDE = 0x100;

    static final int RXCSUM = 0x5000;
    static final int RFCTL = 0x5008;
    static final int MTA = 0x5200;
    static final int RAL = 0x5400;
    static final int RAH = 0x5404;
    static final int VFTA = 0x5600;
    static final int WUC = 0x5800;
    static final int WUFC = 0x5808;
    static final int WUS = 0x5810;
    static final int MRQC = 0x5818;
    static final int IPAV = 0x5838;
    /** Four entries, eight bytes apart. */
    static final int IP4AT = 0x5840;

    static final int IP6AT = 0x5880;
    static final int WUPL = 0x5900;
    static final int WUPM = 0x5A00;
    static final int SWSM = 0x5B50;
    static final int PBACLR = 0x5B68;
    static final int RETA = 0x5C00;
    static final int RSSRK = 0x5C80;
    /** Lengths of the four flexible filters, eight bytes apart. */
    static final int FFLT = 0x5F00;
    /** For each of 128 bytes, eight bytes apart: which filters compare it, and each filter's value. */
    static final int FFMT = 0x9000;

    static final int FFVT = 0x9800;
    static final int SYSTIML = 0xB600;
    static final int SYSTIMH = 0xB604;
    static final int TIMINCA = 0xB608;
    static final int TSYNCTXCTL = 0xB614;
    static final int TXSTMPL = 0xB618;
    static final int TXSTMPH = 0xB61C;
    static final int TSYNCRXCTL = 0xB620;
    static final int RXSTMPL = 0xB624;
    static final int RXSTMPH = 0xB628;
    static final int RXCFGL = 0xB634;
    static final int RXUDP = 0xB638;

    static final int CTRL_FD = 1;
    static final int CTRL_GIO_MASTER_DISABLE = 1 << 2;
    static final int CTRL_SLU = 1 << 6;
    static final int CTRL_SPEED_SHIFT = 8;
    static final int CTRL_FRCSPD = 1 << 11;
    static final int CTRL_FRCDPX = 1 << 12;
    static final int CTRL_RST = 1 << 26;
    static final int CTRL_RFCE = 1 << 27;
    static final int CTRL_TFCE = 1 << 28;
    static final int CTRL_VME = 1 << 30;
    static final int CTRL_PHY_RST = 1 << 31;

    static final int STATUS_FD = 1;
    static final int STATUS_LU = 1 << 1;
    static final int STATUS_TXOFF = 1 << 4;
    static final int STATUS_SPEED_SHIFT = 6;
    static final int STATUS_PHYRA = 1 << 10;
    static final int STATUS_GIO_MASTER_ENABLE = 1 << 19;
    /** The speed code of 1000 Mbit/s in CTRL and STATUS. */
    static final int SPEED_1000 = 2;

    static final int CTRL_EXT_ASDCHK = 1 << 12;
    static final int CTRL_EXT_EE_RST = 1 << 13;
    static final int CTRL_EXT_EIAME = 1 << 24;
    static final int CTRL_EXT_IAME = 1 << 27;
    static final int CTRL_EXT_PBA_CLR = 1 << 31;

    static final int RCTL_EN = 1 << 1;
    static final int RCTL_SBP = 1 << 2;
    static final int RCTL_UPE = 1 << 3;
    static final int RCTL_MPE = 1 << 4;
    static final int RCTL_LPE = 1 << 5;
    static final int RCTL_LBM = 3 << 6;
    static final int RCTL_RDMTS_SHIFT = 8;
    static final int RCTL_DTYP_SPLIT = 1 << 10;
    static final int RCTL_DTYP = 3 << 10;
    static final int RCTL_MO_SHIFT = 12;
    static final int RCTL_BAM = 1 << 15;
    static final int RCTL_BSIZE_SHIFT = 16;
    static final int RCTL_VFE = 1 << 18;
    static final int RCTL_CFIEN = 1 << 19;
    static final int RCTL_CFI = 1 << 20;
    static final int RCTL_DPF = 1 << 22;
    static final int RCTL_PMCF = 1 << 23;
    static final int RCTL_BSEX = 1 << 25;
    static final int RCTL_SECRC = 1 << 26;
    static final int RCTL_FLXBUF_SHIFT = 27;

    static final int TCTL_EN = 1 << 1;
    static final int TCTL_PSP = 1 << 3;
    /** Sends an XOFF, and clears itself. */
    static final int TCTL_SWXOFF = 1 << 22;

    static final int RXCSUM_PCSS = 0xFF;
    static final int RXCSUM_IPOFL = 1 << 8;
    static final int RXCSUM_TUOFL = 1 << 9;
    static final int RXCSUM_PCSD = 1 << 13;

    static final int RFCTL_IPV6_DIS = 1 << 10;
    static final int RFCTL_IPV6_XSUM_DIS = 1 << 11;
    static final int RFCTL_ACK_DIS = 1 << 12;
    static final int RFCTL_ACK_DATA_DIS = 1 << 13;
    static final int RFCTL_IPFRSP_DIS = 1 << 14;
    static final int RFCTL_EXSTEN = 1 << 15;

    static final int RAH_AS_SHIFT = 16;
    static final int RAH_AV = 1 << 31;

    /** Flush partial descriptor block: bit 31 of RDTR and TIDV ends a running delay at once and reads 0. */
    static final int DELAY_FPD = 1 << 31;

    /** IVAR bit 31: every transmit descriptor is written back and interrupts, whether or not it asks to (82574). */
    static final int IVAR_TX_EVERY = 1 << 31;

    private E1000Registers() {}
}
