package io.iolab.scenarios.cli;

import java.io.PrintStream;
import java.util.function.LongConsumer;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar on standard error, from the second second of a run on, and gone when the run is over. */
final class ProgressMeter implements LongConsumer, AutoCloseable {
    private static final long PATIENCE_NANOS = 1_000_000_000L;
    private static final long PICOS_PER_MICRO = 1_000_000L;
    private static final int WIDTH = 78;
    private static final int REFRESH_MILLIS = 200;

    private final PrintStream err;
    private final String label;
    private final long totalPicos;
    private final long started = System.nanoTime();
    private boolean watched = true;
    private @Nullable ProgressBar bar;

    ProgressMeter(PrintStream err, String label, long totalPicos) {
        this.err = err;
        this.label = label;
        this.totalPicos = totalPicos;
    }

    @Override
    public void accept(long picos) {
        if (!watched) {
            return;
        }
        if (bar == null) {
            if (System.nanoTime() - started < PATIENCE_NANOS) {
                return;
            }
            watched = Terminal.isStandardError();
            if (!watched) {
                return;
            }
            bar = new ProgressBarBuilder()
                    .setTaskName(label)
                    .setInitialMax(totalPicos / PICOS_PER_MICRO)
                    .setUnit(" us", 1)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(REFRESH_MILLIS)
                    .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH))
                    .clearDisplayOnFinish()
                    .build();
        }
        bar.stepTo(picos / PICOS_PER_MICRO);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
