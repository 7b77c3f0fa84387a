package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.net.MacAddress;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The physical function's side of the mailbox: what virtual functions ask for is granted or refused here, and programmed into the pool
 * switch (in igb's order). A function is heard only after its RESET.
 */
final class MailboxServer {
    private static final int ACK = 1 << 1;
    private static final int STS = 1;
    private static final int PFU = 1 << 3;
    private static final int LOCK_TRIES = 10;
    private static final int VFACK_SHIFT = 16;
    /** A function that may not talk yet gets a refusal at most this often. */
    private static final long REFUSAL_NANOS = 2_000_000_000L;

    private static final int MOST_HASHES = 30;
    private static final int VLANS = 32;
    private static final int ADDRESSES = 24;
    private static final int FIRST_BLOCK = 16;
    private static final int LONGEST = 0x2600;

    private final RegisterWindow registers;
    private final DriverPlatform platform;
    private final int count;
    private final int[] words = new int[Message.WORDS];
    private final boolean[] clearToSend;
    private final long[] refusedNanos;
    private final byte[] @Nullable [] assigned;
    private final int[][] groups;
    private long requests;
    private long refusals;

    MailboxServer(RegisterWindow registers, DriverPlatform platform, int count) {
        this.registers = registers;
        this.platform = platform;
        this.count = count;
        this.clearToSend = new boolean[count];
        this.refusedNanos = new long[count];
        this.assigned = new byte[count][];
        this.groups = new int[count][];
        Arrays.fill(refusedNanos, -REFUSAL_NANOS);
        Arrays.setAll(groups, vf -> new int[0]);
    }

    /** The station address that a function gets, and may not change. */
    void assign(int vf, byte[] mac) {
        assigned[vf] = mac.clone();
        if (clearToSend[vf]) {
            setAddress(vf, mac);
        }
    }

    long requests() {
        return requests;
    }

    long refusals() {
        return refusals;
    }

    /** All functions have to introduce themselves again. */
    void forget() {
        Arrays.fill(clearToSend, false);
        Arrays.fill(refusedNanos, -REFUSAL_NANOS);
        Arrays.setAll(groups, vf -> new int[0]);
    }

    /** Tells functions that something has changed, so that they look at the link. */
    void ping() {
        for (int vf = 0; vf < count; vf++) {
            words[0] = Message.PING | (clearToSend[vf] ? Message.CTS : 0);
            reply(vf, 1);
        }
    }

    /** Serves all that the interrupt may have been about. */
    void serve() {
        for (int vf = 0; vf < count; vf++) {
            int bit = 1 << vf;
            if ((registers.read(Reg.VFLRE) & bit) != 0) {
                registers.write(Reg.VFLRE, bit);
                wasReset(vf);
            }
            int causes = registers.read(Reg.MBVFICR);
            if ((causes & bit) != 0) {
                registers.write(Reg.MBVFICR, bit);
                request(vf);
            }
            if ((causes & bit << VFACK_SHIFT) != 0) {
                registers.write(Reg.MBVFICR, bit << VFACK_SHIFT);
                acknowledged(vf);
            }
        }
    }

    /** The function's own reset took its filters with it. */
    private void wasReset(int vf) {
        clearToSend[vf] = false;
        groups[vf] = new int[0];
        for (int i = 0; i < VLANS; i++) {
            leaveVlan(vf, i);
        }
        setReceiveMode(vf);
        registers.write(addressEntry(vf), 0);
        registers.write(addressEntry(vf) + 4, 0);
        registers.write(Reg.VMOLR + 4 * vf, receiveControl(vf, LONGEST));
    }

    /** What igb puts into VMOLR for a function that has asked for nothing. */
    int receiveControl(int pool, int longest) {
        return longest | Reg.VMOLR_LPE | Reg.VMOLR_AUPE | Reg.VMOLR_BAM | Reg.VMOLR_STRCRC;
    }

    private boolean lock(int vf) {
        int mailbox = Reg.P2VMAILBOX + 4 * vf;
        for (int attempt = 0; attempt < LOCK_TRIES; attempt++) {
            registers.write(mailbox, PFU);
            if ((registers.read(mailbox) & PFU) != 0) {
                return true;
            }
        }
        return false;
    }

    private void request(int vf) {
        if (!lock(vf)) {
            return;
        }
        for (int i = 0; i < Message.WORDS; i++) {
            words[i] = registers.read(Reg.VMBMEM + 4 * (Message.WORDS * vf + i));
        }
        registers.write(Reg.P2VMAILBOX + 4 * vf, ACK);
        if ((words[0] & (Message.ACK | Message.NACK)) != 0) {
            // One of our own answers, handed back.
            return;
        }
        requests++;
        if ((words[0] & Message.TYPE) == Message.RESET) {
            introduce(vf);
        } else if (!clearToSend[vf]) {
            refuseStranger(vf);
        } else {
            boolean granted = grant(vf);
            refusals += granted ? 0 : 1;
            words[0] |= Message.CTS | (granted ? Message.ACK : Message.NACK);
            reply(vf, 1);
        }
    }

    private void refuseStranger(int vf) {
        long now = platform.clock().nanos();
        if (now - refusedNanos[vf] >= REFUSAL_NANOS) {
            refusedNanos[vf] = now;
            refusals++;
            words[0] |= Message.NACK;
            reply(vf, 1);
        }
    }

    /** An acknowledgement from a function that may not talk: it has missed a reset of ours. */
    private void acknowledged(int vf) {
        if (!clearToSend[vf]) {
            long now = platform.clock().nanos();
            if (now - refusedNanos[vf] >= REFUSAL_NANOS) {
                refusedNanos[vf] = now;
                words[0] = Message.NACK;
                reply(vf, 1);
            }
        }
    }

    private void reply(int vf, int length) {
        if (!lock(vf)) {
            return;
        }
        for (int i = 0; i < length; i++) {
            registers.write(Reg.VMBMEM + 4 * (Message.WORDS * vf + i), words[i]);
        }
        registers.write(Reg.P2VMAILBOX + 4 * vf, STS);
    }

    private void introduce(int vf) {
        wasReset(vf);
        byte[] mac = assigned[vf];
        if (mac != null) {
            setAddress(vf, mac);
        }
        registers.setBits(Reg.VFTE, 1 << vf);
        registers.setBits(Reg.VFRE, 1 << vf);
        clearToSend[vf] = true;
        words[0] = Message.RESET | (mac != null ? Message.ACK : Message.NACK);
        words[1] = mac == null ? 0 : Message.addressLow(mac);
        words[2] = mac == null ? 0 : Message.addressHigh(mac);
        reply(vf, 3);
    }

    private boolean grant(int vf) {
        int info = words[0] >>> Message.INFO_SHIFT & Message.INFO;
        return switch (words[0] & Message.TYPE) {
            case Message.SET_MAC -> info == 0 && takeAddress(vf);
            case Message.SET_MULTICAST -> {
                takeGroups(vf, info);
                yield true;
            }
            case Message.SET_VLAN -> info == 0 ? dropVlan(vf, words[1] & 0xFFF) : addVlan(vf, words[1] & 0xFFF);
            case Message.SET_LPE -> takeLength(vf, words[1]);
            default -> false;
        };
    }

    private boolean takeAddress(int vf) {
        byte[] mac = Message.address(words[1], words[2]);
        byte[] fixed = assigned[vf];
        if (fixed != null) {
            return Arrays.equals(fixed, mac);
        }
        if (MacAddress.isMulticast(MacAddress.get(mac, 0)) || MacAddress.get(mac, 0) == 0) {
            return false;
        }
        setAddress(vf, mac);
        return true;
    }

    /** Entries are given out from the end, as the front is the physical function's. */
    private static int addressEntry(int vf) {
        return Reg.RAL_HIGH + 8 * (ADDRESSES - 1 - vf - FIRST_BLOCK);
    }

    private void setAddress(int vf, byte[] mac) {
        registers.write(addressEntry(vf), Message.addressLow(mac));
        registers.write(addressEntry(vf) + 4, Message.addressHigh(mac) | Reg.RAH_AV | 1 << Reg.RAH_POOL_SHIFT + vf);
    }

    private void takeGroups(int vf, int wanted) {
        int hashes = Math.min(wanted, MOST_HASHES);
        groups[vf] = new int[hashes];
        for (int i = 0; i < hashes; i++) {
            groups[vf][i] = words[1 + i / 2] >>> 16 * (i & 1) & 0xFFF;
        }
        setReceiveMode(vf);
        for (int hash : groups[vf]) {
            registers.setBits(Reg.MTA + 4 * (hash >>> 5 & 0x7F), 1 << (hash & 31));
        }
    }

    private void setReceiveMode(int vf) {
        int control = registers.read(Reg.VMOLR + 4 * vf) & ~(Reg.VMOLR_ROMPE | Reg.VMOLR_MPME);
        registers.write(Reg.VMOLR + 4 * vf, groups[vf].length > 0 ? control | Reg.VMOLR_ROMPE : control);
    }

    private boolean takeLength(int vf, int length) {
        if (length < 64 || length > LONGEST) {
            return false;
        }
        int control = registers.read(Reg.VMOLR + 4 * vf) & ~0x3FFF;
        registers.write(Reg.VMOLR + 4 * vf, control | length | Reg.VMOLR_LPE);
        return true;
    }

    private boolean addVlan(int vf, int vlan) {
        int free = -1;
        for (int i = 0; i < VLANS; i++) {
            int entry = registers.read(Reg.VLVF + 4 * i);
            if ((entry & Reg.VLVF_ENABLE) == 0) {
                free = free < 0 ? i : free;
            } else if ((entry & 0xFFF) == vlan) {
                registers.write(Reg.VLVF + 4 * i, entry | 1 << Reg.VLVF_POOL_SHIFT + vf);
                return true;
            }
        }
        if (free < 0) {
            return false;
        }
        registers.write(Reg.VLVF + 4 * free, Reg.VLVF_ENABLE | 1 << Reg.VLVF_POOL_SHIFT + vf | vlan);
        registers.setBits(Reg.VFTA + 4 * (vlan >>> 5), 1 << (vlan & 31));
        return true;
    }

    private boolean dropVlan(int vf, int vlan) {
        for (int i = 0; i < VLANS; i++) {
            int entry = registers.read(Reg.VLVF + 4 * i);
            if ((entry & Reg.VLVF_ENABLE) != 0 && (entry & 0xFFF) == vlan) {
                leaveVlan(vf, i);
                return true;
            }
        }
        return false;
    }

    /** The last pool to leave takes the VLAN with it. */
    private void leaveVlan(int vf, int index) {
        int entry = registers.read(Reg.VLVF + 4 * index);
        int bit = 1 << Reg.VLVF_POOL_SHIFT + vf;
        if ((entry & bit) == 0) {
            return;
        }
        int left = entry & ~bit;
        if ((left & 0xFF << Reg.VLVF_POOL_SHIFT) == 0) {
            int vlan = entry & 0xFFF;
            registers.clearBits(Reg.VFTA + 4 * (vlan >>> 5), 1 << (vlan & 31));
            left = 0;
        }
        registers.write(Reg.VLVF + 4 * index, left);
    }
}
