package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** IEEE 802.3 clause 3.2 and IEEE 802.1Q clause 9. */
class EthernetFrameTest {
    private static final long A = 0x5254_0012_3456L;
    private static final long B = 0x0200_0000_0001L;
    private static final int AT = 3;

    private final byte[] frame = new byte[64];

    @Test
    void shouldWriteAndReadAnUntaggedHeader() {
        assertThat(EthernetFrame.writeHeader(frame, AT, A, B, EthernetFrame.TYPE_IPV4))
                .isEqualTo(14);
        assertThat(frame).startsWith(0, 0, 0, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 1, 8, 0, 0);
        assertThat(EthernetFrame.destination(frame, AT)).isEqualTo(A);
        assertThat(EthernetFrame.source(frame, AT)).isEqualTo(B);
        assertThat(EthernetFrame.outerType(frame, AT)).isEqualTo(0x0800);
        assertThat(EthernetFrame.isTagged(frame, AT)).isFalse();
        assertThat(EthernetFrame.payloadOffset(frame, AT, 60)).isEqualTo(14);
        assertThat(EthernetFrame.payloadType(frame, AT, 14)).isEqualTo(0x0800);
    }

    @Test
    void shouldWriteAndReadATaggedHeader() {
        assertThat(EthernetFrame.writeTaggedHeader(frame, AT, A, B, 0xB123, EthernetFrame.TYPE_ARP))
                .isEqualTo(18);
        assertThat(BigEndian.getInt(frame, AT + 12)).isEqualTo(0x8100_B123);
        assertThat(EthernetFrame.isTagged(frame, AT)).isTrue();
        assertThat(EthernetFrame.vlanId(frame, AT)).isEqualTo(0x123);
        assertThat(EthernetFrame.tagControl(frame, AT)).isEqualTo(0xB123);
        assertThat(EthernetFrame.payloadOffset(frame, AT, 60)).isEqualTo(18);
        assertThat(EthernetFrame.payloadType(frame, AT, 18)).isEqualTo(0x0806);
    }

    @Test
    void shouldFindNoPayloadInAFrameThatIsTooShort() {
        EthernetFrame.writeTaggedHeader(frame, 0, A, B, 1, EthernetFrame.TYPE_ARP);
        for (int length = 0; length < 18; length++) {
            assertThat(EthernetFrame.payloadOffset(frame, 0, length))
                    .as("%d bytes", length)
                    .isEqualTo(-1);
        }
        assertThat(EthernetFrame.payloadOffset(frame, 0, 18)).isEqualTo(18);
        EthernetFrame.writeHeader(frame, 0, A, B, EthernetFrame.TYPE_ARP);
        assertThat(EthernetFrame.payloadOffset(frame, 0, 13)).isEqualTo(-1);
        assertThat(EthernetFrame.payloadOffset(frame, 0, 14)).isEqualTo(14);
        assertThat(EthernetFrame.payloadOffset(frame, 0, -1)).isEqualTo(-1);
    }
}
