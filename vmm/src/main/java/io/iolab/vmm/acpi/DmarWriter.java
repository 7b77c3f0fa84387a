package io.iolab.vmm.acpi;

import io.iolab.vmm.acpi.RemappingStructure.Affinity;
import io.iolab.vmm.acpi.RemappingStructure.AtsRootPorts;
import io.iolab.vmm.acpi.RemappingStructure.HardwareUnit;
import io.iolab.vmm.acpi.RemappingStructure.IntegratedCaches;
import io.iolab.vmm.acpi.RemappingStructure.NamespaceDevice;
import io.iolab.vmm.acpi.RemappingStructure.ReservedMemory;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Lays a table out (VT-d 8.1 to 8.8; ACPI 6.5 section 5.2.6 for the header). */
final class DmarWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final DmarTable table;

    DmarWriter(DmarTable table) {
        this.table = table;
    }

    byte[] bytes() {
        ascii("DMAR");
        put(4, 0);
        put(1, 1);
        put(1, 0);
        ascii("IOLAB ");
        ascii("IOLABVTD");
        put(4, 1);
        ascii("IOLB");
        put(4, 1);
        put(1, table.hostAddressWidth() - 1);
        int flags = 0;
        for (DmarTable.Flag flag : table.flags()) {
            flags |= 1 << flag.ordinal();
        }
        put(1, flags);
        put(8, 0);
        put(2, 0);
        table.structures().forEach(this::structure);
        byte[] bytes = out.toByteArray();
        for (int i = 0; i < 4; i++) {
            bytes[4 + i] = (byte) (bytes.length >>> 8 * i);
        }
        int sum = 0;
        for (byte b : bytes) {
            sum += b;
        }
        bytes[DmarTable.CHECKSUM] = (byte) -sum;
        return bytes;
    }

    private void structure(RemappingStructure structure) {
        switch (structure) {
            case HardwareUnit unit -> {
                start(unit, 16, unit.scopes());
                put(1, unit.includeAll() ? 1 : 0);
                put(1, 0);
                put(2, unit.segment());
                put(8, unit.registerBase());
                unit.scopes().forEach(this::scope);
            }
            case ReservedMemory memory -> {
                start(memory, 24, memory.scopes());
                put(2, 0);
                put(2, memory.segment());
                put(8, memory.base());
                put(8, memory.limit());
                memory.scopes().forEach(this::scope);
            }
            case AtsRootPorts ports -> flagged(ports, ports.allPorts(), ports.segment(), ports.scopes());
            case Affinity affinity -> {
                start(affinity, 20, List.of());
                put(4, 0);
                put(8, affinity.registerBase());
                put(4, affinity.proximityDomain());
            }
            case NamespaceDevice device -> {
                // Four fixed bytes, four of this structure, the name with its final 0.
                start(device, 8 + device.name().length() + 1, List.of());
                put(3, 0);
                put(1, device.deviceNumber());
                ascii(device.name());
                put(1, 0);
            }
            case IntegratedCaches caches -> flagged(caches, caches.atcRequired(), caches.segment(), caches.scopes());
        }
    }

    private void flagged(RemappingStructure structure, boolean flag, int segment, List<DeviceScope> scopes) {
        start(structure, 8, scopes);
        put(1, flag ? 1 : 0);
        put(1, 0);
        put(2, segment);
        scopes.forEach(this::scope);
    }

    private void start(RemappingStructure structure, int fixed, List<DeviceScope> scopes) {
        int length = fixed;
        for (DeviceScope scope : scopes) {
            length += scope.length();
        }
        put(2, structure.type());
        put(2, length);
    }

    private void scope(DeviceScope scope) {
        put(1, scope.type().code());
        put(1, scope.length());
        put(2, 0);
        put(1, scope.enumerationId());
        put(1, scope.startBus());
        for (DeviceScope.Hop hop : scope.path()) {
            put(1, hop.device());
            put(1, hop.function());
        }
    }

    private void put(int width, long value) {
        for (int i = 0; i < width; i++) {
            out.write((int) (value >>> 8 * i) & 0xFF);
        }
    }

    private void ascii(String text) {
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
