package io.iolab.vmm.inject;

/**
 * What became of an injection.
 *
 * @param struck whether the run was long enough for the bug to strike; it lets some events pass first
 */
public record InjectionOutcome(Bug bug, String guest, boolean struck) {}
