package io.iolab.scenarios.scenario;

import io.iolab.scenarios.scenario.ScenarioKeys.Guest;
import io.iolab.scenarios.scenario.ScenarioKeys.Host;
import io.iolab.vmm.AssignedNic;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.IommuTuning;
import io.iolab.vmm.LinkConfig;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a scenario file. What it refers to must exist: a missing capture or profile is an error at the line that names it, not
 * one in the middle of the run.
 */
public final class ScenarioReader {
    /** No scenario that a person wrote comes near. */
    private static final long MAX_FILE_BYTES = 1 << 20;

    private static final long MIB = 1 << 20;
    private static final long GUEST_RAM_STEP = 2 * MIB;
    private static final long DEFAULT_RAM = 64 * MIB;
    private static final long DEFAULT_WARMUP_PICOS = 5_000_000_000L;
    private static final long DEFAULT_DURATION_PICOS = 50_000_000_000L;
    /** How the machine calls a guest's peer. */
    private static final String PEER = "-peer";

    /** What a guest has unless it says otherwise. */
    private record Defaults(
            long ram,
            LinkConfig link,
            NicTuning nic,
            @Nullable Workload workload) {}

    private final java.nio.file.@Nullable Path folder;

    private ScenarioReader(java.nio.file.@Nullable Path folder) {
        this.folder = folder;
    }

    /**
     * @throws ConfigException if the file is not a scenario: with line, column and what was expected
     * @throws IOException if it cannot be read
     */
    public static Scenario read(java.nio.file.Path file) throws ConfigException, IOException {
        return parse(file.toString(), text(file), file.toAbsolutePath().getParent());
    }

    /**
     * @param name of the text, for error messages; its last part without suffix is the scenario's default name
     * @param folder what relative paths start from; null if the text is in no folder
     */
    public static Scenario parse(String name, String text, java.nio.file.@Nullable Path folder) throws ConfigException {
        return new ScenarioReader(folder).scenario(ConfigNode.parse(name, text));
    }

    /** A cost profile by bundled name, or by path if {@code profile} looks like one. */
    public static CostProfile profile(String profile) throws ConfigException, IOException {
        if (!looksLikeFile(profile)) {
            return CostProfile.bundled(profile);
        }
        java.nio.file.Path file = java.nio.file.Path.of(profile);
        return CostProfile.parse(profile, text(file));
    }

    static boolean looksLikeFile(String name) {
        return name.contains("/") || name.contains("\\") || name.endsWith(".yaml") || name.endsWith(".yml");
    }

    private static String text(java.nio.file.Path file) throws ConfigException, IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (Files.size(file) > MAX_FILE_BYTES && Files.isRegularFile(file)) {
            throw new ConfigException(file.toString(), 0, 0, "larger than 1 MiB; is it the right file?");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ConfigException(file.toString(), 0, 0, "expected a YAML file, found bytes that are not UTF-8");
        }
    }

    private Scenario scenario(ConfigNode node) throws ConfigException {
        Key.only(node, ScenarioKeys.ALL);
        ScenarioKeys.VERSION.read(node);
        String name = ScenarioKeys.NAME.read(node, stem(node.file()));
        String description = ScenarioKeys.DESCRIPTION.read(node, "");
        long seed = ScenarioKeys.SEED.read(node, 1L);
        CostProfile profile = profile(node);
        ClockMode clock = ScenarioKeys.CLOCK.read(node, ClockMode.VIRTUAL);
        long warmup = ScenarioKeys.WARMUP.read(node, DEFAULT_WARMUP_PICOS);
        long duration = ScenarioKeys.DURATION.read(node, DEFAULT_DURATION_PICOS);
        Optional<java.nio.file.Path> memory = memory(node);
        LinkConfig link = link(node, LinkConfig.GIGABIT);
        NicTuning nic = NicReader.virtio(node, NicReader.nic(node, NicTuning.DEFAULTS));
        long ram = ram(node, DEFAULT_RAM);
        Workload workload = workload(node, null);
        List<GuestConfig> guests = guests(node, new Defaults(ram, link, nic, workload));
        return new Scenario(name, description, seed, profile, clock, warmup, duration, memory, guests);
    }

    /** The file's name without folders and suffix. */
    private static String stem(String file) {
        String last = file.substring(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
        int dot = last.lastIndexOf('.');
        return dot > 0 ? last.substring(0, dot) : last;
    }

    private CostProfile profile(ConfigNode node) throws ConfigException {
        String name = ScenarioKeys.PROFILE.read(node, CostProfile.DEFAULT);
        if (!looksLikeFile(name)) {
            try {
                return CostProfile.bundled(name);
            } catch (ConfigException e) {
                throw node.error(
                        ScenarioKeys.PROFILE.name(),
                        "expected a bundled profile (" + CostProfile.DEFAULT + ") or a .yaml file, found '" + name
                                + "'");
            }
        }
        java.nio.file.Path file = existing(node, ScenarioKeys.PROFILE.name(), name);
        try {
            return CostProfile.parse(file.toString(), text(file));
        } catch (IOException e) {
            throw node.error(ScenarioKeys.PROFILE.name(), "cannot read " + file + ": " + e.getMessage());
        }
    }

    private Optional<java.nio.file.Path> memory(ConfigNode node) throws ConfigException {
        Optional<ConfigNode> memory = ScenarioKeys.MEMORY.find(node);
        if (memory.isEmpty()) {
            return Optional.empty();
        }
        ConfigNode host = memory.get();
        Key.only(host, Host.ALL);
        return Optional.of(resolve(host, Host.FILE.name(), Host.FILE.read(host)));
    }

    /** Relative to the scenario file. */
    private java.nio.file.Path resolve(ConfigNode node, String key, String path) throws ConfigException {
        try {
            java.nio.file.Path given = java.nio.file.Path.of(path);
            if (!given.isAbsolute() && folder == null) {
                throw node.error(key, "expected an absolute path, because this scenario is in no folder");
            }
            return folder == null ? given : folder.resolve(given).normalize();
        } catch (InvalidPathException e) {
            throw node.error(key, "expected the path of a file, found '" + path + "'");
        }
    }

    private java.nio.file.Path existing(ConfigNode node, String key, String path) throws ConfigException {
        java.nio.file.Path file = resolve(node, key, path);
        if (!Files.isRegularFile(file)) {
            throw node.error(key, "expected an existing file, found none at " + file);
        }
        if (!Files.isReadable(file)) {
            throw node.error(key, "expected a readable file, but there is no permission to read " + file);
        }
        return file;
    }

    private static LinkConfig link(ConfigNode parent, LinkConfig absent) throws ConfigException {
        Optional<ConfigNode> found = ScenarioKeys.LINK.find(parent);
        if (found.isEmpty()) {
            return absent;
        }
        ConfigNode node = found.get();
        Key.only(node, ScenarioKeys.Link.ALL);
        return new LinkConfig(
                ScenarioKeys.Link.BANDWIDTH.read(node, absent.bitsPerSecond()),
                ScenarioKeys.Link.DELAY.read(node, absent.delayPicos()),
                ScenarioKeys.Link.QUEUE.read(node, absent.queueFrames()));
    }

    private static long ram(ConfigNode node, long absent) throws ConfigException {
        long ram = ScenarioKeys.RAM.read(node, absent);
        if (ram % GUEST_RAM_STEP != 0) {
            throw node.error(ScenarioKeys.RAM.name(), "expected a multiple of 2MiB, found " + ram + "B");
        }
        return ram;
    }

    private @Nullable Workload workload(ConfigNode parent, @Nullable Workload absent) throws ConfigException {
        Optional<ConfigNode> node = ScenarioKeys.WORKLOAD.find(parent);
        return node.isPresent() ? WorkloadReader.read(node.get(), this::existing) : absent;
    }

    private List<GuestConfig> guests(ConfigNode node, Defaults defaults) throws ConfigException {
        List<GuestConfig> guests = new ArrayList<>();
        if (!ScenarioKeys.GUESTS.has(node)) {
            for (Path path : List.of(Path.EMULATED, Path.VIRTIO, Path.PASSTHROUGH)) {
                guests.add(new GuestConfig(
                        path.label(),
                        path,
                        defaults.ram(),
                        defaults.link(),
                        NicReader.ringFor(path, defaults.nic()),
                        needed(node, defaults.workload()),
                        true));
            }
            return guests;
        }
        Set<String> names = new HashSet<>();
        for (ConfigNode child : ScenarioKeys.GUESTS.read(node)) {
            GuestConfig guest = guest(child, defaults);
            if (guest.name().endsWith(PEER)) {
                throw child.error(
                        Guest.NAME.name(), "expected a name without " + PEER + ", which its peer's links have");
            }
            if (!names.add(guest.name())) {
                throw child.error(
                        Guest.NAME.name(), "expected a name of its own, but two guests are called " + guest.name());
            }
            guests.add(guest);
        }
        if (guests.isEmpty()) {
            throw node.error(ScenarioKeys.GUESTS.name(), "expected at least one guest");
        }
        Optional<String> obstacle = AssignedNic.obstacle(guests);
        if (obstacle.isPresent()) {
            throw node.error(ScenarioKeys.GUESTS.name(), obstacle.get());
        }
        return guests;
    }

    private GuestConfig guest(ConfigNode node, Defaults defaults) throws ConfigException {
        Key.only(node, Guest.ALL);
        Path path = Guest.PATH.read(node);
        String name = Guest.NAME.read(node, path.label());
        long ram = ram(node, defaults.ram());
        LinkConfig link = link(node, defaults.link());
        NicTuning nic = NicReader.of(node, path, defaults.nic());
        Workload workload = needed(node, workload(node, defaults.workload()));
        boolean mapped = Guest.MAPPED.read(node, true);
        if (!mapped && path != Path.PASSTHROUGH) {
            throw node.error(Guest.MAPPED.name(), "expected on the passthrough path only; no other has an IOMMU");
        }
        IommuTuning iommu = IommuReader.of(node, path, nic, mapped);
        return new GuestConfig(name, path, ram, link, nic, workload, mapped, iommu);
    }

    private static Workload needed(ConfigNode node, @Nullable Workload workload) throws ConfigException {
        if (workload == null) {
            throw node.error("missing key '" + ScenarioKeys.WORKLOAD.name() + "', here or for the whole scenario");
        }
        return workload;
    }
}
