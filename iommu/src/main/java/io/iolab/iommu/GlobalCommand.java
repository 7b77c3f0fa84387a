package io.iolab.iommu;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.interrupt.InterruptRemapper;
import io.iolab.iommu.invalidate.InvalidationQueue;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;

/**
 * GCMD and GSTS (VT-d 10.4.4, 10.4.5). Software writes the whole wanted state with one bit changed and polls GSTS until it follows.
 *
 * <pre>
 *   bit   GCMD   GSTS   kind       here
 *   31    TE     TES    level      translation on and off; caches stay
 *   30    SRTP   RTPS   one-shot   latches RTADDR; RTPS stays 1 from the first on; CAP.ESRTPS empties the caches too
 *   29    SFL    FLS    one-shot   no advanced fault log: ignored and counted
 *   28    EAFL   AFLS   level      likewise
 *   27    WBF    WBFS   one-shot   done before software can see WBFS set
 *   26    QIE    QIES   level      0->1 latches IQA; 1->0 only when the queue is drained
 *   25    IRE    IRES   level      interrupt remapping on and off
 *   24    SIRTP  IRTPS  one-shot   latches IRTA; CAP.ESIRTPS empties the interrupt entry cache too
 *   23    CFI    CFIS   level      compatibility-format interrupts pass
 * </pre>
 *
 * <p>Changing several bits at once is undefined by the specification. All of them are carried out, pointers before the switches that
 * use them and the queue last, and the write is counted as {@link RegisterFault#ILLEGAL_STATE}. Since every command is done when its
 * write returns, none can be given before the status of the last has followed.
 *
 * <p>A status written back with one-shot bits set repeats their commands, as on hardware: software masks them out.
 *
 * <p>Threading: under the unit's lock.
 */
final class GlobalCommand {
    private static final int TRANSLATION_ENABLE = 1 << 31;
    private static final int SET_ROOT_POINTER = 1 << 30;
    private static final int WRITE_BUFFER_FLUSH = 1 << 27;
    private static final int QUEUED_INVALIDATION_ENABLE = 1 << 26;
    private static final int INTERRUPT_REMAPPING_ENABLE = 1 << 25;
    private static final int SET_INTERRUPT_TABLE = 1 << 24;
    private static final int COMPATIBILITY_FORMAT = 1 << 23;
    private static final int ALL = 0xFF80_0000;

    /** RTADDR.TTM. */
    private static final int TABLE_MODE_SHIFT = 10;

    private final RegisterFile registers;
    private final Capabilities capabilities;
    private final Translator translator;
    private final TranslationCaches caches;
    private final InvalidationQueue queue;
    private final InterruptRemapper interrupts;
    private final int levels;
    private final int oneShots;

    GlobalCommand(
            RegisterFile registers,
            Capabilities capabilities,
            Translator translator,
            TranslationCaches caches,
            InvalidationQueue queue,
            InterruptRemapper interrupts) {
        this.registers = registers;
        this.capabilities = capabilities;
        this.translator = translator;
        this.caches = caches;
        this.queue = queue;
        this.interrupts = interrupts;
        boolean remapping = capabilities.interruptRemapping();
        levels = TRANSLATION_ENABLE
                | (capabilities.queuedInvalidation() ? QUEUED_INVALIDATION_ENABLE : 0)
                | (remapping ? INTERRUPT_REMAPPING_ENABLE | COMPATIBILITY_FORMAT : 0);
        oneShots = SET_ROOT_POINTER | WRITE_BUFFER_FLUSH | (remapping ? SET_INTERRUPT_TABLE : 0);
        registers.onRead(VtdRegisters.GCMD, () -> 0);
        registers.onWrite(VtdRegisters.GCMD, (written, previous) -> command(written & ALL));
    }

    private void command(int command) {
        int status = registers.get(VtdRegisters.GSTS);
        int changed = (command ^ status) & levels | command & oneShots;
        if (Integer.bitCount(changed) > 1 || (command & ~(levels | oneShots)) != 0) {
            registers.count(RegisterFault.ILLEGAL_STATE);
        }
        if ((changed & SET_ROOT_POINTER) != 0) {
            setRootPointer();
            status |= SET_ROOT_POINTER;
        }
        if ((changed & SET_INTERRUPT_TABLE) != 0) {
            interrupts.latchTable(registers.get64(VtdRegisters.IRTA));
            status |= SET_INTERRUPT_TABLE;
        }
        if ((changed & TRANSLATION_ENABLE) != 0) {
            translator.enable((command & TRANSLATION_ENABLE) != 0);
        }
        if ((changed & COMPATIBILITY_FORMAT) != 0) {
            interrupts.allowCompatibility((command & COMPATIBILITY_FORMAT) != 0);
        }
        if ((changed & INTERRUPT_REMAPPING_ENABLE) != 0) {
            interrupts.enable((command & INTERRUPT_REMAPPING_ENABLE) != 0);
        }
        registers.set(VtdRegisters.GSTS, status ^ changed & levels & ~QUEUED_INVALIDATION_ENABLE);
        if ((changed & QUEUED_INVALIDATION_ENABLE) != 0) {
            switchQueue((command & QUEUED_INVALIDATION_ENABLE) != 0);
        }
    }

    private void setRootPointer() {
        long rtaddr = registers.get64(VtdRegisters.RTADDR);
        translator.latchRoot(rtaddr);
        queue.tableMode((int) (rtaddr >>> TABLE_MODE_SHIFT) & 3);
        if (capabilities.setRootFlushes()) {
            caches.invalidateAll();
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
