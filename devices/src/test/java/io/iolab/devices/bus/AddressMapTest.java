package io.iolab.devices.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressMapTest {
    private final AddressMap<String> map = new AddressMap<>();

    private @Nullable String find(long address, int width) {
        AddressMap.Region<String> region = map.find(address, width);
        return region == null ? null : region.target();
    }

    @Test
    void shouldFindARegionByEveryByteOfItAndNoneOther() {
        map.add(0x1000, 0x100, "a");
        map.add(0x1100, 0x100, "b");
        assertThat(find(0xFFF, 1)).isNull();
        assertThat(find(0x1000, 1)).isEqualTo("a");
        assertThat(find(0x10FC, 4)).isEqualTo("a");
        assertThat(find(0x1100, 4)).isEqualTo("b");
        assertThat(find(0x11FF, 1)).isEqualTo("b");
        assertThat(find(0x1200, 1)).isNull();
    }

    @Test
    void shouldNotFindAnAccessThatLeavesItsRegion() {
        map.add(0x1000, 0x100, "a");
        map.add(0x1100, 0x100, "b");
        assertThat(find(0x10FE, 4)).isNull();
        assertThat(find(0x11FE, 4)).isNull();
        assertThat(find(0xFFE, 4)).isNull();
    }

    @Test
    void shouldReachTheTopOfTheAddressSpace() {
        map.add(-4096, 4096, "top");
        map.add(0, 4096, "bottom");
        assertThat(find(-8, 8)).isEqualTo("top");
        assertThat(find(-1, 1)).isEqualTo("top");
        assertThat(find(-1, 2)).isNull();
        assertThat(find(0, 8)).isEqualTo("bottom");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, -1", "-4096, 4097", "-1, 2", "-1, 9223372036854775807"})
    void shouldRefuseEmptyAndWrappingRanges(long base, long size) {
        assertThatIllegalArgumentException().isThrownBy(() -> map.add(base, size, "x"));
        assertThat(map.regions()).isEmpty();
    }

    @Test
    void shouldLetTheFirstDecoderWin() {
        map.add(0x1000, 0x1000, "first");
        map.add(0x0, 0x10000, "second");
        assertThat(find(0x1800, 4)).isEqualTo("first");
        assertThat(find(0x3000, 4)).isEqualTo("second");
        // The look-up before must not decide this one.
        assertThat(find(0x1800, 4)).isEqualTo("first");
    }

    @Test
    void shouldForgetARemovedTarget() {
        String target = "a";
        map.add(0, 16, target);
        map.add(64, 16, target);
        map.add(32, 16, "b");
        assertThat(find(0, 4)).isEqualTo("a");
        map.remove(target);
        assertThat(find(0, 4)).isNull();
        assertThat(find(64, 4)).isNull();
        assertThat(find(32, 4)).isEqualTo("b");
    }

    @Test
    void shouldListRegionsInUnsignedAddressOrder() {
        map.add(-4096, 4096, "high");
        map.add(8192, 4096, "middle");
        map.add(0, 4096, "low");
        assertThat(map.regions()).extracting(AddressMap.Region::target).containsExactly("low", "middle", "high");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void shouldAnswerAsAScanInOrderOfAdditionWould(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<AddressMap.Region<String>> model = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            if (random.nextInt(200) == 0 && model.size() < 12) {
                AddressMap.Region<String> region =
                        new AddressMap.Region<>(random.nextLong(-200, 200), random.nextLong(1, 100), "region" + i);
                if (end(region.base(), region.size()).bitLength() <= 64 || isTop(region)) {
                    map.add(region.base(), region.size(), region.target());
                    model.add(region);
                }
            } else if (random.nextInt(500) == 0 && !model.isEmpty()) {
                map.remove(model.remove(random.nextInt(model.size())).target());
            }
            long address = random.nextLong(-220, 220);
            int width = 1 << random.nextInt(4);
            assertThat(find(address, width))
                    .as("seed %d, step %d, %x+%d", seed, i, address, width)
                    .isEqualTo(expected(model, address, width));
        }
    }

    private static boolean isTop(AddressMap.Region<String> region) {
        return region.base() + region.size() == 0;
    }

    private static @Nullable String expected(List<AddressMap.Region<String>> model, long address, int width) {
        for (AddressMap.Region<String> region : model) {
            if (unsigned(address).compareTo(unsigned(region.base())) >= 0
                    && end(address, width).compareTo(end(region.base(), region.size())) <= 0) {
                return region.target();
            }
        }
        return null;
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }

    private static BigInteger end(long base, long size) {
        return unsigned(base).add(BigInteger.valueOf(size));
    }
}
