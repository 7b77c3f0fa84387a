package io.iolab.vmm.time;

import java.util.ArrayList;
import java.util.List;

/**
 * Virtual time: steps the actor whose next step is due first; ties go to the one that joined first. The number of actors is
 * small (tens), so a scan beats a heap.
 *
 * <p>A step may run past the due times of others by its own length, so they may see its effects early by at most that much.
 */
public final class Timeline implements Run {
    private final List<Actor> joined = new ArrayList<>();
    private Actor[] actors = new Actor[0];
    private long nowPicos;
    private long steps;

    @Override
    public void add(String group, Actor actor) {
        actor.join(TimeSource.VIRTUAL);
        joined.add(actor);
        actors = joined.toArray(new Actor[0]);
    }

    @Override
    public void until(long picos) {
        while (true) {
            Actor next = first();
            if (next == null || next.duePicos >= picos) {
                nowPicos = Math.max(nowPicos, picos);
                return;
            }
            nowPicos = Math.max(nowPicos, next.duePicos);
            next.stepVirtual();
            steps++;
        }
    }

    private @org.jspecify.annotations.Nullable Actor first() {
        Actor best = null;
        long bestDue = Actor.NEVER;
        for (Actor actor : actors) {
            if (actor.duePicos < bestDue) {
                best = actor;
                bestDue = actor.duePicos;
            }
        }
        return best;
    }

    @Override
    public long nowPicos() {
        return nowPicos;
    }

    /** Steps taken so far. */
    public long steps() {
        return steps;
    }

    @Override
    public void close() {}
}
