package io.iolab.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.CaptureReader;
import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.Icmp;
import io.iolab.devices.net.Ipv4;
import io.iolab.devices.net.PacketCheck;
import io.iolab.devices.net.Udp;
import java.io.IOException;
import java.io.InputStream;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The capture that comes along is what its README says it is. */
class BundledCaptureTest {
    private static final String NAME = "captures/lan-mix.pcap";

    @Test
    void shouldHoldPrivateAddressesAndWholePacketsOnly() throws IOException {
        InputStream stream = Objects.requireNonNull(BundledCaptureTest.class.getResourceAsStream(NAME), NAME);
        Map<PacketCheck, Integer> udp = new EnumMap<>(PacketCheck.class);
        Map<PacketCheck, Integer> icmp = new EnumMap<>(PacketCheck.class);
        int frames = 0;
        try (CaptureReader reader = CaptureReader.open(stream, NAME)) {
            long previous = 0;
            for (; reader.next(); frames++) {
                byte[] frame = reader.bytes();
                assertThat(reader.length())
                        .isBetween(42, EthernetFrame.MAXIMUM_BYTES)
                        .isEqualTo(reader.originalLength());
                assertThat(reader.nanos()).isGreaterThanOrEqualTo(previous);
                previous = reader.nanos();
                if (EthernetFrame.outerType(frame, 0) == EthernetFrame.TYPE_IPV4) {
                    int addresses = Ipv4.source(frame, 14) ^ Ipv4.destination(frame, 14);
                    assertThat(addresses).as("10.0.0.1 and 10.0.0.2").isEqualTo(3);
                    assertThat(Ipv4.source(frame, 14) >>> 2).isEqualTo(Ipv4.parse("10.0.0.0") >>> 2);
                }
                udp.merge(Udp.check(frame, 0, reader.length()), 1, Integer::sum);
                icmp.merge(Icmp.check(frame, 0, reader.length()), 1, Integer::sum);
            }
        }
        assertThat(frames).isEqualTo(144);
        assertThat(udp).containsOnly(Map.entry(PacketCheck.VALID, 48), Map.entry(PacketCheck.OTHER_PROTOCOL, 96));
        assertThat(icmp).containsOnly(Map.entry(PacketCheck.VALID, 60), Map.entry(PacketCheck.OTHER_PROTOCOL, 84));
    }
}
