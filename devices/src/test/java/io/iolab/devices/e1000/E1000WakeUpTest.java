package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 82540 SDM 6.4 and 13.6: wake-up packets, link changes, and the PME that they cause. */
class E1000WakeUpTest {
    private static final int WUC = 0x5800;
    private static final int WUFC = 0x5808;
    private static final int WUS = 0x5810;
    private static final int IPAV = 0x5838;
    private static final int IP4AT = 0x5840;
    private static final int IP6AT = 0x5880;
    private static final int WUPL = 0x5900;
    private static final int WUPM = 0x5A00;
    private static final int FFLT = 0x5F00;
    private static final int FFMT = 0x9000;
    private static final int FFVT = 0x9800;

    private static final int LINK = 1;
    private static final int MAGIC = 2;
    private static final int EXACT = 4;
    private static final int MULTICAST = 8;
    private static final int BROADCAST_BIT = 0x10;
    private static final int ARP = 0x20;
    private static final int IPV4 = 0x40;
    private static final int IPV6 = 0x80;
    private static final int ALL = 0x000F_00FF;
    private static final int PME_ENABLE = 0x100;
    private static final int PME_STATUS = 0x8000;

    private static final byte[] GROUP = {0x01, 0x00, 0x5E, 0, 0, 1};
    private static final byte[] STRANGER = {0x52, 0x54, 0, 1, 2, 3};
    private static final String OUR_IPV6 = "20010DB8000000000000000000000042";

    private static int pmcsr(Bench bench) {
        return bench.device.model() == E1000Model.I82540EM ? 0xE0 : 0xCC;
    }

    private static int power(Bench bench) {
        return bench.device.config().read(pmcsr(bench), 2);
    }

    private static void sleep(Bench bench, boolean pme) {
        bench.device.config().write(pmcsr(bench), 2, 3 | (pme ? PME_ENABLE : 0));
    }

    private static void awake(Bench bench) {
        bench.device.config().write(pmcsr(bench), 2, power(bench) & PME_ENABLE);
        bench.device.config().write(0x04, 2, 0x7);
    }

    /** A bench in which all filters are set up; what is enabled is the test's affair. */
    private static Bench prepared(E1000Model model) {
        Bench bench = new Bench(model);
        bench.write(WUC, 0);
        bench.write(RCTL, RX_BAM | RX_EN);
        bench.write(MTA + 4, 0x10);
        bench.write(IPAV, 0x1_0002);
        bench.write(IP4AT, 0x0100_000A);
        bench.write(IP4AT + 8, 0x0200_000A);
        byte[] ipv6 = bytes(OUR_IPV6);
        for (int i = 0; i < 4; i++) {
            bench.write(
                    IP6AT + 4 * i,
                    ipv6[4 * i] & 0xFF
                            | (ipv6[4 * i + 1] & 0xFF) << 8
                            | (ipv6[4 * i + 2] & 0xFF) << 16
                            | (ipv6[4 * i + 3] & 0xFF) << 24);
        }
        // Filter 2: IPX (8137h), in packets of at least 80 bytes.
        bench.write(FFLT + 16, 80);
        bench.write(FFMT + 8 * 12, 0x4);
        bench.write(FFMT + 8 * 13, 0x4);
        bench.write(FFVT + 8 * 12, 0x0081_0000);
        bench.write(FFVT + 8 * 13, 0x0037_0000);
        return bench;
    }

    private static byte[] magic(byte[] destination) {
        byte[] frame = frame(destination, 200);
        for (int i = 0; i < 6; i++) {
            frame[30 + i] = -1;
        }
        for (int i = 0; i < 16; i++) {
            System.arraycopy(MAC, 0, frame, 36 + 6 * i, 6);
        }
        return frame;
    }

    private static byte[] brokenMagic() {
        byte[] frame = magic(MAC);
        frame[36 + 95] ^= 1;
        return frame;
    }

    private static byte[] shortMagic() {
        byte[] frame = new byte[36 + 96];
        System.arraycopy(magic(BROADCAST), 0, frame, 0, frame.length);
        return frame;
    }

    private static byte[] typed(byte[] destination, String payload) {
        byte[] frame = new byte[80];
        System.arraycopy(destination, 0, frame, 0, 6);
        System.arraycopy(PEER, 0, frame, 6, 6);
        byte[] rest = bytes(payload);
        System.arraycopy(rest, 0, frame, 12, rest.length);
        return frame;
    }

    private static byte[] arp(byte[] destination, String target, int operation) {
        return typed(
                destination, "0806 0001 0800 06 04 000" + operation + " 525400AABBCC 0A000009 000000000000 " + target);
    }

    private static byte[] ipv4(byte[] destination, String target) {
        return typed(destination, "0800 45000020 00000000 40110000 0A000009" + target);
    }

    private static byte[] ipv6(String target) {
        return typed(MAC, "86DD 60000000 0000 3B40 FE800000000000000000000000000001" + target);
    }

    private static byte[] flexible(int length) {
        byte[] frame = frame(MAC, length);
        frame[12] = (byte) 0x81;
        frame[13] = 0x37;
        return frame;
    }

    static Stream<Arguments> packets() {
        Object[][] cases = {
            {"unicast for us", frame(MAC, 60), EXACT},
            {"short unicast for us", frame(MAC, 20), EXACT},
            {"unicast for somebody else", frame(STRANGER, 60), 0},
            {"broadcast", frame(BROADCAST, 60), BROADCAST_BIT},
            {"multicast that hashes", frame(bytes("01005E004002"), 60), MULTICAST},
            {"multicast that does not", frame(GROUP, 60), 0},
            {"magic, unicast", magic(MAC), EXACT | MAGIC},
            {"magic, broadcast", magic(BROADCAST), BROADCAST_BIT | MAGIC},
            {"magic, up to the last byte", shortMagic(), BROADCAST_BIT | MAGIC},
            {"magic for somebody else's address", magic(STRANGER), 0},
            {"magic with a wrong last byte", brokenMagic(), EXACT},
            {"ARP for our address", arp(BROADCAST, "0A000002", 1), BROADCAST_BIT | ARP},
            {"ARP for an entry not valid", arp(BROADCAST, "0A000001", 1), BROADCAST_BIT},
            {"ARP reply", arp(BROADCAST, "0A000002", 2), BROADCAST_BIT},
            {"ARP, unicast", arp(MAC, "0A000002", 1), EXACT},
            {"IPv4 for us", ipv4(MAC, "0A000002"), EXACT | IPV4},
            {"IPv4 for another", ipv4(MAC, "0A000003"), EXACT},
            {"IPv6 for us", ipv6(OUR_IPV6), EXACT | IPV6},
            {"IPv6 for another", ipv6(OUR_IPV6.replace("42", "43")), EXACT},
            {"flexible filter 2", flexible(80), EXACT | 1 << 18},
            {"too short for filter 2", flexible(79), EXACT},
        };
        return Stream.of(cases)
                .flatMap(c -> Stream.of(E1000Model.values()).map(m -> Arguments.of(m, c[0], c[1], c[2])));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("packets")
    @DisplayName("6.4.3: each filter that WUFC enables and the packet passes shows in WUS, asleep only")
    void shouldWakeByFilter(E1000Model model, String what, byte[] frame, int reasons) {
        try (Bench bench = prepared(model)) {
            bench.write(WUFC, ALL & ~(1 << 16 | 1 << 17 | 1 << 19));
            bench.arrive(frame);
            assertThat(bench.read(WUS)).as("awake").isZero();
            sleep(bench, true);
            bench.arrive(frame);
            assertThat(power(bench) & PME_STATUS).as(what).isEqualTo(reasons == 0 ? 0 : PME_STATUS);
            assertThat(bench.device.counters().wakeEvents()).isEqualTo(reasons == 0 ? 0 : 1);
            assertThat(bench.device.counters().pmeAssertions()).isEqualTo(reasons == 0 ? 0 : 1);
            awake(bench);
            assertThat(bench.read(WUS)).as(what).isEqualTo(reasons);
            assertThat(bench.read(WUPL)).isEqualTo(reasons == 0 ? 0 : Math.max(60, frame.length));
        }
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("packets")
    @DisplayName("6.4.3: a filter that WUFC does not enable wakes nobody")
    void shouldSleepThroughDisabledFilters(E1000Model model, String what, byte[] frame, int reasons) {
        try (Bench bench = prepared(model)) {
            bench.write(WUFC, ALL & ~reasons & ~EXACT & ~BROADCAST_BIT & ~(1 << 16 | 1 << 17 | 1 << 19));
            sleep(bench, true);
            bench.arrive(frame);
            assertThat(power(bench) & PME_STATUS).as(what).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName(
            "6.4.3.5: WUPM keeps the first 128 bytes of the first packet until its WUS bits are cleared; resets keep them")
    void shouldKeepFirstPacket(E1000Model model) {
        try (Bench bench = prepared(model)) {
            bench.write(WUFC, EXACT | BROADCAST_BIT);
            byte[] first = frame(MAC, 200);
            sleep(bench, true);
            bench.arrive(first);
            bench.arrive(frame(BROADCAST, 90));
            assertThat(bench.device.counters().wakeEvents()).isEqualTo(1);
            awake(bench);
            bench.write(CTRL, 1 << 26);
            bench.device.reset();
            bench.device.config().write(0x04, 2, 0x7);
            assertThat(bench.read(WUS)).isEqualTo(EXACT);
            assertThat(bench.read(WUPL)).isEqualTo(200);
            for (int i = 0; i < 128; i++) {
                assertThat((byte) (bench.read(WUPM + (i & ~3)) >>> 8 * (i & 3)))
                        .as("byte %d", i)
                        .isEqualTo(first[i]);
            }
            bench.write(WUS, BROADCAST_BIT);
            assertThat(bench.read(WUS)).as("write one to clear").isEqualTo(EXACT);
            bench.write(WUS, -1);
            assertThat(bench.read(WUS)).isZero();
            bench.write(WUFC, EXACT | BROADCAST_BIT);
            bench.write(RCTL, RX_BAM);
            sleep(bench, true);
            bench.arrive(frame(BROADCAST, 90));
            awake(bench);
            assertThat(bench.read(WUS)).isEqualTo(BROADCAST_BIT);
            assertThat(bench.read(WUPL)).isEqualTo(90);
            assertThat(bench.read(WUPM + 92)).as("beyond the packet").isZero();
        }
    }

    @Test
    @DisplayName("13.6.7: a packet longer than 2047 bytes reads as 2047")
    void shouldLimitLength() {
        try (Bench bench = prepared(E1000Model.I82540EM)) {
            bench.write(WUFC, EXACT);
            sleep(bench, false);
            bench.arrive(frame(MAC, 4000));
            awake(bench);
            assertThat(bench.read(WUPL)).isEqualTo(2047);
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("6.4.2: a link change wakes once until LNKC is cleared, and does not hide a packet")
    void shouldWakeByLink(E1000Model model) {
        try (Bench bench = prepared(model)) {
            bench.write(WUFC, LINK | EXACT);
            bench.device.setLink(false);
            assertThat(bench.read(WUS)).as("awake").isZero();
            sleep(bench, true);
            bench.device.setLink(true);
            bench.device.setLink(false);
            bench.device.setLink(true);
            assertThat(power(bench)).isEqualTo(PME_STATUS | PME_ENABLE | 3);
            assertThat(bench.device.counters().wakeEvents()).isEqualTo(1);
            bench.arrive(frame(MAC, 60));
            awake(bench);
            assertThat(bench.read(WUS)).isEqualTo(LINK | EXACT);
        }
    }

    @Test
    @DisplayName("6.4.2: without LNKC in WUFC, or without link for a packet, nothing happens")
    void shouldIgnoreLinkUnlessEnabled() {
        try (Bench bench = prepared(E1000Model.I82540EM)) {
            bench.write(WUFC, EXACT);
            sleep(bench, true);
            bench.device.setLink(false);
            bench.arrive(frame(MAC, 60));
            assertThat(power(bench)).isEqualTo(PME_ENABLE | 3);
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("PCI PM 3.2.4: PME# needs PME_En; it ends with PME_Status or PME_En, and both survive D3hot to D0")
    void shouldFollowPmeBits(E1000Model model) {
        try (Bench bench = prepared(model)) {
            bench.write(WUFC, EXACT);
            sleep(bench, false);
            bench.arrive(frame(MAC, 60));
            assertThat(power(bench)).isEqualTo(PME_STATUS | 3);
            assertThat(bench.device.counters().pmeAssertions()).isZero();
            bench.device.config().write(pmcsr(bench), 2, 3 | PME_ENABLE);
            assertThat(bench.device.counters().pmeAssertions())
                    .as("enabled while set")
                    .isEqualTo(1);
            awake(bench);
            assertThat(power(bench)).isEqualTo(PME_STATUS | PME_ENABLE);
            assertThat(bench.read(WUC) & 6).as("PME_En and PME_Status in WUC").isEqualTo(6);
            bench.write(WUC, 4);
            assertThat(bench.read(WUC) & 6).isZero();
            assertThat(power(bench)).isZero();
            bench.write(WUC, 2);
            assertThat(power(bench)).as("PME_En by WUC").isEqualTo(PME_ENABLE);
            assertThat(bench.device.counters().pmeAssertions()).isEqualTo(1);
            bench.device.config().write(pmcsr(bench), 2, PME_STATUS);
            assertThat(bench.device.config().read(pmcsr(bench) - 2, 2))
                    .as("PMC: D0, D3hot, D3cold")
                    .isEqualTo(0xC822);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName(
            "6.4.1: with APME a magic packet is noticed in any power state; with APMPME it sets PME_Status, PME_En or not")
    void shouldWakeByApm(boolean asleep) {
        try (Bench bench = Bench.i82540em()) {
            assertThat(bench.read(WUC)).as("APME as the EEPROM says").isEqualTo(1);
            bench.arrive(frame(BROADCAST, 60));
            assertThat(bench.read(WUS)).isZero();
            if (asleep) {
                sleep(bench, false);
            }
            bench.arrive(magic(STRANGER));
            assertThat(bench.device.counters().wakeEvents()).isZero();
            bench.arrive(magic(MAC));
            assertThat(bench.device.counters().wakeEvents()).isEqualTo(1);
            assertThat(power(bench) & PME_STATUS).as("no APMPME").isZero();
            awake(bench);
            assertThat(bench.read(WUS)).isEqualTo(MAGIC);
            bench.write(WUS, MAGIC);
            bench.write(WUC, 9);
            if (asleep) {
                sleep(bench, false);
            }
            bench.arrive(magic(BROADCAST));
            assertThat(power(bench) & PME_STATUS).isEqualTo(PME_STATUS);
            assertThat(bench.device.counters().pmeAssertions()).isEqualTo(1);
            assertThat(bench.device.counters().wakeEvents()).isEqualTo(2);
        }
    }

    @Test
    @DisplayName("6.4.1: software that clears APME switches APM wake-up off until the EEPROM is read again")
    void shouldStopApmWakeUp() {
        try (Bench bench = Bench.i82574l()) {
            bench.write(WUC, 8);
            bench.arrive(magic(MAC));
            assertThat(bench.read(WUS)).isZero();
            sleep(bench, true);
            bench.arrive(magic(MAC));
            awake(bench);
            assertThat(bench.read(WUS)).isZero();
            assertThat(bench.read(WUC) & 1).isEqualTo(1);
            bench.write(WUC, 0);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(WUC) & 1).isEqualTo(1);
        }
    }

    @Test
    @DisplayName("6.4.3: only the 82574 steps over a VLAN tag")
    void shouldStepOverTag() {
        for (E1000Model model : E1000Model.values()) {
            try (Bench bench = prepared(model)) {
                bench.write(WUFC, IPV4);
                sleep(bench, false);
                byte[] plain = ipv4(MAC, "0A000002");
                byte[] tagged = new byte[84];
                System.arraycopy(plain, 0, tagged, 0, 12);
                tagged[12] = (byte) 0x81;
                System.arraycopy(plain, 12, tagged, 16, 68);
                bench.arrive(tagged);
                assertThat(power(bench) & PME_STATUS).isEqualTo(model == E1000Model.I82574L ? PME_STATUS : 0);
            }
        }
    }

    @Test
    @DisplayName("6.4.3: a broadcast magic packet wakes although RCTL accepts no broadcast")
    void shouldAcceptBroadcastMagic() {
        try (Bench bench = prepared(E1000Model.I82540EM)) {
            bench.write(RCTL, 0);
            bench.write(WUFC, MAGIC | BROADCAST_BIT);
            sleep(bench, false);
            bench.arrive(magic(BROADCAST));
            awake(bench);
            assertThat(bench.read(WUS)).isEqualTo(MAGIC);
        }
    }

    @Test
    @DisplayName("13.6 IPAV: each of the four IPv4 addresses and the IPv6 address counts only while it is valid")
    void shouldFollowAddressValidity() {
        for (int entry = 0; entry < 5; entry++) {
            for (boolean valid : new boolean[] {false, true}) {
                try (Bench bench = prepared(E1000Model.I82574L)) {
                    int bit = entry < 4 ? 1 << entry : 1 << 16;
                    bench.write(IPAV, valid ? bit : 0x1_000F & ~bit);
                    if (entry < 4) {
                        bench.write(IP4AT, 0);
                        bench.write(IP4AT + 8, 0);
                        bench.write(IP4AT + 8 * entry, 0x0200_000A);
                    }
                    bench.write(WUFC, IPV4 | IPV6);
                    sleep(bench, false);
                    bench.arrive(entry < 4 ? ipv4(MAC, "0A000002") : ipv6(OUR_IPV6));
                    assertThat(power(bench) & PME_STATUS).as("entry %d", entry).isEqualTo(valid ? PME_STATUS : 0);
                }
            }
        }
    }
}
