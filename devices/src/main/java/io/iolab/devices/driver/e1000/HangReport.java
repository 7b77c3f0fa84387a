package io.iolab.devices.driver.e1000;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.time.Clock;
import java.util.List;

/** What Linux's e1000 and e1000e log when the transmit unit hangs, field by field, so that it can be looked up as users meet it. */
final class HangReport {
    private static final long NANOS_PER_JIFFY = 1_000_000;
    /** Jiffies start five minutes before they wrap at 32 bits, at a thousand a second. */
    private static final long FIRST_JIFFY = 0xFFFB_6C20L;

    private final Clock clock;
    private final Part part;
    private final PciDevice device;
    private final TransmitRing ring;

    HangReport(Clock clock, Part part, PciDevice device, TransmitRing ring) {
        this.clock = clock;
        this.part = part;
        this.device = device;
        this.ring = ring;
    }

    /** What every line of the driver begins with. */
    String prefix() {
        return part.driverName() + " 0000:" + RequesterId.format(device.rid()) + " eth0: ";
    }

    /** Reads TDH and TDT. */
    List<String> lines() {
        return List.of(
                prefix() + part.hangTitle(),
                field("TDH", part.registers.read(Reg.TDH)),
                field("TDT", part.registers.read(Reg.TDT)),
                field("next_to_use", ring.nextToUse()),
                field("next_to_clean", ring.nextToClean()),
                "buffer_info[next_to_clean]",
                field("time_stamp", jiffies(ring.oldestNanos())),
                field("next_to_watch", ring.nextToClean()),
                field("jiffies", jiffies(clock.nanos())),
                field("next_to_watch.status", ring.oldestStatus()));
    }

    private static long jiffies(long nanos) {
        return FIRST_JIFFY + nanos / NANOS_PER_JIFFY;
    }

    private static String field(String name, long value) {
        return String.format("  %-20s <%x>", name, value);
    }
}
