/**
 * The registers of a remapping unit as data (VT-d chapter 10), and the capabilities that they announce.
 *
 * <pre>
 *   options --> Capabilities (CAP, ECAP) --> VtdRegisters.map --> RegisterFile
 *                      +--> walk, caches, invalidation: what is valid on this unit
 * </pre>
 *
 * <p>Threading: immutable.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.iommu.register;
