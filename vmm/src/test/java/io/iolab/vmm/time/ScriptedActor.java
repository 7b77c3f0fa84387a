package io.iolab.vmm.time;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** An actor that does what a test says, and notes when it was stepped. */
public final class ScriptedActor extends Actor {
    private final Consumer<ScriptedActor> script;
    public final List<Long> steppedAt = new ArrayList<>();

    public ScriptedActor(String name, Consumer<ScriptedActor> script) {
        super(name);
        this.script = script;
    }

    /** Idle until it is woken, and then idle again. */
    public static ScriptedActor sleeper(String name) {
        return new ScriptedActor(name, ScriptedActor::rest);
    }

    @Override
    protected boolean step() {
        steppedAt.add(nowPicos());
        script.accept(this);
        return true;
    }

    public void rest() {
        idle();
    }

    public void sleep(long untilPicos) {
        sleepUntil(untilPicos);
    }
}
