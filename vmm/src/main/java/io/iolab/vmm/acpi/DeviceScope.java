package io.iolab.vmm.acpi;

import java.util.List;

/**
 * A device scope entry (VT-d 8.3.1): which function, or functions behind a bridge, a structure speaks of.
 *
 * @param enumerationId of an I/O APIC its APIC id, of a HPET its number, of a namespace device its ACPI device number; else 0
 * @param startBus where the path begins, 0 to 255
 * @param path device and function from bridge to bridge, at least one
 */
public record DeviceScope(Type type, int enumerationId, int startBus, List<Hop> path) {

    /** What is named, with its code. */
    public enum Type {
        ENDPOINT(1),
        /** A bridge and everything behind it. */
        SUB_HIERARCHY(2),
        IO_APIC(3),
        HPET(4),
        NAMESPACE(5);

        private final int code;

        Type(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }
    }

    /**
     * A step of a path.
     *
     * @param device 0 to 31
     * @param function 0 to 7
     */
    public record Hop(int device, int function) {
        public Hop {
            if (device < 0 || device > 31 || function < 0 || function > 7) {
                throw new IllegalArgumentException("device " + device + ", function " + function);
            }
        }
    }

    public DeviceScope {
        if (path.isEmpty() || path.size() > 124 || (enumerationId & ~0xFF) != 0 || (startBus & ~0xFF) != 0) {
            throw new IllegalArgumentException(
                    "scope of id " + enumerationId + " at bus " + startBus + " with " + path.size() + " hops");
        }
        path = List.copyOf(path);
    }

    /** An endpoint on bus 0. */
    public static DeviceScope endpoint(int device, int function) {
        return new DeviceScope(Type.ENDPOINT, 0, 0, List.of(new Hop(device, function)));
    }

    /** A bridge on bus 0 and everything behind it. */
    public static DeviceScope subHierarchy(int device, int function) {
        return new DeviceScope(Type.SUB_HIERARCHY, 0, 0, List.of(new Hop(device, function)));
    }

    /** Bytes of the entry. */
    int length() {
        return 6 + 2 * path.size();
    }
}
