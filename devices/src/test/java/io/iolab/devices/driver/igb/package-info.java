/** The drivers of the 82576 on its model: virtual functions that talk to the wire, to each other, and to the mailbox. */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.driver.igb;
