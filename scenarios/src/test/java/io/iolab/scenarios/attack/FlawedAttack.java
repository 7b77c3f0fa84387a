package io.iolab.scenarios.attack;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.register.VtdRegisters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Attacks of the catalogue on hosts that are not what they are said to be: the same attack, the same expected verdicts, and a defence
 * that does not work, or one where there should be none.
 */
public final class FlawedAttack implements Attack {
    /** Tables lie below, memory of guests from here on. */
    private static final long REGIONS = 8 << 20;

    private static final long FRAME = 0x000F_FFFF_FFFF_F000L;
    private static final int REMAP_INTERRUPTS = 1 << 25;
    private static final int COMPATIBILITY_FORMAT = 1 << 23;
    private static final int STEADY = 0x96FF_FFFF;
    private static final long UNIT = 0xFED9_0000L;

    /** Registers of devices, those of an 82576 in 128 KiB. */
    private static final long DEVICES = 0xC000_0000L;

    private static final long DEVICE_REGISTERS = 128 << 10;
    private static final int DTXSWC = 0x3500;

    private final Attack attack;
    private final HostFlaw flaw;
    private final boolean inverted;

    private FlawedAttack(String name, HostFlaw flaw, boolean inverted) {
        this.attack = AttackCatalog.named(name).orElseThrow();
        this.flaw = flaw;
        this.inverted = inverted;
    }

    /** The attack on a host that is defended exactly when it should not be. */
    public static Attack inverted(String name) {
        return new FlawedAttack(name, HostFlaw.NONE, true);
    }

    /** One of the attacks whose defences have a flaw in {@link #broken}. */
    public static Attack broken(String name) {
        return broken().stream()
                .filter(attack -> attack.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Attacks whose defence is in force and does not work, each in a way of its own. */
    public static List<Attack> broken() {
        Map<String, HostFlaw> flaws = new LinkedHashMap<>();
        // TT = 10b is read in every context entry: tables are there and nobody walks them.
        flaws.put("rogue-read", memory(FlawedAttack::passThrough));
        flaws.put("rogue-write", memory(FlawedAttack::passThrough));
        flaws.put("boot-time-write", registers(FlawedAttack::withoutProtectedMemory));
        flaws.put("read-only-write", memory(FlawedAttack::writable));
        flaws.put("dma-after-unmap", memory(FlawedAttack::wrongDomain));
        flaws.put("stale-iotlb", memory(FlawedAttack::wrongDomain));
        flaws.put("invalidation-not-awaited", memory(FlawedAttack::wrongDomain));
        flaws.put("sub-page-leak", HostFlaw.NONE.withDriversMemory(WholePages::new));
        flaws.put("peer-to-peer", configuration(0x100));
        flaws.put("requester-spoofing", configuration(0x100));
        flaws.put("device-alias", HostFlaw.NONE.withConfiguration(FlawedAttack::withoutConventionalBridges));
        flaws.put("translated-forgery", memory(FlawedAttack::deviceTlbAllowed));
        flaws.put("device-tlb-false-ack", memory(FlawedAttack::deviceTlbAllowed));
        flaws.put("msi-forgery", registers(FlawedAttack::compatibilityFormat));
        flaws.put("irte-theft", memory(FlawedAttack::anySource));
        flaws.put("compatibility-injection", registers(FlawedAttack::compatibilityFormat));
        flaws.put("interrupt-storm", HostFlaw.NONE.withUnitsMemory(NeverOutstanding::new));
        flaws.put("posted-flood", memory(FlawedAttack::urgent));
        flaws.put("rmrr-abuse", HostFlaw.NONE.withoutReservedMemory());
        // What resets a function lies behind its header: D3hot, FLR, the bridge's control register.
        flaws.put("reassignment-without-reset", configuration(0x3E));
        flaws.put("vf-mac-spoofing", registers(FlawedAttack::withoutAntiSpoofing));
        flaws.put("page-request-flood", memory(FlawedAttack::pageRequests));
        return flaws.entrySet().stream()
                .map(entry -> (Attack) new FlawedAttack(entry.getKey(), entry.getValue(), false))
                .toList();
    }

    @Override
    public String name() {
        return attack.name();
    }

    @Override
    public String what() {
        return attack.what();
    }

    @Override
    public String defence() {
        return attack.defence();
    }

    @Override
    public Verdict expected(Defence defence) {
        return attack.expected(defence);
    }

    @Override
    public RemappingOptions options() {
        return attack.options();
    }

    @Override
    public AttackedHost host(Defence defence) {
        Defence other = defence == Defence.ON ? Defence.OFF : Defence.ON;
        return new AttackedHost(attack.options(), inverted ? other : defence, flaw);
    }

    @Override
    public Verdict run(AttackedHost host) {
        return attack.run(host);
    }

    // ---- tables

    /** What the unit makes of a word. */
    private interface Misreading {
        long word(long hpa, long word);
    }

    private static HostFlaw memory(Misreading misreading) {
        return HostFlaw.NONE.withUnitsMemory(memory -> new MisreadMemory(memory, misreading));
    }

    private static final class MisreadMemory extends ForwardingMemory {
        private final Misreading misreading;

        MisreadMemory(Memory memory, Misreading misreading) {
            super(memory);
            this.misreading = misreading;
        }

        @Override
        public long loadLongAcquire(long pa) {
            return misreading.word(pa, super.loadLongAcquire(pa));
        }

        @Override
        public long readLong(long pa) {
            return misreading.word(pa, super.readLong(pa));
        }
    }

    /** The context entry of function 0 of device 0 of any bus, which all these hosts attack with: P alone, before a table. */
    private static boolean isContext(long hpa, long word) {
        return hpa < REGIONS && (hpa & 0xFFF) == 0 && (word & 0xFFF) == 1 && (word & FRAME) != 0;
    }

    private static long passThrough(long hpa, long word) {
        return isContext(hpa, word) ? word | 2 << 2 : word;
    }

    private static long deviceTlbAllowed(long hpa, long word) {
        return isContext(hpa, word) ? word | 1 << 2 : word;
    }

    private static long writable(long hpa, long word) {
        return hpa < REGIONS && (word & 0xF) == 1 && (word & FRAME) >= REGIONS ? word | 2 : word;
    }

    /** An IOTLB invalidation of any granularity becomes one of a domain that nobody has. */
    private static long wrongDomain(long hpa, long word) {
        boolean invalidation = hpa < REGIONS && (hpa & 8) == 0 && (word & 0xF) == 2 && (word & 0x30) != 0;
        return invalidation ? word & ~0xFFFF_0030L | 2 << 4 | 0x7777L << 16 : word;
    }

    private static long anySource(long hpa, long word) {
        return hpa < REGIONS && (hpa & 8) != 0 ? word & ~(3L << 18) : word;
    }

    private static long urgent(long hpa, long word) {
        return hpa < REGIONS && (word & 0x8001) == 0x8001 ? word | 1 << 14 : word;
    }

    private static long pageRequests(long hpa, long word) {
        return hpa < REGIONS && (word & 0x1F) == 5 ? word | 1 << 4 : word;
    }

    /** ON of posted-interrupt descriptors cannot be set. */
    private static final class NeverOutstanding extends ForwardingMemory {
        NeverOutstanding(Memory memory) {
            super(memory);
        }

        @Override
        public boolean compareAndSetLong(long pa, long expected, long value) {
            boolean control = pa >= REGIONS && (pa & 0x3F) == 32;
            return super.compareAndSetLong(pa, expected, control ? value & ~1 : value);
        }
    }

    /** Whoever copies from or to the start of a page copies all of it. */
    private static final class WholePages extends ForwardingMemory {
        private static final int PAGE = 4096;
        private final byte[] rest = new byte[PAGE];

        WholePages(Memory memory) {
            super(memory);
        }

        @Override
        public void read(long pa, byte[] target, int offset, int length) {
            super.read(pa, target, offset, length);
            if ((pa & PAGE - 1) == 0 && length < PAGE) {
                super.read(pa + length, rest, length, PAGE - length);
            }
        }

        @Override
        public void write(long pa, byte[] source, int offset, int length) {
            super.write(pa, source, offset, length);
            if ((pa & PAGE - 1) == 0 && length < PAGE) {
                super.write(pa + length, rest, length, PAGE - length);
            }
        }
    }

    // ---- registers

    private static HostFlaw registers(UnaryOperator<CpuPort> registers) {
        return HostFlaw.NONE.withRegisters(registers);
    }

    private static CpuPort withoutProtectedMemory(CpuPort cpu) {
        return new Registers(cpu) {
            @Override
            public void store(long pa, int width, long value) {
                if (pa != UNIT + VtdRegisters.PMEN) {
                    super.store(pa, width, value);
                }
            }
        };
    }

    /** What the physical function's driver writes to DTXSWC comes without MACAS (82576 7.10.3.8). */
    private static CpuPort withoutAntiSpoofing(CpuPort cpu) {
        return new Registers(cpu) {
            @Override
            public void store(long pa, int width, long value) {
                boolean switchControl = pa >= DEVICES && pa < UNIT && (pa & DEVICE_REGISTERS - 1) == DTXSWC;
                super.store(pa, width, switchControl ? value & ~0xFFL : value);
            }
        };
    }

    /** The old format is let through as soon as interrupt remapping is on, and GSTS does not tell. */
    private static CpuPort compatibilityFormat(CpuPort cpu) {
        return new Registers(cpu) {
            @Override
            public void store(long pa, int width, long value) {
                super.store(pa, width, value);
                if (pa == UNIT + VtdRegisters.GCMD && (value & REMAP_INTERRUPTS) != 0) {
                    int steady = (int) super.load(UNIT + VtdRegisters.GSTS, 4) & STEADY;
                    super.store(pa, width, (steady | COMPATIBILITY_FORMAT) & 0xFFFF_FFFFL);
                }
            }

            @Override
            public long load(long pa, int width) {
                long value = super.load(pa, width);
                return pa == UNIT + VtdRegisters.GSTS ? value & ~COMPATIBILITY_FORMAT : value;
            }
        };
    }

    private static class Registers implements CpuPort {
        private final CpuPort cpu;

        Registers(CpuPort cpu) {
            this.cpu = cpu;
        }

        @Override
        public long load(long pa, int width) {
            return cpu.load(pa, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            cpu.store(pa, width, value);
        }

        @Override
        public int in(int port, int width) {
            return cpu.in(port, width);
        }

        @Override
        public void out(int port, int width, int value) {
            cpu.out(port, width, value);
        }
    }

    // ---- configuration space

    /** Stores from {@code first} on are lost. */
    private static HostFlaw configuration(int first) {
        return HostFlaw.NONE.withConfiguration(config -> new Configuration(config) {
            @Override
            public void write(int rid, int offset, int width, int value) {
                if (offset < first) {
                    super.write(rid, offset, width, value);
                }
            }
        });
    }

    /** A bridge to a conventional bus passes for the upstream port of a switch: nobody thinks of aliases (PCIe 7.5.3.2). */
    private static ConfigAccess withoutConventionalBridges(ConfigAccess access) {
        return new Configuration(access) {
            @Override
            public int read(int rid, int offset, int width) {
                int value = super.read(rid, offset, width);
                boolean bridge = width == 4 && offset < 0x100 && (value & 0xFF) == 0x10 && (value >>> 20 & 0xF) == 7;
                return bridge ? value & ~(0xF << 20) | 5 << 20 : value;
            }
        };
    }

    private static class Configuration implements ConfigAccess {
        private final ConfigAccess config;

        Configuration(ConfigAccess config) {
            this.config = config;
        }

        @Override
        public int read(int rid, int offset, int width) {
            return config.read(rid, offset, width);
        }

        @Override
        public void write(int rid, int offset, int width, int value) {
            config.write(rid, offset, width, value);
        }
    }
}
