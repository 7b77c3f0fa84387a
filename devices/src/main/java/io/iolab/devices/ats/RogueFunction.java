package io.iolab.devices.ats;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AddressTranslationServices;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;

/**
 * A PCI Express function whose firmware is in the wrong hands: it sends what its registers tell it, with any address type and PASID, and
 * cares neither for the command register nor for its capabilities' enable bits. What stops it are the ports on its way and the remapping
 * unit.
 *
 * <pre>
 *   BAR0  0x00 ADDRESS 64   0x08 LENGTH, up to 4096   0x0C PASID, all ones for none
 *         0x10 COMMAND  3:0 1 read into the buffer, 2 write from it, 3 translation request, 4 page requests
 *                       5:4 address type 0 untranslated, 2 translated   6 wants write (translation and page requests)
 *         0x14 STATUS   of the last command: ordinal of DmaFault, or of TranslationStatus
 *         0x18 FRAME 64 and 0x20 RIGHTS 3:0, 4 U: of the last translation completion
 *         0x24 COUNT    page requests in a row, each for the next page, 1 to 65536
 *         0x28 RESPONSES so far, read only
 *       0x1000 BUFFER 4096 bytes
 * </pre>
 *
 * <p>Commands are carried out at once; PASID 0 to 0xFFFFF. Accesses of 1 to 8 bytes, aligned; others are ignored.
 */
public final class RogueFunction implements PciFunction {
    public static final int ADDRESS = 0x00;
    public static final int LENGTH = 0x08;
    public static final int PASID = 0x0C;
    public static final int COMMAND = 0x10;
    public static final int STATUS = 0x14;
    public static final int FRAME = 0x18;
    public static final int RIGHTS = 0x20;
    public static final int COUNT = 0x24;
    public static final int RESPONSES = 0x28;
    public static final int BUFFER = 0x1000;

    public static final int READ = 1;
    public static final int WRITE = 2;
    public static final int TRANSLATE = 3;
    public static final int REQUEST_PAGES = 4;

    /** In a command: the address is said to be translated already. */
    public static final int TRANSLATED = 2 << 4;

    public static final int WANTS_WRITE = 1 << 6;

    /** Bytes of the buffer, and of the longest request. */
    public static final int BUFFER_BYTES = 4096;

    private static final int VENDOR = 0x1AF4;
    private static final int DEVICE = 0x10F0;
    private static final int CLASS_OTHERS = 0xFF0000;
    private static final long WINDOW = 0x2000;
    private static final int PCIE = 0x40;
    private static final int PASID_BITS = 20;
    private static final int GROUPS = 512;
    private static final int MAX_COUNT = 1 << 16;

    private final TranslationPort port;
    private final ConfigSpace config;
    private final TranslationCompletion completion = new TranslationCompletion();
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final Answers answers = new Answers();
    private boolean connected;
    private long address;
    private int length;
    private int pasid;
    private int status;
    private long frame;
    private int rights;
    private int count;

    /** @param port the root complex, without any gate between */
    public RogueFunction(TranslationPort port) {
        this.port = port;
        config = new ConfigSpace(VENDOR, DEVICE, 0, CLASS_OTHERS).bar(new Bar(0, Bar.Kind.MEMORY32, WINDOW, false));
        new PciExpress(config, PCIE, PciExpress.Type.ENDPOINT, this::reset);
        // It offers ATS, so that software has a reason to let it; whether software did is not asked.
        var services = new AddressTranslationServices[1];
        services[0] = new AddressTranslationServices(config, ExtendedCapability.FIRST, 32, true, () -> {
            if (services[0].enabled()) {
                connect();
            }
        });
        config.seal();
        restart();
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    private static boolean aligned(long offset, int width) {
        return Integer.bitCount(width) == 1
                && width <= 8
                && offset % width == 0
                && offset >= 0
                && offset + width <= WINDOW;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        long ones = -1L >>> 64 - 8 * width;
        if (bar != 0 || !aligned(offset, width)) {
            return ones;
        }
        if (offset >= BUFFER) {
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= (buffer[(int) offset - BUFFER + i] & 0xFFL) << 8 * i;
            }
            return value;
        }
        long value = switch ((int) offset) {
            case ADDRESS -> address;
            case LENGTH -> length;
            case PASID -> pasid;
            case STATUS -> status;
            case FRAME -> frame;
            case RIGHTS -> rights;
            case COUNT -> count;
            case RESPONSES -> answers.count;
            default -> 0;
        };
        return value & ones;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {
        if (bar != 0 || !aligned(offset, width)) {
            return;
        }
        if (offset >= BUFFER) {
            for (int i = 0; i < width; i++) {
                buffer[(int) offset - BUFFER + i] = (byte) (value >>> 8 * i);
            }
            return;
        }
        switch ((int) offset) {
            case ADDRESS -> address = value;
            case LENGTH -> length = Math.clamp(value & 0xFFFF_FFFFL, 0, BUFFER_BYTES);
            case PASID -> pasid = (int) value;
            case COUNT -> count = Math.clamp(value & 0xFFFF_FFFFL, 1, MAX_COUNT);
            case COMMAND -> carryOut((int) value);
            default -> {
                // Read-only or nothing there.
            }
        }
    }

    private void connect() {
        if (!connected) {
            connected = true;
            port.attach(answers);
        }
    }

    private void carryOut(int command) {
        connect();
        int wanted = TranslationPort.READ | ((command & WANTS_WRITE) != 0 ? TranslationPort.WRITE : 0);
        int space = pasid >>> PASID_BITS == 0 ? pasid : TranslationPort.NO_PASID;
        switch (command & 0xF) {
            case READ ->
                status = way(command, space)
                        .read(address, buffer, 0, length, DmaKind.PAYLOAD)
                        .ordinal();
            case WRITE ->
                status = way(command, space)
                        .write(address, buffer, 0, length, DmaKind.PAYLOAD)
                        .ordinal();
            case TRANSLATE -> {
                TranslationStatus answer = port.translate(address, space, wanted, completion);
                boolean success = answer == TranslationStatus.SUCCESS;
                status = answer.ordinal();
                frame = success ? completion.frameHpa() : 0;
                rights = success ? completion.rights() | (completion.untranslatedOnly() ? 1 << 4 : 0) : 0;
            }
            case REQUEST_PAGES -> {
                for (int i = 0; i < count; i++) {
                    port.requestPage(address + 4096L * i, space, wanted, i % GROUPS, true);
                }
                status = DmaFault.NONE.ordinal();
            }
            default -> status = DmaFault.UNSUPPORTED_REQUEST.ordinal();
        }
    }

    private DmaPort way(int command, int space) {
        if ((command & TRANSLATED) != 0) {
            return port.translated();
        }
        return space == TranslationPort.NO_PASID ? port.untranslated() : port.withPasid(space, 0);
    }

    /** Answers every invalidation and keeps what it knows: it has no cache to lose. */
    private static final class Answers implements AddressTranslationCache {
        private volatile int count;

        @Override
        public boolean invalidate(long iova, int shift, int pasid, boolean allPasids) {
            return true;
        }

        @Override
        public synchronized void pageGroupResponse(int pasid, int group, int code) {
            count++;
        }
    }

    /** @return always 0: no frames move */
    @Override
    public int poll(int budget) {
        return 0;
    }

    @Override
    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean workPending() {
        return false;
    }

    private void restart() {
        address = 0;
        length = 0;
        pasid = TranslationPort.NO_PASID;
        status = 0;
        frame = 0;
        rights = 0;
        count = 1;
        java.util.Arrays.fill(buffer, (byte) 0);
    }

    /** Software's registers start over; what the firmware has learnt stays. */
    @Override
    public void reset() {
        config.reset();
        restart();
    }

    @Override
    public String registerName(int bar, long offset) {
        if (bar != 0 || offset >= WINDOW) {
            return "unimplemented";
        }
        if (offset >= BUFFER) {
            return "BUFFER";
        }
        return switch ((int) offset & ~3) {
            case ADDRESS, ADDRESS + 4 -> "ADDRESS";
            case LENGTH -> "LENGTH";
            case PASID -> "PASID";
            case COMMAND -> "COMMAND";
            case STATUS -> "STATUS";
            case FRAME, FRAME + 4 -> "FRAME";
            case RIGHTS -> "RIGHTS";
            case COUNT -> "COUNT";
            case RESPONSES -> "RESPONSES";
            default -> "unimplemented";
        };
    }
}
