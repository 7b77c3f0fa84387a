package io.iolab.vmm;

import io.iolab.vmm.time.CostProfile;
import java.util.List;
import java.util.Optional;

/**
 * A whole run.
 *
 * @param spendCosts wall clock only: burn the profile's costs as busy time
 * @param seed of everything random: payloads, addresses
 * @param memoryFile host memory as a mapped file instead of native memory
 */
public record LabConfig(
        CostProfile profile,
        ClockMode clock,
        boolean spendCosts,
        long seed,
        Optional<java.nio.file.Path> memoryFile,
        List<GuestConfig> guests) {}
