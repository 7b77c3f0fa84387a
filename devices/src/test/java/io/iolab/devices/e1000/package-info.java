/** Tests of the controller through its BARs, configuration space, memory and wire; register offsets are transcribed here anew. */
@org.jspecify.annotations.NullMarked
package io.iolab.devices.e1000;
