package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.register.RegisterFile;

/**
 * Which pools get a frame (82576 datasheet 7.10.3). A pool is one virtual function, or the physical one.
 *
 * <pre>
 *   VLAN in VFTA? --&gt; broadcast: pools with BAM | exact RAH pools | MTA, MPME: ROMPE pools | UTA: ROPE pools
 *        --&gt; with VFE: and pools of VLVF, or of AUPE if untagged
 *        --&gt; none: the default pool, for frames from the wire
 *        --&gt; and VFRE --&gt; a copy each
 * </pre>
 */
final class PoolSwitch {
    static final int ALL_POOLS = (1 << POOLS) - 1;

    private static final int VLVF_ENTRIES = 32;
    private static final int VLAN_ID = 0xFFF;

    private final RegisterFile registers;
    private final AddressFilter addresses;
    private boolean hashOnly;
    private boolean exact;

    PoolSwitch(RegisterFile registers, AddressFilter addresses) {
        this.registers = registers;
        this.addresses = addresses;
    }

    /** Whether pools exist at all; otherwise everything that passes the filters is one adapter's. */
    boolean divided() {
        int mode = registers.get(MRQC) & MRQC_ENABLE;
        return mode == MRQC_VMDQ || mode == MRQC_VMDQ_RSS;
    }

    /** The pool that a queue sends for. */
    int poolOf(int queue) {
        return divided() ? queue & POOLS - 1 : 0;
    }

    /** Whether the last frame routed passed by a hash alone. */
    boolean hashOnly() {
        return hashOnly;
    }

    /** Whether the last frame routed had a unicast destination that some pool owns. */
    boolean exact() {
        return exact;
    }

    /**
     * The pools for a frame.
     *
     * @param source the pool that sent it, or -1 for the wire
     * @return a bit for each pool; undivided, 1 if the filters let it pass
     */
    int route(byte[] frame, int at, int length, int source) {
        hashOnly = false;
        exact = false;
        int tag = vlanOf(frame, at, length);
        boolean filtersVlans = (registers.get(RCTL) & RCTL_VFE) != 0;
        if (filtersVlans && tag >= 0 && !inVfta(tag)) {
            return 0;
        }
        long destination = EthernetFrame.destination(frame, at);
        if (!divided()) {
            return undivided(destination) ? 1 : 0;
        }
        int pools = addressPools(destination);
        if (filtersVlans) {
            pools &= tag >= 0 ? vlanPools(tag) : poolsWith(VMOLR_AUPE);
        }
        if (source >= 0) {
            boolean echoes = (registers.get(DTXSWC) & DTXSWC_LOCAL_LOOPBACK << source) != 0;
            pools &= echoes ? ALL_POOLS : ~(1 << source);
        } else if (pools == 0) {
            pools = defaultPool();
        }
        if (MacAddress.isMulticast(destination) && (registers.get(VT_CTL) & VT_CTL_REPLICATION) == 0) {
            pools &= defaultPool();
        }
        return pools & registers.get(VFRE);
    }

    private boolean undivided(long destination) {
        int rctl = registers.get(RCTL);
        if (MacAddress.isBroadcast(destination)) {
            return (rctl & RCTL_BAM) != 0;
        }
        boolean group = MacAddress.isMulticast(destination);
        if (addresses.holds(destination) || (rctl & (group ? RCTL_MPE : RCTL_UPE)) != 0) {
            return true;
        }
        hashOnly = addresses.hashed(destination);
        return hashOnly;
    }

    private int addressPools(long destination) {
        if (MacAddress.isBroadcast(destination)) {
            return poolsWith(VMOLR_BAM);
        }
        boolean group = MacAddress.isMulticast(destination);
        // VT_CTL.28: pools are chosen by VLAN alone.
        int pools = (registers.get(VT_CTL) & VT_CTL_IGNORE_MAC) != 0 ? ALL_POOLS : addresses.pools(destination);
        exact = pools != 0 && !group;
        if (pools == 0 && addresses.hashed(destination)) {
            pools = poolsWith(group ? VMOLR_ROMPE : VMOLR_ROPE);
            hashOnly = pools != 0;
        }
        return group ? pools | poolsWith(VMOLR_MPME) : pools;
    }

    private int poolsWith(int bit) {
        int pools = 0;
        for (int pool = 0; pool < POOLS; pool++) {
            pools |= (registers.get(VMOLR + 4 * pool) & bit) != 0 ? 1 << pool : 0;
        }
        return pools;
    }

    private int defaultPool() {
        int control = registers.get(VT_CTL);
        return (control & VT_CTL_NO_DEFAULT_POOL) != 0 ? 0 : 1 << (control >>> VT_CTL_POOL_SHIFT & POOLS - 1);
    }

    private int vlanOf(byte[] frame, int at, int length) {
        boolean tagged = length >= EthernetFrame.HEADER_BYTES + EthernetFrame.TAG_BYTES
                && EthernetFrame.outerType(frame, at) == (registers.get(VET) & 0xFFFF);
        return tagged ? EthernetFrame.tagControl(frame, at) & VLAN_ID : -1;
    }

    private boolean inVfta(int vlan) {
        return (registers.get(VFTA + 4 * (vlan >>> 5)) >>> (vlan & 31) & 1) != 0;
    }

    private int vlanPools(int vlan) {
        int pools = 0;
        for (int i = 0; i < VLVF_ENTRIES; i++) {
            int entry = registers.get(VLVF + 4 * i);
            if ((entry & VLVF_ENABLE) != 0 && (entry & VLAN_ID) == vlan) {
                pools |= entry >>> VLVF_POOL_SHIFT & ALL_POOLS;
            }
        }
        return pools;
    }

    /** Whether a pool that is watched sends with an address or a VLAN that is not its own (82576 datasheet 7.10.3.8). */
    boolean spoofed(byte[] frame, int at, int length, int pool) {
        int watched = registers.get(DTXSWC) >>> pool;
        if ((watched & DTXSWC_MAC_SPOOF) != 0 && (addresses.pools(EthernetFrame.source(frame, at)) >>> pool & 1) == 0) {
            return true;
        }
        if ((watched & DTXSWC_VLAN_SPOOF) == 0) {
            return false;
        }
        int tag = vlanOf(frame, at, length);
        return tag >= 0 && (vlanPools(tag) >>> pool & 1) == 0;
    }

    /** Whether a frame is too long for a pool: {@code VMOLR} with LPE, 1522 without, both with FCS (82576 datasheet 8.14). */
    boolean tooLong(int length, int pool) {
        int withFcs = length + 4;
        if (!divided()) {
            boolean longAllowed = (registers.get(RCTL) & RCTL_LPE) != 0;
            return withFcs > (longAllowed ? registers.get(RLPML) & VMOLR_RLPML : 1522);
        }
        int control = registers.get(VMOLR + 4 * pool);
        return withFcs > ((control & VMOLR_LPE) != 0 ? control & VMOLR_RLPML : 1522);
    }
}
