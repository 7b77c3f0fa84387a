package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.net.EthernetFrame;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.register.RegisterFile;

/** The statistics block of the physical function, cleared by reading (82576 datasheet 8.19). Octets count the FCS. */
final class PfStatistics {
    private static final int FCS = 4;

    private final RegisterFile registers;

    PfStatistics(RegisterFile registers) {
        this.registers = registers;
    }

    void add(int counter, int amount) {
        registers.set(counter, registers.get(counter) + amount);
    }

    private void octets(int low, int bytes) {
        registers.set64(low, registers.get64(low) + bytes + FCS);
    }

    void received(byte[] frame, int at, int length) {
        add(GPRC, 1);
        octets(GORCL, length);
        group(EthernetFrame.destination(frame, at), BPRC, MPRC);
    }

    void transmitted(byte[] frame, int at, int length) {
        add(GPTC, 1);
        add(TPT, 1);
        octets(GOTCL, length);
        group(EthernetFrame.destination(frame, at), BPTC, MPTC);
    }

    private void group(long destination, int broadcast, int multicast) {
        if (MacAddress.isBroadcast(destination)) {
            add(broadcast, 1);
        } else if (MacAddress.isMulticast(destination)) {
            add(multicast, 1);
        }
    }
}
