package io.iolab.vmm.time;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Wall time: one thread per group steps that group's actors in turn. A group that finds nothing to do spins, then yields, then
 * parks for {@value #PARK_NANOS} ns at a time, so that more groups than processors still make progress.
 *
 * <p>With {@code spendCosts} an actor's modelled costs are burnt as busy time, so that the paths keep their proportions;
 * without, the code runs as fast as it can.
 */
public final class WallThreads implements Run {
    private static final int SPINS = 200;
    private static final int YIELDS = 50;
    private static final long PARK_NANOS = 20_000;
    private static final long JOIN_NANOS = 5_000_000_000L;

    private final Map<String, List<Actor>> groups = new LinkedHashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private final TimeSource source;
    private final long origin = System.nanoTime();
    private volatile boolean stopping;
    private volatile @Nullable Throwable failure;

    public WallThreads(boolean spendCosts) {
        source = new TimeSource() {
            @Override
            long now(Actor actor) {
                long now = WallThreads.this.nowPicos();
                actor.nowPicos = now;
                return now;
            }

            @Override
            void spend(Actor actor, long picos) {
                if (spendCosts) {
                    burn(picos);
                }
            }

            @Override
            long delay(long picos) {
                return spendCosts ? picos : 0;
            }

            @Override
            void wake(Actor actor, long picos) {
                // Every actor of a running group is polled; there is nothing to wake.
            }
        };
    }

    private static void burn(long picos) {
        long end = System.nanoTime() + picos / 1000;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void add(String group, Actor actor) {
        if (!threads.isEmpty()) {
            throw new IllegalStateException("already running");
        }
        actor.join(source);
        groups.computeIfAbsent(group, g -> new ArrayList<>()).add(actor);
    }

    @Override
    public void until(long picos) {
        if (threads.isEmpty()) {
            groups.forEach(this::start);
        }
        while (failure == null && !stopping && nowPicos() < picos) {
            LockSupport.parkNanos(Math.min(1_000_000, (picos - nowPicos()) / 1000 + 1));
            if (Thread.currentThread().isInterrupted()) {
                stopping = true;
            }
        }
        Throwable cause = failure;
        if (cause != null) {
            close();
            throw new IllegalStateException("an actor failed: " + cause, cause);
        }
    }

    private void start(String group, List<Actor> members) {
        Actor[] all = members.toArray(new Actor[0]);
        Thread thread = new Thread(() -> loop(all), "iolab-" + group);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private void loop(Actor[] all) {
        int quiet = 0;
        try {
            while (!stopping) {
                boolean worked = false;
                for (Actor actor : all) {
                    worked |= actor.step();
                }
                quiet = worked ? 0 : quiet + 1;
                rest(quiet);
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    private static void rest(int quiet) {
        if (quiet == 0) {
            return;
        }
        if (quiet < SPINS) {
            Thread.onSpinWait();
        } else if (quiet < SPINS + YIELDS) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(PARK_NANOS);
        }
    }

    @Override
    public long nowPicos() {
        return (System.nanoTime() - origin) * 1000;
    }

    /**
     * Waits for the threads even if the caller is interrupted: what they work on is freed after this.
     *
     * @throws IllegalStateException if a thread does not end within 5 s
     */
    @Override
    public void close() {
        stopping = true;
        boolean interrupted = false;
        long deadline = System.nanoTime() + JOIN_NANOS;
        for (Thread thread : threads) {
            interrupted |= join(thread, deadline);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        for (Thread thread : threads) {
            if (thread.isAlive()) {
                throw new IllegalStateException(thread.getName() + " does not end");
            }
        }
    }

    /** @return whether the caller was interrupted meanwhile */
    private static boolean join(Thread thread, long deadline) {
        boolean interrupted = false;
        for (long left = deadline - System.nanoTime();
                left > 0 && thread.isAlive();
                left = deadline - System.nanoTime()) {
            try {
                thread.join(left / 1_000_000 + 1);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return interrupted;
    }
}
