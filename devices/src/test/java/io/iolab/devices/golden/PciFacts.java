package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the recorders note about configuration space. */
final class PciFacts {
    private PciFacts() {}

    static String config(Bench bench, int from, int length) {
        Bytes bytes = new Bytes();
        for (int offset = from; offset < from + length; offset += 4) {
            bytes.le32(bench.config(offset, 4));
        }
        return Bytes.hex(bytes.toArray());
    }

    static List<Object> capabilities(Bench bench) {
        List<Object> list = new ArrayList<>();
        for (int[] capability : bench.capabilities()) {
            list.add(List.of(Facts.hex(capability[0]), Facts.hex(capability[1])));
        }
        return list;
    }

    /** Extended capabilities: id, version, offset (PCI Express Base 7.9.3). */
    static List<Object> extendedCapabilities(Bench bench) {
        List<Object> list = new ArrayList<>();
        for (long at = 0x100; at != 0 && list.size() < 32; ) {
            long header = bench.config((int) at, 4);
            if (header == 0) {
                break;
            }
            list.add(List.of(Facts.hex(header & 0xFFFF), header >>> 16 & 15, Facts.hex(at)));
            at = header >>> 20;
        }
        return list;
    }

    /** BARs as sizing shows them: all ones written, mask read, old value written back (PCI 3.0 6.2.5.1). */
    static List<Object> bars(Bench bench) {
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            long mask = size(bench, 0x10 + 4 * i);
            if (mask == 0) {
                continue;
            }
            boolean io = (mask & 1) != 0;
            boolean wide = !io && (mask >>> 1 & 3) == 2;
            long size;
            if (io) {
                size = (~(mask & 0xFFFF_FFFCL) & 0xFFFF) + 1;
            } else if (wide) {
                size = ~(mask & 0xFFFF_FFF0L | size(bench, 0x14 + 4 * i) << 32) + 1;
            } else {
                size = (~(mask & 0xFFFF_FFF0L) & 0xFFFF_FFFFL) + 1;
            }
            list.add(bar(i, io ? "io" : "mem", size, !io && (mask & 8) != 0, io ? 16 : wide ? 64 : 32));
            i += wide ? 1 : 0;
        }
        return list;
    }

    private static long size(Bench bench, int offset) {
        long old = bench.config(offset, 4);
        bench.configWrite(offset, 4, 0xFFFF_FFFFL);
        long mask = bench.config(offset, 4);
        bench.configWrite(offset, 4, old);
        return mask;
    }

    private static Map<String, Object> bar(int index, String kind, long size, boolean prefetch, int bits) {
        Map<String, Object> bar = new LinkedHashMap<>();
        bar.put("index", index);
        bar.put("kind", kind);
        bar.put("size", Facts.hex(size));
        bar.put("prefetch", prefetch);
        bar.put("bits", bits);
        return bar;
    }

    /** What sticks of all ones and of zeros, dword by dword. */
    static Map<String, Object> writeProbe(Bench bench, int length, boolean changesOnly) {
        Map<String, Object> probe = new LinkedHashMap<>();
        for (int offset = 0; offset < length; offset += 4) {
            long old = bench.config(offset, 4);
            bench.configWrite(offset, 4, 0xFFFF_FFFFL);
            long ones = bench.config(offset, 4);
            bench.configWrite(offset, 4, 0);
            long zero = bench.config(offset, 4);
            bench.configWrite(offset, 4, old);
            if (changesOnly && ones == old && zero == old) {
                continue;
            }
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("reset", Facts.hex(old));
            entry.put("after_all_ones", Facts.hex(ones));
            entry.put("after_zero", Facts.hex(zero));
            if (changesOnly) {
                entry.put("after_restore", Facts.hex(bench.config(offset, 4)));
            }
            probe.put(Facts.hex(offset), entry);
        }
        return probe;
    }
}
