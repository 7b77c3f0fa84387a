package io.iolab.vmm.remote;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of QEMU's "QTest Protocol", through sockets; the form of replies is that of QEMU 7.2 on the same commands. */
class QtestProtocolTest {
    private Served served;

    @BeforeEach
    void start() throws IOException {
        served = Served.start("-machine", "q35", "-device", "edu,addr=03.0,id=teacher", "-device", "e1000,addr=04.0");
    }

    @AfterEach
    void end() throws IOException {
        served.close();
    }

    private String ask(String command) {
        return served.ask(command);
    }

    private void selectConfig(int device, int register) {
        ask("outl 0xcf8 0x" + Integer.toHexString(0x8000_0000 | device << 11 | register));
    }

    private void placeEdu() {
        selectConfig(3, 0x10);
        ask("outl 0xcfc 0xe0000000");
        selectConfig(3, 0x04);
        ask("outw 0xcfc 0x6");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "endianness | OK little",
                "inb 0x80 | OK 0x00ff",
                "inl 0x80 | OK 0xffffffff",
                "inw 0xcfe | OK 0xffff",
                "outb 0x80 1 | OK",
                "readb 0xd0000000 | OK 0x0000000000000000",
                "readq 0xd0000000 | OK 0x0000000000000000",
                "writel 0xd0000000 5 | OK",
                "readl 0x1000 | OK 0x0000000000000000",
                "write 0x10 0x4 0xab | OK",
                "write 0x10 4 0x | ERR invalid argument size",
                "memset 0x10 0 0 | OK",
                "foo | FAIL Unknown command 'foo'",
                "irq_intercept_in nosuch | FAIL Unknown device",
                "irq_intercept_out teacher | OK",
                "module_load hw- qxl | OK",
            })
    void shouldAnswerAsQemuDoes(String command, String reply) {
        assertThat(ask(command)).isEqualTo(reply);
    }

    /** QEMU ends itself on these. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "read",
                "read 0x0",
                "read 0x0 0",
                "read 0x0 -1",
                "read 0x0 0x7fffffffffffffff",
                "write 0 4",
                "write 0 0 0xab",
                "write 0 1 0xzz",
                "b64read 0 0",
                "b64write 0 4 !!!!",
                "inb 0x10000",
                "outl",
                "readl zero",
                "writel 0x",
                "memset 0 -1 0",
                "memset 0x1000000 0x7000000000 0",
                "set_irq_in ioapic other 1 1",
                "set_irq_in ioapic unnamed-gpio-in 24 1",
                "clock_step -1",
                "clock_set -1",
                "clock_set",
                "readl  0x10"
            })
    void shouldFailOnMalformedCommandsAndLiveOn(String command) {
        assertThat(ask(command)).startsWith("FAIL ");
        assertThat(ask("endianness")).isEqualTo("OK little");
    }

    @Test
    void shouldKeepByteOrderInEveryWidth() {
        ask("writeq 0x2000 0x1122334455667788");
        assertThat(ask("readb 0x2000")).isEqualTo("OK 0x0000000000000088");
        assertThat(ask("readw 0x2000")).isEqualTo("OK 0x0000000000007788");
        assertThat(ask("readl 0x2004")).isEqualTo("OK 0x0000000011223344");
        assertThat(ask("read 0x2000 8")).isEqualTo("OK 0x8877665544332211");
        ask("writeb 0x2001 0x1ff");
        assertThat(ask("readq 0x2000")).isEqualTo("OK 0x112233445566ff88");
    }

    @Test
    void shouldReadNumbersAsCDoes() {
        ask("writel 010 017");
        assertThat(ask("readl 8")).isEqualTo("OK 0x000000000000000f");
    }

    @Test
    void shouldMoveBlocksInBothForms() {
        byte[] block = new byte[200_000];
        new SplittableRandom(1).nextBytes(block);
        served.client().write(0x10_0000, block);
        assertThat(served.client().read(0x10_0000, block.length)).isEqualTo(block);
        assertThat(ask("b64write 0x3000 4 /wAAAQ==")).isEqualTo("OK");
        assertThat(ask("b64read 0x3000 4")).isEqualTo("OK /wAAAQ==");
        assertThat(ask("memset 0x3001 2 0x5a")).isEqualTo("OK");
        assertThat(ask("read 0x3000 0x4")).isEqualTo("OK 0xff5a5a01");
    }

    /** libqos reaches registers by "write ADDR 4" and "read ADDR 4". */
    @Test
    void shouldReachRegistersByBlocksOfTheirWidth() {
        placeEdu();
        assertThat(ask("write 0xe0000004 4 0x01020304")).isEqualTo("OK");
        assertThat(ask("readl 0xe0000004")).isEqualTo("OK 0x00000000fbfcfdfe");
        assertThat(ask("read 0xe0000004 4")).isEqualTo("OK 0xfefdfcfb");
        // PCI Local Bus 3.0 6.2.2: without memory space enabled nothing answers, which reads 0 on these machines.
        selectConfig(3, 0x04);
        ask("outw 0xcfc 0");
        assertThat(ask("read 0xe0000004 4")).isEqualTo("OK 0x00000000");
    }

    @Test
    void shouldReportLinesOnChangeOnlyAndBeforeTheReply() {
        placeEdu();
        ask("writel 0xe0000060 1");
        assertThat(served.client().interrupts()).isEmpty();
        ask("writel 0xe0000064 1");
        assertThat(ask("irq_intercept_in ioapic")).isEqualTo("OK");
        assertThat(ask("irq_intercept_in ioapic")).isEqualTo("OK");
        assertThat(ask("irq_intercept_in teacher")).isEqualTo("FAIL IRQ intercept already enabled");
        ask("writel 0xe0000060 1");
        ask("writel 0xe0000060 2");
        ask("writel 0xe0000064 3");
        // q35: slot 3's INTA# is PIRQ H, GSI 23.
        assertThat(served.client().interrupts()).containsExactly("raise 23", "lower 23");
    }

    @Test
    void shouldDriveInputsByHand() {
        ask("irq_intercept_in ioapic");
        assertThat(ask("set_irq_in ioapic unnamed-gpio-in 5 1")).isEqualTo("OK");
        ask("set_irq_in ioapic unnamed-gpio-in 5 1");
        ask("set_irq_in ioapic unnamed-gpio-in 5 0");
        assertThat(served.client().interrupts()).containsExactly("raise 5", "lower 5");
    }

    @Test
    void shouldLetTimePassOnlyByStepping() {
        placeEdu();
        assertThat(ask("clock_step")).as("nothing is due").isEqualTo("OK 0");
        assertThat(ask("clock_step 1000")).isEqualTo("OK 1000");
        ask("writel 0xe0000088 0x40000");
        ask("writel 0xe0000090 16");
        ask("writel 0xe0000098 1");
        assertThat(ask("clock_step 99999999")).isEqualTo("OK 100000999");
        assertThat(ask("readl 0xe0000098")).isEqualTo("OK 0x0000000000000001");
        assertThat(ask("clock_step")).as("to the end of the transfer").isEqualTo("OK 100001000");
        assertThat(ask("readl 0xe0000098")).isEqualTo("OK 0x0000000000000000");
        assertThat(ask("clock_set 5")).as("never back").isEqualTo("OK 100001000");
        assertThat(ask("clock_set 200000000")).isEqualTo("OK 200000000");
    }

    /** Messages to the interrupt range reach no memory; messages elsewhere are plain writes (PCI Local Bus 3.0 6.8.1). */
    @Test
    void shouldLetMessagesToMemoryLand() {
        placeEdu();
        selectConfig(3, 0x44);
        ask("outl 0xcfc 0x00f00000");
        selectConfig(3, 0x4c);
        ask("outw 0xcfc 0x1007");
        selectConfig(3, 0x40);
        ask("outw 0xcfe 1");
        ask("writel 0xe0000060 1");
        assertThat(ask("readl 0x00f00000")).as("bus mastering is on").isEqualTo("OK 0x0000000000001007");
        selectConfig(3, 0x44);
        ask("outl 0xcfc 0xfee00000");
        assertThat(ask("writel 0xe0000060 1")).isEqualTo("OK");
    }

    @Test
    void shouldSurviveRandomBytes() {
        SplittableRandom random = new SplittableRandom(7);
        String letters = "readwitlqb6mscknu x0123456789abcdef-";
        for (int i = 0; i < 2_000; i++) {
            StringBuilder line = new StringBuilder();
            for (int n = random.nextInt(30); n > 0; n--) {
                line.append(letters.charAt(random.nextInt(letters.length())));
            }
            assertThat(ask(line.toString())).as("seed 7: %s", line).matches("(OK|FAIL|ERR).*");
        }
    }

    @Test
    void shouldEndWhenTheClientLeaves() throws IOException {
        assertThat(served.end()).isEmpty();
    }
}
