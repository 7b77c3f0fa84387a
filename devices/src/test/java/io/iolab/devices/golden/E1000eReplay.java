package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Drives an 82574L as it was driven for the recording: configuration space, registers, reset; the rest it delegates. */
final class E1000eReplay {
    private static final long ONES = 0xFFFF_FFFFL;
    private static final int[] PHY_PAGES = {0, 2, 3, 5, 6};

    private final Bench bench;
    private final Nic nic;
    private final Map<String, Object> facts = new LinkedHashMap<>();

    E1000eReplay(Bench bench, Map<String, Object> recording) {
        this.bench = bench;
        this.nic = new Nic(bench, recording);
    }

    Map<String, Object> run(Bench second) {
        configurationSpace();
        registersAtReset();
        semaphores();
        nvm();
        phy();
        autonegotiation();
        writeProbe();
        bench.systemReset();
        facts.put("registers_after_system_reset", rows(nic.registers()));
        E1000eInterruptReplay interrupts = new E1000eInterruptReplay(nic);
        facts.put("interrupt_intx", interrupts.pin());
        bench.advanceMillis(20);
        facts.put("intx_delays", interrupts.delays());
        quiet();
        interrupts.messages(facts);
        facts.put("tx", new E1000eTransmitReplay(nic, interrupts.vectors()).run());
        facts.put("rx", new E1000eReceiveReplay(nic, interrupts.vectors()).run());
        nic.write("IMC", ONES);
        nic.read("ICR");
        bench.advanceMillis(50);
        reset();
        accessSizes();
        facts.put("behind_root_port", behindRootPort(second));
        return facts;
    }

    private void quiet() {
        bench.advanceMillis(50);
        nic.write("RCTL", 0);
        nic.write("IMC", ONES);
        nic.read("ICR");
        bench.advanceMillis(50);
    }

    private void configurationSpace() {
        facts.put("pci_config_reset", PciFacts.config(bench, 0, 256));
        facts.put("pci_capabilities", PciFacts.capabilities(bench));
        facts.put("pci_ext_config_0x100_0x1ff", PciFacts.config(bench, 0x100, 256));
        facts.put(
                "pci_ext_config_rest_is_zero",
                PciFacts.config(bench, 0x200, 0xE00).matches("0*"));
        facts.put("pci_ext_capabilities", PciFacts.extendedCapabilities(bench));
        facts.put("bars", PciFacts.bars(bench));
        facts.put("pci_config_write_probe", PciFacts.writeProbe(bench, 256, true));
        bench.configWrite(4, 2, 0);
        bench.enable();
        bench.configWrite(4, 2, 5);
        facts.put("mmio_with_memory_decode_off", Facts.hex(bench.read(0, 8, 4)));
        bench.configWrite(4, 2, 7);
    }

    private static Map<String, Object> behindRootPort(Bench bench) {
        Map<String, Object> port = new LinkedHashMap<>();
        port.put("config", PciFacts.config(bench, 0, 256));
        port.put("ext", PciFacts.config(bench, 0x100, 256));
        port.put("pcie_cap_flags", Facts.hex(bench.config(0xE2, 2)));
        port.put("devcap", Facts.hex(bench.config(0xE4, 4)));
        port.put("lnkcap", Facts.hex(bench.config(0xEC, 4)));
        port.put("lnksta", Facts.hex(bench.config(0xF2, 2)));
        return port;
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
        facts.put("full_scan_nonzero", E1000Replay.scan(bench));
    }

    private void semaphores() {
        List<Object> list = new ArrayList<>();
        nic.write("SWSM", 0);
        list.add(List.of("write 0", nic.hex("SWSM"), nic.hex("SWSM")));
        nic.write("SWSM", 2);
        list.add(List.of("write SWESMBI", nic.hex("SWSM")));
        nic.write("SWSM", 0);
        for (String name : List.of("EXTCNF_CTRL", "FWSM", "SW_FW_SYNC", "EEMNGCTL", "EECD")) {
            Map<String, Object> entry = new LinkedHashMap<>();
            long old = nic.read(name);
            entry.put("reset", Facts.hex(old));
            nic.write(name, name.equals("EXTCNF_CTRL") ? old | 0x20 : ONES);
            entry.put("after_set", nic.hex(name));
            nic.write(name, 0);
            entry.put("after_zero", nic.hex(name));
            nic.write(name, old);
            list.add(List.of(name, entry));
        }
        nic.write("EECD", 0x40);
        list.add(List.of("EECD request", nic.hex("EECD")));
        nic.write("EECD", 0);
        facts.put("semaphores", list);
    }

    private void nvm() {
        List<Object> words = new ArrayList<>();
        long sum = 0;
        for (int word = 0; word < 64; word++) {
            nic.write("EERD", word << 2 | 1);
            long value = nic.read("EERD");
            words.add(List.of(word, Facts.hex(value), Facts.hex(value >>> 16)));
            sum += value >>> 16;
        }
        facts.put("nvm_eerd", words);
        facts.put("nvm_checksum_16bit_sum", Facts.hex(sum & 0xFFFF));
        nic.write("EERD", 64 << 2 | 1);
        facts.put("eerd_word_64", nic.hex("EERD"));
        nic.write("EERD", 3 << 2);
        facts.put("eerd_without_start", nic.hex("EERD"));
        facts.put("eewr_before", nic.hex("EEWR"));
        nic.write("EEWR", 0x1234 << 16 | 0x30 << 2 | 1);
        Map<String, Object> written = new LinkedHashMap<>();
        written.put("EEWR", nic.hex("EEWR"));
        written.put("EERD", nic.hex("EERD"));
        facts.put("eewr_after_write_word_0x30", written);
        nic.write("EERD", 0x30 << 2 | 1);
        facts.put("eewr_word_0x30_reads", nic.hex("EERD"));
    }

    private void phy() {
        nic.read("ICR");
        Map<String, Object> pages = new LinkedHashMap<>();
        for (int page : PHY_PAGES) {
            nic.mdic(1, 1, 22, page);
            Map<String, Object> registers = new LinkedHashMap<>();
            for (int register = 0; register < 32; register++) {
                registers.put("" + register, nic.mdicRead(register));
            }
            pages.put("" + page, registers);
        }
        nic.mdic(1, 1, 22, 0);
        facts.put("mdic_phy1_by_page", pages);
        nic.mdic(2, 2, 1, 0);
        facts.put("mdic_other_phy", nic.hex("MDIC"));
        facts.put("icr_after_mdic_without_I", nic.hex("ICR"));
        nic.write("MDIC", 2 << 26 | 1 << 21 | 1 << 16 | 1 << 29);
        facts.put("mdic_read_with_I", List.of(nic.hex("MDIC"), nic.hex("ICR")));
        nic.mdic(1, 1, 2, 0xBEEF);
        facts.put("mdic_write_readonly_reg2", nic.hex("MDIC"));
    }

    private void autonegotiation() {
        nic.mdic(1, 1, 0, 0x1340);
        List<Object> list = new ArrayList<>(List.of(nic.hex("STATUS"), nic.hex("ICR")));
        list.add(nic.mdicRead(1));
        long start = bench.nanos();
        Map<String, Object> up = new LinkedHashMap<>();
        up.put("link_back", bench.await(() -> (nic.read("STATUS") & 2) != 0, 400, 5));
        up.put("after_about_ms", (bench.nanos() - start) / 50_000_000 * 50);
        up.put("STATUS", nic.hex("STATUS"));
        up.put("CTRL", nic.hex("CTRL"));
        up.put("ICR", nic.hex("ICR"));
        list.add(up);
        for (int register : new int[] {0, 1, 5, 10, 17}) {
            list.add(List.of(register, nic.mdicRead(register)));
        }
        facts.put("autoneg_restart", list);
    }

    private void writeProbe() {
        Set<String> skipped = Set.of(
                "CTRL",
                "CTRL_DUP",
                "EERD",
                "EEWR",
                "MDIC",
                "ICS",
                "IMS",
                "IMC",
                "ICR",
                "TDT",
                "TDT1",
                "RDT",
                "RDT1",
                "EECD",
                "SWSM");
        facts.put("write_probe", E1000Replay.writeProbe(nic, skipped, List.of("CRCERRS", "MPC", "GPRC", "TPT", "IAC")));
    }

    private Map<String, Long> registers() {
        Map<String, Long> values = new LinkedHashMap<>();
        for (String name : nic.registers().keySet()) {
            if (!name.equals("ICR") && !name.equals("SWSM")) {
                values.put(name, nic.read(name));
            }
        }
        return values;
    }

    private void reset() {
        nic.write("IMS", 0x9D);
        nic.write("CTRL_EXT", 0x0100_0000);
        nic.write("PBA", 0x0014_0020);
        Map<String, Long> before = registers();
        nic.write("CTRL", nic.read("CTRL") | 1 << 26);
        bench.advanceMillis(10);
        Map<String, Long> after = registers();
        Map<String, Object> changed = new LinkedHashMap<>();
        Map<String, Object> reset = new LinkedHashMap<>();
        List<Object> kept = new ArrayList<>();
        for (String name : new TreeSet<>(before.keySet())) {
            if (!before.get(name).equals(after.get(name))) {
                changed.put(name, List.of(Facts.hex(before.get(name)), Facts.hex(after.get(name))));
            } else if (after.get(name) != 0) {
                kept.add(name);
            }
        }
        reset.put("changed", changed);
        reset.put("kept_nonzero", kept);
        reset.put("pci_command_after", Facts.hex(bench.config(4, 2)));
        facts.put("ctrl_rst", reset);
        nic.write("CTRL", nic.read("CTRL") | 1L << 31);
        Map<String, Object> phy = new LinkedHashMap<>();
        phy.put("CTRL", nic.hex("CTRL"));
        phy.put("STATUS", nic.hex("STATUS"));
        nic.write("STATUS", 0);
        phy.put("STATUS_after_write_0", nic.hex("STATUS"));
        facts.put("phy_rst", phy);
        nic.write("CTRL", nic.read("CTRL") & 0x7FFF_FFFFL | 4);
        facts.put("gio_master_disable_STATUS", nic.hex("STATUS"));
        nic.write("CTRL", nic.read("CTRL") & ~4L);
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
        odd.put("flash_bar_read", Facts.hex(bench.read(1, 0, 4)));
        odd.put("msix_byte_read", Facts.hex(bench.read(3, 0, 1)));
        bench.write(0, nic.offset("VET"), 1, 0x12);
        odd.put("byte_write_VET_0x12", nic.hex("VET"));
        nic.write("VET", 0x8100);
        int io = bench.ioBar();
        bench.write(io, 0, 4, 8);
        odd.put("io_IOADDR", Facts.hex(bench.read(io, 0, 4)));
        odd.put("io_IODATA_STATUS", Facts.hex(bench.read(io, 4, 4)));
        bench.write(io, 0, 4, 0x38);
        bench.write(io, 4, 4, 0x88A8);
        odd.put("io_IODATA_write_VET", nic.hex("VET"));
        bench.write(io, 0, 4, 0x20000);
        odd.put("io_IODATA_at_0x20000", Facts.hex(bench.read(io, 4, 4)));
        facts.put("access_size_and_range", odd);
    }
}
