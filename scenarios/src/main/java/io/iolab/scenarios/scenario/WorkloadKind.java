package io.iolab.scenarios.scenario;

/** The values of {@code workload.kind}, in lower case with a hyphen. */
enum WorkloadKind {
    UDP_STREAM,
    PING_PONG,
    REPLAY,
    ECHO
}
