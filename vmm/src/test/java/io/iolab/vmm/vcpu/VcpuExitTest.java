package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.vcpu.GuestWindow.Trap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What an access of a guest costs, and how its exit is named: KVM's rules, and the cost profile to the picosecond. */
class VcpuExitTest extends VcpuFixture {
    private static final long BASE = 0xE000_0000L;
    private static final long PAGE = 0x1000;

    VcpuExitTest() {
        software.whenIdle = () -> vcpu.spend(10_000_000_000L);
    }

    /** Time that an access takes, measured by the software. */
    private long timeOf(Runnable access) {
        long[] took = new long[1];
        run(() -> {
            long began = vcpu.nowPicos();
            access.run();
            took[0] = vcpu.nowPicos() - began;
        });
        return took[0];
    }

    @Test
    @DisplayName("one EPT_VIOLATION a page, then EPT_MISCONFIG (KVM marks MMIO pages on first access)")
    void shouldShowTheFirstTouchOfEachPageAsViolation() {
        bus.window(BASE, "nic", Trap.USER, Trap.USER);

        run(() -> {
            vcpu.load(BASE + 8, 4);
            vcpu.load(BASE + 8, 4);
            vcpu.store(BASE + 0x10, 4, 1);
            vcpu.store(BASE + PAGE, 4, 1);
            vcpu.load(BASE + PAGE, 4);
            vcpu.load(BASE + 8, 4);
        });

        assertThat(count(ExitReason.EPT_VIOLATION)).isEqualTo(2);
        assertThat(count(ExitReason.EPT_VIOLATION, "nic+8", ExitHandler.USER)).isOne();
        assertThat(count(ExitReason.EPT_VIOLATION, "nic+1000", ExitHandler.USER))
                .isOne();
        assertThat(count(ExitReason.EPT_MISCONFIG)).isEqualTo(4);
        assertThat(count(ExitReason.EPT_MISCONFIG, "nic+8", ExitHandler.USER)).isEqualTo(2);
    }

    @Test
    void shouldChargeAUserExitWithItsDecoding() {
        bus.window(BASE, "nic", Trap.USER, Trap.USER);
        long expected = cost(Cost.EXIT_USER, Cost.EXIT_MMIO_DECODE, Cost.INDIRECT_EXIT);

        assertThat(timeOf(() -> vcpu.load(BASE, 4))).as("violation").isEqualTo(expected);
        assertThat(timeOf(() -> vcpu.load(BASE, 4))).as("misconfiguration").isEqualTo(expected);
        assertThat(timeOf(() -> vcpu.store(BASE, 4, 1))).isEqualTo(expected);
        assertThat(picos(ExitReason.EPT_MISCONFIG, "nic+0", ExitHandler.USER)).isEqualTo(2 * expected);
        assertThat(bus.log)
                .containsExactly("read nic+0", "after exit", "read nic+0", "after exit", "write nic+0=1", "after exit");
    }

    @Test
    void shouldFinishAKernelExitWithoutTheVmm() {
        bus.window(BASE, "ioapic", Trap.KERNEL, Trap.KERNEL);

        assertThat(timeOf(() -> vcpu.store(BASE, 4, 5)))
                .isEqualTo(cost(Cost.EXIT_KERNEL, Cost.EXIT_MMIO_DECODE, Cost.INDIRECT_EXIT));
        assertThat(bus.log).containsExactly("write ioapic+0=5");
        assertThat(count(ExitReason.EPT_VIOLATION, "ioapic+0", ExitHandler.KERNEL))
                .isOne();
    }

    @Test
    @DisplayName("an ioeventfd is found without decoding, but only once its page is marked (fast MMIO bus)")
    void shouldTakeTheFastPathForAKickFromTheSecondOn() {
        bus.window(BASE, "notify", Trap.USER, Trap.FAST);

        assertThat(timeOf(() -> vcpu.store(BASE, 2, 0)))
                .isEqualTo(cost(Cost.EXIT_KERNEL, Cost.EXIT_MMIO_DECODE, Cost.INDIRECT_EXIT));
        assertThat(timeOf(() -> vcpu.store(BASE, 2, 0))).isEqualTo(cost(Cost.EXIT_FAST_MMIO, Cost.INDIRECT_EXIT));
        assertThat(count(ExitReason.EPT_MISCONFIG, "notify+0", ExitHandler.KERNEL))
                .isOne();
        assertThat(bus.log).containsExactly("write notify+0=0", "write notify+0=0");
    }

    @Test
    void shouldNotExitForAMappedWindow() {
        bus.window(BASE, "bar", Trap.NONE, Trap.NONE);

        assertThat(timeOf(() -> vcpu.load(BASE, 4))).isEqualTo(cost(Cost.MMIO_NATIVE_READ));
        assertThat(timeOf(() -> vcpu.store(BASE, 4, 1))).isEqualTo(cost(Cost.MMIO_NATIVE_WRITE));
        assertThat(timeOf(() -> {
                    vcpu.packetCall(true);
                    vcpu.store(BASE, 4, 1);
                    vcpu.packetCall(false);
                }))
                .as("the cost of a packet holds its doorbell")
                .isZero();
        assertThat(count(ExitReason.EPT_VIOLATION) + count(ExitReason.EPT_MISCONFIG))
                .isZero();
        assertThat(ledger.cpuPicos(CpuShare.GUEST)).isEqualTo(cost(Cost.MMIO_NATIVE_READ, Cost.MMIO_NATIVE_WRITE));
    }

    @Test
    @DisplayName("coalesced writes are kernel exits, and are carried out in order before the next user exit")
    void shouldKeepCoalescedWritesForTheNextUserExit() {
        bus.window(BASE, "nic", Trap.USER, Trap.COALESCED);
        long kernel = cost(Cost.EXIT_KERNEL, Cost.EXIT_MMIO_DECODE, Cost.INDIRECT_EXIT);

        assertThat(timeOf(() -> vcpu.store(BASE, 4, 1))).isEqualTo(kernel);
        assertThat(timeOf(() -> vcpu.store(BASE + 4, 4, 2))).isEqualTo(kernel);
        assertThat(bus.log).isEmpty();
        run(() -> vcpu.load(BASE + 8, 4));

        assertThat(bus.log).containsExactly("write nic+0=1", "write nic+4=2", "read nic+8", "after exit");
        assertThat(count(ExitReason.EPT_MISCONFIG, "nic+4", ExitHandler.KERNEL)).isOne();
        assertThat(count(ExitReason.EPT_MISCONFIG, "nic+8", ExitHandler.USER)).isOne();
    }

    @Test
    void shouldDrainCoalescedWritesAtEveryKindOfUserExit() {
        bus.window(BASE, "nic", Trap.USER, Trap.COALESCED);
        bus.portWindow(0xCF8, "config");

        run(() -> {
            vcpu.store(BASE, 4, 1);
            vcpu.in(0xCFC, 4);
            vcpu.store(BASE, 4, 2);
            vcpu.out(0xCF8, 4, 9);
            vcpu.store(BASE, 4, 3);
            vcpu.load(0xD000_0000L, 4);
            vcpu.store(BASE, 4, 4);
            vcpu.store(0xD000_0000L, 4, 0);
        });

        assertThat(bus.log)
                .containsExactly(
                        "write nic+0=1",
                        "read config+4",
                        "after exit",
                        "write nic+0=2",
                        "write config+0=9",
                        "after exit",
                        "write nic+0=3",
                        "after exit",
                        "write nic+0=4",
                        "after exit");
    }

    @Test
    @DisplayName("one page of 24-byte records, one kept free: the 170th write finds the ring full and goes to the VMM")
    void shouldGoToTheVmmWhenTheCoalescedRingIsFull() {
        bus.window(BASE, "nic", Trap.USER, Trap.COALESCED);

        run(() -> {
            for (int i = 0; i < 169; i++) {
                vcpu.store(BASE, 4, i);
            }
        });
        assertThat(bus.log).isEmpty();
        run(() -> vcpu.store(BASE, 4, 169));

        assertThat(bus.log).hasSize(171);
        assertThat(bus.log.get(0)).isEqualTo("write nic+0=0");
        assertThat(bus.log.get(168)).isEqualTo("write nic+0=a8");
        assertThat(bus.log.get(169)).isEqualTo("write nic+0=a9");
        assertThat(bus.log.get(170)).isEqualTo("after exit");
        assertThat(count(ExitReason.EPT_MISCONFIG, "nic+0", ExitHandler.USER)).isOne();
    }

    @Test
    void shouldChargePortInputAndOutputWithoutDecoding() {
        bus.portWindow(0xCF8, "config");
        long expected = cost(Cost.EXIT_USER, Cost.INDIRECT_EXIT);

        assertThat(timeOf(() -> assertThat(vcpu.in(0xCFC, 2)).isEqualTo(0x12))).isEqualTo(expected);
        assertThat(timeOf(() -> vcpu.out(0xCF8, 4, -1))).isEqualTo(expected);

        assertThat(count(ExitReason.IO_INSTRUCTION, "config+4", ExitHandler.USER))
                .isOne();
        assertThat(count(ExitReason.IO_INSTRUCTION, "config+0", ExitHandler.USER))
                .isOne();
        assertThat(bus.log).contains("write config+0=ffffffff");
    }

    @Test
    @DisplayName("what nobody claims reads all ones, swallows writes, and is a user exit all the same")
    void shouldAnswerAllOnesWhereNobodyIs() {
        run(() -> {
            assertThat(vcpu.load(0xD000_0000L, 1)).isEqualTo(0xFF);
            assertThat(vcpu.load(0xD000_0000L, 4)).isEqualTo(0xFFFF_FFFFL);
            assertThat(vcpu.load(0xD000_0000L, 8)).isEqualTo(-1);
            vcpu.store(0xD000_0000L, 4, 7);
            assertThat(vcpu.in(0x80, 1)).isEqualTo(0xFF);
            assertThat(vcpu.in(0x80, 4)).isEqualTo(-1);
            vcpu.out(0x80, 1, 7);
        });

        assertThat(count(ExitReason.EPT_VIOLATION, "unclaimed", ExitHandler.USER))
                .isOne();
        assertThat(count(ExitReason.EPT_MISCONFIG, "unclaimed", ExitHandler.USER))
                .isEqualTo(3);
        assertThat(count(ExitReason.IO_INSTRUCTION, "unclaimed", ExitHandler.USER))
                .isEqualTo(3);
    }

    @Test
    @DisplayName("a guest that touches any number of pages and offsets makes the VMM keep only so many of them")
    void shouldBoundWhatAGuestCanMakeItRemember() {
        bus.window(BASE, "nic", Trap.USER, Trap.USER);
        int pages = MmioPages.LIMIT + 50;
        run(() -> {
            for (int i = 0; i < pages; i++) {
                vcpu.load(0x1_0000_0000L + i * PAGE, 4);
            }
            for (int i = 0; i < pages; i++) {
                vcpu.load(0x1_0000_0000L + i * PAGE, 4);
            }
        });

        assertThat(count(ExitReason.EPT_VIOLATION) + count(ExitReason.EPT_MISCONFIG))
                .isEqualTo(2L * pages);
        assertThat(count(ExitReason.EPT_VIOLATION)).isBetween((long) pages, 2L * pages);
        run(() -> {
            vcpu.load(BASE, 4);
            vcpu.load(BASE + 0xF_FFFC, 4);
            vcpu.load(BASE + 0xF_FFFC, 4);
        });
        assertThat(count(ExitReason.EPT_MISCONFIG, "nic+ffffc", ExitHandler.USER))
                .isOne();
    }

    @Test
    void shouldAllocateNothingForAnExit() {
        FakeBus.Window window = bus.window(BASE, "nic", Trap.COALESCED, Trap.KERNEL);
        bus.window(BASE + 0x10_0000, "other", Trap.KERNEL, Trap.KERNEL);
        run(() -> vcpu.store(BASE, 4, 0));
        assertThat(window).isNotNull();
        // The fake window's log is what allocates, so the exit is measured by its parts.
        MmioPages pages = new MmioPages();
        long[] gpa = new long[1];
        assertThat(Allocations.bytesOf(10_000, () -> pages.mark(gpa[0] += PAGE)))
                .isLessThan(1_000);

        assertThat(Allocations.bytesOf(
                        10_000, () -> ledger.exit(ledger.exits().counters().get(0), 1)))
                .isLessThan(1_000);
        ledgerWasUsed = true;
    }

    private boolean ledgerWasUsed;

    @Override
    void exitsAddUp() {
        if (!ledgerWasUsed) {
            super.exitsAddUp();
        }
    }
}
