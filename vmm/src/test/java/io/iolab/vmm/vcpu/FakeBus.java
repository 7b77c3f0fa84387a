package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.AddressMap;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A bus of windows that note what reaches them, in one order for all. */
final class FakeBus implements GuestBus {
    final List<String> log = new ArrayList<>();
    private final AddressMap<GuestWindow> memory = new AddressMap<>();
    private final AddressMap<GuestWindow> ports = new AddressMap<>();
    Runnable afterUserExit = () -> {};

    /** A window whose reads and writes are handled in these ways. */
    final class Window implements GuestWindow {
        private final String name;
        private final Trap reads;
        private final Trap writes;
        Runnable onWrite = () -> {};

        Window(String name, Trap reads, Trap writes) {
            this.name = name;
            this.reads = reads;
            this.writes = writes;
        }

        @Override
        public Trap trap(long offset, boolean write) {
            return write ? writes : reads;
        }

        @Override
        public String detail(long offset) {
            return name + "+" + Long.toHexString(offset);
        }

        @Override
        public long read(long offset, int width) {
            log.add("read " + detail(offset));
            return 0x12;
        }

        @Override
        public void write(long offset, int width, long value) {
            log.add("write " + detail(offset) + "=" + Long.toHexString(value));
            onWrite.run();
        }
    }

    Window window(long gpa, String name, GuestWindow.Trap reads, GuestWindow.Trap writes) {
        Window window = new Window(name, reads, writes);
        memory.add(gpa, 0x10_0000, window);
        return window;
    }

    void portWindow(int port, String name) {
        ports.add(port, 8, new Window(name, GuestWindow.Trap.USER, GuestWindow.Trap.USER));
    }

    @Override
    public AddressMap.@Nullable Region<GuestWindow> memory(long gpa, int width) {
        return memory.find(gpa, width);
    }

    @Override
    public AddressMap.@Nullable Region<GuestWindow> ports(int port, int width) {
        return ports.find(port, width);
    }

    @Override
    public void afterUserExit() {
        log.add("after exit");
        afterUserExit.run();
    }
}
