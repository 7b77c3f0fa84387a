/** The 82576 as its datasheet has it: registers, mailbox, pools, descriptors; programmed through BARs, configuration space and memory. */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.igb;
