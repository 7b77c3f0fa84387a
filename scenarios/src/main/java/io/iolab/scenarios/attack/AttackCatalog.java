package io.iolab.scenarios.attack;

import java.util.List;
import java.util.Optional;

/** All attacks. */
public final class AttackCatalog {
    private static final List<Attack> ATTACKS = List.of(
            new RogueRead(),
            new RogueWrite(),
            new BootTimeWrite(),
            new ReadOnlyWrite(),
            new DmaAfterUnmap(),
            new StaleTranslation(),
            new InvalidationNotAwaited(),
            new SubPageLeak(),
            new PeerToPeer(),
            new RequesterSpoofing(),
            new DeviceAlias(),
            new TranslatedForgery(),
            new FalseAcknowledgement(),
            new MessageForgery(),
            new EntryTheft(),
            new CompatibilityInjection(),
            new InterruptStorm(),
            new PostedFlood(),
            new ReservedMemoryAbuse(),
            new ReassignmentWithoutReset(),
            new AddressSpoofing(),
            new PageRequestFlood());

    private AttackCatalog() {}

    /** In the order in which they are best read. */
    public static List<Attack> attacks() {
        return ATTACKS;
    }

    public static List<String> names() {
        return ATTACKS.stream().map(Attack::name).toList();
    }

    public static Optional<Attack> named(String name) {
        return ATTACKS.stream().filter(attack -> attack.name().equals(name)).findFirst();
    }
}
