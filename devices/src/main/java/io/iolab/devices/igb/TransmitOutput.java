package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.register.RegisterFile;

/** Where a frame goes that has left its queue: nowhere if it is spoofed, to other pools, to the wire (82576 datasheet 7.10.3). */
final class TransmitOutput {
    private final RegisterFile registers;
    private final Igb82576Counters counters;
    private final PfStatistics statistics;
    private final VfStatistics vfStatistics;
    private final PoolSwitch pools;
    private final ReceiveUnit receiver;
    private final InterruptUnit interrupts;
    private final FramePort wire;

    TransmitOutput(Core core, PoolSwitch pools, ReceiveUnit receiver, InterruptUnit interrupts, FramePort wire) {
        this.registers = core.registers();
        this.counters = core.counters();
        this.statistics = core.statistics();
        this.vfStatistics = core.vfStatistics();
        this.pools = pools;
        this.receiver = receiver;
        this.interrupts = interrupts;
        this.wire = wire;
    }

    boolean divided() {
        return pools.divided();
    }

    /** @return false if the wire has no room: nobody has got the frame, and it is to be offered again */
    boolean send(int queue, byte[] frame, int offset, int length) {
        if (!pools.divided()) {
            if (wire.send(frame, offset, length) == Delivery.BUSY) {
                return false;
            }
            count(frame, offset, length);
            return true;
        }
        int pool = queue & POOLS - 1;
        if (pools.spoofed(frame, offset, length, pool)) {
            counters.txSpoofed++;
            counters.txSpoofedOfPool[pool]++;
            registers.set(WVBR, registers.get(WVBR) | 1 << queue);
            interrupts.raise(ICR_DOUTSYNC);
            return true;
        }
        boolean switches = (registers.get(DTXSWC) & DTXSWC_VMDQ_LOOPBACK) != 0;
        boolean local = switches && pools.route(frame, offset, length, pool) != 0;
        boolean external = !switches || !pools.exact();
        if (external && wire.send(frame, offset, length) == Delivery.BUSY) {
            return false;
        }
        boolean looped = local && receiver.loop(frame, offset, length, pool);
        counters.txLooped += looped ? 1 : 0;
        vfStatistics.transmitted(pool, length, looped);
        count(frame, offset, length);
        return true;
    }

    private void count(byte[] frame, int offset, int length) {
        counters.txFrames++;
        counters.txBytes += length;
        statistics.transmitted(frame, offset, length);
    }
}
