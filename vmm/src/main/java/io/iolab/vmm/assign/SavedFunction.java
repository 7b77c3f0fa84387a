package io.iolab.vmm.assign;

import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import java.util.ArrayList;
import java.util.List;

/**
 * What a reset takes from a function and the host puts back: BARs, interrupt line, access control, virtual functions, translation services.
 * The command register is not among it, so bus mastering stays off.
 */
final class SavedFunction {
    private static final int BARS = 6;
    private static final int ACS_CONTROL = 6;
    private static final int ATS_CONTROL = 6;
    private static final int SRIOV_CONTROL = 0x08;
    private static final int SRIOV_COUNT = 0x10;
    private static final int SRIOV_PAGE_SIZE = 0x20;
    private static final int SRIOV_BARS = 0x24;

    private record Field(int offset, int width, int value) {}

    private final ConfigAccess config;
    private final int rid;
    /** In the order in which they are put back. */
    private final List<Field> fields = new ArrayList<>();

    /**
     * Saves now, and switches the function off: nothing of it is on its way when it is reset.
     *
     * @param virtualFunctions whether virtual functions come back; a function that changes hands loses them
     */
    SavedFunction(ConfigAccess config, int rid, boolean virtualFunctions) {
        this.config = config;
        this.rid = rid;
        for (int i = 0; i < BARS; i++) {
            save(ConfigSpace.BAR0 + 4 * i, 4);
        }
        save(ConfigSpace.INTERRUPT_LINE, 1);
        int acs = TranslationServices.find(config, rid, ExtendedCapability.ACCESS_CONTROL);
        if (acs != 0) {
            save(acs + ACS_CONTROL, 2);
        }
        int sriov = TranslationServices.find(config, rid, ExtendedCapability.SINGLE_ROOT_IO_VIRTUALIZATION);
        if (virtualFunctions && sriov != 0) {
            save(sriov + SRIOV_PAGE_SIZE, 4);
            for (int i = 0; i < BARS; i++) {
                save(sriov + SRIOV_BARS + 4 * i, 4);
            }
            save(sriov + SRIOV_COUNT, 2);
            save(sriov + SRIOV_CONTROL, 2);
        }
        int ats = TranslationServices.find(config, rid, ExtendedCapability.ADDRESS_TRANSLATION);
        if (ats != 0) {
            save(ats + ATS_CONTROL, 2);
        }
        config.write(rid, ConfigSpace.COMMAND, 2, 0);
    }

    private void save(int offset, int width) {
        fields.add(new Field(offset, width, config.read(rid, offset, width)));
    }

    void restore() {
        fields.forEach(field -> config.write(rid, field.offset, field.width, field.value));
    }
}
