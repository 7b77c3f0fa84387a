/**
 * What {@code iolab iommu} prints: IOMMU groups with the reasons for them, for people and as JSON.
 *
 * <pre>
 *   PciTopology or Lab ──▶ IommuGroups ──▶ GroupsText | GroupsJson (iolab.iommu-groups/1, GroupsSchema)
 * </pre>
 *
 * <p>Threading: none; everything is a value.
 */
@NullMarked
package io.iolab.scenarios.iommu;

import org.jspecify.annotations.NullMarked;
