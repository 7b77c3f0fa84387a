package io.iolab.devices.ringorder;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The states of one program: a tree, whose edges are the results of steps. The program runs once for each. */
final class SideStates {
    private static final int LONGEST = 1 << 16;

    /** Where a program stands. */
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
    private final long[] path = new long[LONGEST];
    private final Node start;
    private int nodes;

    SideStates(Program program) {
        this.program = program;
        this.start = new Node(nodes++, Replay.next(program, path, 0), 0, 0, null);
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
        Node made = new Node(nodes++, Replay.next(program, path, depth), depth, result, node);
        node.children.put(result, made);
        return made;
    }
}
