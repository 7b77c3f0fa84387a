package io.iolab.vmm.backend;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.NetworkFunction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A NIC that takes frames while it has buffers, transmits what a test gives it, and has one timer. */
final class FakeNic implements NetworkFunction {
    final List<Long> receivedAt = new ArrayList<>();
    final List<Long> polledAt = new ArrayList<>();
    final Deque<byte[]> toTransmit = new ArrayDeque<>();
    private final WorkAccount account;
    private final ConfigSpace config = new ConfigSpace(1, 2, 0, 0x02_00_00).seal();
    FramePort wire = FramePort.UNPLUGGED;
    int buffers = Integer.MAX_VALUE;
    int refusals;
    long deadlineNanos = Long.MAX_VALUE;
    int expirations;

    FakeNic(WorkAccount account) {
        this.account = account;
    }

    @Override
    public Delivery send(byte[] frame, int offset, int length) {
        if (buffers == 0) {
            refusals++;
            return Delivery.BUSY;
        }
        buffers--;
        receivedAt.add(account.nowPicos());
        return Delivery.ACCEPTED;
    }

    @Override
    public int poll(int budget) {
        polledAt.add(account.nowPicos());
        if (deadlineNanos <= account.nanos()) {
            deadlineNanos = Long.MAX_VALUE;
            expirations++;
        }
        int moved = 0;
        while (moved < budget && transmit()) {
            moved++;
        }
        return moved;
    }

    private boolean transmit() {
        byte[] frame = toTransmit.peek();
        if (frame == null || wire.send(frame, 0, frame.length) == Delivery.BUSY) {
            return false;
        }
        toTransmit.remove();
        return true;
    }

    @Override
    public boolean workPending() {
        return !toTransmit.isEmpty();
    }

    @Override
    public long nextDeadlineNanos() {
        return deadlineNanos;
    }

    @Override
    public void setLink(boolean connected) {}

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public long readBar(int bar, long offset, int width) {
        return 0;
    }

    @Override
    public void writeBar(int bar, long offset, int width, long value) {}

    @Override
    public void reset() {}

    @Override
    public String registerName(int bar, long offset) {
        return "unimplemented";
    }
}
