package io.iolab.vmm.inject;

/**
 * A bug in one guest.
 *
 * @param guest its name
 */
public record Injection(Bug bug, String guest) {}
