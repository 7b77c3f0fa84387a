package io.iolab.vmm.remote;

import io.iolab.devices.irq.InterruptPin;
import io.iolab.vmm.vcpu.IoApic;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The qtest line protocol: one command in, one reply out, and before a reply the lines that changed meanwhile. Numbers are C's. QEMU ends
 * itself when a command lacks words, names a port beyond 65535 or an interrupt input that does not exist; here such a command fails.
 *
 * <p>{@code read} and {@code write} of 1, 2, 4 or 8 bytes are one access of that width, which is how libqos reaches registers; longer ones are
 * split into aligned doublewords outside of RAM.
 */
final class QtestProtocol {
    /** The most bytes that one command moves. */
    static final long MOST_BYTES = 64L << 20;

    private static final int WORST_CHUNK = 4;
    private static final int PORTS = 1 << 16;

    /** Where all text for the client goes. */
    @FunctionalInterface
    interface Output {
        void line(String text);
    }

    /** A command, given its words with the name first. */
    @FunctionalInterface
    private interface Command {
        String run(String[] words) throws Refusal;
    }

    private record Entry(int words, Command command) {}

    /** A command that cannot be carried out; the text follows FAIL. */
    private static final class Refusal extends Exception {
        Refusal(String message) {
            super(message, null, false, false);
        }
    }

    private final RemoteMachine machine;
    private final Output output;
    private final Map<String, Entry> commands = new HashMap<>();
    private final InterruptPin[] driven = new InterruptPin[IoApic.PINS];
    private @Nullable String intercepted;

    QtestProtocol(RemoteMachine machine, Output output) {
        this.machine = machine;
        this.output = output;
        command("endianness", 1, words -> "OK little");
        for (int width = 1; width <= 8; width *= 2) {
            addAccesses(width);
        }
        command("read", 3, this::read);
        command("write", 4, this::write);
        command("b64read", 3, this::base64Read);
        command("b64write", 4, this::base64Write);
        command("memset", 4, this::fill);
        command("irq_intercept_in", 2, words -> intercept(words[1], true));
        command("irq_intercept_out", 2, words -> intercept(words[1], false));
        command("set_irq_in", 5, this::drive);
        command("module_load", 3, words -> "OK");
        if (machine.time().virtual()) {
            command("clock_step", 1, this::step);
            command("clock_set", 2, this::set);
        }
    }

    private void command(String name, int words, Command command) {
        commands.put(name, new Entry(words, command));
    }

    private void addAccesses(int width) {
        char letter = switch (width) {
            case 1 -> 'b';
            case 2 -> 'w';
            case 4 -> 'l';
            default -> 'q';
        };
        command("read" + letter, 2, words -> {
            long value = machine.load(number(words[1]), width);
            return "OK 0x" + padded(value, 16);
        });
        command("write" + letter, 3, words -> {
            machine.store(number(words[1]), width, number(words[2]) & mask(width));
            return "OK";
        });
        if (width < 8) {
            command("in" + letter, 2, words -> "OK 0x" + padded(machine.in(port(words), width) & mask(width), 4));
            command("out" + letter, 3, words -> {
                machine.out(port(words), width, (int) (number(words[2]) & mask(width)));
                return "OK";
            });
        }
    }

    /** Carries out one line and answers it. */
    void handle(String line) {
        if (!machine.time().virtual()) {
            // What was due before this command comes before it.
            machine.settle();
        }
        String reply;
        try {
            reply = run(line);
        } catch (Refusal e) {
            reply = "FAIL " + e.getMessage();
        }
        machine.settle();
        output.line(reply);
    }

    private String run(String line) throws Refusal {
        String[] words = line.split(" ", -1);
        Entry entry = commands.get(words[0]);
        if (entry == null) {
            throw new Refusal("Unknown command '" + words[0] + "'");
        }
        if (words.length < entry.words) {
            throw new Refusal("'" + words[0] + "' needs " + (entry.words - 1) + " arguments");
        }
        return entry.command.run(words);
    }

    // ---- words

    private static long number(String word) throws Refusal {
        try {
            return Numbers.parse(word);
        } catch (NumberFormatException e) {
            throw new Refusal("'" + word + "' is not a number");
        }
    }

    private static int port(String[] words) throws Refusal {
        long port = number(words[1]);
        if (port < 0 || port >= PORTS) {
            throw new Refusal("'" + words[1] + "' is not a port");
        }
        return (int) port;
    }

    private static int length(String word) throws Refusal {
        long length = number(word);
        if (length <= 0 || length > MOST_BYTES) {
            throw new Refusal("'" + word + "' is not a length from 1 to " + MOST_BYTES);
        }
        return (int) length;
    }

    private static long mask(int width) {
        return -1L >>> 64 - 8 * width;
    }

    private static String padded(long value, int digits) {
        String text = Long.toHexString(value);
        return "0".repeat(Math.max(0, digits - text.length())) + text;
    }

    // ---- ranges

    private String read(String[] words) throws Refusal {
        byte[] bytes = load(number(words[1]), length(words[2]));
        byte[] text = new byte[2 * bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            text[2 * i] = (byte) Character.forDigit(bytes[i] >>> 4 & 0xF, 16);
            text[2 * i + 1] = (byte) Character.forDigit(bytes[i] & 0xF, 16);
        }
        return "OK 0x" + new String(text, StandardCharsets.ISO_8859_1);
    }

    private String base64Read(String[] words) throws Refusal {
        return "OK " + Base64.getEncoder().encodeToString(load(number(words[1]), length(words[2])));
    }

    /** Data shorter than its length is filled up with zeros, as QEMU does. */
    private String write(String[] words) throws Refusal {
        String data = words[3];
        byte[] bytes = new byte[length(words[2])];
        if (data.length() < 3) {
            return "ERR invalid argument size";
        }
        for (int i = 0; i < bytes.length && 2 * i + 4 <= data.length(); i++) {
            int high = Character.digit(data.charAt(2 * i + 2), 16);
            int low = Character.digit(data.charAt(2 * i + 3), 16);
            if (high < 0 || low < 0) {
                throw new Refusal("the data is not hexadecimal");
            }
            bytes[i] = (byte) (high << 4 | low);
        }
        store(number(words[1]), bytes);
        return "OK";
    }

    private String base64Write(String[] words) throws Refusal {
        byte[] bytes = new byte[length(words[2])];
        byte[] data;
        try {
            data = Base64.getDecoder().decode(words[3]);
        } catch (IllegalArgumentException e) {
            throw new Refusal("the data is not base64");
        }
        System.arraycopy(data, 0, bytes, 0, Math.min(data.length, bytes.length));
        store(number(words[1]), bytes);
        return "OK";
    }

    private String fill(String[] words) throws Refusal {
        long address = number(words[1]);
        long left = number(words[2]);
        byte value = (byte) number(words[3]);
        long memory = Math.min(left, machine.memoryFrom(address));
        if (left < 0 || left - memory > MOST_BYTES) {
            throw new Refusal("'" + words[2] + "' bytes are more than there are");
        }
        if (memory > 0) {
            machine.memory().fill(address, memory, value);
        }
        if (left > memory) {
            byte[] rest = new byte[(int) (left - memory)];
            java.util.Arrays.fill(rest, value);
            store(address + memory, rest);
        }
        return "OK";
    }

    private static boolean single(int length) {
        return length == 1 || length == 2 || length == 4 || length == 8;
    }

    /** The width of the next access outside of RAM: all of it if that is a register's, else aligned parts. */
    private static int width(long address, int at, int length) {
        if (at == 0 && single(length)) {
            return length;
        }
        int width = WORST_CHUNK;
        while ((address & width - 1) != 0 || width > length - at) {
            width >>= 1;
        }
        return width;
    }

    private byte[] load(long address, int length) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; ) {
            int inMemory = (int) Math.min(length - at, machine.memoryFrom(address + at));
            if (inMemory > 0) {
                machine.memory().read(address + at, bytes, at, inMemory);
                at += inMemory;
                continue;
            }
            int width = width(address + at, at, length);
            long value = machine.load(address + at, width);
            for (int i = 0; i < width; i++) {
                bytes[at + i] = (byte) (value >>> 8 * i);
            }
            at += width;
        }
        return bytes;
    }

    private void store(long address, byte[] bytes) {
        for (int at = 0; at < bytes.length; ) {
            int inMemory = (int) Math.min(bytes.length - at, machine.memoryFrom(address + at));
            if (inMemory > 0) {
                machine.memory().write(address + at, bytes, at, inMemory);
                at += inMemory;
                continue;
            }
            int width = width(address + at, at, bytes.length);
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= (bytes[at + i] & 0xFFL) << 8 * i;
            }
            machine.store(address + at, width, value);
            at += width;
        }
    }

    // ---- interrupts

    private boolean isIoApic(String path) {
        return path.equals("ioapic") || path.endsWith("/ioapic");
    }

    private boolean isDevice(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        return machine.slots().stream().anyMatch(slot -> slot.id().equals(name));
    }

    /** Only the I/O APIC has inputs to listen in on; no device here has outputs that are not PCI's. */
    private String intercept(String path, boolean inputs) throws Refusal {
        if (!isIoApic(path) && !isDevice(path)) {
            throw new Refusal("Unknown device");
        }
        if (intercepted != null && !intercepted.equals(path)) {
            throw new Refusal("IRQ intercept already enabled");
        }
        intercepted = path;
        if (inputs && isIoApic(path)) {
            machine.lines().listen((line, high) -> output.line("IRQ " + (high ? "raise " : "lower ") + line));
        }
        return "OK";
    }

    private String drive(String[] words) throws Refusal {
        long line = number(words[3]);
        if (!isIoApic(words[1])) {
            throw new Refusal("Unknown device");
        }
        if (!words[2].equals("unnamed-gpio-in") || line < 0 || line >= IoApic.PINS) {
            throw new Refusal("no input " + words[2] + " " + words[3]);
        }
        InterruptPin source = driven[(int) line];
        if (source == null) {
            source = machine.lines().source((int) line);
            driven[(int) line] = source;
        }
        source.set(number(words[4]) != 0);
        return "OK";
    }

    // ---- time

    /** Without a step, to the next deadline of a device; with none, time stands still. */
    private String step(String[] words) throws Refusal {
        long now = machine.time().nanos();
        if (words.length > 1) {
            long step = number(words[1]);
            if (step < 0 || step > Long.MAX_VALUE - now) {
                throw new Refusal("'" + words[1] + "' ns cannot pass");
            }
            machine.advanceTo(now + step);
        } else if (machine.nextDeadline() != Long.MAX_VALUE) {
            machine.advanceTo(machine.nextDeadline());
        }
        return "OK " + machine.time().nanos();
    }

    /** Time does not go back: an earlier one changes nothing. */
    private String set(String[] words) throws Refusal {
        long when = number(words[1]);
        if (when < 0) {
            throw new Refusal("'" + words[1] + "' is not a time");
        }
        machine.advanceTo(when);
        return "OK " + machine.time().nanos();
    }
}
