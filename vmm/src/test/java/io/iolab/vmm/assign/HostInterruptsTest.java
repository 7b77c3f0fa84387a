package io.iolab.vmm.assign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.DriverPlatform.MessageTarget;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HostInterruptsTest {
    private final HostInterrupts host = new HostInterrupts();

    @Test
    void shouldRunTheHandlerOfTheVectorAndCountTheOthersAsSpurious() {
        int[] heard = new int[2];
        MessageTarget first = host.allocate(() -> heard[0]++);
        MessageTarget second = host.allocate(() -> heard[1]++);

        host.message(second.address(), second.data());
        host.message(second.address(), second.data());
        host.message(first.address(), 0xF7);
        host.message(first.address(), 0x20);

        assertThat(heard).containsExactly(0, 2);
        assertThat(host.spurious()).isEqualTo(2);
        assertThat(first.address() >>> 20).isEqualTo(0xFEE);
        assertThat(first.data()).isNotEqualTo(second.data());
    }

    @Test
    void shouldSayWhenVectorsRunOut() {
        assertThatThrownBy(() -> IntStream.range(0, 256).forEach(i -> host.allocate(() -> {})))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no interrupt vector left");
    }

    @Test
    void shouldGiveEveryThreadVectorsOfItsOwn() {
        Set<Integer> vectors = ConcurrentHashMap.newKeySet();

        IntStream.range(0, 150)
                .parallel()
                .forEach(i -> vectors.add(host.allocate(() -> {}).data()));

        assertThat(vectors).hasSize(150);
    }
}
