package io.iolab.devices.driver.virtio;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.MacAddress;
import java.util.List;

/**
 * What a driver tells its device on the control queue (virtio 1.2 section 5.1.6.5). Each method waits for the answer and says
 * whether the device did as told; it is false without a word to the device where the feature was not negotiated.
 *
 * <p>Threading: that of the driver.
 */
public final class NetCommands {
    private static final int RX = 0;
    private static final int MAC = 1;
    private static final int VLAN = 2;
    private static final int ANNOUNCE = 3;
    private static final int MQ = 4;
    private static final int GUEST_OFFLOADS = 5;

    private static final int MAC_TABLE_SET = 0;
    private static final int MAC_ADDR_SET = 1;
    private static final int MQ_VQ_PAIRS_SET = 0;
    private static final int MQ_HASH_CONFIG = 2;
    private static final int HEADER = 2;
    private static final int MAX_VLAN = 4095;
    private static final int HASH_RESERVED = 8;

    /** Receive modes in the order of their commands. */
    public enum ReceiveMode {
        PROMISCUOUS,
        ALL_MULTICAST,
        ALL_UNICAST,
        NO_MULTICAST,
        NO_UNICAST,
        NO_BROADCAST
    }

    private final ControlQueue queue;
    private final long features;
    private final byte[] command = new byte[ControlQueue.MAX_COMMAND];
    private int length;

    NetCommands(ControlQueue queue, long features) {
        this.queue = queue;
        this.features = features;
    }

    boolean broken() {
        return queue.broken();
    }

    private boolean has(long feature) {
        return (features & feature) != 0;
    }

    private NetCommands begin(int commandClass, int number) {
        command[0] = (byte) commandClass;
        command[1] = (byte) number;
        length = HEADER;
        return this;
    }

    private NetCommands put(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            command[length++] = (byte) (value >>> 8 * i);
        }
        return this;
    }

    private boolean send() {
        return queue.send(command, length);
    }

    /** Switches a receive mode on or off. Modes from ALL_UNICAST on need CTRL_RX_EXTRA. */
    public boolean receiveMode(ReceiveMode mode, boolean on) {
        boolean extra = mode.ordinal() >= ReceiveMode.ALL_UNICAST.ordinal();
        return has(extra ? VirtioFeatures.CTRL_RX_EXTRA : VirtioFeatures.CTRL_RX)
                && begin(RX, mode.ordinal()).put(on ? 1 : 0, 1).send();
    }

    /**
     * Sets which addresses are received beside the station's.
     *
     * @throws IllegalArgumentException if they are more than a command holds, some 670
     */
    public boolean macTable(List<MacAddress> unicast, List<MacAddress> multicast) {
        long bytes = HEADER + 8L + MacAddress.LENGTH * ((long) unicast.size() + multicast.size());
        if (bytes > ControlQueue.MAX_COMMAND) {
            throw new IllegalArgumentException(unicast.size() + multicast.size() + " addresses");
        }
        begin(MAC, MAC_TABLE_SET);
        putList(unicast);
        putList(multicast);
        return send();
    }

    private void putList(List<MacAddress> addresses) {
        LittleEndian.putInt(command, length, addresses.size());
        length += 4;
        for (MacAddress address : addresses) {
            MacAddress.put(command, length, address.bits());
            length += MacAddress.LENGTH;
        }
    }

    boolean macAddress(MacAddress address) {
        if (!has(VirtioFeatures.CTRL_MAC_ADDR)) {
            return false;
        }
        begin(MAC, MAC_ADDR_SET);
        MacAddress.put(command, length, address.bits());
        length += MacAddress.LENGTH;
        return send();
    }

    /** @throws IllegalArgumentException if the id is not 0 to 4095 */
    public boolean vlan(int id, boolean listed) {
        if (id < 0 || id > MAX_VLAN) {
            throw new IllegalArgumentException("VLAN " + id);
        }
        return has(VirtioFeatures.CTRL_VLAN)
                && begin(VLAN, listed ? 0 : 1).put(id, 2).send();
    }

    boolean acknowledgeAnnouncement() {
        return has(VirtioFeatures.GUEST_ANNOUNCE) && begin(ANNOUNCE, 0).send();
    }

    boolean queuePairs(int pairs) {
        return has(VirtioFeatures.MQ)
                && begin(MQ, MQ_VQ_PAIRS_SET).put(pairs, 2).send();
    }

    /**
     * Has received packets hashed, where HASH_REPORT was negotiated.
     *
     * @param types bit 0 IPv4, 1 TCPv4, 2 UDPv4, 3 IPv6, 4 TCPv6, 5 UDPv6
     * @param key of the Toeplitz hash, up to 40 bytes
     */
    public boolean hash(int types, byte[] key) {
        if (!has(VirtioFeatures.HASH_REPORT) || !has(VirtioFeatures.CTRL_VQ)) {
            return false;
        }
        begin(MQ, MQ_HASH_CONFIG).put(types, 4).put(0, HASH_RESERVED).put(key.length, 1);
        System.arraycopy(key, 0, command, length, key.length);
        length += key.length;
        return send();
    }

    /** Switches receive offloads on; those left out go off. {@code wanted} has bits of {@link VirtioFeatures}. */
    public boolean guestOffloads(long wanted) {
        return has(VirtioFeatures.CTRL_GUEST_OFFLOADS)
                && begin(GUEST_OFFLOADS, 0).put(wanted, 8).send();
    }
}
