package io.iolab.devices.hostile;

import static io.iolab.devices.hostile.VirtioAttack.BUFFER;
import static io.iolab.devices.hostile.VirtioAttack.HEADER;
import static io.iolab.devices.hostile.VirtioAttack.INDIRECT;
import static io.iolab.devices.hostile.VirtioAttack.INDIRECT_TABLE;
import static io.iolab.devices.hostile.VirtioAttack.MRG_RXBUF;
import static io.iolab.devices.hostile.VirtioAttack.NEXT;
import static io.iolab.devices.hostile.VirtioAttack.RX;
import static io.iolab.devices.hostile.VirtioAttack.TX;
import static io.iolab.devices.hostile.VirtioAttack.USED;
import static io.iolab.devices.hostile.VirtioAttack.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The inputs of published bugs of virtio devices elsewhere, as the titles have them, each with the outcome that is right here
 * (virtio 1.2 2.7, 5.1.6). What went wrong elsewhere is said only where the advisory says it.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VirtioCveTest {
    private static final int FRAME = 60;

    private HostileMachine machine;
    private VirtioAttack attack;

    @BeforeEach
    void open() {
        machine = new HostileMachine(Target.VIRTIO_NET);
        attack = new VirtioAttack(machine);
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void expect(Verdict verdict) {
        assertThat(attack.verdict()).as(attack.reason()).isEqualTo(verdict);
        assertThat(machine.window().neighboursUntouched())
                .as("memory of other guests")
                .isTrue();
    }

    private void offer(int queue, int count) {
        attack.index(queue, attack.index(queue) + count);
        attack.kick(queue);
    }

    /**
     * A descriptor of length 0 is a buffer that holds nothing; a chain of nothing but such has no header, which is against the
     * rules.
     */
    @Test
    @DisplayName("CVE-2016-6490: descriptors of length 0")
    void cve2016n6490() {
        attack.start();
        attack.descriptor(TX, 0, BUFFER[TX], 0, NEXT, 1);
        attack.descriptor(TX, 1, BUFFER[TX], HEADER + FRAME, NEXT, 2);
        attack.descriptor(TX, 2, 0, 0, 0, 0);
        offer(TX, 1);
        assertThat(machine.frames()).as("the frame between them leaves").isEqualTo(1);
        expect(Verdict.PASS);
        attack.start();
        attack.descriptor(TX, 0, BUFFER[TX], 0, 0, 0);
        offer(TX, 1);
        expect(Verdict.REJECT);
        attack.start();
        attack.descriptor(RX, 0, BUFFER[RX], 0, WRITE, 0);
        offer(RX, 1);
        machine.arrive(E1000Attack.frame());
        expect(Verdict.REJECT);
    }

    /** The wire comes straight back, and what takes the frame there makes the device go on: it must not send the next from inside. */
    @Test
    @DisplayName("CVE-2021-3416: a ring full of frames on a wire that comes straight back")
    void cve2021n3416() {
        attack.start();
        machine.loopedWire(true);
        for (int i = 0; i < attack.size; i++) {
            attack.descriptor(TX, i, BUFFER[TX], HEADER + FRAME, 0, 0);
            attack.available(TX, i, i);
        }
        offer(TX, attack.size);
        assertThat(machine.loops()).as("each frame goes round once").isEqualTo(attack.size);
        assertThat(machine.deepestLoop()).as("frames on the wire at once").isEqualTo(1);
        machine.loopedWire(false);
        expect(Verdict.PASS);
    }

    /** A large length led to a null pointer in the mapping of descriptors. Here the frame is too long for the wire. */
    @Test
    @DisplayName("CVE-2016-7422: a buffer of 4 GiB")
    void cve2016n7422() {
        attack.start();
        attack.descriptor(TX, 0, BUFFER[TX], -1, 0, 0);
        offer(TX, 1);
        assertThat(attack.counters().txOversizeDrops()).isEqualTo(1);
        expect(Verdict.PASS);
        attack.start();
        attack.descriptor(RX, 0, BUFFER[RX], -1, WRITE, 0);
        offer(RX, 1);
        assertThat(machine.arrive(E1000Attack.frame())).isEqualTo(Delivery.ACCEPTED);
        expect(Verdict.PASS);
    }

    /** Memory ran out with requests that came before others were done. Here the index is never ahead by more than the queue. */
    @Test
    @DisplayName("CVE-2016-5403: more requests than the queue has")
    void cve2016n5403() {
        attack.start();
        machine.busyWire(true);
        attack.descriptor(TX, 0, BUFFER[TX], HEADER + FRAME, 0, 0);
        for (int i = 0; i < 3 * attack.size; i++) {
            offer(TX, 1);
        }
        machine.busyWire(false);
        expect(Verdict.REJECT);
    }

    /** A negative queue number passed a signed comparison. Here there is a notify address for each queue, no more. */
    @Test
    @DisplayName("CVE-2011-2512: kicks for queues that do not exist")
    void cve2011n2512() {
        attack.start();
        for (int offset = 0; offset <= 0xFFC; offset += 2) {
            machine.write(VirtioAttack.BAR, VirtioAttack.NOTIFY + offset, 2, 0x8000 | offset);
            machine.write(VirtioAttack.BAR, VirtioAttack.NOTIFY + offset, 4, 0xFFFF_FFFFL);
        }
        expect(Verdict.PASS);
    }

    /**
     * num_buffers was written after its buffer, outside of directly mapped memory, had been unmapped. Here it is known before
     * the first byte is written: nothing reaches a buffer once its element is in the used ring, whatever the first buffer is.
     */
    @ParameterizedTest
    @ValueSource(longs = {0x4_0000, 0x2_C000, 0x2_8000, 0x2_0000, 0x3F_FFF8, 1L << 40})
    @DisplayName("CVE-2021-3748: the count of merged buffers goes into a buffer that moves")
    void cve2021n3748(long header) {
        attack.features = MRG_RXBUF;
        attack.start();
        for (int i = 0; i < attack.size; i++) {
            attack.descriptor(RX, i, i == 0 ? header : BUFFER[RX] + 0x1000L * i, 12, WRITE, 0);
            attack.available(RX, i, i);
        }
        offer(RX, attack.size);
        machine.arrive(E1000Attack.frame());
        Verdict verdict = attack.verdict();
        assertThat(verdict).as(attack.reason()).isIn(Verdict.PASS, Verdict.REJECT);
        assertThat(machine.window().neighboursUntouched()).isTrue();
    }

    /**
     * A buffer without room breaks the ring, and the used lengths never say more than was written.
     */
    @Test
    @DisplayName("CVE-2019-14835: mergeable buffers of length 0, lengths that grow")
    void cve2019n14835() {
        attack.features = MRG_RXBUF | VirtioAttack.INDIRECT_DESC;
        attack.start();
        for (int i = 0; i < attack.size; i++) {
            attack.descriptor(RX, i, BUFFER[RX] + 0x1000L * i, i == 0 ? 12 : 0, WRITE, 0);
            attack.available(RX, i, i);
        }
        offer(RX, attack.size);
        assertThat(machine.arrive(E1000Attack.frame())).isEqualTo(Delivery.DROPPED);
        expect(Verdict.REJECT);
        attack.start();
        attack.descriptor(RX, 0, INDIRECT_TABLE, 16 * attack.size, INDIRECT, 0);
        for (int i = 0; i < attack.size; i++) {
            machine.descriptor(
                    INDIRECT_TABLE + 16L * i, BUFFER[RX], i < 7 ? 0 : 2048, WRITE | (i < 7 ? NEXT : 0) | i + 1 << 16);
        }
        offer(RX, 1);
        assertThat(machine.arrive(E1000Attack.frame())).isEqualTo(Delivery.ACCEPTED);
        assertThat(machine.loadShort(USED[RX] + 8)).as("used length").isEqualTo(HEADER + FRAME);
        expect(Verdict.PASS);
    }

    /**
     * The elements taken for a frame were not unmapped on an error, and leaked. Here a frame that finds too few buffers gives
     * them back, so ten thousand such frames cost nothing.
     */
    @Test
    @DisplayName("CVE-2022-26353: slots that leak on an error")
    void cve2022n26353() {
        attack.features = MRG_RXBUF;
        attack.start();
        for (int i = 0; i < 3; i++) {
            attack.descriptor(RX, i, BUFFER[RX] + 0x1000L * i, 64, WRITE, 0);
            attack.available(RX, i, i);
        }
        offer(RX, 3);
        byte[] large = java.util.Arrays.copyOf(E1000Attack.frame(), 1000);
        for (int i = 0; i < 10_000; i++) {
            assertThat(machine.arrive(large)).isEqualTo(Delivery.BUSY);
        }
        assertThat(attack.used(RX)).as("used index").isZero();
        assertThat(machine.arrive(E1000Attack.frame()))
                .as("two buffers hold it")
                .isEqualTo(Delivery.ACCEPTED);
        assertThat(attack.used(RX)).as("used index").isEqualTo(2);
        expect(Verdict.PASS);
    }

    /** The same for buffers that cannot be written: they come back empty, and the frame is lost and counted. */
    @Test
    @DisplayName("CVE-2022-26353: slots that leak on a DMA fault")
    void cve2022n26353fault() {
        attack.features = MRG_RXBUF;
        attack.start();
        for (int round = 0; round < 1000; round++) {
            attack.descriptor(RX, 0, 1L << 40, 2048, WRITE, 0);
            offer(RX, 1);
            assertThat(machine.arrive(E1000Attack.frame())).isEqualTo(Delivery.DROPPED);
        }
        assertThat(attack.used(RX)).as("used index").isEqualTo(1000);
        assertThat(attack.counters().rxDmaFaultDrops()).isEqualTo(1000);
        expect(Verdict.PASS);
    }

    /** A frame larger than the one buffer, without mergeable buffers, is dropped and counted. */
    @Test
    @DisplayName("CVE-2015-7295: a jumbo frame for a small buffer")
    void cve2015n7295() {
        attack.start();
        attack.descriptor(RX, 0, BUFFER[RX], 1526, WRITE, 0);
        offer(RX, 1);
        machine.zero(BUFFER[RX], 0x4000);
        assertThat(machine.arrive(new byte[9000])).isEqualTo(Delivery.DROPPED);
        assertThat(machine.loadShort(BUFFER[RX] + 1526)).as("past the buffer").isZero();
        assertThat(attack.counters().rxBufferTooSmallDrops()).isEqualTo(1);
        expect(Verdict.PASS);
    }

    @Test
    @DisplayName("ring loops")
    void ringLoops() {
        for (int length : new int[] {0, 1, 64}) {
            attack.start();
            for (int i = 0; i < attack.size; i++) {
                attack.descriptor(TX, i, BUFFER[TX], length, NEXT, (i + 1) % attack.size);
            }
            offer(TX, 1);
            expect(Verdict.REJECT);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 100, 0x7FFF, 0x8000, 0xFFFF})
    @DisplayName("index jumps")
    void indexJumps(int index) {
        attack.start();
        attack.descriptor(TX, 0, BUFFER[TX], HEADER + FRAME, 0, 0);
        attack.index(TX, index);
        attack.kick(TX);
        assertThat(machine.frames()).isZero();
        expect(Verdict.REJECT);
    }

    @Test
    @DisplayName("nested indirect tables")
    void nestedIndirectTables() {
        attack.start();
        attack.descriptor(TX, 0, INDIRECT_TABLE, 16, INDIRECT, 0);
        machine.descriptor(INDIRECT_TABLE, INDIRECT_TABLE, 16, INDIRECT);
        offer(TX, 1);
        expect(Verdict.REJECT);
        attack.start();
        attack.descriptor(TX, 0, INDIRECT_TABLE, 16, INDIRECT | NEXT, 1);
        machine.descriptor(INDIRECT_TABLE, BUFFER[TX], HEADER + FRAME, 0);
        offer(TX, 1);
        expect(Verdict.REJECT);
    }

    /** An indirect table that is the descriptor table is odd, but sound: its own entries count. */
    @Test
    @DisplayName("an indirect table over the descriptor table")
    void indirectTableOverTable() {
        attack.start();
        attack.descriptor(TX, 0, BUFFER[TX], HEADER + FRAME, 0, 0);
        attack.descriptor(TX, 1, VirtioAttack.TABLE[TX], 16, INDIRECT, 0);
        attack.available(TX, 0, 1);
        offer(TX, 1);
        assertThat(machine.frames()).isEqualTo(1);
        expect(Verdict.PASS);
    }
}
