package io.iolab.scenarios.attack;

import io.iolab.devices.pci.AccessControlServices;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.pci.FunctionPort;
import io.iolab.vmm.pci.ProbeFunction;

/**
 * The usual setting: two endpoints under two root ports with access control, one for guest A, who attacks, one for guest B, who has a
 * secret. Guest physical 0 is the first byte of each guest's memory.
 */
final class TwoGuests {
    static final int ATTACKER = 0x0100;
    static final int VICTIM = 0x0200;
    static final int PAGES = 4;

    final AttackedHost host;
    final Assigned attacker;
    final Assigned victim;
    final MemoryRegion attackersMemory;
    final MemoryRegion secret;

    TwoGuests(AttackedHost host) {
        this(host, MapRights.READ_WRITE, true);
    }

    /**
     * @param attackersRights of guest A's functions to its own memory
     * @param accessControl whether the ports' access control services are switched on
     */
    TwoGuests(AttackedHost host, MapRights attackersRights, boolean accessControl) {
        this.host = host;
        ProbeFunction first = endpoint(host, 1);
        ProbeFunction second = endpoint(host, 2);
        host.start(accessControl);
        attackersMemory = host.region("guest A's memory", PAGES);
        secret = host.region("guest B's secret", PAGES);
        attacker = host.assign(ATTACKER, first);
        victim = host.assign(VICTIM, second);
        host.map(attacker, 0, attackersMemory, attackersRights);
        host.map(victim, 0, secret, MapRights.READ_WRITE);
    }

    /** The attacker's way into the fabric, below its bus master bit: what a function with a firmware of its own can send. */
    FunctionPort attackersPort() {
        return host.topology().port(attacker.function()).orElseThrow();
    }

    private static ProbeFunction endpoint(AttackedHost host, int device) {
        return host.build.function(
                host.build.rootPort(device, 0, AccessControlServices.ISOLATION),
                0,
                0,
                dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
    }
}
