package io.iolab.vmm.remote;

import io.iolab.iommu.RemappingOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's names of intel-iommu properties, those of version 11 and older spellings of the same, as options of our unit. What they say
 * in QEMU they say here, the refusals of contradictory ones included; where our unit goes further it does so under the same name:
 *
 * <ul>
 *   <li>{@code eim=on} needs no KVM, because messages are never delivered to a processor here;
 *   <li>{@code aw-bits=57} gives tables of five levels;
 *   <li>{@code x-pasid-mode} announces the 20 bits that the unit takes (ECAP.PSS), and goes with {@code device-iotlb};
 *   <li>first-level tables come with ECAP.SMPWCS, without which a unit could not set accessed and dirty bits (VT-d 3.7).
 * </ul>
 *
 * <p>As on QEMU's unit there is one fault record, walks do not snoop (ECAP.C), zero-length reads get no leave (CAP.ZLR), and the host's
 * addresses are as wide as the guest's.
 */
final class RemappingProperties {
    private static final int MAXIMUM_HOST_WIDTH = 52;
    private static final int PASID_BITS = 20;

    private final Properties given;
    private final List<String> warnings;
    private final RemappingOptions.Builder builder = RemappingOptions.builder();

    private RemappingProperties(Properties given, List<String> warnings) {
        this.given = given;
        this.warnings = warnings;
    }

    /** @throws OptionException for values and combinations that no unit has */
    static RemappingOptions options(Properties given, List<String> warnings) throws OptionException {
        return new RemappingProperties(given, warnings).build();
    }

    private RemappingOptions build() throws OptionException {
        int width = (int) given.takeNumber("aw-bits", 0, 64, 48);
        boolean scalable = oneOf("scalable-mode", "x-scalable-mode");
        boolean firstStage = oneOf("fsts", "x-flts", "flts");
        tables(width, scalable, firstStage);
        interrupts();
        services(scalable, firstStage);
        builder.cachingMode(isOn("caching-mode", false));
        builder.passThrough(isOn("pt", true));
        builder.snoopControl(isOn("snoop-control", false));
        boolean drains = isOn("dma-drain", true);
        if (scalable && !drains) {
            throw refused("scalable-mode=on needs dma-drain=on");
        }
        builder.drains(drains, drains);
        builder.faultRecords(1).coherentWalks(false).zeroLengthReads(false);
        reportRest();
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw refused(String.valueOf(e.getMessage()));
        }
    }

    private void tables(int width, boolean scalable, boolean firstStage) throws OptionException {
        switch (width) {
            case 39 -> builder.addressWidths(39);
            case 48 -> builder.addressWidths(39, 48);
            case 57 -> builder.addressWidths(39, 48, 57);
            default -> throw refused("aw-bits is 39, 48 or 57");
        }
        builder.hostAddressWidth(Math.min(width, MAXIMUM_HOST_WIDTH));
        boolean pages1G = isOn("fs1gp", true);
        if (firstStage && !scalable) {
            throw refused("first-stage tables (fsts=on) need scalable-mode=on");
        }
        if (firstStage && width == 39) {
            throw refused("first-stage tables (fsts=on) have four levels or five: aw-bits is 48 or 57");
        }
        if (!scalable) {
            return;
        }
        builder.scalableMode(true).requesterPasid(false).walkSnoop(firstStage);
        if (firstStage) {
            builder.firstLevel(true).firstLevelExtras(width == 57, pages1G);
        } else {
            builder.secondLevel(true).privilegedRequests(true, false);
        }
    }

    /** {@code auto} is on for remapping, and for EIM what {@code x-buggy-eim} says. */
    private void interrupts() throws OptionException {
        Boolean remap = takeAuto("intremap");
        boolean remapping = remap == null || remap;
        boolean always = isOn("x-buggy-eim", false);
        Boolean extended = takeAuto("eim");
        if (extended != null && extended && !remapping) {
            throw refused("eim=on cannot be selected without intremap=on");
        }
        builder.interruptRemapping(remapping);
        builder.extendedInterruptMode(remapping && (extended == null ? always : extended));
    }

    private void services(boolean scalable, boolean firstStage) throws OptionException {
        boolean deviceTlb = isOn("device-iotlb", false);
        boolean pasid = isOn("x-pasid-mode", false);
        boolean svm = isOn("svm", false);
        if (pasid && !scalable) {
            throw refused("x-pasid-mode=on needs scalable-mode=on");
        }
        if (svm && !(deviceTlb && firstStage && pasid)) {
            throw refused("svm=on needs device-iotlb=on, fsts=on and x-pasid-mode=on");
        }
        builder.deviceTlb(deviceTlb);
        builder.pasidBits(pasid ? PASID_BITS : 0);
        builder.pageRequests(svm).noWriteFlag(svm);
    }

    private void reportRest() throws OptionException {
        if (isOn("stale-tm", false)) {
            warnings.add(
                    given.describe() + ": stale-tm=on changes nothing: bit 62 of a second-level entry is reserved here"
                            + " whatever the unit offers (VT-d 9.8)");
        }
        if (!isOn("dma-translation", true)) {
            warnings.add(
                    given.describe() + ": dma-translation=off is ignored: every unit here offers tables (CAP.SAGAW)");
        }
        given.take("id");
        for (String key : given.left()) {
            warnings.add(given.describe() + ": property " + key + " is not known here, ignored");
        }
    }

    private boolean isOn(String key, boolean otherwise) throws OptionException {
        Boolean value = given.takeSwitch(key);
        return value == null ? otherwise : value;
    }

    /** Spellings of one property; two that contradict each other are refused. */
    private boolean oneOf(String... keys) throws OptionException {
        Boolean found = null;
        String first = "";
        for (String key : keys) {
            Boolean value = given.takeSwitch(key);
            if (value != null && found != null && !value.equals(found)) {
                throw refused(first + " and " + key + " are the same property and contradict each other");
            }
            if (value != null) {
                found = value;
                first = key;
            }
        }
        return found != null && found;
    }

    /** Null for auto, and where nothing is given. */
    private @Nullable Boolean takeAuto(String key) throws OptionException {
        String value = given.take(key);
        return value == null || value.equals("auto") ? null : Boolean.valueOf(given.isOn(key, value));
    }

    private OptionException refused(String reason) {
        return new OptionException(given.describe() + ": " + reason);
    }
}
