package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Drives an 82540EM as it was driven for the recording: configuration space, registers, interrupts. */
final class E1000Replay {
    private static final long ONES = 0xFFFF_FFFFL;

    private final Bench bench;
    private final Nic nic;
    private final Map<String, Object> facts = new LinkedHashMap<>();

    E1000Replay(Bench bench, Map<String, Object> recording) {
        this.bench = bench;
        this.nic = new Nic(bench, recording);
    }

    Map<String, Object> run() {
        configurationSpace();
        registersAtReset();
        eeprom();
        phy();
        writeProbe();
        bench.systemReset();
        facts.put("registers_after_system_reset", rows(nic.registers()));
        interrupts();
        E1000TrafficReplay traffic = new E1000TrafficReplay(nic);
        facts.put("tx", traffic.transmit());
        facts.put("rx", traffic.receive());
        controlReset();
        accessSizes();
        return facts;
    }

    private void configurationSpace() {
        facts.put("pci_config_reset", PciFacts.config(bench, 0, 256));
        facts.put("pci_capabilities", PciFacts.capabilities(bench));
        facts.put("bars", PciFacts.bars(bench));
        facts.put("pci_config_write_probe", PciFacts.writeProbe(bench, 64, false));
        bench.configWrite(4, 2, 0);
        bench.enable();
        bench.configWrite(4, 2, 5);
        facts.put("mmio_with_memory_decode_off", Facts.hex(bench.read(0, 8, 4)));
        bench.configWrite(4, 2, 7);
    }

    private List<Object> rows(Map<String, Integer> registers) {
        List<Object> rows = new ArrayList<>();
        registers.forEach((name, offset) -> rows.add(List.of(Facts.hex(offset), name, nic.hex(name))));
        return rows;
    }

    private void registersAtReset() {
        List<Object> rows = rows(nic.registers());
        rows.addAll(rows(nic.statistics()));
        facts.put("registers_reset", rows);
        facts.put("full_scan_nonzero", scan(bench));
    }

    /** Every dword of BAR 0 that does not read 0. */
    static List<Object> scan(Bench bench) {
        List<Object> rows = new ArrayList<>();
        for (int offset = 0; offset < 0x20000; offset += 4) {
            long value = bench.read(0, offset, 4);
            if (value != 0) {
                rows.add(List.of(Facts.hex(offset), Facts.hex(value)));
            }
        }
        return rows;
    }

    private void eeprom() {
        List<Object> words = new ArrayList<>();
        long sum = 0;
        for (int word = 0; word < 64; word++) {
            nic.write("EERD", word << 8 | 1);
            long value = nic.read("EERD");
            words.add(List.of(word, Facts.hex(value), Facts.hex(value >>> 16)));
            sum += value >>> 16;
        }
        facts.put("eeprom_eerd", words);
        facts.put("eeprom_checksum_16bit_sum", Facts.hex(sum & 0xFFFF));
        nic.write("EERD", 64 << 8 | 1);
        facts.put("eerd_word_64", nic.hex("EERD"));
        nic.write("EERD", 0);
        facts.put("eerd_without_start", nic.hex("EERD"));
    }

    private void phy() {
        nic.read("ICR");
        Map<String, Object> registers = new LinkedHashMap<>();
        for (int register = 0; register < 32; register++) {
            registers.put("" + register, nic.mdicRead(register));
        }
        facts.put("mdic_phy1", registers);
        nic.mdic(2, 2, 1, 0);
        facts.put("mdic_other_phy", nic.hex("MDIC"));
        facts.put("icr_after_mdic_without_I", nic.hex("ICR"));
        nic.write("MDIC", 2 << 26 | 1 << 21 | 1 << 16 | 1 << 29);
        facts.put("mdic_read_with_I", nic.hex("MDIC"));
        facts.put("icr_after_mdic_with_I", nic.hex("ICR"));
        nic.mdic(1, 1, 4, 0x01E1);
        facts.put("mdic_write_then_read_reg4", nic.mdicRead(4));
        nic.mdic(1, 1, 2, 0xBEEF);
        facts.put("mdic_write_readonly_reg2", nic.hex("MDIC"));
        facts.put("mdic_reg2_after", nic.mdicRead(2));
    }

    private void writeProbe() {
        Set<String> skipped = Set.of("CTRL", "EERD", "MDIC", "ICS", "IMS", "IMC", "ICR", "TDT", "RDT", "EECD");
        facts.put("write_probe", writeProbe(nic, skipped, List.of("CRCERRS", "MPC", "GPRC", "TPT")));
    }

    /** What sticks of all ones in each register, and whether a statistic takes a write. */
    static Map<String, Object> writeProbe(Nic nic, Set<String> skipped, List<String> counters) {
        Map<String, Object> probe = new LinkedHashMap<>();
        for (String name : nic.registers().keySet()) {
            if (skipped.contains(name)) {
                continue;
            }
            Map<String, Object> entry = new LinkedHashMap<>();
            long before = nic.read(name);
            entry.put("before", Facts.hex(before));
            nic.write(name, ONES);
            entry.put("after_all_ones", nic.hex(name));
            nic.write(name, before);
            entry.put("after_restore", nic.hex(name));
            probe.put(name, entry);
        }
        for (String name : counters) {
            nic.write(name, 0x55);
            probe.put(name, Map.of("after_write_0x55", nic.hex(name)));
        }
        return probe;
    }

    private void interrupts() {
        bench.pinLog().clear();
        Steps steps = new Steps(nic, 0);
        steps.read("ICR")
                .read("IMS")
                .write("ICS", 4)
                .read("ICS")
                .write("IMS", 4)
                .read("IMS");
        steps.read("ICR").read("ICR").write("ICS", 0x84).write("ICR", 4).read("ICR");
        steps.write("ICS", ONES).read("ICR").write("IMC", 4).read("IMS").read("IMC");
        steps.write("IMS", 0x80).read("IMS").write("IMC", ONES).read("IMS");
        steps.write("ICS", 0x10).read("ICR").read("ICR");
        facts.put("interrupt_sequence", steps.labelled(Json.array(nic.recorded("interrupt_sequence"))));
        List<Object> pin = new ArrayList<>();
        bench.pinLog().forEach(change -> pin.add(List.of(change, 20)));
        facts.put("ioapic_irq_lines", pin);
    }

    private void controlReset() {
        nic.write("IMS", 0x9D);
        Map<String, Object> before = registers(Set.of("ICR"));
        nic.write("CTRL", nic.read("CTRL") | 1 << 26);
        Map<String, Object> after = registers(Set.of());
        Map<String, Object> reset = new LinkedHashMap<>();
        reset.put("before", before);
        reset.put("after", after);
        reset.put("pci_command_after", Facts.hex(bench.config(4, 2)));
        facts.put("ctrl_rst", reset);
        nic.write("EECD", 0x40);
        facts.put("eecd_after_request", nic.hex("EECD"));
    }

    private Map<String, Object> registers(Set<String> without) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (String name : nic.registers().keySet()) {
            if (!without.contains(name)) {
                values.put(name, nic.hex(name));
            }
        }
        return values;
    }

    private void accessSizes() {
        Map<String, Object> odd = new LinkedHashMap<>();
        List<Object> lanes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            lanes.add(Facts.hex(bench.read(0, 8 + i, 1)));
        }
        odd.put("byte_read_STATUS", lanes);
        odd.put("word_read_STATUS", List.of(Facts.hex(bench.read(0, 8, 2)), Facts.hex(bench.read(0, 10, 2))));
        odd.put("quad_read_CTRL", Facts.hex(bench.read(0, 0, 8)));
        odd.put("misaligned_long_read_0x6", Facts.hex(bench.read(0, 6, 4)));
        odd.put("unmapped_0x1fffc", Facts.hex(bench.read(0, 0x1fffc, 4)));
        odd.put("past_the_bar", Facts.hex(bench.read(0, 0x20000, 4)));
        bench.write(0, nic.offset("VET"), 1, 0x12);
        odd.put("byte_write_VET_0x12", nic.hex("VET"));
        bench.write(0, nic.offset("VET") + 2, 2, 0x3456);
        odd.put("word_write_VET_plus2_0x3456", nic.hex("VET"));
        nic.write("VET", 0x8100);
        int io = bench.ioBar();
        odd.put("io_bar_IOADDR", Facts.hex(bench.read(io, 0, 4)));
        bench.write(io, 0, 4, 8);
        odd.put("io_bar_IODATA_STATUS", Facts.hex(bench.read(io, 4, 4)));
        odd.put("io_bar_IOADDR_after", Facts.hex(bench.read(io, 0, 4)));
        facts.put("access_size_and_range", odd);
    }
}
