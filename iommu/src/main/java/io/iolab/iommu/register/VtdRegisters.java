package io.iolab.iommu.register;

import io.iolab.devices.register.RegisterMap;
import io.iolab.devices.register.RegisterSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * The register window of a remapping unit in specification order (VT-d 10.4, section numbers of revision 3.3). Registers of
 * functions that this unit does not offer are listed as read-only zero when software may touch them unasked, and left out
 * otherwise.
 *
 * <p>The high half of CCMD and IOTLB carries the command bit, so its write is what starts them.
 */
public final class VtdRegisters {
    /** Bytes in the window: one page. */
    public static final int WINDOW = 4096;

    public static final int VER = 0x00;
    public static final int CAP = 0x08;
    public static final int ECAP = 0x10;
    public static final int GCMD = 0x18;
    public static final int GSTS = 0x1C;
    public static final int RTADDR = 0x20;
    public static final int CCMD = 0x28;
    public static final int FSTS = 0x34;
    public static final int FECTL = 0x38;
    public static final int PMEN = 0x64;
    public static final int PLMBASE = 0x68;
    public static final int PLMLIMIT = 0x6C;
    public static final int PHMBASE = 0x70;
    public static final int PHMLIMIT = 0x78;
    public static final int IQH = 0x80;
    public static final int IQT = 0x88;
    public static final int IQA = 0x90;
    public static final int ICS = 0x9C;
    public static final int IECTL = 0xA0;
    public static final int IQERCD = 0xB0;
    public static final int IRTA = 0xB8;
    public static final int PQH = 0xC0;
    public static final int PQT = 0xC8;
    public static final int PQA = 0xD0;
    public static final int PRS = 0xDC;
    public static final int PECTL = 0xE0;

    /** PMEN.EPM; PRS, bit 0, follows it. */
    public static final int PROTECTED_ENABLE = 1 << 31;

    /** Protected regions begin and end at multiples of this: lower bits of base and limit read 0. */
    public static final int PROTECTED_GRANULE = 2 << 20;

    /** IVA; ECAP.IRO is this divided by 16. */
    public static final int IVA = 0xF0;

    public static final int IOTLB = 0xF8;

    /** First fault recording register; CAP.FRO is this divided by 16. */
    public static final int FRCD = 0x220;

    /** Fault recording registers that fit between {@link #FRCD} and the end of the window. */
    public static final int MAX_FAULT_RECORDS = (WINDOW - FRCD) / 16;

    /** Offsets of the other three registers of an event's group, from its control register (FECTL, IECTL). */
    public static final int EVENT_DATA = 4;

    public static final int EVENT_ADDRESS = 8;
    public static final int EVENT_UPPER_ADDRESS = 12;

    /** IQT and IQH: byte offset of a 16-byte descriptor, bits 18:4. */
    public static final int QUEUE_OFFSET = 0x7FFF0;

    private static final int VERSION_1_0 = 0x10;
    /** PQH and PQT: an offset in 32-byte steps. */
    private static final int REQUEST_OFFSET = 0x7FFE0;

    private static final long MASKED = 0x8000_0000L;

    private VtdRegisters() {}

    /** @param capabilities what CAP and ECAP say, and what the writable bits follow from */
    public static RegisterMap map(Capabilities capabilities) {
        long pageAddress = capabilities.hostAddressMask() & ~0xFFFL;
        List<RegisterSpec> all = new ArrayList<>();
        all.add(RegisterSpec.readOnly("VER", VER, VERSION_1_0, "10.4.1"));
        all.add(RegisterSpec.readOnly64("CAP", CAP, capabilities.cap(), "10.4.2"));
        all.add(RegisterSpec.readOnly64("ECAP", ECAP, capabilities.ecap(), "10.4.3"));
        all.add(RegisterSpec.readWrite("GCMD", GCMD, 0, 0xFF80_0000L, "10.4.4"));
        all.add(RegisterSpec.readOnly("GSTS", GSTS, 0, "10.4.5"));
        all.add(RegisterSpec.readWrite64("RTADDR", RTADDR, 0, pageAddress | 0xC00, "10.4.6"));
        all.add(RegisterSpec.readWrite64("CCMD", CCMD, 0, 0xE000_0003_FFFF_FFFFL, "10.4.7"));
        all.add(new RegisterSpec("FSTS", FSTS, 4, 0, 0, capabilities.deviceTlb() ? 0x71 : 0x11, 0, "10.4.9"));
        event(all, capabilities, "FE", FECTL);
        protectedMemory(all, capabilities);
        if (capabilities.queuedInvalidation()) {
            queue(all, capabilities, pageAddress);
        }
        all.add(RegisterSpec.readWrite64("IRTA", IRTA, 0, interruptTable(capabilities, pageAddress), "10.4.29"));
        if (capabilities.pageRequests()) {
            pageRequests(all, capabilities, pageAddress);
        }
        all.add(RegisterSpec.readWrite64("IVA", IVA, 0, ~0xFFFL | 0x7F, "10.4.8.2"));
        all.add(RegisterSpec.readWrite64("IOTLB", IOTLB, 0, 0xB003_FFFF_0000_0000L, "10.4.8.1"));
        all.addAll(RegisterSpec.readOnly64("FRCD_LO", FRCD, 0, "10.4.14").times(capabilities.faultRecords(), 16));
        all.addAll(new RegisterSpec("FRCD_HI", FRCD + 8, 8, 0, 0, 1L << 63, 0, "10.4.14")
                .times(capabilities.faultRecords(), 16));
        return new RegisterMap(WINDOW, all);
    }

    /** Base and size; EIME where it exists. */
    private static long interruptTable(Capabilities capabilities, long pageAddress) {
        if (!capabilities.interruptRemapping()) {
            return 0;
        }
        return pageAddress | 0xF | (capabilities.extendedInterruptMode() ? 0x800 : 0);
    }

    /** Control (mask bit set at reset), data, address, upper address; the latter exists with extended interrupt mode only. */
    private static void event(List<RegisterSpec> all, Capabilities capabilities, String prefix, int control) {
        all.add(RegisterSpec.readWrite(prefix + "CTL", control, MASKED, MASKED, "10.4.10"));
        all.add(RegisterSpec.readWrite(prefix + "DATA", control + EVENT_DATA, 0, 0xFFFF, "10.4.11"));
        all.add(RegisterSpec.readWrite(prefix + "ADDR", control + EVENT_ADDRESS, 0, 0xFFFF_FFFCL, "10.4.12"));
        long upper = capabilities.extendedInterruptMode() ? 0xFFFF_FFFFL : 0;
        all.add(RegisterSpec.readWrite(prefix + "UADDR", control + EVENT_UPPER_ADDRESS, 0, upper, "10.4.13"));
    }

    private static void protectedMemory(List<RegisterSpec> all, Capabilities capabilities) {
        boolean low = capabilities.protectedLowMemory();
        boolean high = capabilities.protectedHighMemory();
        long lowMask = low ? 0xFFFF_FFFFL & -PROTECTED_GRANULE : 0;
        long highMask = high ? capabilities.hostAddressMask() & -PROTECTED_GRANULE : 0;
        all.add(RegisterSpec.readWrite("PMEN", PMEN, 0, low || high ? 0x8000_0000L : 0, "10.4.16"));
        all.add(RegisterSpec.readWrite("PLMBASE", PLMBASE, 0, lowMask, "10.4.17"));
        all.add(RegisterSpec.readWrite("PLMLIMIT", PLMLIMIT, 0, lowMask, "10.4.18"));
        all.add(RegisterSpec.readWrite64("PHMBASE", PHMBASE, 0, highMask, "10.4.19"));
        all.add(RegisterSpec.readWrite64("PHMLIMIT", PHMLIMIT, 0, highMask, "10.4.20"));
    }

    private static void pageRequests(List<RegisterSpec> all, Capabilities capabilities, long pageAddress) {
        all.add(RegisterSpec.readWrite64("PQH", PQH, 0, REQUEST_OFFSET, "10.4.30"));
        all.add(RegisterSpec.readWrite64("PQT", PQT, 0, REQUEST_OFFSET, "10.4.31"));
        all.add(RegisterSpec.readWrite64("PQA", PQA, 0, pageAddress | 7, "10.4.32"));
        all.add(new RegisterSpec("PRS", PRS, 4, 0, 0, 3, 0, "10.4.33"));
        event(all, capabilities, "PE", PECTL);
    }

    private static void queue(List<RegisterSpec> all, Capabilities capabilities, long pageAddress) {
        all.add(RegisterSpec.readOnly64("IQH", IQH, 0, "10.4.21"));
        all.add(RegisterSpec.readWrite64("IQT", IQT, 0, QUEUE_OFFSET, "10.4.22"));
        all.add(RegisterSpec.readWrite64("IQA", IQA, 0, pageAddress | 0x807, "10.4.23"));
        all.add(new RegisterSpec("ICS", ICS, 4, 0, 0, 1, 0, "10.4.24"));
        event(all, capabilities, "IE", IECTL);
        all.add(RegisterSpec.readOnly64("IQERCD", IQERCD, 0, "10.4, Invalidation Queue Error Record"));
    }
}
