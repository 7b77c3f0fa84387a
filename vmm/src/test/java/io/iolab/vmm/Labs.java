package io.iolab.vmm;

import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Small labs for tests. */
final class Labs {
    static final long MILLISECOND = 1_000_000_000L;
    static final long RAM = 16L << 20;
    static final Workload.Flow MAX = new Workload.Flow(true, 0, 1, 0);

    private Labs() {}

    static Workload stream(int size, Workload.Flow transmit, Workload.Flow receive) {
        return new Workload.UdpStream(List.of(size), transmit, receive);
    }

    static Workload.Flow rate(long framesPerSecond) {
        return new Workload.Flow(true, framesPerSecond, 1, 0);
    }

    /** As fast as possible, this many frames. */
    static Workload.Flow count(long frames) {
        return new Workload.Flow(true, 0, 1, frames);
    }

    static GuestConfig guest(Path path, Workload workload) {
        return guest(path, NicTuning.DEFAULTS, workload, true);
    }

    static GuestConfig guest(Path path, NicTuning nic, Workload workload, boolean mapped) {
        return new GuestConfig(path.label(), path, RAM, LinkConfig.GIGABIT, nic, workload, mapped);
    }

    static List<GuestConfig> onEachPath(Workload workload) {
        List<GuestConfig> guests = new ArrayList<>();
        for (Path path : Path.values()) {
            guests.add(guest(path, workload));
        }
        return guests;
    }

    static Lab create(ClockMode clock, long seed, List<GuestConfig> guests) throws ConfigException, IOException {
        return Lab.create(
                new LabConfig(CostProfile.bundled(CostProfile.DEFAULT), clock, false, seed, Optional.empty(), guests));
    }

    /** Warms up for a millisecond, measures for {@code picos} of virtual time, and returns the figures by path. */
    static Map measure(long picos, List<GuestConfig> guests) throws ConfigException, IOException {
        try (Lab lab = create(ClockMode.VIRTUAL, 42, guests)) {
            lab.warmUp(MILLISECOND);
            lab.measure(picos, passed -> {});
            return new Map(lab.figures());
        }
    }

    /** Figures by path. */
    record Map(List<GuestFigures> all) {
        GuestFigures of(Path path) {
            return all.stream()
                    .filter(figures -> figures.path() == path)
                    .findFirst()
                    .orElseThrow();
        }
    }
}
