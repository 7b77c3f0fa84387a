package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every statistics register of 82540 SDM 13.7, and those that the 82574 adds: what makes it count, that its read clears it and
 * it alone, that a write does not change it, and that registers which cannot count on a copper link at full duplex stay 0.
 */
class E1000StatisticsTableTest {
    private static final byte[] GROUP = {0x01, 0x00, 0x5E, 0, 0, 1};
    private static final byte[] PAUSE_GROUP = bytes("0180C2000001");
    /** No line errors, collisions, carrier events or management traffic: the wire is perfect. */
    private static final List<Integer> NEVER = List.of(
            0x4000, 0x4004, 0x4008, 0x400C, 0x4014, 0x4018, 0x401C, 0x4020, 0x4028, 0x4030, 0x4034, 0x4038, 0x403C,
            0x4040, 0x40A8, 0x40B0, 0x40B4, 0x40B8, 0x40BC);

    private static final List<Integer> PAIRS = List.of(0x4088, 0x4090, 0x40C0, 0x40C8);
    private static final int[] SIZES = {60, 123, 251, 507, 1019, 1518};

    /** What one register counts: an event that adds {@code step} to it. */
    record Counting(String name, int offset, int step, Consumer<Bench> event) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static void receive(Bench bench, byte[] frame) {
        bench.arrive(frame);
    }

    private static void transmit(Bench bench, byte[] frame) {
        bench.ram.write(TX_BUFFERS, frame, 0, frame.length);
        bench.describe(bench.txTail, TX_BUFFERS, legacy(frame.length, EOP | IFCS | RS));
        bench.txTail = (bench.txTail + 1) % bench.txSize;
        bench.kick();
    }

    private static byte[] pause(int opcode, int quanta) {
        byte[] frame = new byte[60];
        System.arraycopy(PAUSE_GROUP, 0, frame, 0, 6);
        System.arraycopy(bytes("525400AABBCC8808"), 0, frame, 6, 8);
        frame[15] = (byte) opcode;
        frame[17] = (byte) quanta;
        return frame;
    }

    private static void segmented(Bench bench, int mss) {
        bench.describe(bench.txTail, 0x0000_3222_0021_180EL, 100 | 0x2700_0000L | 54L << 40 | (long) mss << 48);
        bench.describe((bench.txTail + 1) % bench.txSize, TX_BUFFERS, data(154, 0x4 | EOP | IFCS | RS, 3, 0));
        bench.txTail = (bench.txTail + 2) % bench.txSize;
        bench.kick();
    }

    private static void lowWater(Bench bench) {
        bench.write(0x2168, 8);
        closeRing(bench);
        receive(bench, frame(MAC, 60));
        bench.poll();
    }

    private static void closeRing(Bench bench) {
        bench.write(RDT, bench.read(RDH));
    }

    private static Map<Integer, Counting> common() {
        Map<Integer, Counting> all = new LinkedHashMap<>();
        add(all, "MPC", 0x4010, 1, b -> {
            b.write(PBA, 0);
            closeRing(b);
            assertThat(b.arrive(frame(MAC, 60))).isEqualTo(Delivery.DROPPED);
        });
        add(all, "XONRXC", 0x4048, 1, b -> receive(b, pause(1, 0)));
        add(all, "XONTXC", 0x404C, 1, b -> {
            lowWater(b);
            b.write(0x2160, 1 << 31);
            b.write(RDT, (b.read(RDH) + 8) % b.rxSize);
            b.poll();
            b.poll();
        });
        add(all, "XOFFRXC", 0x4050, 1, b -> receive(b, pause(1, 1)));
        add(all, "XOFFTXC", 0x4054, 1, E1000StatisticsTableTest::lowWater);
        add(all, "FCRUC", 0x4058, 1, b -> receive(b, pause(2, 1)));
        for (int i = 0; i < 6; i++) {
            int size = SIZES[i];
            add(all, "PRC" + size, 0x405C + 4 * i, 1, b -> receive(b, frame(MAC, size)));
            add(all, "PTC" + size, 0x40D8 + 4 * i, 1, b -> transmit(b, frame(PEER, size)));
        }
        add(all, "GPRC", 0x4074, 1, b -> receive(b, frame(MAC, 60)));
        add(all, "BPRC", 0x4078, 1, b -> receive(b, frame(BROADCAST, 60)));
        add(all, "MPRC", 0x407C, 1, b -> receive(b, frame(GROUP, 60)));
        add(all, "GPTC", 0x4080, 1, b -> transmit(b, frame(PEER, 60)));
        add(all, "GORC", 0x4088, 104, b -> receive(b, frame(MAC, 100)));
        add(all, "GOTC", 0x4090, 104, b -> transmit(b, frame(PEER, 100)));
        add(all, "RNBC", 0x40A0, 1, b -> {
            closeRing(b);
            receive(b, frame(MAC, 60));
        });
        add(all, "RUC", 0x40A4, 1, b -> receive(b, new byte[13]));
        add(all, "ROC", 0x40AC, 1, b -> receive(b, frame(MAC, 1519)));
        add(all, "TOR", 0x40C0, 64, b -> receive(b, pause(1, 0)));
        add(all, "TOT", 0x40C8, 64, E1000StatisticsTableTest::lowWater);
        add(all, "TPR", 0x40D0, 1, b -> receive(b, pause(1, 0)));
        add(all, "TPT", 0x40D4, 1, E1000StatisticsTableTest::lowWater);
        add(all, "MPTC", 0x40F0, 1, b -> transmit(b, frame(GROUP, 60)));
        add(all, "BPTC", 0x40F4, 1, b -> transmit(b, frame(BROADCAST, 60)));
        add(all, "TSCTC", 0x40F8, 1, b -> segmented(b, 60));
        add(all, "TSCTFC", 0x40FC, 1, b -> segmented(b, 0));
        return all;
    }

    private static Map<Integer, Counting> added() {
        Map<Integer, Counting> all = new LinkedHashMap<>();
        add(all, "IAC", 0x4100, 1, b -> {
            b.write(IMS, 4);
            b.write(ICS, 4);
        });
        add(all, "ICRXPTC", 0x4104, 1, b -> delayReceive(b, 10, 100));
        add(all, "ICRXATC", 0x4108, 1, b -> delayReceive(b, 100, 10));
        add(all, "ICTXPTC", 0x410C, 1, b -> delayTransmit(b, 10, 100));
        add(all, "ICTXATC", 0x4110, 1, b -> delayTransmit(b, 100, 10));
        add(all, "ICTXQEC", 0x4118, 1, b -> transmit(b, frame(PEER, 60)));
        add(all, "ICTXQMTC", 0x411C, 1, b -> {
            b.write(TXDCTL, 1 << 25);
            for (int i = 0; i < 9; i++) {
                b.queue(frame(PEER, 60));
            }
            b.kick();
        });
        add(all, "ICRXDMTC", 0x4120, 1, b -> {
            b.write(RDT, (b.read(RDH) + 9) % b.rxSize);
            receive(b, frame(MAC, 60));
        });
        add(all, "ICRXOC", 0x4124, 1, common().get(0x4010).event());
        return all;
    }

    private static void delayReceive(Bench bench, int packet, int absolute) {
        bench.write(RDTR, packet);
        bench.write(RADV, absolute);
        receive(bench, frame(MAC, 60));
        bench.now += 10 * 1024;
        bench.poll();
    }

    private static void delayTransmit(Bench bench, int packet, int absolute) {
        bench.write(TIDV, packet);
        bench.write(TADV, absolute);
        bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
        bench.kick();
        bench.now += 10 * 1024;
        bench.poll();
    }

    private static void add(Map<Integer, Counting> all, String name, int offset, int step, Consumer<Bench> event) {
        all.put(offset, new Counting(name, offset, step, event));
    }

    private static Map<Integer, Counting> table(E1000Model model) {
        Map<Integer, Counting> all = common();
        if (model == E1000Model.I82574L) {
            all.putAll(added());
        }
        return all;
    }

    static Stream<Arguments> counters() {
        return Stream.of(E1000Model.values())
                .flatMap(model -> table(model).values().stream().map(counting -> Arguments.of(model, counting)));
    }

    private static Bench ready(E1000Model model) {
        Bench bench = new Bench(model);
        bench.write(0x28, 0x00C2_8001);
        bench.write(0x2C, 0x0100);
        bench.write(FCT, 0x8808);
        bench.set(CTRL, 3 << 27);
        bench.openReceive(64, RX_BAM | RX_MPE | RX_SECRC);
        bench.openTransmit(64);
        return bench;
    }

    private static IntStream registers(E1000Model model) {
        int end = model == E1000Model.I82574L ? 0x4128 : 0x4100;
        return IntStream.iterate(0x4000, offset -> offset < end, offset -> offset + 4);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("counters")
    @DisplayName("13.7: counts its event, is cleared by its own read, and by nothing else but a reset")
    void shouldCountAndClear(E1000Model model, Counting counting) {
        try (Bench bench = ready(model)) {
            counting.event().accept(bench);
            boolean pair = PAIRS.contains(counting.offset());
            bench.write(counting.offset(), 0x1234);
            registers(model)
                    .filter(offset -> offset != counting.offset() && !(pair && offset == counting.offset() + 4))
                    .forEach(bench::read);
            assertThat(bench.read(counting.offset())).isEqualTo(counting.step());
            if (pair) {
                assertThat(bench.read(counting.offset()))
                        .as("the low half clears nothing")
                        .isEqualTo(counting.step());
                assertThat(bench.read(counting.offset() + 4)).isZero();
            }
            assertThat(bench.read(counting.offset())).as("cleared").isZero();
        }
        try (Bench bench = ready(model)) {
            counting.event().accept(bench);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(counting.offset())).as("reset").isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("13.7: every register of the block is in this table, counts never, or is the high half of a pair")
    void shouldCoverTheBlock(E1000Model model) {
        try (Bench bench = ready(model)) {
            Map<Integer, Counting> table = table(model);
            registers(model)
                    .filter(offset -> !bench.device.registerName(0, offset).equals("unimplemented"))
                    .filter(offset -> !table.containsKey(offset) && !PAIRS.contains(offset - 4))
                    .forEach(offset -> assertThat(NEVER).contains(offset));
            table.values().forEach(counting -> {
                try (Bench other = ready(model)) {
                    counting.event().accept(other);
                    NEVER.forEach(offset ->
                            assertThat(other.read(offset)).as("%x", offset).isZero());
                }
            });
        }
    }
}
