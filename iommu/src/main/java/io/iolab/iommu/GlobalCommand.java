package io.iolab.iommu;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.invalidate.InvalidationQueue;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;

/**
 * GCMD and GSTS (VT-d 10.4.4, 10.4.5). Software writes the whole wanted state with one bit changed and polls GSTS until it follows.
 *
 * <pre>
 *   bit   GCMD  GSTS   kind       here
 *   31    TE    TES    level      translation on and off
 *   30    SRTP  RTPS   one-shot   latches RTADDR; RTPS stays 1 from the first on
 *   27    WBF   WBFS   one-shot   done before software can see WBFS set
 *   26    QIE   QIES   level      0->1 latches IQA; 1->0 only when the queue is drained
 *   others                        functions not offered: ignored and counted
 * </pre>
 *
 * <p>Changing several bits at once is undefined by the specification. All of them are carried out, in the order TE, SRTP, QIE, and
 * the write is counted as {@link RegisterFault#ILLEGAL_STATE}.
 *
 * <p>Threading: under the unit's lock.
 */
final class GlobalCommand {
    private static final int TRANSLATION_ENABLE = 1 << 31;
    private static final int SET_ROOT_POINTER = 1 << 30;
    private static final int WRITE_BUFFER_FLUSH = 1 << 27;
    private static final int QUEUED_INVALIDATION_ENABLE = 1 << 26;
    private static final int ALL = 0xFF80_0000;

    private final RegisterFile registers;
    private final Translator translator;
    private final InvalidationQueue queue;
    private final int levels;
    private final int oneShots;

    GlobalCommand(RegisterFile registers, Capabilities capabilities, Translator translator, InvalidationQueue queue) {
        this.registers = registers;
        this.translator = translator;
        this.queue = queue;
        levels = TRANSLATION_ENABLE | (capabilities.queuedInvalidation() ? QUEUED_INVALIDATION_ENABLE : 0);
        oneShots = SET_ROOT_POINTER | WRITE_BUFFER_FLUSH;
        registers.onRead(VtdRegisters.GCMD, () -> 0);
        registers.onWrite(VtdRegisters.GCMD, (written, previous) -> command(written & ALL));
    }

    private void command(int command) {
        int status = registers.get(VtdRegisters.GSTS);
        int changed = (command ^ status) & levels | command & oneShots;
        if (Integer.bitCount(changed) > 1 || (command & ~(levels | oneShots)) != 0) {
            registers.count(RegisterFault.ILLEGAL_STATE);
        }
        if ((changed & TRANSLATION_ENABLE) != 0) {
            translator.enable((command & TRANSLATION_ENABLE) != 0);
            status ^= TRANSLATION_ENABLE;
        }
        if ((changed & SET_ROOT_POINTER) != 0) {
            translator.latchRoot(registers.get64(VtdRegisters.RTADDR));
            status |= SET_ROOT_POINTER;
        }
        registers.set(VtdRegisters.GSTS, status);
        if ((changed & QUEUED_INVALIDATION_ENABLE) != 0) {
            switchQueue((command & QUEUED_INVALIDATION_ENABLE) != 0);
        }
    }

    /** QIES is set before the queue runs, so that a handler of its completion message sees the state it was promised. */
    private void switchQueue(boolean on) {
        if (on) {
            registers.set(VtdRegisters.GSTS, registers.get(VtdRegisters.GSTS) | QUEUED_INVALIDATION_ENABLE);
            queue.enable();
        } else if (queue.disable()) {
            registers.set(VtdRegisters.GSTS, registers.get(VtdRegisters.GSTS) & ~QUEUED_INVALIDATION_ENABLE);
        } else {
            registers.count(RegisterFault.ILLEGAL_STATE);
        }
    }
}
