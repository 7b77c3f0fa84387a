package io.iolab.vmm.vcpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Software that does one queued action a step, notes interrupts, and then has nothing to do. */
final class ScriptedSoftware implements GuestSoftware {
    final Deque<Runnable> actions = new ArrayDeque<>();
    final List<Integer> interrupts = new ArrayList<>();
    IntConsumer onInterrupt = vector -> {};
    /** For software that never halts: what its idle loop does. */
    @Nullable
    Runnable whenIdle;

    long wakeAt = Long.MAX_VALUE;
    int steps;

    @Override
    public void interrupt(int vector) {
        interrupts.add(vector);
        onInterrupt.accept(vector);
    }

    @Override
    public boolean step() {
        steps++;
        Runnable action = actions.isEmpty() ? whenIdle : actions.poll();
        if (action == null) {
            return false;
        }
        action.run();
        return true;
    }

    @Override
    public long nextWakePicos() {
        return wakeAt;
    }
}
