package io.iolab.devices.ats;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.pci.AddressTranslationServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.PageRequestInterface;
import io.iolab.devices.pci.PasidCapability;

/**
 * An option of a function that the real part does not have: ATS, PRI and PASID capabilities in front of a {@link DeviceTlb}. Neither the
 * 82574L nor the 82576 offers translation services, so this is off unless a board is built with it.
 *
 * <pre>
 *   var option = new AddressTranslation(new DeviceTlb(translationPort));
 *   E1000 nic = E1000.create(..., option.port(), ...);
 *   option.addTo(nic.config());
 *
 *   ATS   at 0x200, or at 0x100 in a function without extended capabilities: depth 32, page aligned, global invalidate
 *   PRI   0x10 on: as many requests as the device TLB has, PASID in responses
 *   PASID 0x20 on: 20 bits, execute, privileged
 *   VSEC  0x30 on: +8 the PASID that all requests carry: 19:0, 29 execute, 30 privileged, 31 valid
 * </pre>
 *
 * <p>Software enables PASID first, then PRI and ATS (PCI Express Base 10.5.1.3). The function tags its requests only while the PASID
 * register is valid and the PASID capability enabled; messages never carry one. A reset of the function, by FLR or otherwise, clears all
 * controls and drops every translation and request.
 *
 * <p>Threading: the function's.
 */
public final class AddressTranslation {
    /** The register with the PASID of the function's requests, in its vendor-specific extended capability. */
    public static final int PASID_REGISTER = 8;

    /** In the PASID register: requests carry it. */
    public static final int PASID_VALID = 1 << 31;

    /** In the PASID register: requests claim supervisor privilege. */
    public static final int PASID_PRIVILEGED = 1 << 30;

    private static final int BEHIND_OTHERS = 0x200;
    private static final int PRI = 0x10;
    private static final int PASID = 0x20;
    private static final int VENDOR_SPECIFIC = 0x30;

    private static final int PASID_WRITABLE = 0xE00F_FFFF;
    private static final int PASID_EXECUTE = 1 << 29;
    private static final int PASID_BITS = 20;
    private static final int QUEUE_DEPTH = 32;
    /** Revision 1, 12 bytes. */
    private static final int VENDOR_HEADER = 1 << 16 | 12 << 20;

    private final DeviceTlb tlb;
    private final Tagging port;

    /** @param tlb of the function, which nothing else controls */
    public AddressTranslation(DeviceTlb tlb) {
        this.tlb = tlb;
        port = new Tagging(tlb.port());
    }

    /** What the function is to use as its way to memory. */
    public DmaPort port() {
        return port;
    }

    public DeviceTlb tlb() {
        return tlb;
    }

    /**
     * Puts the capabilities behind those that a function has, and makes the result its state at reset.
     *
     * @throws IllegalArgumentException if their places are taken
     */
    public void addTo(ConfigSpace config) {
        if (ExtendedCapability.find(config, ExtendedCapability.ADDRESS_TRANSLATION) != 0) {
            throw new IllegalArgumentException("the function has translation services already");
        }
        boolean first = config.get(ExtendedCapability.FIRST, 4) == 0;
        int base = first ? ExtendedCapability.FIRST : BEHIND_OTHERS;
        var services = new AddressTranslationServices[1];
        services[0] = new AddressTranslationServices(
                config, base, QUEUE_DEPTH, true, () -> tlb.enable(services[0].enabled()));
        PageRequests requests = tlb.requests();
        tlb.controlledBy(new PageRequestInterface(config, base + PRI, requests.capacity(), true, requests::reset));
        config.onRead(base + PRI, 16, requests::reap);
        var pasid = new PasidCapability[1];
        int register = base + VENDOR_SPECIFIC + PASID_REGISTER;
        pasid[0] = new PasidCapability(
                config,
                base + PASID,
                PASID_BITS,
                PasidCapability.EXECUTE | PasidCapability.PRIVILEGED,
                () -> tag(config.get(register, 4), pasid[0]));
        config.extendedCapability(base + VENDOR_SPECIFIC, ExtendedCapability.VENDOR_SPECIFIC, 1)
                .field(base + VENDOR_SPECIFIC + 4, 4, VENDOR_HEADER, 0, 0)
                .field(register, 4, 0, PASID_WRITABLE, 0)
                .onWrite(register, 4, () -> tag(config.get(register, 4), pasid[0]))
                .onReset(requests::reset)
                .seal();
    }

    private void tag(int register, PasidCapability capability) {
        if (!capability.enabled() || (register & PASID_VALID) == 0) {
            port.tagged = tlb.port();
            return;
        }
        int modes = 0;
        if ((register & PASID_EXECUTE) != 0 && capability.allows(PasidCapability.EXECUTE)) {
            modes |= TranslationPort.EXECUTE;
        }
        if ((register & PASID_PRIVILEGED) != 0 && capability.allows(PasidCapability.PRIVILEGED)) {
            modes |= TranslationPort.PRIVILEGED;
        }
        port.tagged = tlb.withPasid(register & (1 << PASID_BITS) - 1, modes);
    }

    /** The function's requests with the PASID of the register; messages without. */
    private static final class Tagging implements DmaPort {
        private final DmaPort plain;
        private DmaPort tagged;

        Tagging(DmaPort plain) {
            this.plain = plain;
            tagged = plain;
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return tagged.read(iova, target, offset, length, kind);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            DmaPort way = kind == DmaKind.MESSAGE && MessagePort.claims(iova) ? plain : tagged;
            return way.write(iova, source, offset, length, kind);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return tagged.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return tagged.storeShortRelease(iova, value, kind);
        }
    }
}
