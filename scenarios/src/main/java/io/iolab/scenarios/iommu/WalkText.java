package io.iolab.scenarios.iommu;

import io.iolab.devices.dma.RequesterId;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableField;
import io.iolab.iommu.explain.TableStep;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import java.util.Locale;

/** A walk for people: an entry a paragraph, then the outcome. */
public final class WalkText {
    private WalkText() {}

    /** With a line feed at the end. */
    public static String of(TableWalk walk) {
        return of(walk, "");
    }

    /** Each line after {@code indent}. */
    public static String of(TableWalk walk, String indent) {
        StringBuilder out = new StringBuilder();
        WalkRequest request = walk.request();
        if (walk.mode().equals("interrupt")) {
            out.append(String.format(
                    "%s%s interrupt request: interrupt-remapping table at 0x%x%n",
                    indent, RequesterId.format(request.rid()), walk.rootHpa()));
        } else {
            dma(out, walk, indent);
        }
        walk.steps().forEach(step -> step(out, step, indent + "  "));
        FaultReason reason = walk.reason();
        if (reason == null) {
            out.append(indent).append("allowed: ").append(walk.decision()).append('\n');
        } else {
            out.append(String.format(
                    "%sblocked, fault reason 0x%02x (%s)%n%s  decided by %s%n",
                    indent, reason.code(), reason.text(), indent, walk.decision()));
        }
        return out.toString();
    }

    private static void dma(StringBuilder out, TableWalk walk, String indent) {
        WalkRequest request = walk.request();
        out.append(String.format(
                "%s%s %s 0x%x%s%s, AT %s: %s mode, root table at 0x%x%n",
                indent,
                RequesterId.format(request.rid()),
                request.pageRequest()
                        ? "page request for"
                        : request.execute()
                                ? "execute"
                                : request.access().name().toLowerCase(Locale.ROOT),
                request.iova(),
                request.pasid() == FaultReport.NO_PASID ? "" : String.format(" PASID 0x%x", request.pasid()),
                request.privileged() ? ", privileged" : "",
                request.type().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                walk.mode(),
                walk.rootHpa()));
    }

    private static void step(StringBuilder out, TableStep step, String indent) {
        out.append(String.format(
                "%s%s [%d] at 0x%x, table 0x%x%n",
                indent, step.structure(), step.index(), step.entryHpa(), step.tableHpa()));
        StringBuilder words = new StringBuilder();
        for (int i = step.words().size() - 1; i >= 0; i--) {
            words.append(String.format("%016x", step.words().get(i))).append(i > 0 ? " " : "");
        }
        if (!words.isEmpty()) {
            out.append(indent).append("    ").append(words).append('\n');
        }
        StringBuilder fields = new StringBuilder();
        for (TableField field : step.fields()) {
            if (fields.length() > 0) {
                fields.append(", ");
            }
            fields.append(String.format(field.value() < 10 ? "%s=%d" : "%s=0x%x", field.name(), field.value()));
            if (!field.meaning().isEmpty() && field.bits().contains(":")) {
                fields.append(" (").append(field.meaning()).append(')');
            }
        }
        if (!fields.isEmpty()) {
            out.append(indent).append("    ").append(fields).append('\n');
        }
        out.append(indent)
                .append(step.reason() == null ? "    -> " : "    XX ")
                .append(step.verdict())
                .append('\n');
    }
}
