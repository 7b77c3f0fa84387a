package io.iolab.vmm.time;

/** What time means to an actor: the one difference between the two clocks. */
abstract class TimeSource {

    /** Local time is a field and costs advance it. */
    static final TimeSource VIRTUAL = new TimeSource() {
        @Override
        long now(Actor actor) {
            return actor.nowPicos;
        }

        @Override
        void spend(Actor actor, long picos) {
            actor.nowPicos += picos;
        }

        @Override
        long delay(long picos) {
            return picos;
        }

        @Override
        void wake(Actor actor, long picos) {
            actor.wakeVirtual(picos);
        }
    };

    abstract long now(Actor actor);

    abstract void spend(Actor actor, long picos);

    abstract long delay(long picos);

    abstract void wake(Actor actor, long picos);
}
