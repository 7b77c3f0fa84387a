package io.iolab.vmm.remote;

import io.iolab.iommu.RemappingOptions;
import java.util.List;

/** QEMU's names of intel-iommu properties. */
final class RemappingProperties {
    private static final List<String> NOT_OFFERED =
            List.of("intremap", "eim", "device-iotlb", "x-scalable-mode", "scalable-mode", "snoop-control");

    private RemappingProperties() {}

    static RemappingOptions options(Properties given, List<String> warnings) throws OptionException {
        RemappingOptions.Builder builder = RemappingOptions.builder();
        long width = given.takeNumber("aw-bits", 39, 48, 39);
        if (width != 39 && width != 48) {
            throw new OptionException(given.describe() + ": aw-bits is 39 or 48");
        }
        // As on QEMU's unit, the host's addresses are as wide as the largest guest address.
        builder.hostAddressWidth((int) width);
        if (width == 48) {
            builder.addressWidths(39, 48);
        } else {
            builder.addressWidths(39);
        }
        Boolean cachingMode = given.takeSwitch("caching-mode");
        builder.cachingMode(cachingMode != null && cachingMode);
        Boolean passThrough = given.takeSwitch("pt");
        builder.passThrough(passThrough == null || passThrough);
        for (String name : NOT_OFFERED) {
            String value = given.take(name);
            if (value != null && !value.equals("off") && !value.equals("auto")) {
                warnings.add(given.describe() + ": " + name + "=" + value + " is not offered, ignored");
            }
        }
        given.take("id");
        for (String key : given.left()) {
            warnings.add(given.describe() + ": property " + key + " is not known here, ignored");
        }
        return builder.build();
    }
}
