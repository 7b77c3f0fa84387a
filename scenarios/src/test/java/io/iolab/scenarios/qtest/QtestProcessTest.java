package io.iolab.scenarios.qtest;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.remote.QtestClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command as a process: how it begins and ends. */
class QtestProcessTest {
    private static final List<String> MACHINE =
            List.of("-machine", "q35", "-m", "16M", "-accel", "qtest", "-device", "edu,colour=red");

    @TempDir
    private Path folder;

    private QtestClient start(List<String> machine) throws IOException {
        return QtestClient.start(
                List.of(Programs.ourServer().split(" ")),
                machine,
                ProcessBuilder.Redirect.to(folder.resolve("errors").toFile()));
    }

    private static int status(QtestClient client) throws InterruptedException {
        Process process = Objects.requireNonNull(client.process());
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @Test
    void shouldEndWellOnSigtermAndSayWhatItIgnored() throws Exception {
        QtestClient client = start(MACHINE);
        assertThat(client.load32(0x1000)).isZero();
        Objects.requireNonNull(client.process()).destroy();
        assertThat(status(client)).isZero();
        client.close();
        assertThat(Files.readString(folder.resolve("errors")))
                .isEqualTo("iolab: -device edu: property colour is not known here, ignored\n");
    }

    @Test
    void shouldEndWellWhenAskedTo() throws Exception {
        QtestClient client = start(MACHINE);
        client.monitor("quit", "{}");
        assertThat(status(client)).isZero();
        client.close();
    }
}
