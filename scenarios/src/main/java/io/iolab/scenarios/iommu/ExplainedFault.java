package io.iolab.scenarios.iommu;

import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import java.util.Optional;

/**
 * A kind of fault: the same source, reason and page, however often.
 *
 * @param report the first record of it
 * @param records how many fault records there were
 * @param walk the walk that failed, as the tables were when the first record was read; none where nobody keeps the tables
 * @param words what happened, in a sentence
 * @param without what would have happened without the unit, in a sentence
 */
public record ExplainedFault(FaultReport report, long records, Optional<TableWalk> walk, String words, String without) {
    ExplainedFault with(long more) {
        return new ExplainedFault(report, records + more, walk, words, without);
    }
}
