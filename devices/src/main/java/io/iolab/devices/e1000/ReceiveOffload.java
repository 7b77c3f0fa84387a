package io.iolab.devices.e1000;

import io.iolab.devices.net.InternetChecksum;
import io.iolab.devices.register.RegisterFile;

/**
 * What the receiver finds out about a frame: VLAN tag, checksums, RSS hash, packet type (82540 SDM 3.2.9 and 9.2; 82574 datasheet
 * 7.1). {@link #examine} does what decides about queue and size; {@link #finish} verifies, while the frame is as it was on the
 * wire; {@link #addChecksum} sums it as software will see it. A frame without a descriptor costs no checksum.
 *
 * <p>IXSM on the 82540EM means that nothing was checked; the 82574 leaves it clear and says so by TCPCS and IPCS alone, as it was
 * recorded. PIF is set for a frame that only the hash let pass, as the manual words it.
 */
final class ReceiveOffload {
    private static final int TYPE_IPV4 = 1;
    private static final int TYPE_IPV6 = 5;

    private final E1000Model model;
    private final RegisterFile registers;
    private final FrameParser parser = new FrameParser();
    private final ReceiveScaling scaling;
    private final ReceiveStatus status = new ReceiveStatus();
    private boolean stripsTag;
    private boolean scaled;

    ReceiveOffload(E1000Model model, RegisterFile registers) {
        this.model = model;
        this.registers = registers;
        this.scaling = new ReceiveScaling(registers, model);
    }

    void reset() {
        scaling.reset();
    }

    void examine(byte[] bytes, int start, int size) {
        parser.parse(bytes, start, size, registers.get(E1000Registers.VET));
        stripsTag = parser.tagged() && (registers.get(E1000Registers.CTRL) & E1000Registers.CTRL_VME) != 0;
        scaled = model == E1000Model.I82574L && scaling.enabled();
        if (scaled) {
            scaling.classify(parser);
        }
    }

    int queue() {
        return scaled ? scaling.queue() : 0;
    }

    boolean stripsTag() {
        return stripsTag;
    }

    ReceiveStatus status() {
        return status;
    }

    void finish(boolean hashOnly, boolean stamped) {
        status.clear();
        if (stripsTag) {
            status.status |= ReceiveStatus.VP;
            status.tag = parser.tag();
        }
        if (hashOnly) {
            status.status |= ReceiveStatus.PIF;
        }
        if (stamped) {
            status.status |= ReceiveStatus.TST;
        }
        int rxcsum = registers.get(E1000Registers.RXCSUM);
        verify(rxcsum);
        if (model == E1000Model.I82540EM) {
            boolean checked = (status.status & (ReceiveStatus.TCPCS | ReceiveStatus.IPCS)) != 0;
            status.status |= checked ? 0 : ReceiveStatus.IXSM;
        } else {
            describe(rxcsum);
        }
    }

    private void verify(int rxcsum) {
        if (parser.ipVersion() == 4 && (rxcsum & E1000Registers.RXCSUM_IPOFL) != 0) {
            status.status |= ReceiveStatus.IPCS;
            status.errors |= parser.ipChecksumGood() ? 0 : ReceiveStatus.ERROR_IPE;
        }
        boolean wanted = (rxcsum & E1000Registers.RXCSUM_TUOFL) != 0
                && parser.hasTransport()
                && !parser.isUdpWithoutChecksum()
                && !ipv6Excluded();
        if (wanted) {
            status.status |= ReceiveStatus.TCPCS;
            status.status |= model == E1000Model.I82574L && parser.isUdp() ? ReceiveStatus.UDPCS : 0;
            status.errors |= parser.transportChecksumGood() ? 0 : ReceiveStatus.ERROR_TCPE;
        }
    }

    private boolean ipv6Excluded() {
        int off = E1000Registers.RFCTL_IPV6_DIS | E1000Registers.RFCTL_IPV6_XSUM_DIS;
        return model == E1000Model.I82574L
                && parser.ipVersion() == 6
                && (registers.get(E1000Registers.RFCTL) & off) != 0;
    }

    /**
     * The packet checksum: the sum from RXCSUM.PCSS to the end of what software sees, so without a stripped tag, and with the FCS
     * only if that is kept (82540 SDM 3.2.9).
     */
    void addChecksum(byte[] bytes, int start, int size) {
        int rxcsum = registers.get(E1000Registers.RXCSUM);
        if (model == E1000Model.I82574L && (rxcsum & E1000Registers.RXCSUM_PCSD) != 0) {
            return;
        }
        int from = rxcsum & E1000Registers.RXCSUM_PCSS;
        status.checksum =
                from < size ? InternetChecksum.fold(InternetChecksum.add(0, bytes, start + from, size - from)) : 0;
        if (model == E1000Model.I82574L) {
            status.hashOrChecksum |= status.checksum << 16;
        }
    }

    /** The fields that only the 82574 has. */
    private void describe(int rxcsum) {
        if (parser.ipVersion() != 0) {
            int type = parser.ipVersion() == 4 ? TYPE_IPV4 : TYPE_IPV6;
            status.status |= type + (parser.namesTransport() ? 1 : 0) << ReceiveStatus.PACKET_TYPE_SHIFT;
        }
        if (isAcknowledgement()) {
            status.status |= ReceiveStatus.ACK;
        }
        if (scaled) {
            status.multipleQueues = scaling.type() | scaling.queue() << 8;
        }
        if ((rxcsum & E1000Registers.RXCSUM_PCSD) != 0) {
            status.hashOrChecksum = scaled ? scaling.hash() : 0;
        } else {
            status.status |= parser.ipVersion() == 4 ? ReceiveStatus.IPIDV : 0;
            status.hashOrChecksum = parser.ipIdentification();
        }
        boolean fragments = (registers.get(E1000Registers.RFCTL) & E1000Registers.RFCTL_IPFRSP_DIS) == 0;
        status.headerLength = parser.headerLength(fragments) - (stripsTag && parser.ipVersion() != 0 ? 4 : 0);
    }

    /** A TCP acknowledgement; with RFCTL.ACK_DATA_DIS only one that carries nothing else (82574 datasheet 10.2). */
    private boolean isAcknowledgement() {
        return parser.isAcknowledgement()
                && ((registers.get(E1000Registers.RFCTL) & E1000Registers.RFCTL_ACK_DATA_DIS) == 0
                        || !parser.carriesTcpData());
    }

    /** Whether an acknowledgement is to interrupt. RFCTL.ACK_DIS stops the interrupt, not the report. */
    boolean raisesAck() {
        return model == E1000Model.I82574L
                && (registers.get(E1000Registers.RFCTL) & E1000Registers.RFCTL_ACK_DIS) == 0
                && isAcknowledgement();
    }
}
