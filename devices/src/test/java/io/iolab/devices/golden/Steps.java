package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A script of register accesses with the interrupt evidence after each: the PCI status register, or the vectors fired. */
final class Steps {
    private final Nic nic;
    private final int vectors;
    private final List<List<Object>> steps = new ArrayList<>();

    /** @param vectors MSI-X vectors in use, 0 for the pin */
    Steps(Nic nic, int vectors) {
        this.nic = nic;
        this.vectors = vectors;
    }

    Steps write(String register, long value) {
        nic.write(register, value);
        steps.add(List.of("w " + register, Facts.hex(value), evidence()));
        return this;
    }

    Steps read(String register) {
        String value = nic.hex(register);
        steps.add(List.of("r " + register, value, evidence()));
        return this;
    }

    Steps note(String value) {
        steps.add(List.of(value, evidence()));
        return this;
    }

    Steps pause(double milliseconds) {
        nic.bench().advanceMillis(milliseconds);
        return this;
    }

    private Map<String, Object> evidence() {
        return vectors == 0
                ? Map.of("pci_status", Facts.hex(nic.bench().config(6, 2)))
                : Map.of("vectors", nic.bench().takeMsixVectors(vectors));
    }

    /** The steps, each under the words that the recording has for it; a script of another length keeps none. */
    List<Object> labelled(List<Object> recorded) {
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            List<Object> step = new ArrayList<>();
            step.add(i < recorded.size() ? Json.array(recorded.get(i)).getFirst() : "");
            step.addAll(steps.get(i));
            list.add(step);
        }
        return list;
    }
}
