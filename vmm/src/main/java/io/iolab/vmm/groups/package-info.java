/**
 * IOMMU groups: the smallest sets of functions that an IOMMU can tell apart, computed from what software finds in configuration space
 * (PCI Express Base section 6.12; bus numbers, PCI Express port types, ACS capability and control), and the reason for each join.
 *
 * <pre>
 *   ConfigAccess --PciTree.scan--> PciNode tree --IommuGroups.of--> groups, joins
 *                                                    `--explain(a, b)--> GroupJoin ...
 * </pre>
 *
 * <p>Threading: none; a tree is a snapshot.
 */
@org.jspecify.annotations.NullMarked
package io.iolab.vmm.groups;
