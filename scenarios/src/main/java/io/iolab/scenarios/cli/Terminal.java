package io.iolab.scenarios.cli;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Whether a person watches standard error. The JDK's console only knows of standard input and output. */
final class Terminal {
    private static final int STANDARD_ERROR = 2;

    private Terminal() {}

    static boolean isStandardError() {
        if ("dumb".equals(System.getenv("TERM"))) {
            return false;
        }
        try {
            Linker linker = Linker.nativeLinker();
            Optional<MemorySegment> isatty = linker.defaultLookup().find("isatty");
            if (isatty.isEmpty()) {
                return false;
            }
            int answer = (int) linker.downcallHandle(
                            isatty.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                    .invokeExact(STANDARD_ERROR);
            return answer == 1;
        } catch (Throwable e) {
            // No C library to ask: then no progress bar either.
            return false;
        }
    }
}
