package io.iolab.devices.driver.pci;

/** A way to configuration space. Functions that are absent read all ones. */
public interface ConfigAccess {

    /**
     * @param rid bus 15:8, device 7:3, function 2:0
     * @param offset naturally aligned for {@code width}
     * @param width 1, 2 or 4
     * @return zero-extended for widths 1 and 2
     */
    int read(int rid, int offset, int width);

    void write(int rid, int offset, int width, int value);
}
