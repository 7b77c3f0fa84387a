package io.iolab.devices.ringorder;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The states of one program: a graph, whose edges are the results of steps. Histories that lead to the same {@link Replay.Place}
 * are one state, and the first of them is run for all.
 */
final class SideStates {
    private static final int LONGEST = 1 << 16;

    /** One state, and the first history that led there. */
    static final class Node {
        final int id;
        final Step next;
        private final int depth;
        private final long result;
        private final @Nullable Node parent;
        private final Map<Long, Node> children = new HashMap<>(2);

        private Node(int id, Step next, int depth, long result, @Nullable Node parent) {
            this.id = id;
            this.next = next;
            this.depth = depth;
            this.result = result;
            this.parent = parent;
        }
    }

    private final Program program;
    private final boolean merging;
    private final Map<Replay.Place, Node> places = new HashMap<>();
    private final long[] path = new long[LONGEST];
    private final Node start;
    private int nodes;

    /** @param merging whether landmarks are believed; if not, every history is a state of its own */
    SideStates(Program program, boolean merging) {
        this.program = program;
        this.merging = merging;
        this.start = new Node(nodes++, Replay.upTo(program, path, 0, false).next(), 0, 0, null);
    }

    Node start() {
        return start;
    }

    /** After the next step of {@code node}, whose result was this. */
    Node after(Node node, long result) {
        Node known = node.children.get(result);
        if (known != null) {
            return known;
        }
        int depth = node.depth + 1;
        path[depth - 1] = result;
        for (Node up = node; up.parent != null; up = up.parent) {
            path[up.depth - 1] = up.result;
        }
        Node then = at(Replay.upTo(program, path, depth, merging), depth, result, node);
        node.children.put(result, then);
        return then;
    }

    private Node at(Replay replay, int depth, long result, Node parent) {
        if (!merging) {
            return new Node(nodes++, replay.next(), depth, result, parent);
        }
        Node there = places.computeIfAbsent(
                replay.place(), place -> new Node(nodes++, replay.next(), depth, result, parent));
        if (!there.next.equals(replay.next())) {
            throw new IllegalStateException("a landmark leaves something out: " + there.next + ", " + replay.next());
        }
        return there;
    }
}
