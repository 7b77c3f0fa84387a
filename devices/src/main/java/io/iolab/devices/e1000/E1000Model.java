package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterMap;

/** The members of the family that are modelled. */
public enum E1000Model {
    /** PCI, one queue each way, INTx; EEPROM on a Microwire bus, M88 PHY. */
    I82540EM(0x100E, 0x02, 0x0001_F6DF, 1),
    /** PCI Express, two queues each way, MSI-X; extended receive descriptors, RSS, BM PHY. */
    I82574L(0x10D3, 0x00, 0x01F7_82D7, 2);

    private final int deviceId;
    private final int revision;
    private final int causes;
    private final int queues;

    E1000Model(int deviceId, int revision, int causes, int queues) {
        this.deviceId = deviceId;
        this.revision = revision;
        this.causes = causes;
        this.queues = queues;
    }

    int deviceId() {
        return deviceId;
    }

    int revision() {
        return revision;
    }

    /** The interrupt causes that exist. */
    int causes() {
        return causes;
    }

    /** Queues each way. */
    int queues() {
        return queues;
    }

    /** Shared by all controllers of this model. */
    RegisterMap registers() {
        return this == I82540EM ? RegisterTables.I82540EM : RegisterTables.I82574L;
    }
}
