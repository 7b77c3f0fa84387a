package io.iolab.devices.ringorder;

import io.iolab.devices.ringorder.Step.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Lets two programs run in all orders that a memory model allows, or in one that is drawn. */
final class Explorer {
    private static final String[] NAMES = {"driver", "device"};

    /** In place of the number of schedules, of a state that is not left yet. */
    private static final double ENTERED = Double.NaN;

    /**
     * What was found.
     *
     * @param states different states visited
     * @param schedules orders of steps from the start to where nothing can happen any more; exact up to 2^53
     * @param failure the first order that ends wrong, step by step; null if none does
     */
    record Outcome(long states, double schedules, @Nullable String failure) {}

    private static final class WentWrong extends RuntimeException {
        private static final long serialVersionUID = 1;

        WentWrong(String message) {
            super(message);
        }
    }

    private final SideStates[] programs;
    private final Model model;
    private final int memorySize;
    private final Map<State.Key, Double> seen = new HashMap<>();
    private final List<String> trace = new ArrayList<>();

    Explorer(SideStates driver, SideStates device, int memorySize, Model model) {
        this.programs = new SideStates[] {driver, device};
        this.memorySize = memorySize;
        this.model = model;
    }

    private State start() {
        return State.initial(programs[0].start(), programs[1].start(), memorySize);
    }

    Outcome all() {
        try {
            double schedules = visit(start());
            return new Outcome(seen.size(), schedules, null);
        } catch (WentWrong wrong) {
            return new Outcome(seen.size(), 0, wrong.getMessage());
        }
    }

    /** One schedule, every choice drawn. */
    Outcome drawn(RandomGenerator random) {
        trace.clear();
        List<Choice> choices = new ArrayList<>();
        State state = start();
        long steps = 0;
        try {
            for (; choices(state, choices) > 0; steps++) {
                Choice choice = choices.get(random.nextInt(choices.size()));
                trace.add(choice.name());
                state = choice.then();
            }
            judge(state);
        } catch (WentWrong wrong) {
            return new Outcome(steps, 1, wrong.getMessage());
        }
        return new Outcome(steps, 1, null);
    }

    private double visit(State state) {
        State.Key key = state.key();
        Double known = seen.get(key);
        if (known != null) {
            if (known.isNaN()) {
                throw new WentWrong("for ever around:\n" + String.join("\n", trace));
            }
            return known;
        }
        seen.put(key, ENTERED);
        List<Choice> choices = new ArrayList<>(4);
        double schedules = 0;
        if (choices(state, choices) == 0) {
            judge(state);
            schedules = 1;
        }
        for (Choice choice : choices) {
            trace.add(choice.name());
            schedules += visit(choice.then());
            trace.removeLast();
        }
        seen.put(key, schedules);
        return schedules;
    }

    /** When nothing can happen any more. */
    private void judge(State state) {
        Kind driver = state.sides()[0].next.kind();
        Kind device = state.sides()[1].next.kind();
        if (driver != Kind.END || device != Kind.SLEEP) {
            throw new WentWrong(
                    "at rest with driver at " + driver + " and device at " + device + "\n" + String.join("\n", trace));
        }
    }

    private record Choice(String name, State then) {}

    private int choices(State state, List<Choice> into) {
        into.clear();
        for (int side = 0; side < 2; side++) {
            Step next = state.sides()[side].next;
            // A store that only enters the own buffer commutes with all else: one order stands for all.
            if (next.kind() == Kind.STORE && model != Model.SEQUENTIAL) {
                into.clear();
                into.add(new Choice("", buffered(state, side, next)));
                return 1;
            }
            if (next.kind() == Kind.FAIL) {
                throw new WentWrong(NAMES[side] + " " + next + "\n" + String.join("\n", trace));
            }
            State then = stepped(state, side, next);
            if (then != null) {
                into.add(new Choice(NAMES[side] + " " + next, then));
            }
            performable(state, side, into);
        }
        return into.size();
    }

    private State buffered(State state, int side, Step store) {
        Step[] old = state.buffers()[side];
        Step[] buffer = java.util.Arrays.copyOf(old, old.length + 1);
        buffer[old.length] = store;
        return state.withBuffer(side, buffer).with(side, after(state, side, 0));
    }

    private SideStates.Node after(State state, int side, long result) {
        return programs[side].after(state.sides()[side], result);
    }

    private @Nullable State stepped(State state, int side, Step next) {
        boolean drained = state.buffers()[side].length == 0;
        return switch (next.kind()) {
            case LOAD -> state.with(side, after(state, side, state.load(side, next)));
            case STORE -> state.performed(next).with(side, after(state, side, 0));
            case FENCE -> drained ? state.with(side, after(state, side, 0)) : null;
            case NOTIFY -> drained ? state.withToken(1 - side, true).with(side, after(state, side, 0)) : null;
            case SLEEP -> state.tokens()[side] ? state.withToken(side, false).with(side, after(state, side, 0)) : null;
            case END, FAIL -> null;
        };
    }

    private void performable(State state, int side, List<Choice> into) {
        Step[] buffer = state.buffers()[side];
        int choices = model == Model.PARTIAL_STORE_ORDER ? buffer.length : Math.min(1, buffer.length);
        for (int i = 0; i < choices; i++) {
            if (!mayOvertake(buffer, i)) {
                continue;
            }
            Step[] rest = new Step[buffer.length - 1];
            System.arraycopy(buffer, 0, rest, 0, i);
            System.arraycopy(buffer, i + 1, rest, i, rest.length - i);
            into.add(new Choice(
                    NAMES[side] + " performs " + buffer[i],
                    state.performed(buffer[i]).withBuffer(side, rest)));
        }
    }

    private static boolean mayOvertake(Step[] buffer, int at) {
        Step store = buffer[at];
        for (int i = 0; i < at; i++) {
            boolean overlap = buffer[i].address() < store.address() + store.width()
                    && store.address() < buffer[i].address() + buffer[i].width();
            if (store.release() || overlap) {
                return false;
            }
        }
        return true;
    }
}
