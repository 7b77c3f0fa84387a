/**
 * PCI enumeration on configuration spaces with BARs, bridges and capability lists to order.
 *
 * <p>Threading: single-threaded.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver.pci;
