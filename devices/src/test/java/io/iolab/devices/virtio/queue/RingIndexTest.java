package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Against oracles that only count: no masks, no unsigned comparison. Loops compare plainly and assert on the first miss. */
class RingIndexTest {
    private static final int MODULUS = 65536;

    /** One step, the slow way. */
    private static int successor(int index) {
        return index == MODULUS - 1 ? 0 : index + 1;
    }

    @Test
    @DisplayName("2.7.6: advance and distance agree with counting, from every index")
    void shouldAgreeWithCountingWhenIndexAdvances() {
        for (int from = 0; from < MODULUS; from++) {
            int walked = from;
            for (int count = 0; count < 300; count++) {
                if (RingIndex.advance(from, count) != walked
                        || RingIndex.distance(from, walked) != count
                        || RingIndex.advance(walked, -count) != from) {
                    assertThat(RingIndex.advance(from, count))
                            .as("from %d by %d", from, count)
                            .isEqualTo(walked);
                    assertThat(RingIndex.distance(from, walked)).isEqualTo(count);
                    assertThat(RingIndex.advance(walked, -count)).isEqualTo(from);
                }
                walked = successor(walked);
            }
        }
    }

    @Test
    @DisplayName("2.7.6: distance covers the whole range of 16 bits")
    void shouldMeasureAnyDistanceWhenIndicesAreFarApart() {
        for (int from : new int[] {0, 1, 32767, 32768, 65534, 65535}) {
            int walked = from;
            for (int count = 0; count < MODULUS; count++) {
                if (RingIndex.distance(from, walked) != count) {
                    assertThat(RingIndex.distance(from, walked))
                            .as("from %d", from)
                            .isEqualTo(count);
                }
                walked = successor(walked);
            }
        }
    }

    @Test
    @DisplayName("2.7.6: slots follow each other, across the wrap too, for every queue size")
    void shouldGiveContinuousSlotsWhenIndexWraps() {
        for (int size = 1; size <= 32768; size *= 2) {
            int slot = 0;
            for (int step = 0; step <= MODULUS; step++) {
                int index = step == MODULUS ? 0 : step;
                if (RingIndex.slot(index, size) != slot) {
                    assertThat(RingIndex.slot(index, size))
                            .as("index %d size %d", index, size)
                            .isEqualTo(slot);
                }
                slot = slot == size - 1 ? 0 : slot + 1;
            }
        }
    }

    @Test
    @DisplayName("2.7.10: needsEvent around every index, for short moves")
    void shouldCrossEventExactlyWhenItLiesInWindow() {
        for (int old = 0; old < MODULUS; old++) {
            for (int moved = 0; moved <= 8; moved++) {
                for (int lead = 0; lead <= 12; lead++) {
                    int event = RingIndex.advance(old, lead - 2);
                    boolean expected = lead >= 2 && lead - 2 < moved;
                    if (RingIndex.needsEvent(event, RingIndex.advance(old, moved), old) != expected) {
                        assertThat(expected)
                                .as("old %d moved %d event %d", old, moved, event)
                                .isEqualTo(!expected);
                    }
                }
            }
        }
    }

    @Test
    @DisplayName("2.7.10: needsEvent for moves of any length agrees with a walk that looks for the event")
    void shouldAgreeWithWalkWhenMoveIsLong() {
        for (int old : new int[] {0, 1, 32768, 65535}) {
            for (int event = 0; event < MODULUS; event += 251) {
                boolean crossed = false;
                int next = old;
                for (int moved = 0; moved < MODULUS; moved++) {
                    if (RingIndex.needsEvent(event, next, old) != crossed) {
                        assertThat(crossed)
                                .as("old %d next %d event %d", old, next, event)
                                .isEqualTo(!crossed);
                    }
                    crossed |= next == event;
                    next = successor(next);
                }
            }
        }
    }
}
