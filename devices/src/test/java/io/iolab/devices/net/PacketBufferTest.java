package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The receive half of a controller's packet memory (82540 SDM 2.3): first in, first out, nothing lost, nothing beyond its size. */
class PacketBufferTest {
    private final PacketBuffer buffer = new PacketBuffer(1024);

    private static byte[] frame(int length, int content) {
        byte[] frame = new byte[length];
        Arrays.fill(frame, (byte) content);
        return frame;
    }

    private byte[] take() {
        byte[] frame =
                Arrays.copyOfRange(buffer.bytes(), buffer.firstOffset(), buffer.firstOffset() + buffer.firstLength());
        buffer.removeFirst();
        return frame;
    }

    @Test
    @DisplayName("A frame that ends where the storage does: the next one starts at its beginning")
    void shouldWrapWhenFilledToTheLastByte() {
        for (int i = 0; i < 4; i++) {
            assertThat(buffer.offer(frame(248, i), 0, 248, i)).isTrue();
        }
        assertThat(buffer.offer(frame(60, 9), 0, 60, 9)).isFalse();
        assertThat(take()).isEqualTo(frame(248, 0));
        assertThat(buffer.offer(frame(200, 4), 0, 200, 4)).isTrue();
        for (int i = 1; i < 4; i++) {
            assertThat(buffer.firstMarks()).isEqualTo(i);
            assertThat(take()).isEqualTo(frame(248, i));
        }
        assertThat(take()).isEqualTo(frame(200, 4));
        assertThat(buffer.isEmpty()).isTrue();
    }

    @Test
    void shouldChangeWhatIsRememberedOfTheOldestFrame() {
        buffer.offer(frame(60, 1), 0, 60, 1);
        buffer.offer(frame(60, 2), 0, 60, 2);
        buffer.firstMarks(7);
        assertThat(buffer.firstMarks()).isEqualTo(7);
        buffer.removeFirst();
        assertThat(buffer.firstMarks()).isEqualTo(2);
    }

    @Test
    void shouldKeepOrderAndContent() {
        for (long seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            PacketBuffer memory = new PacketBuffer(8 * random.nextInt(40, 200));
            ArrayDeque<byte[]> expected = new ArrayDeque<>();
            for (int i = 0; i < 2_000; i++) {
                if (random.nextInt(5) < 3) {
                    byte[] frame = frame(random.nextInt(14, 250), i);
                    if (memory.offer(frame, 0, frame.length, i)) {
                        expected.add(frame);
                    }
                } else if (!expected.isEmpty()) {
                    int at = memory.firstOffset();
                    byte[] taken = Arrays.copyOfRange(memory.bytes(), at, at + memory.firstLength());
                    assertThat(taken).as("seed %d, step %d", seed, i).isEqualTo(expected.remove());
                    memory.removeFirst();
                }
                assertThat(memory.isEmpty()).as("seed %d, step %d", seed, i).isEqualTo(expected.isEmpty());
            }
        }
    }
}
