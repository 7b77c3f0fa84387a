package io.iolab.scenarios.attack;

import io.iolab.iommu.explain.TableWalk;
import io.iolab.scenarios.iommu.TableView;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Runs attacks, each on a new host. */
public final class AttackRunner {
    private AttackRunner() {}

    /** One run. */
    public static AttackOutcome run(Attack attack, Defence defence) {
        try (AttackedHost host = attack.host(defence)) {
            Verdict verdict = attack.run(host);
            return host.outcome(attack, defence, verdict);
        }
    }

    /** Each attack with each defence. */
    public static List<AttackOutcome> run(List<Attack> attacks, List<Defence> defences) {
        List<AttackOutcome> outcomes = new ArrayList<>();
        for (Attack attack : attacks) {
            defences.forEach(defence -> outcomes.add(run(attack, defence)));
        }
        return outcomes;
    }

    /** Runs an attack and then looks at the tables that it has left behind. */
    public static TableWalk walkAfter(Attack attack, Defence defence, Function<TableView, TableWalk> question) {
        try (AttackedHost host = attack.host(defence)) {
            attack.run(host);
            return question.apply(host);
        }
    }
}
