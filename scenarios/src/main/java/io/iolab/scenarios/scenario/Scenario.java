package io.iolab.scenarios.scenario;

import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.LabConfig;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A run, ready to be built. Immutable.
 *
 * @param name as reports call it
 * @param description a sentence, may be empty
 * @param warmupPicos traffic before the figures start
 * @param durationPicos of the measured part
 * @param memoryFile host memory as a mapped file
 * @param guests at least one, names unique
 */
public record Scenario(
        String name,
        String description,
        long seed,
        CostProfile profile,
        ClockMode clock,
        long warmupPicos,
        long durationPicos,
        Optional<java.nio.file.Path> memoryFile,
        List<GuestConfig> guests) {

    public Scenario {
        guests = List.copyOf(guests);
    }

    /** @param spendCosts wall clock only: burn the profile's costs as busy time */
    public LabConfig labConfig(boolean spendCosts) {
        return new LabConfig(profile, clock, spendCosts, seed, memoryFile, guests);
    }

    public Scenario withSeed(long newSeed) {
        return new Scenario(name, description, newSeed, profile, clock, warmupPicos, durationPicos, memoryFile, guests);
    }

    public Scenario withProfile(CostProfile newProfile) {
        return new Scenario(name, description, seed, newProfile, clock, warmupPicos, durationPicos, memoryFile, guests);
    }

    public Scenario withClock(ClockMode newClock) {
        return new Scenario(name, description, seed, profile, newClock, warmupPicos, durationPicos, memoryFile, guests);
    }

    public Scenario withTimes(long newWarmupPicos, long newDurationPicos) {
        return new Scenario(
                name, description, seed, profile, clock, newWarmupPicos, newDurationPicos, memoryFile, guests);
    }

    Scenario withGuests(List<GuestConfig> newGuests) {
        return new Scenario(name, description, seed, profile, clock, warmupPicos, durationPicos, memoryFile, newGuests);
    }

    /**
     * The same with the yardstick added: a guest on the native path, set up as the one on the passthrough path (its NIC is the
     * same), or else as the first. Unchanged if there is a native guest already.
     */
    public Scenario withNative() {
        if (guests.stream().anyMatch(guest -> guest.path() == Path.NATIVE)) {
            return this;
        }
        GuestConfig like = guests.stream()
                .filter(guest -> guest.path() == Path.PASSTHROUGH)
                .findFirst()
                .orElse(guests.getFirst());
        String unused = Path.NATIVE.label();
        while (taken(unused)) {
            unused += "-";
        }
        List<GuestConfig> more = new ArrayList<>(guests);
        more.add(new GuestConfig(unused, Path.NATIVE, like.ramBytes(), like.link(), like.nic(), like.workload(), true));
        return withGuests(more);
    }

    private boolean taken(String guest) {
        return guests.stream().anyMatch(other -> other.name().equals(guest));
    }
}
