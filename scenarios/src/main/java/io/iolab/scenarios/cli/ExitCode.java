package io.iolab.scenarios.cli;

/** What the process tells its caller. */
final class ExitCode {
    static final int DONE = 0;
    /** Done, but a check or verdict failed. */
    static final int CHECK_FAILED = 1;

    static final int USAGE = 2;
    /** A scenario or input file is not what it should be. */
    static final int BAD_INPUT = 3;
    /** This machine: a file missing, no permission, no space. */
    static final int ENVIRONMENT = 4;
    /** Our own bug. */
    static final int BUG = 5;

    /** For the help of every command that can end in each. */
    static final String[] HELP = {
        "0:done",
        "1:done, but a check or verdict failed",
        "2:wrong usage",
        "3:bad scenario or input file",
        "4:environment: file missing, no permission, no space, port taken",
        "5:a bug of iolab",
    };

    private ExitCode() {}
}
