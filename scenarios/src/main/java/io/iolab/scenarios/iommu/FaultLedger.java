package io.iolab.scenarios.iommu;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.walk.RequestType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Fault records by source, reason and page, so that one bad device fills a line and not a log. Only the first record of a kind is
 * explained.
 *
 * <p>Threading: one thread at a time.
 */
public final class FaultLedger {
    /** Kinds that are told apart; a device chooses its addresses, so it must not choose how much is kept. */
    public static final int MOST_KINDS = 256;

    private record Kind(int rid, int reason, long page) {}

    private final Function<FaultReport, Optional<TableWalk>> walks;
    private final Function<FaultReport, String> without;
    private final Map<Kind, ExplainedFault> kinds = new LinkedHashMap<>();
    private long others;

    /**
     * @param walks the walk of a refused request, by the tables as they are now
     * @param without what would have happened without the unit, in a sentence
     */
    public FaultLedger(Function<FaultReport, Optional<TableWalk>> walks, Function<FaultReport, String> without) {
        this.walks = walks;
        this.without = without;
    }

    /** Counts a record. */
    public void add(FaultReport report) {
        add(report, 1);
    }

    /** Counts equal records. */
    public void add(FaultReport report, long records) {
        Kind kind = new Kind(report.rid(), report.reasonCode(), report.iovaPage());
        ExplainedFault known = kinds.get(kind);
        if (known != null) {
            kinds.put(kind, known.with(records));
        } else if (kinds.size() == MOST_KINDS) {
            others += records;
        } else {
            Optional<TableWalk> walk = walks.apply(report);
            kinds.put(kind, new ExplainedFault(report, records, walk, words(report, walk), without.apply(report)));
        }
    }

    private static String words(FaultReport report, Optional<TableWalk> walk) {
        String source = RequesterId.format(report.rid());
        FaultReason reason = report.reason();
        String why = reason == null ? "reason unknown" : reason.text();
        String decided = walk.map(w -> decided(why, reason, w)).orElse(why);
        if (report.ofInterrupt()) {
            return "%s sent an interrupt request (index %d) and the unit dropped it: %s."
                    .formatted(source, report.interruptIndex(), decided);
        }
        boolean pageRequest =
                walk.map(TableWalk::request).map(WalkRequest::pageRequest).orElse(false);
        boolean translation = walk.filter(w -> w.request().type() == RequestType.TRANSLATION_REQUEST)
                .isPresent();
        String verb = report.access() == Access.WRITE ? "write" : report.execute() ? "execute from" : "read";
        String tried = pageRequest ? "have" : translation ? "have a translation of" : verb;
        return "%s tried to %s page 0x%x%s and the unit refused it: %s."
                .formatted(source, tried, report.iovaPage(), pageRequest ? " by a page request" : "", decided);
    }

    /** The record says why; the tables say by which bit, unless they have changed since or a cache knew something else. */
    private static String decided(String why, @Nullable FaultReason recorded, TableWalk walk) {
        FaultReason now = walk.reason();
        if (now == recorded) {
            return walk.decision();
        }
        return why + "; the tables as they are now "
                + (now == null ? "would let it through" : "would refuse it for another reason (" + now.text() + ")");
    }

    /** In order of appearance. */
    public List<ExplainedFault> faults() {
        return List.copyOf(kinds.values());
    }

    /** Records of kinds beyond {@link #MOST_KINDS}. */
    public long others() {
        return others;
    }
}
