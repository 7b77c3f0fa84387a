package io.iolab.vmm.acpi;

import java.util.List;

/** A structure of the DMAR table (VT-d 8.2), by its type number. Base addresses are physical. */
public sealed interface RemappingStructure {

    /** The structure's type number. */
    int type();

    /**
     * DRHD, type 0: a remapping unit.
     *
     * @param includeAll it serves every function of the segment that no other unit names; the scopes then name I/O APICs and HPETs only
     * @param registerBase of its window, a multiple of 4096
     */
    record HardwareUnit(boolean includeAll, int segment, long registerBase, List<DeviceScope> scopes)
            implements RemappingStructure {
        public HardwareUnit {
            DmarTable.requireWord("segment", segment);
            DmarTable.requirePage("register base", registerBase);
            scopes = List.copyOf(scopes);
        }

        @Override
        public int type() {
            return 0;
        }
    }

    /**
     * RMRR, type 1: memory that the named functions use on behalf of firmware, which has to be mapped one to one for them.
     *
     * @param base a multiple of 4096
     * @param limit the last byte, one below a multiple of 4096
     */
    record ReservedMemory(int segment, long base, long limit, List<DeviceScope> scopes) implements RemappingStructure {
        public ReservedMemory {
            DmarTable.requireWord("segment", segment);
            DmarTable.requirePage("base", base);
            DmarTable.requirePage("limit + 1", limit + 1);
            if (Long.compareUnsigned(limit, base) < 0) {
                throw new IllegalArgumentException("limit 0x" + Long.toHexString(limit) + " below base");
            }
            scopes = List.copyOf(scopes);
        }

        @Override
        public int type() {
            return 1;
        }
    }

    /**
     * ATSR, type 2: root ports that pass ATS.
     *
     * @param allPorts every root port of the segment does; no scopes then
     */
    record AtsRootPorts(boolean allPorts, int segment, List<DeviceScope> scopes) implements RemappingStructure {
        public AtsRootPorts {
            DmarTable.requireWord("segment", segment);
            scopes = List.copyOf(scopes);
        }

        @Override
        public int type() {
            return 2;
        }
    }

    /** RHSA, type 3: the memory node near a remapping unit. */
    record Affinity(long registerBase, int proximityDomain) implements RemappingStructure {
        @Override
        public int type() {
            return 3;
        }
    }

    /**
     * ANDD, type 4: a device that has a name only.
     *
     * @param deviceNumber as scopes of type 5 give it, 1 to 255
     * @param name in the ACPI name space, ASCII
     */
    record NamespaceDevice(int deviceNumber, String name) implements RemappingStructure {
        public NamespaceDevice {
            boolean ascii = !name.isEmpty() && name.chars().allMatch(c -> c > 0 && c < 0x80);
            if (deviceNumber < 1 || deviceNumber > 255 || !ascii) {
                throw new IllegalArgumentException("device " + deviceNumber + " \"" + name + '"');
            }
        }

        @Override
        public int type() {
            return 4;
        }
    }

    /**
     * SATC, type 5: functions with address translation caches of the chipset itself.
     *
     * @param atcRequired the functions do not work without
     */
    record IntegratedCaches(boolean atcRequired, int segment, List<DeviceScope> scopes) implements RemappingStructure {
        public IntegratedCaches {
            DmarTable.requireWord("segment", segment);
            scopes = List.copyOf(scopes);
        }

        @Override
        public int type() {
            return 5;
        }
    }
}
