package io.iolab.devices.hostile;

/** What became of a device that met hostile input. */
enum Verdict {
    /** It serves on: without a reset, frames pass in both directions once the rings are sound again. */
    PASS,
    /**
     * It refuses in a way that its specification allows (DEVICE_NEEDS_RESET, a unit that stands still, packets dropped and
     * counted), and after a reset the ordinary driver works with it.
     */
    REJECT,
    /** Neither: it throws, spins, is silent about why it stands still, or a reset does not bring it back. */
    WEDGED
}
