package io.iolab.scenarios.attack;

import io.iolab.iommu.RemappingOptions;

/** An attack on isolation. Stateless: {@link #run} may be called any number of times, each on a host of its own. */
public interface Attack {
    /** On the command line: {@code rogue-read}. */
    String name();

    /** What the attacker does, in two sentences. */
    String what();

    /** What stops it, in the words of VT-d or PCI Express. */
    String defence();

    /** What must come out. */
    Verdict expected(Defence defence);

    /** The remapping unit of the host. */
    default RemappingOptions options() {
        return RemappingOptions.builder()
                .interruptRemapping(true)
                .postedInterrupts(true)
                .build();
    }

    /** A host to attack, as this attack needs it. */
    default AttackedHost host(Defence defence) {
        return new AttackedHost(options(), defence);
    }

    /** Attacks and says what came of it. The host knows whether it is defended, and takes the evidence. */
    Verdict run(AttackedHost host);
}
