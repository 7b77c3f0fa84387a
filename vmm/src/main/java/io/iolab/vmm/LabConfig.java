package io.iolab.vmm;

import io.iolab.vmm.inject.Injection;
import io.iolab.vmm.time.CostProfile;
import java.util.List;
import java.util.Optional;

/**
 * A whole run.
 *
 * @param spendCosts wall clock only: burn the profile's costs as busy time
 * @param seed of everything random: payloads, addresses
 * @param memoryFile host memory as a mapped file instead of native memory
 * @param injections bugs put into guests
 */
public record LabConfig(
        CostProfile profile,
        ClockMode clock,
        boolean spendCosts,
        long seed,
        Optional<java.nio.file.Path> memoryFile,
        List<GuestConfig> guests,
        List<Injection> injections) {

    /** Without bugs. */
    public LabConfig(
            CostProfile profile,
            ClockMode clock,
            boolean spendCosts,
            long seed,
            Optional<java.nio.file.Path> memoryFile,
            List<GuestConfig> guests) {
        this(profile, clock, spendCosts, seed, memoryFile, guests, List.of());
    }

    /** The same run with these bugs. */
    public LabConfig withInjections(List<Injection> bugs) {
        return new LabConfig(profile, clock, spendCosts, seed, memoryFile, guests, bugs);
    }
}
