package io.iolab.scenarios.cli;

import io.iolab.scenarios.bench.ViommuJson;
import io.iolab.scenarios.bench.ViommuTable;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.viommu.ViommuBench;
import io.iolab.vmm.viommu.ViommuResult;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code iolab bench viommu}. */
@Command(
        name = "viommu",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {
            "What a guest pays to remap the DMA of its assigned function on a unit of its own, by the call.",
            "",
            "Shadowed, the guest invalidates after every change (caching mode), and the VMM copies what its tables say into the",
            "function's domain. Nested, the physical unit walks the guest's first-level tables, and only an unmap must be told.",
            "Counts come from drivers and units at work; the time in exits from the cost profile, the VMM's own work aside.",
            ""
        },
        sortOptions = false,
        footer = {
            "Examples:",
            "  iolab bench viommu",
            "  iolab bench viommu --maps 1000 --pages 1,64,256",
            "  iolab bench viommu --json",
            ""
        })
final class BenchViommuCommand implements Callable<Integer> {
    private static final int MOST_PAGES = 256;
    private static final int MOST_MAPS = 4096;
    /** Mapped at once in one case; the guest's tables for more would not fit. */
    private static final int MOST_TOGETHER = 1 << 16;

    private final Session session;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--maps",
            paramLabel = "N",
            defaultValue = "256",
            description = "Maps of each case, and as many unmaps, 1 to 4096; default ${DEFAULT-VALUE}.")
    private int maps;

    @Option(
            names = "--pages",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,16",
            description = "Pages of 4 KiB to a call, powers of two up to 256; default ${DEFAULT-VALUE}.")
    private List<Integer> pages;

    @Option(names = "--json", description = "As one JSON document, iolab.bench.viommu/1.")
    private boolean json;

    BenchViommuCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws ConfigException {
        if (maps < 1 || maps > MOST_MAPS) {
            throw new ParameterException(spec.commandLine(), "--maps: expected 1 to " + MOST_MAPS);
        }
        for (int each : pages) {
            if (each < 1 || each > MOST_PAGES || Integer.bitCount(each) != 1) {
                throw new ParameterException(
                        spec.commandLine(), "--pages: expected powers of two up to " + MOST_PAGES + ", found " + each);
            }
            if (each * maps >= MOST_TOGETHER) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--maps " + maps + " of " + each + " pages: expected fewer than " + MOST_TOGETHER
                                + " pages together");
            }
        }
        CostProfile profile = CostProfile.bundled(CostProfile.DEFAULT);
        List<ViommuResult> results = ViommuBench.run(maps, pages, profile);
        session.print(json ? ViommuJson.text(results, profile, session.version()) : ViommuTable.render(results));
        return ExitCode.DONE;
    }
}
