package io.iolab.vmm.assign;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.AdvancedFeatures;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PowerManagement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Fact sheet section 6.1: FLR, AF FLR, a round trip through D3hot, the bus above; the first that there is. */
@DisplayName("Function reset")
class FunctionResetTest {
    private static final int RID = 0x0100;
    private static final int BRIDGE = 0x0008;
    private static final int BRIDGE_CONTROL = 0x3E;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
    private final List<String> seen = new ArrayList<>();
    private int bridgeControl;
    private boolean sibling;

    private final ConfigAccess access = new ConfigAccess() {
        @Override
        public int read(int rid, int offset, int width) {
            if (rid == BRIDGE) {
                return offset == 0x19 ? RID >>> 8 : bridgeControl;
            }
            return rid == RID || rid == RID + 1 && sibling ? config.read(offset, width) : 0xFFFF;
        }

        @Override
        public void write(int rid, int offset, int width, int value) {
            if (rid == RID) {
                config.write(offset, width, value);
            } else if (rid == BRIDGE && offset == BRIDGE_CONTROL) {
                if ((value & ~bridgeControl & 0x40) != 0) {
                    seen.add("bus");
                    config.reset();
                }
                bridgeControl = value;
            }
        }
    };

    private void reset(String how) {
        seen.add(how);
        config.reset();
    }

    private FunctionReset.Method run(int bridge) {
        config.seal();
        config.write(ConfigSpace.COMMAND, 2, 7);
        config.write(ConfigSpace.INTERRUPT_LINE, 1, 11);
        FunctionReset.Method method = new FunctionReset(access, RID, bridge).run();
        assertThat(config.busMaster()).as("bus mastering is off").isFalse();
        assertThat(config.read(ConfigSpace.INTERRUPT_LINE, 1)).as("put back").isEqualTo(11);
        return method;
    }

    @Test
    void shouldPreferFunctionLevelReset() {
        new PciExpress(config, 0x40, PciExpress.Type.ENDPOINT, () -> reset("FLR"));
        AdvancedFeatures.add(config, 0x80, () -> reset("AF"));
        new PowerManagement(config, 0x90, 2, () -> reset("PM"));
        assertThat(run(BRIDGE)).isEqualTo(FunctionReset.Method.FLR);
        assertThat(seen).containsExactly("FLR");
    }

    @Test
    void shouldTakeAdvancedFeaturesNext() {
        new PciExpress(config, 0x40, PciExpress.Type.ENDPOINT, null);
        AdvancedFeatures.add(config, 0x80, () -> reset("AF"));
        new PowerManagement(config, 0x90, 2, () -> reset("PM"));
        assertThat(run(BRIDGE)).isEqualTo(FunctionReset.Method.AF_FLR);
        assertThat(seen).containsExactly("AF");
    }

    @Test
    @DisplayName("the 82574L has no FLR: it goes through D3hot")
    void shouldTakeD3hotNext() {
        new PciExpress(config, 0x40, PciExpress.Type.ENDPOINT, null);
        new PowerManagement(config, 0x90, 2, () -> reset("PM"));
        assertThat(run(BRIDGE)).isEqualTo(FunctionReset.Method.PM);
        assertThat(seen).containsExactly("PM");
    }

    @Test
    @DisplayName("a function that D3hot does not reset, alone on its bus")
    void shouldTakeTheBusLast() {
        new PowerManagement(config, 0x90, 2, () -> reset("PM"));
        config.put(0x94, 2, 1 << 3);
        assertThat(run(BRIDGE)).isEqualTo(FunctionReset.Method.BUS);
        assertThat(seen).containsExactly("bus");
        assertThat(bridgeControl).as("let go").isZero();
    }

    @Test
    void shouldNotResetTheBusUnderASibling() {
        sibling = true;
        assertThat(run(BRIDGE)).isEqualTo(FunctionReset.Method.NONE);
        sibling = false;
        assertThat(run(-1)).as("bus 0").isEqualTo(FunctionReset.Method.NONE);
        assertThat(seen).isEmpty();
    }
}
