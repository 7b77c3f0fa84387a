package io.iolab.vmm.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.ScriptedActor;
import org.junit.jupiter.api.Test;

class WorkAccountTest {
    private final GuestLedger ledger = new GuestLedger("guest-7", Path.VIRTIO);
    private final WorkAccount account = new WorkAccount(ledger);
    private final ScriptedActor early = ScriptedActor.sleeper("early");
    private final ScriptedActor late = ScriptedActor.sleeper("late");

    @Test
    void shouldBeAClockThatNeverGoesBack() {
        assertThat(account.nanos()).as("before anybody called").isZero();
        late.spend(5_000_000);
        account.owner(late, CpuShare.EXIT);
        assertThat(account.nanos()).isEqualTo(5_000);

        account.owner(early, CpuShare.WORKER);
        early.spend(1_000_000);

        assertThat(account.nanos()).isEqualTo(5_000);
        assertThat(account.nowPicos()).as("the caller's own time").isEqualTo(1_000_000);
        early.spend(7_000_000);
        assertThat(account.nanos()).isEqualTo(8_000);
    }

    @Test
    void shouldChargeWhoeverCallsTheDevice() {
        account.owner(early, CpuShare.WORKER);
        account.spend(10);
        account.spendCopying(20);
        assertThat(account.isProcessor()).isTrue();
        account.owner(late, null);
        account.spend(40);
        account.spendCopying(80);

        assertThat(account.isProcessor()).isFalse();
        assertThat(early.nowPicos()).isEqualTo(30);
        assertThat(late.nowPicos()).isEqualTo(120);
        assertThat(ledger.cpuPicos(CpuShare.WORKER)).isEqualTo(10);
        assertThat(ledger.cpuPicos(CpuShare.COPY)).isEqualTo(20);
        assertThat(ledger.cpuPicos(CpuShare.EXIT)).isZero();
    }

    @Test
    void shouldNotLetADeviceBeCalledByNobody() {
        assertThatThrownBy(() -> account.spend(1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("guest-7");
    }
}
