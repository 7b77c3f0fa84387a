package io.iolab.scenarios.bench;

import java.util.List;

/**
 * A figure that somebody published about mapping policies, shown beside ours and not used to tune them.
 *
 * @param figure in words
 * @param source where it is from, and how sure that is
 */
public record PublishedFigure(String figure, String source) {
    /** About strict, deferred and pass-through mapping. */
    public static List<PublishedFigure> ofMappingPolicies() {
        return List.of(
                new PublishedFigure(
                        "strict: invalidation 2,127 to 2,135 cycles an unmap; deferred 9",
                        "Malka et al., rIOMMU, ASPLOS 2015, Table 1 (quoted; the 9 from memory)"),
                new PublishedFigure(
                        "strict 43 %, deferred 91 % of 10 Gbit/s; invalidation over 40 % of an unmap",
                        "Amit et al., vIOMMU, USENIX ATC 2011 (quoted in lecture notes)"),
                new PublishedFigure(
                        "16.5 M operations a second passed through, 16.4 M deferred, 2.8 M strict",
                        "NVIDIA NV-Kernels, pull request 182"),
                new PublishedFigure(
                        "flush at 250 entries or 10 ms; 15 to 20 % of small-packet throughput recovered",
                        "Linux commit 5e0d2a6fc094 (2008)"),
                new PublishedFigure(
                        "0.96 to 1.20 IOTLB misses a page, 1.9 to 2.5 walk accesses a page",
                        "F&S repository, nested guests with paging-structure caches"));
    }
}
