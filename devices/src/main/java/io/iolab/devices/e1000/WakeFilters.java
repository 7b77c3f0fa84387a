package io.iolab.devices.e1000;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.BigEndian;
import io.iolab.devices.register.RegisterFile;

/**
 * The wake-up filters (82540 SDM 6.4.3): each bit of WUFC is one. All of them but APM's magic packet want a frame that the
 * receive filters let pass. A VLAN tag is stepped over by the 82574 only.
 */
final class WakeFilters {
    private static final int FLEXIBLE_FILTERS = 4;
    private static final int ADDRESS_BYTES = 6;
    private static final int REPETITIONS = 16;
    private static final int ETHERNET = 14;
    private static final int IPV4 = 0x0800;
    private static final int ARP_TYPE = 0x0806;
    private static final int IPV6 = 0x86DD;
    /** Hardware type Ethernet, protocol IPv4, address lengths, operation request (RFC 826). */
    private static final long ARP_REQUEST = 0x0001_0800_0604_0001L;

    private static final int IPV6_VALID = 1 << 16;

    private final E1000Model model;
    private final RegisterFile registers;
    private final ReceiveFilter addresses;

    WakeFilters(Core core, ReceiveFilter addresses) {
        this.model = core.model();
        this.registers = core.registers();
        this.addresses = addresses;
    }

    /**
     * The filters among {@code enabled} that the frame passes.
     *
     * @param length at least 60
     */
    int match(byte[] frame, int offset, int length, int enabled) {
        int reasons = (enabled & WakeUp.MAGIC) != 0 && isMagic(frame, offset, length) ? WakeUp.MAGIC : 0;
        if (enabled == 0 || !passesReceiveFilter(frame, offset)) {
            return reasons;
        }
        reasons |= destination(frame, offset) & enabled;
        int header = offset + 12;
        if (model == E1000Model.I82574L && BigEndian.getShort(frame, header) == registers.get(E1000Registers.VET)) {
            header += 4;
        }
        int payload = header + 2;
        int end = offset + length;
        int found = switch (BigEndian.getShort(frame, header)) {
            case ARP_TYPE -> isArp(frame, offset, payload) ? WakeUp.ARP : 0;
            case IPV4 -> isDirectedIpv4(frame, payload) ? WakeUp.DIRECTED_IPV4 : 0;
            case IPV6 -> isDirectedIpv6(frame, payload, end) ? WakeUp.DIRECTED_IPV6 : 0;
            default -> 0;
        };
        reasons |= found & enabled;
        for (int i = 0; i < FLEXIBLE_FILTERS; i++) {
            int bit = WakeUp.FLEXIBLE << i;
            reasons |= (enabled & bit) != 0 && passesFlexible(i, frame, offset, length) ? bit : 0;
        }
        return reasons;
    }

    private boolean passesReceiveFilter(byte[] frame, int offset) {
        return addresses.match(frame, offset, registers.get(E1000Registers.RCTL)) != ReceiveFilter.Match.NONE;
    }

    private int destination(byte[] frame, int offset) {
        if (Statistics.isBroadcast(frame, offset)) {
            return WakeUp.BROADCAST;
        }
        if ((frame[offset] & 1) != 0) {
            return WakeUp.MULTICAST;
        }
        // A promiscuous mode is no exact match.
        return addresses.matchesExactly(frame, offset) ? WakeUp.EXACT : 0;
    }

    /** Six bytes of ones, then sixteen times our address, anywhere in a frame that is broadcast or passes the filters. */
    boolean isMagic(byte[] frame, int offset, int length) {
        int last = offset + length - ADDRESS_BYTES * (REPETITIONS + 1);
        int run = 0;
        for (int at = offset + ETHERNET; at < last + ADDRESS_BYTES; at++) {
            run = frame[at] == -1 ? run + 1 : 0;
            if (run >= ADDRESS_BYTES && repeatsStation(frame, at + 1)) {
                return Statistics.isBroadcast(frame, offset) || passesReceiveFilter(frame, offset);
            }
        }
        return false;
    }

    private boolean repeatsStation(byte[] frame, int at) {
        long station = registers.get64(E1000Registers.RAL);
        for (int i = 0; i < ADDRESS_BYTES * REPETITIONS; i++) {
            if (frame[at + i] != (byte) (station >>> 8 * (i % ADDRESS_BYTES))) {
                return false;
            }
        }
        return true;
    }

    private boolean isArp(byte[] frame, int offset, int arp) {
        return Statistics.isBroadcast(frame, offset)
                && BigEndian.getLong(frame, arp) == ARP_REQUEST
                && isOurs(LittleEndian.getInt(frame, arp + 24));
    }

    private boolean isDirectedIpv4(byte[] frame, int ip) {
        return frame[ip] >>> 4 == 4 && isOurs(LittleEndian.getInt(frame, ip + 16));
    }

    /** Whether a valid entry of IP4AT holds this address. */
    private boolean isOurs(int address) {
        int valid = registers.get(E1000Registers.IPAV);
        for (int i = 0; i < 4; i++) {
            if ((valid & 1 << i) != 0 && registers.get(E1000Registers.IP4AT + 8 * i) == address) {
                return true;
            }
        }
        return false;
    }

    private boolean isDirectedIpv6(byte[] frame, int ip, int end) {
        if ((registers.get(E1000Registers.IPAV) & IPV6_VALID) == 0 || ip + 40 > end || (frame[ip] >>> 4 & 0xF) != 6) {
            return false;
        }
        for (int i = 0; i < 4; i++) {
            if (LittleEndian.getInt(frame, ip + 24 + 4 * i) != registers.get(E1000Registers.IP6AT + 4 * i)) {
                return false;
            }
        }
        return true;
    }

    /** Bytes up to FFLT that FFMT selects equal those of FFVT; a shorter packet fails. */
    private boolean passesFlexible(int filter, byte[] frame, int offset, int length) {
        int wanted = registers.get(E1000Registers.FFLT + 8 * filter);
        if (length < wanted) {
            return false;
        }
        for (int i = 0; i < Math.min(wanted, 128); i++) {
            boolean compared = (registers.get(E1000Registers.FFMT + 8 * i) & 1 << filter) != 0;
            byte value = (byte) (registers.get(E1000Registers.FFVT + 8 * i) >>> 8 * filter);
            if (compared && frame[offset + i] != value) {
                return false;
            }
        }
        return true;
    }
}
