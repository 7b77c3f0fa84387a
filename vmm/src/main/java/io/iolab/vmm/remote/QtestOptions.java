package io.iolab.vmm.remote;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What QEMU's command line asks for, as far as it concerns a machine that only a qtest client drives. Unknown options are noted in
 * {@link #warnings} and left out, with the word behind them unless it is an option itself.
 */
public final class QtestOptions {
    private static final long MIB = 1 << 20;
    private static final long DEFAULT_MEMORY = 128 * MIB;
    /** RAM is one range from address 0, below what devices occupy. */
    private static final long MOST_MEMORY = 2048 * MIB;

    /** Without a meaning here: there is no display, no firmware, no processor. */
    private static final Set<String> IGNORED_FLAGS =
            Set.of("nodefaults", "nographic", "no-user-config", "nouserconfig", "S", "no-shutdown", "no-reboot");

    private static final Set<String> IGNORED_OPTIONS =
            Set.of("qtest-log", "display", "name", "cpu", "smp", "serial", "monitor", "vga", "parallel", "net", "boot");

    private @Nullable String qtestPath;
    private @Nullable String monitorPath;
    private MachineType machine = MachineType.PC;
    private long memoryBytes = DEFAULT_MEMORY;
    private boolean virtualTime;
    private final Map<String, Properties> chardevs = new HashMap<>();
    private final List<Properties> monitors = new ArrayList<>();
    private final List<Properties> netdevs = new ArrayList<>();
    private final List<Properties> devices = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    private QtestOptions() {}

    /**
     * Reads a command line.
     *
     * @throws OptionException if it makes no sense
     */
    public static QtestOptions parse(List<String> words) throws OptionException {
        QtestOptions options = new QtestOptions();
        for (int i = 0; i < words.size(); ) {
            String word = words.get(i);
            if (!word.startsWith("-") || word.length() < 2) {
                throw new OptionException("'" + word + "' is not an option; disk images are not offered here");
            }
            String name = word.substring(word.startsWith("--") ? 2 : 1);
            String value = i + 1 < words.size() ? words.get(i + 1) : null;
            i += options.option(word, name, value) ? 2 : 1;
        }
        options.connectMonitors();
        if (options.qtestPath == null) {
            throw new OptionException("-qtest unix:PATH is missing: where the client listens");
        }
        return options;
    }

    /** @return whether the value was used */
    private boolean option(String word, String name, @Nullable String value) throws OptionException {
        if (IGNORED_FLAGS.contains(name)) {
            return false;
        }
        if (value == null || !isKnown(name)) {
            if (isKnown(name)) {
                throw new OptionException(word + " needs a value");
            }
            warnings.add("unknown option " + word + ", ignored");
            return value != null && !value.startsWith("-");
        }
        switch (name) {
            case "qtest" -> qtestPath = socketPath("-qtest", value);
            case "qmp" -> monitorPath = socketPath("-qmp", value);
            case "chardev" -> addChardev(Properties.parse("-chardev", value, "backend"));
            case "mon" -> monitors.add(Properties.parse("-mon", value, "chardev"));
            case "machine", "M" -> machine(Properties.parse("-machine", value, "type"));
            case "m" -> memoryBytes = memory(Properties.parse("-m", value, "size"));
            case "accel" ->
                accelerator(Properties.parse("-accel", value, "accel").head());
            case "netdev" -> netdevs.add(Properties.parse("-netdev", value, "type"));
            case "device" -> devices.add(device(value));
            case "bios" -> warnings.add("-bios is ignored: there is no processor to run it");
            default -> {}
        }
        return true;
    }

    private static boolean isKnown(String name) {
        return switch (name) {
            case "qtest", "qmp", "chardev", "mon", "machine", "M", "m", "accel", "netdev", "device", "bios" -> true;
            default -> IGNORED_OPTIONS.contains(name);
        };
    }

    private static Properties device(String value) throws OptionException {
        if (value.startsWith("{")) {
            throw new OptionException("-device: the JSON form is not offered; write DRIVER,property=value");
        }
        return Properties.parse("-device", value, "driver");
    }

    private static String socketPath(String option, String value) throws OptionException {
        Properties parts = Properties.parse(option, value, "path");
        if (!parts.head().startsWith("unix:")) {
            throw new OptionException(option + " " + value + ": only unix:PATH is offered");
        }
        refuseToListen(parts);
        return parts.head().substring("unix:".length());
    }

    private static void refuseToListen(Properties parts) throws OptionException {
        Boolean listens = parts.takeSwitch("server");
        if (listens != null && listens) {
            throw new OptionException(parts.describe() + ": server=on is not offered; the client listens");
        }
    }

    private void addChardev(Properties chardev) throws OptionException {
        chardevs.put(chardev.require("id"), chardev);
    }

    private void connectMonitors() throws OptionException {
        for (Properties monitor : monitors) {
            Properties chardev = chardevs.get(monitor.head());
            if (chardev == null) {
                throw new OptionException("-mon: no -chardev has id=" + monitor.head());
            }
            if (!monitor.take("mode", "readline").equals("control")) {
                warnings.add("-mon " + monitor.head() + ": only mode=control is offered, ignored");
            } else if (!chardev.head().equals("socket")) {
                throw new OptionException("-chardev " + chardev.head() + ": only socket is offered");
            } else {
                refuseToListen(chardev);
                monitorPath = chardev.require("path");
            }
        }
    }

    private void machine(Properties value) throws OptionException {
        String type = value.head();
        if (type.equals("q35") || type.startsWith("pc-q35")) {
            machine = MachineType.Q35;
        } else if (type.equals("pc") || type.startsWith("pc-i440fx")) {
            machine = MachineType.PC;
        } else if (!type.isEmpty()) {
            throw new OptionException("-machine " + type + " is not offered; q35 and pc are");
        }
        String accel = value.take("accel");
        if (accel != null) {
            accelerator(accel);
        }
        value.left().forEach(key -> warnings.add("-machine: " + key + " ignored"));
    }

    private void accelerator(String name) {
        virtualTime = name.equals("qtest");
        if (!virtualTime) {
            warnings.add("-accel " + name + ": nothing is executed; time follows the host's clock");
        }
    }

    private static long memory(Properties value) throws OptionException {
        String text = value.head().isEmpty() ? value.require("size") : value.head();
        int end = text.length();
        int shift = 20;
        int unit = "BKMG".indexOf(Character.toUpperCase(text.charAt(end - 1)));
        if (unit >= 0) {
            shift = 10 * unit;
            end--;
        }
        try {
            long bytes = Math.multiplyExact(Long.parseLong(text.substring(0, end)), 1L << shift);
            if (bytes > 0 && bytes <= MOST_MEMORY && bytes % 4096 == 0) {
                return bytes;
            }
        } catch (NumberFormatException | ArithmeticException e) {
            // Said below.
        }
        throw new OptionException("-m " + text + ": expected 4K to 2G, in pages of 4 KiB");
    }

    /** What was ignored, one line each. */
    public List<String> warnings() {
        return warnings;
    }

    String qtestPath() {
        return java.util.Objects.requireNonNull(qtestPath);
    }

    @Nullable
    String monitorPath() {
        return monitorPath;
    }

    MachineType machine() {
        return machine;
    }

    long memoryBytes() {
        return memoryBytes;
    }

    boolean virtualTime() {
        return virtualTime;
    }

    List<Properties> netdevs() {
        return netdevs;
    }

    List<Properties> devices() {
        return devices;
    }
}
