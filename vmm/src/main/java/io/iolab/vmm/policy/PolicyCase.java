package io.iolab.vmm.policy;

import io.iolab.iommu.driver.DmaPolicy;
import java.util.ArrayList;
import java.util.List;

/**
 * One row of the comparison.
 *
 * @param bufferBytes 4096: a buffer a packet; 2 MiB: buffers of a large page, in which 1024 packets lie side by side
 * @param packetBytes 1 to 2048, without the frame check sequence
 */
public record PolicyCase(DmaPolicy policy, int bufferBytes, int packetBytes) {
    /** A buffer of one page, for one packet. */
    public static final int SMALL_BUFFER = 4096;

    /** A buffer of one large page. */
    public static final int LARGE_BUFFER = 2 << 20;

    /** What a packet takes of a large buffer. */
    static final int PACKET_ROOM = 2048;

    /** @throws IllegalArgumentException if a size is none of these */
    public PolicyCase {
        if (bufferBytes != SMALL_BUFFER && bufferBytes != LARGE_BUFFER) {
            throw new IllegalArgumentException("buffers of " + bufferBytes + " bytes");
        }
        if (packetBytes < 1 || packetBytes > PACKET_ROOM) {
            throw new IllegalArgumentException("packets of " + packetBytes + " bytes");
        }
    }

    /** Every policy, slowest first, with both buffers and packets of 64 and 1500 bytes. */
    public static List<PolicyCase> all() {
        List<PolicyCase> cases = new ArrayList<>();
        for (int buffer : new int[] {SMALL_BUFFER, LARGE_BUFFER}) {
            for (int packet : new int[] {64, 1500}) {
                for (DmaPolicy policy :
                        List.of(DmaPolicy.STRICT, DmaPolicy.DEFERRED, DmaPolicy.SHADOW, DmaPolicy.PASS_THROUGH)) {
                    cases.add(new PolicyCase(policy, buffer, packet));
                }
            }
        }
        return cases;
    }

    boolean largeBuffers() {
        return bufferBytes == LARGE_BUFFER;
    }
}
