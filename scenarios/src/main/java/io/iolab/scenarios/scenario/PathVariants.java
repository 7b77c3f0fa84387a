package io.iolab.scenarios.scenario;

import io.iolab.scenarios.scenario.ScenarioKeys.Guest;
import io.iolab.scenarios.scenario.ScenarioKeys.Nic;
import io.iolab.scenarios.scenario.ScenarioKeys.Virtio;
import io.iolab.vmm.AssignedNic;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.IommuTuning;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Paths with settings, as a command line lists them: {@code emulated,virtio,virtio{backend: poll},passthrough}. What is in braces is a
 * YAML mapping of the keys that a scenario has for such a NIC. Each item becomes a guest, set up as the scenario's first guest on that
 * path, or else as its first guest, and named after its path and settings.
 */
public final class PathVariants {
    /** What error messages call the text. */
    private static final String OPTION = "--paths";

    private static final int LONGEST_NAME = 24;
    private static final List<Key<?>> PHYSICAL_NIC =
            List.of(Nic.RING, Nic.ITR, Nic.TX_DELAY, Nic.RX_DELAY, Nic.TX_INTERRUPTS);

    private final Scenario scenario;
    private final String text;
    private final Set<String> names = new HashSet<>();
    private int at;

    private PathVariants(Scenario scenario, String text) {
        this.scenario = scenario;
        this.text = text.replace('\n', ' ').replace('\r', ' ');
    }

    /**
     * The scenario with these guests in place of its own.
     *
     * @throws ConfigException if the list is not one, with the column
     */
    public static Scenario apply(Scenario scenario, String paths) throws ConfigException {
        return scenario.withGuests(new PathVariants(scenario, paths).guests());
    }

    private List<GuestConfig> guests() throws ConfigException {
        List<GuestConfig> guests = new ArrayList<>();
        do {
            Path path = path();
            Optional<ConfigNode> settings = settings();
            guests.add(guest(path, settings));
        } while (another());
        Optional<String> obstacle = AssignedNic.obstacle(guests);
        if (obstacle.isPresent()) {
            throw error(0, obstacle.get());
        }
        return guests;
    }

    private ConfigException error(int column, String problem) {
        return new ConfigException(OPTION, 1, column + 1, problem);
    }

    private void skipSpaces() {
        while (at < text.length() && text.charAt(at) == ' ') {
            at++;
        }
    }

    private boolean another() throws ConfigException {
        skipSpaces();
        if (at == text.length()) {
            return false;
        }
        if (text.charAt(at) != ',') {
            throw error(at, "expected a comma between paths, found '" + text.charAt(at) + "'");
        }
        at++;
        return true;
    }

    private Path path() throws ConfigException {
        skipSpaces();
        int start = at;
        while (at < text.length() && ",{ ".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String name = text.substring(start, at);
        List<String> known =
                Arrays.stream(Path.values()).map(ConfigNode::nameOf).toList();
        if (!known.contains(name)) {
            throw error(start, "expected one of " + String.join(", ", known) + ", found '" + name + "'");
        }
        return Path.values()[known.indexOf(name)];
    }

    /** Spaces stand in for all before the brace, so that the YAML reader's columns are those of the option. */
    private Optional<ConfigNode> settings() throws ConfigException {
        skipSpaces();
        if (at == text.length() || text.charAt(at) != '{') {
            return Optional.empty();
        }
        int start = at;
        at = end(start);
        return Optional.of(ConfigNode.parse(OPTION, " ".repeat(start) + text.substring(start, at)));
    }

    /** Behind the brace that closes the one at {@code start}. */
    private int end(int start) throws ConfigException {
        int depth = 0;
        char quote = 0;
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0) {
                if (c == '\\' && quote == '"') {
                    i++;
                } else if (c == quote) {
                    quote = 0;
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '{') {
                depth++;
            } else if (c == '}' && --depth == 0) {
                return i + 1;
            }
        }
        throw error(start, "expected a } that closes this {");
    }

    private GuestConfig guest(Path path, Optional<ConfigNode> settings) throws ConfigException {
        Optional<GuestConfig> same =
                scenario.guests().stream().filter(guest -> guest.path() == path).findFirst();
        GuestConfig like = same.orElse(scenario.guests().getFirst());
        NicTuning nic = same.isPresent()
                ? like.nic()
                : NicReader.ringFor(path, like.nic()).withMsixSharedPage(false);
        boolean mapped = same.isEmpty() || like.mapped();
        IommuTuning iommu = same.isPresent() ? like.iommu() : IommuTuning.NONE;
        String name = path.label();
        if (settings.isPresent()) {
            ConfigNode node = settings.get();
            Key.only(node, keys(path));
            mapped = path == Path.PASSTHROUGH ? Guest.MAPPED.read(node, mapped) : mapped;
            nic = tuned(path, node, nic);
            iommu = Guest.IOMMU.has(node) ? IommuReader.of(node, path, nic, mapped) : iommu;
            name = name + suffix(node);
        }
        return new GuestConfig(unused(name), path, like.ramBytes(), like.link(), nic, like.workload(), mapped, iommu);
    }

    /** The keys that mean something on a path. */
    private static List<Key<?>> keys(Path path) {
        List<Key<?>> keys = new ArrayList<>();
        switch (path) {
            case VIRTIO -> {
                keys.addAll(Virtio.ALL);
                keys.addAll(NicReader.VIRTIO_FEATURES);
            }
            case EMULATED -> {
                keys.addAll(PHYSICAL_NIC);
                keys.add(Nic.COALESCED_MMIO);
            }
            case PASSTHROUGH -> {
                keys.addAll(PHYSICAL_NIC);
                keys.add(Guest.MAPPED);
                keys.addAll(NicReader.ASSIGNED);
                keys.add(Guest.IOMMU);
            }
            case NATIVE -> {
                keys.addAll(PHYSICAL_NIC);
                keys.add(Guest.IOMMU);
            }
        }
        return keys;
    }

    private static NicTuning tuned(Path path, ConfigNode node, NicTuning nic) throws ConfigException {
        return switch (path) {
            case VIRTIO -> NicReader.virtioKeys(node, NicReader.virtioFeatures(node, nic));
            case PASSTHROUGH -> NicReader.assigned(node, NicReader.nicKeys(node, nic));
            case EMULATED, NATIVE -> NicReader.nicKeys(node, nic);
        };
    }

    /** {@code {backend: poll, event_index: false}} is {@code -poll-no-event-index}. */
    private static String suffix(ConfigNode node) throws ConfigException {
        StringBuilder out = new StringBuilder();
        for (String key : node.keys()) {
            if (key.equals(Guest.MSIX.name()) || key.equals(Guest.IOMMU.name())) {
                out.append(suffix(node.child(key)));
                continue;
            }
            String value = node.scalar(key, "a value");
            out.append('-')
                    .append(
                            switch (value) {
                                case "true" -> key;
                                case "false" -> "no-" + key;
                                default -> Character.isLetter(value.charAt(0)) ? value : key + "-" + value;
                            });
        }
        return out.toString().replaceAll("[^A-Za-z0-9]+", "-");
    }

    private String unused(String wanted) {
        String name = cut(wanted, LONGEST_NAME);
        for (int i = 2; !names.add(name); i++) {
            String number = "-" + i;
            name = cut(wanted, LONGEST_NAME - number.length()) + number;
        }
        return name;
    }

    private static String cut(String name, int length) {
        return name.substring(0, Math.min(length, name.length())).replaceAll("-+$", "");
    }
}
