package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.net.Delivery;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The function as its owner sees it: windows, names, power, budget, deadlines, what survives which reset. */
class E1000WindowTest {
    @ParameterizedTest
    @CsvSource({
        "0,0x0,CTRL,CTRL",
        "0,0x5478,RAL[15],RAL[15]",
        "0,0x3,CTRL,CTRL",
        "0,-4,unimplemented,unimplemented",
        "0,0x20000,unimplemented,unimplemented",
        "1,0,unimplemented,FLASH",
        "2,0,IOADDR,IOADDR",
        "2,3,IOADDR,IOADDR",
        "2,4,IODATA,IODATA",
        "2,7,IODATA,IODATA",
        "2,8,unimplemented,unimplemented",
        "3,0,unimplemented,MSIX_TABLE",
        "3,0x4F,unimplemented,MSIX_TABLE",
        "3,0x50,unimplemented,unimplemented",
        "3,-1,unimplemented,unimplemented",
        "3,0x1FFF,unimplemented,unimplemented",
        "3,0x2000,unimplemented,MSIX_PBA",
        "3,0x2007,unimplemented,MSIX_PBA",
        "3,0x2008,unimplemented,unimplemented",
        "4,0,unimplemented,unimplemented",
    })
    @DisplayName("Every offset of every window has a name")
    void shouldNameRegisters(int bar, String offset, String conventional, String express) {
        try (Bench old = Bench.i82540em();
                Bench recent = Bench.i82574l()) {
            assertThat(old.device.registerName(bar, Long.decode(offset))).isEqualTo(conventional);
            assertThat(recent.device.registerName(bar, Long.decode(offset))).isEqualTo(express);
        }
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName(
            "PCI PM 3.2.4: in D3hot reads give ones of their width, writes and polls do nothing, no deadline, frames counted")
    void shouldSleep(E1000Model model) {
        try (Bench bench = new Bench(model)) {
            bench.openTransmit(8);
            bench.write(TIDV, 1000);
            bench.queue(frame(PEER, 60), EOP | IFCS | RS | IDE);
            bench.kick();
            assertThat(bench.device.nextDeadlineNanos()).isNotEqualTo(Long.MAX_VALUE);
            int control = model == E1000Model.I82540EM ? 0xE0 : 0xCC;
            bench.device.config().write(control, 2, 3);
            assertThat(bench.device.readBar(0, STATUS, 1)).isEqualTo(0xFF);
            assertThat(bench.device.readBar(0, STATUS, 2)).isEqualTo(0xFFFF);
            assertThat(bench.device.readBar(0, STATUS, 4)).isEqualTo(0xFFFF_FFFFL);
            assertThat(bench.device.readBar(0, STATUS, 8)).isEqualTo(-1);
            assertThat(bench.device.readBar(2, 4, 4)).isEqualTo(0xFFFF_FFFFL);
            bench.device.writeBar(0, VET, 4, 1);
            assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
            assertThat(bench.device.workPending()).isFalse();
            assertThat(bench.poll()).isZero();
            assertThat(bench.device.send(frame(MAC, 60), 0, 60)).isEqualTo(Delivery.FILTERED);
            assertThat(bench.device.counters().rxDisabled()).isEqualTo(1);
        }
    }

    @Test
    @DisplayName("13.2: the I/O window takes dwords only, and what lies beyond IODATA does not exist")
    void shouldIgnoreOddIoAccesses() {
        try (Bench bench = Bench.i82540em()) {
            bench.device.writeBar(2, 0, 2, VET);
            assertThat(bench.device.readBar(2, 0, 4)).isZero();
            assertThat(bench.device.readBar(2, 4, 1)).isZero();
            assertThat(bench.device.counters().ignored(RegisterFault.WRONG_WIDTH))
                    .isEqualTo(2);
            bench.device.writeBar(2, 0, 4, VET);
            bench.device.writeBar(2, 8, 4, 0x1234);
            assertThat(bench.read(VET)).isEqualTo(0x8100);
            assertThat(bench.device.readBar(2, 8, 4)).isZero();
            bench.device.reset();
            assertThat(bench.device.readBar(2, 0, 4)).as("IOADDR after a reset").isZero();
        }
    }

    @Test
    @DisplayName("Windows that are not there, and the flash that is not modelled, read 0")
    void shouldReadZeroFromAbsentWindows() {
        for (E1000Model model : E1000Model.values()) {
            try (Bench bench = new Bench(model)) {
                assertThat(bench.device.readBar(1, 0, 4)).isZero();
                assertThat(bench.device.readBar(5, 0, 4)).isZero();
                bench.device.writeBar(1, 0, 4, -1);
                if (model == E1000Model.I82540EM) {
                    bench.device.writeBar(3, 0, 4, -1);
                    assertThat(bench.device.readBar(3, 0, 4)).isZero();
                } else {
                    bench.device.writeBar(3, 0x2000, 4, -1);
                    assertThat(bench.device.readBar(3, 0x2000, 4))
                            .as("PBA is read-only")
                            .isZero();
                }
            }
        }
    }

    @Test
    @DisplayName("82574: PBS and FLA survive CTRL.RST and not a bus reset; the PHY survives CTRL.RST only")
    void shouldKeepAcrossResets() {
        try (Bench bench = Bench.i82574l()) {
            DriverAccess access = new DriverAccess(bench);
            bench.write(0x1008, 0x20);
            bench.write(0x1C, 0x55);
            access.phyWrite(4, 0x0101);
            bench.set(CTRL, 1 << 31);
            bench.write(CTRL, bench.read(CTRL) & ~(1 << 31));
            access.phyWrite(4, 0x0101);
            bench.write(CTRL, 1 << 26);
            assertThat(bench.read(0x1008)).isEqualTo(0x20);
            assertThat(bench.read(0x1C)).isEqualTo(0x55);
            assertThat(access.phyRead(4)).isEqualTo(0x0101);
            assertThat(bench.read(STATUS) & 1 << 10).as("PHYRA").isNotZero();
            bench.device.reset();
            assertThat(bench.read(0x1008)).isEqualTo(0x28);
            assertThat(bench.read(0x1C)).isZero();
            assertThat(access.phyRead(4)).isEqualTo(0x0DE1);
            assertThat(bench.read(STATUS) & 1 << 10).isZero();
        }
    }

    @Test
    @DisplayName("A bus reset releases a PHY that CTRL.PHY_RST held, and raises no LSC")
    void shouldReleasePhy() {
        try (Bench bench = Bench.i82540em()) {
            bench.set(CTRL, 1 << 31);
            assertThat(bench.read(STATUS) & 2).isZero();
            bench.device.reset();
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
            assertThat(bench.read(ICR)).isZero();
        }
    }

    @Test
    @DisplayName("One budget serves waiting frames first, then the transmitter")
    void shouldShareBudget() {
        try (Bench bench = Bench.i82540em()) {
            bench.openReceive(8);
            bench.openTransmit(8);
            bench.write(RDT, 0);
            bench.device.send(frame(MAC, 60), 0, 60);
            bench.device.send(frame(MAC, 60), 0, 60);
            bench.write(RDT, 7);
            for (int i = 0; i < 4; i++) {
                bench.queue(frame(PEER, 60));
            }
            bench.write(TDT, 4);
            assertThat(bench.device.poll(2)).isEqualTo(2);
            assertThat(bench.sent).isEmpty();
            assertThat(bench.read(RDH)).isEqualTo(2);
            assertThat(bench.device.poll(3)).isEqualTo(3);
            assertThat(bench.sent).hasSize(3);
            bench.device.config().write(0x04, 2, 3);
            assertThat(bench.device.workPending()).isFalse();
            assertThat(bench.device.poll(3)).isZero();
            bench.device.config().write(0x04, 2, 7);
            bench.write(RDT, bench.read(RDH));
            bench.device.send(frame(MAC, 60), 0, 60);
            bench.write(RDT, 1);
            assertThat(bench.device.poll(3)).as("one in, one out").isEqualTo(2);
        }
    }

    @Test
    @DisplayName("Auto-negotiation takes the time it is given, 0 included, and never a negative one")
    void shouldSetNegotiationTime() {
        try (Bench bench = Bench.i82540em()) {
            assertThat(bench.device.autonegotiation(5000)).isSameAs(bench.device);
            assertThat(bench.read(STATUS) & 2).isZero();
            assertThat(bench.device.nextDeadlineNanos()).isEqualTo(bench.now + 5000);
            assertThat(bench.device.autonegotiation(0)).isSameAs(bench.device);
            assertThat(bench.read(STATUS) & 2).isEqualTo(2);
            assertThat(bench.read(ICR)).as("no LSC").isZero();
            assertThatThrownBy(() -> bench.device.autonegotiation(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThat(bench.device.model()).isEqualTo(E1000Model.I82540EM);
        }
    }

    @Test
    @DisplayName(
            "13.4: a CTRL write through CTRL_DUP acts; STATUS shows forced speed and duplex; EE_RST reloads the address")
    void shouldFollowControl() {
        try (Bench bench = Bench.i82540em()) {
            int ctrl = bench.read(CTRL);
            bench.write(4, ctrl & ~0x300 | 1 << 8);
            assertThat(bench.read(CTRL)).isEqualTo(ctrl & ~0x300 | 1 << 8);
            assertThat(bench.read(4)).isEqualTo(bench.read(CTRL));
            assertThat(bench.read(STATUS) >>> 6 & 3).as("forced 100 Mbit/s").isEqualTo(1);
            bench.write(CTRL, bench.read(CTRL) & ~(1 << 11));
            assertThat(bench.read(STATUS) >>> 6 & 3).as("as negotiated").isEqualTo(2);
            bench.write(CTRL, bench.read(CTRL) & ~1);
            assertThat(bench.read(STATUS) & 1).as("not forced").isEqualTo(1);
            bench.write(CTRL, bench.read(CTRL) | 1 << 12);
            assertThat(bench.read(STATUS) & 1).as("forced half").isZero();
            bench.write(CTRL, bench.read(CTRL) | 1);
            assertThat(bench.read(STATUS) & 1).isEqualTo(1);
            bench.write(RAL, 5);
            bench.write(RAH, 5);
            bench.write(VET, 5);
            bench.write(CTRL_EXT, 1 << 12 | 1 << 13 | 1);
            assertThat(bench.read(CTRL_EXT)).isEqualTo(1);
            assertThat(bench.read(RAL)).isEqualTo(0x1200_5452);
            assertThat(bench.read(RAH)).isEqualTo(0x8000_5634);
            assertThat(bench.read(VET)).as("the EEPROM only").isEqualTo(5);
            bench.write(STATUS, -1);
            assertThat(bench.read(STATUS) & 1 << 10)
                    .as("PHYRA is not on this part")
                    .isZero();
            bench.write(CTRL, bench.read(CTRL) & ~0x40);
            assertThat(bench.read(STATUS) & 2).as("SLU clear").isZero();
            assertThat(bench.read(ICR)).isEqualTo(4);
        }
    }
}
