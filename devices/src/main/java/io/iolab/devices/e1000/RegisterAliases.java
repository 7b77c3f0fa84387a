package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;
import java.util.List;

/**
 * Offsets at which the 82542 had its registers. Later parts still decode them (82540 SDM 13.2), and an access there is an
 * access to the register at its present offset, with all its effects.
 */
final class RegisterAliases {
    /** {@code count} words from {@code offset} on stand for as many from {@code target} on. */
    record Alias(String name, int offset, int target, int count) {}

    static final List<Alias> ALL = List.of(
            new Alias("RA", 0x0040, 0x5400, 32),
            new Alias("RDTR", 0x0108, 0x2820, 1),
            new Alias("RDBAL", 0x0110, 0x2800, 1),
            new Alias("RDBAH", 0x0114, 0x2804, 1),
            new Alias("RDLEN", 0x0118, 0x2808, 1),
            new Alias("RDH", 0x0120, 0x2810, 1),
            new Alias("RDT", 0x0128, 0x2818, 1),
            new Alias("FCRTH", 0x0160, 0x2168, 1),
            new Alias("FCRTL", 0x0168, 0x2160, 1),
            new Alias("MTA", 0x0200, 0x5200, 128),
            new Alias("TDBAL", 0x0420, 0x3800, 1),
            new Alias("TDBAH", 0x0424, 0x3804, 1),
            new Alias("TDLEN", 0x0428, 0x3808, 1),
            new Alias("TDH", 0x0430, 0x3810, 1),
            new Alias("TDT", 0x0438, 0x3818, 1),
            new Alias("TIDV", 0x0440, 0x3820, 1),
            new Alias("VFTA", 0x0600, 0x5600, 128),
            new Alias("RDFH", 0x8000, 0x2410, 1),
            new Alias("RDFT", 0x8008, 0x2418, 1),
            new Alias("TDFH", 0x8010, 0x3410, 1),
            new Alias("TDFT", 0x8018, 0x3418, 1));

    private RegisterAliases() {}

    static void attach(RegisterFile registers) {
        for (Alias alias : ALL) {
            for (int i = 0; i < alias.count(); i++) {
                int target = alias.target() + 4 * i;
                registers.onRead(alias.offset() + 4 * i, () -> (int) registers.read(target, 4));
                registers.onWrite(
                        alias.offset() + 4 * i,
                        (written, previous) -> registers.write(target, 4, written & 0xFFFF_FFFFL));
            }
        }
    }
}
