package io.iolab.vmm.acpi;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.vmm.acpi.DmarTable.Parsed;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Reads a table of which nothing may be believed: every length is checked before it is used. */
final class DmarReader {
    private static final int LENGTH = 4;
    private static final int REVISION = 8;
    private static final int WIDTH = 36;
    private static final int FLAGS = 37;
    private static final int STRUCTURE_HEADER = 4;
    private static final int SCOPE_HEADER = 6;
    /** Fixed bytes of the structures by type. */
    private static final int[] FIXED = {16, 24, 8, 20, 9, 8};

    private final byte[] bytes;
    private int end;
    private int wrongAt = -1;
    private String wrong = "";

    DmarReader(byte[] bytes) {
        this.bytes = bytes;
    }

    private Parsed malformed(int offset, String reason) {
        return new Parsed.Malformed(offset, reason);
    }

    Parsed parse() {
        if (bytes.length < DmarTable.HEADER || !new String(bytes, 0, 4, StandardCharsets.US_ASCII).equals("DMAR")) {
            return malformed(0, "no DMAR header");
        }
        end = LittleEndian.getInt(bytes, LENGTH);
        if (end < DmarTable.HEADER || end > bytes.length) {
            return malformed(LENGTH, "length " + Integer.toUnsignedString(end) + " of " + bytes.length + " bytes");
        }
        int sum = 0;
        for (int i = 0; i < end; i++) {
            sum += bytes[i];
        }
        if ((sum & 0xFF) != 0) {
            return malformed(DmarTable.CHECKSUM, "the bytes do not add up to 0");
        }
        int width = LittleEndian.getByte(bytes, WIDTH) + 1;
        if (LittleEndian.getByte(bytes, REVISION) == 0 || width > 64) {
            return malformed(REVISION, "revision 0, or an address width of " + width);
        }
        return structures(width);
    }

    private Parsed structures(int width) {
        List<RemappingStructure> structures = new ArrayList<>();
        int skipped = 0;
        for (int at = DmarTable.HEADER; at < end; ) {
            if (end - at < STRUCTURE_HEADER) {
                return malformed(at, "half a structure");
            }
            int type = LittleEndian.getShort(bytes, at);
            int length = LittleEndian.getShort(bytes, at + 2);
            int fixed = type < FIXED.length ? FIXED[type] : STRUCTURE_HEADER;
            if (length < fixed || length > end - at) {
                return malformed(at, "a structure of type " + type + " with " + length + " bytes");
            }
            if (type < FIXED.length) {
                try {
                    structures.add(structure(type, at, at + length));
                } catch (IllegalArgumentException e) {
                    return malformed(at, String.valueOf(e.getMessage()));
                }
                if (wrongAt >= 0) {
                    return malformed(wrongAt, wrong);
                }
            } else {
                skipped++;
            }
            at += length;
        }
        Set<DmarTable.Flag> flags = EnumSet.noneOf(DmarTable.Flag.class);
        for (DmarTable.Flag flag : DmarTable.Flag.values()) {
            if ((bytes[FLAGS] >>> flag.ordinal() & 1) != 0) {
                flags.add(flag);
            }
        }
        try {
            return new Parsed.Table(new DmarTable(width, flags, structures), skipped);
        } catch (IllegalArgumentException e) {
            return malformed(DmarTable.HEADER, String.valueOf(e.getMessage()));
        }
    }

    private RemappingStructure structure(int type, int at, int limit) {
        boolean flag = (bytes[at + 4] & 1) != 0;
        int segment = LittleEndian.getShort(bytes, at + 6);
        return switch (type) {
            case 0 ->
                new RemappingStructure.HardwareUnit(
                        flag, segment, LittleEndian.getLong(bytes, at + 8), scopes(at + 16, limit));
            case 1 ->
                new RemappingStructure.ReservedMemory(
                        segment,
                        LittleEndian.getLong(bytes, at + 8),
                        LittleEndian.getLong(bytes, at + 16),
                        scopes(at + 24, limit));
            case 2 -> new RemappingStructure.AtsRootPorts(flag, segment, scopes(at + 8, limit));
            case 3 ->
                new RemappingStructure.Affinity(
                        LittleEndian.getLong(bytes, at + 8), LittleEndian.getInt(bytes, at + 16));
            case 4 -> new RemappingStructure.NamespaceDevice(LittleEndian.getByte(bytes, at + 7), name(at + 8, limit));
            default -> new RemappingStructure.IntegratedCaches(flag, segment, scopes(at + 8, limit));
        };
    }

    private String name(int at, int limit) {
        int last = at;
        while (last < limit && bytes[last] != 0) {
            last++;
        }
        return new String(bytes, at, last - at, StandardCharsets.ISO_8859_1);
    }

    private List<DeviceScope> scopes(int first, int limit) {
        List<DeviceScope> scopes = new ArrayList<>();
        for (int at = first; at < limit; ) {
            int length = limit - at < SCOPE_HEADER ? 0 : LittleEndian.getByte(bytes, at + 1);
            int code = LittleEndian.getByte(bytes, at);
            if (length < SCOPE_HEADER + 2 || length % 2 != 0 || length > limit - at || code < 1 || code > 5) {
                wrongAt = at;
                wrong = "a device scope of type " + code + " with " + length + " bytes";
                return List.of();
            }
            List<DeviceScope.Hop> path = new ArrayList<>();
            for (int hop = at + SCOPE_HEADER; hop < at + length; hop += 2) {
                path.add(new DeviceScope.Hop(LittleEndian.getByte(bytes, hop), LittleEndian.getByte(bytes, hop + 1)));
            }
            scopes.add(new DeviceScope(
                    DeviceScope.Type.values()[code - 1],
                    LittleEndian.getByte(bytes, at + 4),
                    LittleEndian.getByte(bytes, at + 5),
                    path));
            at += length;
        }
        return scopes;
    }
}
