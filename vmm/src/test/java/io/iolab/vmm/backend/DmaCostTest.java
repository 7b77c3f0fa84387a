package io.iolab.vmm.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.memory.Allocations;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.time.Profiles;
import io.iolab.vmm.time.ScriptedActor;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a device's memory accesses cost: a processor's copies for a device in software, TLPs for a physical one. */
class DmaCostTest {
    private static final CostProfile PROFILE = Profiles.of(Map.of(
            Cost.COPY_CALL, 7L,
            Cost.COPY_BYTE, 13L,
            Cost.PCIE_READ, 500L,
            Cost.PCIE_TLP, 11L,
            Cost.PCIE_BYTE, 17L,
            Cost.IOMMU_WALK_ACCESS, 60L));

    private final GuestLedger ledger = new GuestLedger("guest", Path.VIRTIO);
    private final WorkAccount account = new WorkAccount(ledger);
    private final ScriptedActor actor = ScriptedActor.sleeper("actor");
    private final byte[] bytes = new byte[4096];
    private DmaFault outcome = DmaFault.NONE;
    private long walks;

    private final DmaPort memory = new DmaPort() {
        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return outcome;
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return outcome;
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return outcome == DmaFault.NONE ? 42 : outcome.asResult();
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return outcome;
        }
    };

    private long timeOf(Runnable work) {
        long began = actor.nowPicos();
        work.run();
        return actor.nowPicos() - began;
    }

    @Test
    @DisplayName(
            "copying: payload is charged per call and byte and counted; descriptors belong to the back end's packet cost")
    void shouldChargeCopiesOfPayload() {
        CopyingDma dma = new CopyingDma(memory, account, ledger, PROFILE);
        account.owner(actor, CpuShare.WORKER);

        assertThat(timeOf(() -> dma.read(0, bytes, 0, 1514, DmaKind.PAYLOAD))).isEqualTo(7_000 + 1514 * 13);
        assertThat(timeOf(() -> dma.write(0, bytes, 0, 60, DmaKind.PAYLOAD))).isEqualTo(7_000 + 60 * 13);
        assertThat(timeOf(() -> dma.read(0, bytes, 0, 16, DmaKind.DESCRIPTOR))).isZero();
        assertThat(timeOf(() -> dma.loadShortAcquire(0, DmaKind.DESCRIPTOR))).isZero();
        assertThat(timeOf(() -> dma.storeShortRelease(0, 1, DmaKind.DESCRIPTOR)))
                .isZero();

        assertThat(ledger.copiedBytes()).isEqualTo(1574);
        assertThat(ledger.cpuPicos(CpuShare.COPY)).isEqualTo(14_000 + 1574 * 13);
        assertThat(ledger.cpuPicos(CpuShare.WORKER)).isZero();
        assertThat(ledger.dmaBytes(Access.READ, DmaKind.PAYLOAD)).isEqualTo(1514);
        assertThat(ledger.dmaBytes(Access.WRITE, DmaKind.PAYLOAD)).isEqualTo(60);
        assertThat(ledger.dmaRequests(Access.READ, DmaKind.DESCRIPTOR)).isEqualTo(2);
        assertThat(ledger.dmaBytes(Access.READ, DmaKind.DESCRIPTOR)).isEqualTo(18);
        assertThat(ledger.dmaBytes(Access.WRITE, DmaKind.DESCRIPTOR)).isEqualTo(2);
    }

    @Test
    void shouldCountAndChargeNothingForACopyThatFailed() {
        CopyingDma dma = new CopyingDma(memory, account, ledger, PROFILE);
        account.owner(actor, CpuShare.WORKER);
        outcome = DmaFault.BEYOND_MEMORY;

        assertThat(timeOf(() ->
                        assertThat(dma.read(0, bytes, 0, 60, DmaKind.PAYLOAD)).isEqualTo(outcome)))
                .isZero();
        assertThat(dma.loadShortAcquire(0, DmaKind.DESCRIPTOR)).isEqualTo(outcome.asResult());
        assertThat(ledger.copiedBytes()).isZero();
        assertThat(ledger.dmaRequests(Access.READ, DmaKind.PAYLOAD)).isZero();
        assertThat(ledger.dmaRequests(Access.READ, DmaKind.DESCRIPTOR)).isZero();
    }

    @Test
    @DisplayName("PCIe: TLPs of 128 bytes, bytes, and the round trip of a descriptor fetch; nobody's processor time")
    void shouldChargeTlpsToTheEngine() {
        PcieDma dma = new PcieDma(memory, account, ledger, PROFILE, () -> walks);
        account.owner(actor, null);

        assertThat(timeOf(() -> dma.write(0, bytes, 0, 128, DmaKind.PAYLOAD))).isEqualTo(11_000 + 128 * 17);
        assertThat(timeOf(() -> dma.write(0, bytes, 0, 129, DmaKind.PAYLOAD))).isEqualTo(2 * 11_000 + 129 * 17);
        assertThat(timeOf(() -> dma.read(0, bytes, 0, 1514, DmaKind.PAYLOAD)))
                .as("pipelined")
                .isEqualTo(12 * 11_000 + 1514 * 17);
        assertThat(timeOf(() -> dma.read(0, bytes, 0, 16, DmaKind.DESCRIPTOR)))
                .as("waited for")
                .isEqualTo(500_000 + 11_000 + 16 * 17);
        assertThat(timeOf(() -> dma.write(0, bytes, 0, 16, DmaKind.DESCRIPTOR)))
                .as("posted")
                .isEqualTo(11_000 + 16 * 17);
        assertThat(timeOf(() -> dma.write(0xFEE0_0000L, bytes, 0, 4, DmaKind.MESSAGE)))
                .isZero();

        assertThat(ledger.copiedBytes()).isZero();
        for (CpuShare share : CpuShare.values()) {
            assertThat(ledger.cpuPicos(share)).isZero();
        }
        assertThat(ledger.dmaRequests(Access.WRITE, DmaKind.PAYLOAD)).isEqualTo(2);
        assertThat(ledger.dmaBytes(Access.READ, DmaKind.PAYLOAD)).isEqualTo(1514);
    }

    @Test
    @DisplayName("page-walk accesses since the last request are charged to this one, even if it was refused")
    void shouldChargeThePageWalk() {
        PcieDma dma = new PcieDma(memory, account, ledger, PROFILE, () -> walks);
        account.owner(actor, null);

        walks = 4;
        assertThat(timeOf(() -> dma.write(0, bytes, 0, 60, DmaKind.PAYLOAD))).isEqualTo(4 * 60_000 + 11_000 + 60 * 17);
        assertThat(timeOf(() -> dma.write(0, bytes, 0, 60, DmaKind.PAYLOAD))).isEqualTo(11_000 + 60 * 17);
        walks = 6;
        outcome = DmaFault.NOT_MAPPED;
        assertThat(timeOf(() -> dma.write(0, bytes, 0, 60, DmaKind.PAYLOAD))).isEqualTo(2 * 60_000);
        assertThat(ledger.dmaRequests(Access.WRITE, DmaKind.PAYLOAD)).isEqualTo(2);
    }

    @Test
    void shouldAllocateNothingForARequest() {
        CopyingDma copying = new CopyingDma(memory, account, ledger, PROFILE);
        PcieDma pcie = new PcieDma(memory, account, ledger, PROFILE, () -> walks);
        account.owner(actor, CpuShare.WORKER);

        long allocated = Allocations.bytesOf(10_000, () -> {
            copying.read(0, bytes, 0, 1514, DmaKind.PAYLOAD);
            pcie.write(0, bytes, 0, 1514, DmaKind.PAYLOAD);
        });

        assertThat(allocated).isLessThan(1_000);
    }
}
