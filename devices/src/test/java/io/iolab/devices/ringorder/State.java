package io.iolab.devices.ringorder;

import io.iolab.devices.ringorder.SideStates.Node;

/** Both sides, what is in memory, what is on its way there, and which tokens are set. Index 0 is the driver, 1 the device. */
record State(Node[] sides, Step[][] buffers, boolean[] tokens, byte[] memory) {

    /** Hashed to 128 bits: that two of some million states collide is less likely than a failing machine. */
    record Key(long high, long low) {}

    static State initial(Node driver, Node device, int memorySize) {
        return new State(new Node[] {driver, device}, new Step[2][0], new boolean[2], new byte[memorySize]);
    }

    State with(int side, Node node) {
        Node[] changed = sides.clone();
        changed[side] = node;
        return new State(changed, buffers, tokens, memory);
    }

    State withBuffer(int side, Step[] buffer) {
        Step[][] changed = buffers.clone();
        changed[side] = buffer;
        return new State(sides, changed, tokens, memory);
    }

    State withToken(int side, boolean set) {
        boolean[] changed = tokens.clone();
        changed[side] = set;
        return new State(sides, buffers, changed, memory);
    }

    /** With a store performed. */
    State performed(Step store) {
        byte[] changed = memory.clone();
        put(store, changed);
        return new State(sides, buffers, tokens, changed);
    }

    private static void put(Step store, byte[] target) {
        for (int i = 0; i < store.width(); i++) {
            target[store.address() + i] = (byte) (store.value() >>> 8 * i);
        }
    }

    /** What a side loads: its own stores, even those on their way, and else memory. */
    long load(int side, Step load) {
        long value = 0;
        for (int i = load.width() - 1; i >= 0; i--) {
            value = value << 8 | loadByte(buffers[side], load.address() + i);
        }
        return value;
    }

    private int loadByte(Step[] buffer, int address) {
        for (int i = buffer.length - 1; i >= 0; i--) {
            int offset = address - buffer[i].address();
            if (offset >= 0 && offset < buffer[i].width()) {
                return (int) (buffer[i].value() >>> 8 * offset) & 0xFF;
            }
        }
        return memory[address] & 0xFF;
    }

    Key key() {
        long a = 0x9E37_79B9_7F4A_7C15L;
        long b = 0xC2B2_AE3D_27D4_EB4FL;
        for (int side = 0; side < 2; side++) {
            a = mix(a, sides[side].id);
            b = mix(b, sides[side].id * 31L + (tokens[side] ? 1 : 2));
            a = mix(a, buffers[side].length);
            for (Step store : buffers[side]) {
                a = mix(a, store.address() * 8191L + store.value());
                b = mix(b, store.value() * 131 + store.address() * 2L + (store.release() ? 1 : 0));
            }
        }
        for (int i = 0; i < memory.length; i += 8) {
            long word = 0;
            for (int j = 0; j < 8; j++) {
                word = word << 8 | memory[i + j] & 0xFF;
            }
            a = mix(a, word);
            b = mix(b, word + i);
        }
        return new Key(a, b);
    }

    private static long mix(long hash, long value) {
        long mixed = (hash ^ value) * 0xFF51_AFD7_ED55_8CCDL;
        return mixed ^ mixed >>> 32;
    }
}
