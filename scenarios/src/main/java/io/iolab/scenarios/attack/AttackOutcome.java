package io.iolab.scenarios.attack;

import io.iolab.iommu.explain.TableWalk;
import io.iolab.scenarios.iommu.ExplainedFault;
import java.util.List;

/**
 * A run of an attack.
 *
 * @param notes what was tried and seen, in order
 * @param faults what the unit recorded, by kind
 * @param otherFaults records of kinds that are not listed
 * @param walks requests that were not refused, or not by the tables, explained
 * @param bytes memory as it was found
 */
public record AttackOutcome(
        Attack attack,
        Defence defence,
        Verdict verdict,
        List<String> notes,
        List<ExplainedFault> faults,
        long otherFaults,
        List<TableWalk> walks,
        List<BytesFound> bytes,
        List<Figure> figures) {
    public AttackOutcome {
        notes = List.copyOf(notes);
        faults = List.copyOf(faults);
        walks = List.copyOf(walks);
        bytes = List.copyOf(bytes);
        figures = List.copyOf(figures);
    }

    /** Whether the verdict is the one that must come out. */
    public boolean asExpected() {
        return verdict.equals(attack.expected(defence));
    }
}
