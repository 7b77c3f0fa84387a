package io.iolab.devices.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import java.util.zip.CRC32;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the recordings brought to light in our own models: the manual's expectation for each OPEN_FINDING of the tables. */
class E1000FindingsTest {
    private static final long BUFFER = 0x13_0000;
    private static final byte[] FRAME = Bytes.join(Nic.BROADCAST, Nic.PEER, Nic.BODY);
    /** EN, BAM. */
    private static final int RECEIVE = 0x8002;

    private static final int SECRC = 1 << 26;

    @ParameterizedTest
    @EnumSource
    void shouldCoverFcsInPacketChecksumWhileItIsKept(E1000Model model) {
        CRC32 crc = new CRC32();
        crc.update(FRAME);
        byte[] fcs = new byte[4];
        LittleEndian.putInt(fcs, 0, (int) crc.getValue());
        // 82540 SDM 3.2.9: the packet checksum does not include the FCS if RCTL.SECRC is set; else it does.
        assertThat(packetChecksum(model, RECEIVE)).isEqualTo(Packets.sum(Bytes.join(FRAME, fcs)));
    }

    @ParameterizedTest
    @EnumSource
    void shouldLeaveFcsOutOfPacketChecksumWhereItIsStripped(E1000Model model) {
        assertThat(packetChecksum(model, RECEIVE | SECRC)).isEqualTo(Packets.sum(FRAME));
    }

    private static int packetChecksum(E1000Model model, int rctl) {
        try (Bench bench = new Bench((dma, pin, wire, clock) -> E1000.create(model, Nic.MAC, dma, pin, wire, clock))) {
            bench.enable();
            bench.advanceMillis(5000);
            bench.write(Nic.RX_RING, new Bytes().le64(BUFFER).le64(0).toArray());
            bench.write(0, 0x2800, 4, Nic.RX_RING);
            bench.write(0, 0x2808, 4, 128);
            bench.write(0, 0x2818, 4, 7);
            bench.write(0, 0x100, 4, rctl);
            bench.deliver(FRAME);
            return bench.readShort(Nic.RX_RING + 10);
        }
    }
}
