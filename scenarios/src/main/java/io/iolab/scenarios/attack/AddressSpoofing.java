package io.iolab.scenarios.attack;

import java.util.Arrays;

/** Frames in somebody else's name. */
final class AddressSpoofing implements Attack {
    private static final int FRAMES = 8;
    private static final int DTXSWC = 0x3500;
    /** MACAS: MAC anti-spoofing, a bit for each pool. */
    private static final int MAC_ANTI_SPOOF = 0xFF;

    private static final byte[] PEER = {0x52, 0x54, 0x00, 0x00, 0x00, 0x77};

    @Override
    public String name() {
        return "vf-mac-spoofing";
    }

    @Override
    public String what() {
        return "Guest A's virtual function sends frames with the station address of guest B's as their source. "
                + "Switches learn that B is where A is, and send A what is B's.";
    }

    @Override
    public String defence() {
        return "MAC anti-spoofing of the physical function's switch (82576 7.10.3.8: DTXSWC.MACAS; ip link set vf spoofchk on)";
    }

    @Override
    public Verdict expected(Defence defence) {
        return defence == Defence.ON ? Verdict.blocked() : Verdict.of(Verdict.Kind.FORGED, FRAMES, "frame");
    }

    @Override
    public Verdict run(AttackedHost host) {
        SriovHost sriov = new SriovHost(host);
        if (!host.defended()) {
            sriov.setRegister(DTXSWC, sriov.register(DTXSWC) & ~MAC_ANTI_SPOOF);
        }
        host.note("DTXSWC = 0x%08x", sriov.register(DTXSWC));
        sriov.send(sriov.victim, frame(SriovHost.GUEST_B, 0));
        boolean honest = sriov.wire.stream().anyMatch(AddressSpoofing::fromVictim);
        host.note("a frame of guest B's own reached the wire: %b", honest);
        sriov.wire.clear();
        for (int i = 0; i < FRAMES; i++) {
            sriov.send(sriov.attacker, frame(SriovHost.GUEST_B, i));
        }
        long forged = sriov.wire.stream().filter(AddressSpoofing::fromVictim).count();
        host.note("guest A sent %d frames as 52:54:00:00:00:0b; %d reached the wire", FRAMES, forged);
        host.note(
                "spoofed frames dropped by the switch: %d; events that igb logged: %d",
                sriov.device.counters().txSpoofed(), sriov.physical.spoofEvents());
        if (forged > 0) {
            host.evidence("a frame on the wire", 0, sriov.wire.getFirst());
        }
        return Verdict.of(Verdict.Kind.FORGED, forged, "frame");
    }

    private static byte[] frame(byte[] source, int number) {
        byte[] frame = MemoryRegion.canary("frame " + number, 64);
        System.arraycopy(PEER, 0, frame, 0, 6);
        System.arraycopy(source, 0, frame, 6, 6);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        return frame;
    }

    private static boolean fromVictim(byte[] frame) {
        return Arrays.equals(Arrays.copyOfRange(frame, 6, 12), SriovHost.GUEST_B);
    }
}
