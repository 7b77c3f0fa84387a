package io.iolab.scenarios.cli;

import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.scenarios.bench.PolicyJson;
import io.iolab.scenarios.bench.PolicyTable;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.policy.PolicyBench;
import io.iolab.vmm.policy.PolicyCase;
import io.iolab.vmm.policy.PolicyResult;
import io.iolab.vmm.time.CostProfile;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code iolab bench iommu-policy}. */
@Command(
        name = "iommu-policy",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {
            "What it costs to map every packet's buffer for a NIC, and what each policy leaves open, in virtual time:",
            "strict unmaps invalidate and wait, deferred ones are flushed together, shadow copies through bounce buffers,",
            "passthrough maps nothing. Counts come from the remapping unit and its driver, prices from the cost profile.",
            ""
        },
        sortOptions = false,
        footer = {
            "Examples:",
            "  iolab bench iommu-policy",
            "  iolab bench iommu-policy --policy strict,deferred --packets 100000",
            "  iolab bench iommu-policy --json",
            ""
        })
final class BenchIommuPolicyCommand implements Callable<Integer> {
    private static final long MOST_PACKETS = 10_000_000;

    /** A policy by its label. */
    static final class Policy implements ITypeConverter<DmaPolicy> {
        @Override
        public DmaPolicy convert(String text) {
            for (DmaPolicy policy : DmaPolicy.values()) {
                if (policy.label().equals(text)) {
                    return policy;
                }
            }
            List<String> labels =
                    Arrays.stream(DmaPolicy.values()).map(DmaPolicy::label).toList();
            throw new TypeConversionException(
                    "expected one of " + String.join(", ", labels) + ", found '" + text + "'");
        }
    }

    private final Session session;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--policy",
            split = ",",
            paramLabel = "POLICY",
            converter = Policy.class,
            defaultValue = "strict,deferred,shadow,passthrough",
            description = "strict, deferred, shadow, passthrough; default all.")
    private List<DmaPolicy> policies;

    @Option(
            names = "--packets",
            paramLabel = "N",
            defaultValue = "20000",
            description = "Of each case, half of them sent and half received; default ${DEFAULT-VALUE}.")
    private long packets;

    @Option(names = "--json", description = "As one JSON document, iolab.bench.iommu-policy/1.")
    private boolean json;

    BenchIommuPolicyCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws ConfigException {
        if (packets < 2 || packets > MOST_PACKETS) {
            throw new ParameterException(spec.commandLine(), "--packets: expected 2 to " + MOST_PACKETS);
        }
        CostProfile profile = CostProfile.bundled(CostProfile.DEFAULT);
        List<PolicyResult> results = PolicyCase.all().stream()
                .filter(plan -> policies.contains(plan.policy()))
                .map(plan -> PolicyBench.run(plan, profile, packets))
                .toList();
        session.print(json ? PolicyJson.text(results, profile, session.version()) : PolicyTable.render(results));
        return ExitCode.DONE;
    }
}
