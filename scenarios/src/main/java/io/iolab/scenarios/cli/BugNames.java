package io.iolab.scenarios.cli;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.AssignedNic;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.IommuTuning;
import io.iolab.vmm.VirtioTuning;
import io.iolab.vmm.inject.Bug;
import io.iolab.vmm.inject.Injection;
import io.iolab.vmm.ledger.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Bugs as the command line names them. */
final class BugNames {
    private BugNames() {}

    /** @throws ParameterException if there is no such bug; the message has those that may have been meant */
    static Bug find(String name, CommandLine command) {
        return Bug.of(name)
                .orElseThrow(() -> unknown(
                        command,
                        "unknown bug '" + name + "'; see: iolab inject list",
                        name,
                        Arrays.stream(Bug.values()).map(Bug::label).toList()));
    }

    /**
     * What {@code --inject} asks for.
     *
     * @param wanted each {@code NAME} or {@code NAME@GUEST}
     * @throws ParameterException if a bug or guest is not known, or no guest can have the bug
     */
    static List<Injection> injections(List<String> wanted, Scenario scenario, CommandLine command) {
        Set<Injection> all = new LinkedHashSet<>();
        for (String one : wanted) {
            int at = one.indexOf('@');
            Bug bug = find(at < 0 ? one : one.substring(0, at), command);
            List<GuestConfig> asked =
                    at < 0 ? scenario.guests() : List.of(guest(one.substring(at + 1), scenario, command));
            List<GuestConfig> able =
                    asked.stream().filter(guest -> possible(bug, guest)).toList();
            if (able.isEmpty()) {
                throw new ParameterException(command, inapplicable(bug, asked));
            }
            able.forEach(guest -> all.add(new Injection(bug, guest.name())));
        }
        return List.copyOf(all);
    }

    private static GuestConfig guest(String name, Scenario scenario, CommandLine command) {
        List<String> names = scenario.guests().stream().map(GuestConfig::name).toList();
        return scenario.guests().stream()
                .filter(guest -> guest.name().equals(name))
                .findFirst()
                .orElseThrow(() -> unknown(
                        command,
                        "no guest '" + name + "' in " + scenario.name() + "; it has " + String.join(", ", names),
                        name,
                        names));
    }

    private static boolean possible(Bug bug, GuestConfig guest) {
        boolean virtualFunction =
                guest.path() == Path.PASSTHROUGH && guest.nic().assigned() == AssignedNic.IGBVF;
        return bug.paths().contains(guest.path())
                && !virtualFunction
                && (bug != Bug.WRONG_DMA_DIRECTION || tellsDirections(guest.iommu()))
                && (!bug.needsEventIndex() || guest.nic().eventIndex())
                && (!bug.needsSplitRing() || guest.nic().virtio().ring() == VirtioTuning.Ring.SPLIT);
    }

    /** A first-level entry has no right to write without one to read (VT-d 9.7), and who maps nothing maps nothing wrongly. */
    private static boolean tellsDirections(IommuTuning iommu) {
        return iommu.viommu() != IommuTuning.Viommu.NESTED && iommu.policy() != IommuTuning.Policy.PASSTHROUGH;
    }

    private static String inapplicable(Bug bug, List<GuestConfig> asked) {
        String needed = bug.paths().stream().map(Path::label).collect(Collectors.joining(", "));
        String there = asked.stream()
                .map(guest -> guest.name()
                        + (guest.name().equals(guest.path().label())
                                ? ""
                                : " (" + guest.path().label() + ")"))
                .collect(Collectors.joining(", "));
        return bug.label() + " is a bug of " + needed + conditions(bug) + ", which none of these is: " + there;
    }

    /** What a guest's settings must be beside its path. */
    static String conditions(Bug bug) {
        return (bug.paths().contains(Path.PASSTHROUGH) ? " with device: e1000e" : "")
                + (bug == Bug.WRONG_DMA_DIRECTION ? ", without viommu: nested or policy: passthrough" : "")
                + (bug.needsSplitRing() ? " with ring: split" : "")
                + (bug.needsEventIndex() ? " and event_index: true" : "");
    }

    private static ParameterException unknown(
            CommandLine command, String message, String word, Collection<String> known) {
        String question = Suggestions.question(word, known).stripTrailing();
        return new ParameterException(command, question.isEmpty() ? message : message + "\n" + question);
    }
}
