package io.iolab.scenarios.serve;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.List;

/** Scenarios for tests. */
final class Scenarios {
    private Scenarios() {}

    private static final Workload FLOOD =
            new Workload.UdpStream(List.of(60), new Workload.Flow(true, 1_000, 1, 0), new Workload.Flow(true, 0, 1, 0));

    private static final Workload STEADY = new Workload.UdpStream(
            List.of(256), new Workload.Flow(true, 50_000, 1, 0), new Workload.Flow(true, 20_000, 1, 0));

    /**
     * All four paths, the emulated one flooded until it drops, the native one at 70,000 packets a second, and an assigned device
     * whose domain is empty: every meter has something to count.
     */
    static Scenario everything() throws Exception {
        Scenario bundled =
                ScenarioCatalog.bundled(ScenarioCatalog.DEFAULT).withNative().withClock(ClockMode.VIRTUAL);
        GuestConfig like = bundled.guests().getFirst();
        List<GuestConfig> guests = new ArrayList<>();
        for (GuestConfig guest : bundled.guests()) {
            Workload workload = switch (guest.path()) {
                case EMULATED -> FLOOD;
                case NATIVE -> STEADY;
                case VIRTIO, PASSTHROUGH -> guest.workload();
            };
            guests.add(guest(guest.name(), guest.path(), like, workload, true));
        }
        guests.add(guest("unmapped", Path.PASSTHROUGH, like, like.workload(), false));
        return new Scenario(
                bundled.name(),
                "Angles <and> \"quotes\" & more",
                bundled.seed(),
                bundled.profile(),
                bundled.clock(),
                1_000_000_000L,
                bundled.durationPicos(),
                bundled.memoryFile(),
                guests);
    }

    private static GuestConfig guest(String name, Path path, GuestConfig like, Workload workload, boolean mapped) {
        return new GuestConfig(name, path, like.ramBytes(), like.link(), like.nic(), workload, mapped);
    }
}
