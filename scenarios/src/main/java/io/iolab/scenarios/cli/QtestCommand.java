package io.iolab.scenarios.cli;

import io.iolab.vmm.remote.OptionException;
import io.iolab.vmm.remote.QtestOptions;
import io.iolab.vmm.remote.QtestServer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab qtest}. Its options are QEMU's, single dash and all, so that it can stand in where a test starts QEMU. */
@Command(
        name = "qtest",
        mixinStandardHelpOptions = true,
        description = {
            "The lab's devices behind QEMU's qtest protocol: a test program does what a processor would do.",
            "The client listens on both sockets before it starts this, and ends it by closing the first.",
            "",
        },
        customSynopsis = "iolab qtest -qtest unix:PATH [QEMU-OPTION...]",
        footer = {
            "Examples:",
            "  iolab qtest -qtest unix:/tmp/qt -machine q35 -m 256M -accel qtest -device e1000,addr=04.0",
            "  python3 record_e1000.py out.json \"iolab qtest\" qtest",
            "",
            "Options, as in QEMU; unknown ones are reported and ignored:",
            "  -qtest unix:PATH                      where the client listens",
            "  -chardev socket,path=PATH,id=ID -mon chardev=ID,mode=control, or -qmp unix:PATH",
            "                                        the monitor: system_reset, set_link, query-*, quit",
            "  -machine q35|pc   -m 256M             RAM from address 0, at most 2G",
            "  -accel qtest                          time moves by clock_step only; without it, with the host's clock",
            "  -netdev socket,fd=N,id=ID             an inherited stream socket: frames, each after its length in 4 bytes",
            "  -netdev hubport,hubid=N,id=ID         a repeater; alone on it, frames are lost",
            "  -device e1000|e1000e|virtio-net-pci|edu|pcie-root-port[,addr=04.0][,bus=ID][,netdev=ID][,mac=MAC][,id=ID]",
            "  -device iommu-testdev[,addr=04.0]     DMA on command, result in a register",
            "  -device intel-iommu[,aw-bits=39|48|57][,intremap=on|off|auto][,eim=on|off|auto][,caching-mode=on]",
            "    [,device-iotlb=on][,scalable-mode=on][,fsts=on][,fs1gp=off][,x-pasid-mode=on][,svm=on]",
            "    [,snoop-control=on][,dma-drain=off][,pt=off]   the remapping unit at 0xfed90000, on q35",
            "",
            "Where QEMU aborts on a malformed command, the answer here is FAIL with a reason.",
            "",
        })
final class QtestCommand implements Callable<Integer> {
    private final Session session;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..*", hidden = true)
    private List<String> words = List.of();

    private QtestCommand(Session session) {
        this.session = session;
    }

    /** The command with a parser that leaves QEMU's options alone. */
    static CommandLine line(Session session) {
        return new CommandLine(new QtestCommand(session))
                .setUnmatchedOptionsArePositionalParams(true)
                .setPosixClusteredShortOptionsAllowed(false)
                .setStopAtPositional(true);
    }

    @Override
    public Integer call() throws IOException {
        try (QtestServer server = new QtestServer(QtestOptions.parse(words), session.version())) {
            server.warnings().forEach(warning -> session.err().println("iolab: " + warning));
            // A client ends QEMU with SIGTERM and takes that for a good end; so it is here, where nothing is left to
            // tidy up.
            Thread onSignal = new Thread(() -> Runtime.getRuntime().halt(ExitCode.DONE), "iolab-qtest-stop");
            Runtime.getRuntime().addShutdownHook(onSignal);
            try {
                server.run();
            } finally {
                forget(onSignal);
            }
        } catch (OptionException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
        }
        return ExitCode.DONE;
    }

    private static void forget(Thread onSignal) {
        try {
            Runtime.getRuntime().removeShutdownHook(onSignal);
        } catch (IllegalStateException e) {
            // The signal has come: the hook runs already.
        }
    }
}
