package io.iolab.scenarios.cli;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.scenarios.attack.AttackRunner;
import io.iolab.scenarios.iommu.FaultsSchema;
import io.iolab.scenarios.iommu.ScenarioTables;
import io.iolab.scenarios.iommu.TableView;
import io.iolab.scenarios.iommu.WalkJson;
import io.iolab.scenarios.iommu.WalkText;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code iolab iommu walk}. */
@Command(
        name = "walk",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {
            "Every table entry on the way of a DMA or interrupt request, field by field, and the bit that decided.",
            "The tables are those in memory; a translation that the unit still has in a cache may differ: then it is stale.",
            ""
        },
        footer = {
            "Examples:",
            "  iolab iommu walk --attack rogue-read --bdf 01:00.0 --iova 0x2000",
            "  iolab iommu walk --attack rogue-read --bdf 01:00.0 --iova 0x805000 --access write",
            "  iolab iommu walk --attack irte-theft --bdf 01:00.0 --interrupt 0",
            "  iolab iommu walk side-by-side --bdf 00:0a.0 --iova 0x1000 --json",
            "",
        })
final class IommuWalkCommand implements Callable<Integer> {
    private final Session session;

    @Spec
    private CommandSpec spec;

    @Mixin
    private TableSource source;

    @Option(
            names = "--bdf",
            paramLabel = "BB:DD.F",
            converter = Bdf.class,
            description = "The requester id, as lspci writes it.")
    private @Nullable Integer rid;

    @Option(
            names = "--iova",
            paramLabel = "ADDRESS",
            converter = Address.class,
            description = "The address of the request; 0x for hexadecimal.")
    private @Nullable Long iova;

    @Option(
            names = "--interrupt",
            paramLabel = "INDEX",
            converter = Index.class,
            description = "An interrupt request for this entry, in place of a DMA request.")
    private @Nullable Integer interrupt;

    @Option(names = "--access", defaultValue = "READ", paramLabel = "read|write", description = "Default read.")
    private Access access;

    @Option(names = "--pasid", paramLabel = "N", converter = Pasid.class, description = "Of a request with PASID.")
    private @Nullable Integer pasid;

    @Option(names = "--execute", description = "With --pasid: the request asks to execute (ER = 1).")
    private boolean execute;

    @Option(names = "--privileged", description = "With --pasid: with supervisor privilege (PR = 1).")
    private boolean privileged;

    @Option(names = "--translated", description = "The request says that its address is translated (AT = 10b).")
    private boolean translated;

    @Option(names = "--json", description = "As one JSON document, iolab.iommu-walk/1.")
    private boolean json;

    @Option(names = "--schema", description = "Print the JSON Schema of that document.")
    private boolean schema;

    IommuWalkCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws ConfigException, IOException {
        if (schema) {
            session.print(ResultJson.text(FaultsSchema.walkDocument()));
            return ExitCode.DONE;
        }
        source.check(spec.commandLine());
        TableWalk walk = source.isAttack()
                ? AttackRunner.walkAfter(source.attack(spec.commandLine()), source.defence, this::walk)
                : ScenarioTables.walk(source.scenario(spec.commandLine()), this::walk);
        session.print(json ? WalkJson.text(walk) : WalkText.of(walk));
        return ExitCode.DONE;
    }

    private TableWalk walk(TableView tables) {
        return interrupt == null ? tables.explain(dma()) : tables.interrupt(requester(), interrupt);
    }

    private int requester() {
        if (rid == null || (iova == null) == (interrupt == null)) {
            throw new ParameterException(
                    spec.commandLine(), "--bdf, and either --iova or --interrupt, say which request to explain");
        }
        return rid;
    }

    private WalkRequest dma() {
        int requester = requester();
        if (pasid == null && (execute || privileged)) {
            throw new ParameterException(
                    spec.commandLine(), "--execute and --privileged are parts of a PASID's prefix: --pasid is missing");
        }
        WalkRequest request = new WalkRequest(
                requester,
                pasid == null ? FaultReport.NO_PASID : pasid,
                iova == null ? 0 : iova,
                access,
                translated ? RequestType.TRANSLATED : RequestType.UNTRANSLATED);
        return request.with(execute, privileged);
    }

    /** A requester id. */
    static final class Bdf implements ITypeConverter<Integer> {
        private static final Pattern FORM =
                Pattern.compile("(?:0000:)?(\\p{XDigit}{1,2}):([01]?\\p{XDigit})\\.([0-7])");

        @Override
        public Integer convert(String text) {
            Matcher match = FORM.matcher(text);
            if (!match.matches()) {
                throw new TypeConversionException("expected bus:device.function such as 00:04.0, found '" + text + "'");
            }
            return RequesterId.of(
                    Integer.parseInt(match.group(1), 16),
                    Integer.parseInt(match.group(2), 16),
                    Integer.parseInt(match.group(3)));
        }
    }

    /** 64 bits without sign. */
    static final class Address implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                return text.startsWith("0x")
                        ? Long.parseUnsignedLong(text.substring(2).replace("_", ""), 16)
                        : Long.parseUnsignedLong(text);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected an address such as 0x1000, found '" + text + "'");
            }
        }
    }

    /** Of the interrupt-remapping table, 16 bits. */
    static final class Index implements ITypeConverter<Integer> {
        private static final int BITS = 16;

        @Override
        public Integer convert(String text) {
            long value = new Address().convert(text);
            if (value >>> BITS != 0) {
                throw new TypeConversionException("an index has " + BITS + " bits, '" + text + "' has more");
            }
            return (int) value;
        }
    }

    /** 20 bits. */
    static final class Pasid implements ITypeConverter<Integer> {
        private static final int BITS = 20;

        @Override
        public Integer convert(String text) {
            long value = new Address().convert(text);
            if (value >>> BITS != 0) {
                throw new TypeConversionException("a PASID has " + BITS + " bits, '" + text + "' has more");
            }
            return (int) value;
        }
    }
}
