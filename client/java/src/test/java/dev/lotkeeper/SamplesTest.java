package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lotkeeper.v1.Fill;
import dev.lotkeeper.v1.RecordFillRequest;
import dev.lotkeeper.v1.RecordFillResponse;
import dev.lotkeeper.v1.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each sample as a user runs it, against a real server. */
class SamplesTest {
    private static final int RESTARTS = 20;
    private static final int TRADES_EACH = 3;

    @TempDir
    private Path folder;

    /** The scale-in example. Run again, nothing is counted twice: the trades are those of then, the holding is that of now. */
    @Test
    void recordAndClose() throws Exception {
        try (Sidecar server = Sidecar.start(folder)) {
            String sold = """
                    closed 100 from 50000 at 53000 made 300000
                    closed 20 from 51000 at 53000 made 40000
                    left 30 realized 340000
                    """;
            for (String holding : List.of("holding 150 at 50333.333333333333333333\n", "holding 30 at 51000\n")) {
                assertEquals(holding + sold, printed(0, program("RecordAndClose", server.address())));
            }
        }
    }

    /** What differs is shown, and the exit code says so; the address may stand in the environment. */
    @Test
    void reconcileOnStartup() throws Exception {
        try (Sidecar server = Sidecar.start(folder)) {
            ProcessBuilder program = program("ReconcileOnStartup");
            program.environment().put("LOTKEEPER_ADDRESS", server.address());
            assertEquals("TSLA ledger 0 broker -5\nAAPL ledger 10 broker 4\n", printed(3, program));
        }
    }

    /** Twenty restarts, half of them kills: every closed trade is printed once, in order. */
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void watchPnlSurvivesRestarts() throws Exception {
        try (Sidecar server = Sidecar.start(folder);
                Ledger ledger = Ledger.connect(server.address(), Options.DEFAULTS.timeout(Duration.ofMinutes(1)))) {
            Process watch = program("WatchPnl", server.address()).start();
            try (var lines = watch.inputReader()) {
                String first = lines.readLine();
                assertTrue(first.startsWith("snapshot 0 positions at "), first);
                fill(ledger, Side.SIDE_BUY, 0, "1000");
                List<String> expected = new ArrayList<>();
                for (int restart = 0; restart < RESTARTS; restart++) {
                    for (int trade = 0; trade < TRADES_EACH; trade++) {
                        expected.add(sell(ledger, expected.size() + 1));
                    }
                    if (restart % 2 == 0) {
                        server.kill();
                    } else {
                        server.stop();
                    }
                    server.start();
                }
                expected.add(sell(ledger, expected.size() + 1));

                List<String> closed = new ArrayList<>();
                while (closed.size() < expected.size()) {
                    String line = lines.readLine();
                    if (line.startsWith("closed ")) {
                        closed.add(line);
                    }
                }
                watch.toHandle().destroy(); // of the handle, because that of the process stops listening at once
                lines.lines().filter(line -> line.startsWith("closed ")).forEach(closed::add);
                assertEquals(expected, closed);
            } finally {
                watch.destroyForcibly();
            }
        }
    }

    /** The README shows the samples as they are. */
    @Test
    void theReadmeHasTheSamples() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        for (String sample : List.of("RecordAndClose", "WatchPnl", "ReconcileOnStartup")) {
            String code = Files.readString(Path.of("samples", sample + ".java"));
            assertTrue(readme.contains("```java\n" + code + "```\n"), "README.md does not show " + sample + ".java as it is");
        }
    }

    private static String sell(Ledger ledger, int number) {
        RecordFillResponse sold = fill(ledger, Side.SIDE_SELL, number, "1");
        return "closed " + sold.getClosedTrades(0).getTradeId() + " BTC-USD 1 made " + number;
    }

    private static RecordFillResponse fill(Ledger ledger, Side side, int number, String quantity) {
        return ledger.recordFill(RecordFillRequest.newBuilder()
                .setFill(Fill.newBuilder()
                        .setSymbol("BTC-USD")
                        .setSide(side)
                        .setQuantity(quantity)
                        .setPrice(Decimals.text(100 + number))
                        .setFillId("F-" + number))
                .build());
    }

    private static ProcessBuilder program(String sample, String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), sample));
        command.addAll(List.of(arguments));
        ProcessBuilder program = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        Map<String, String> environment = program.environment();
        environment.put("CLASSPATH", System.getProperty("java.class.path"));
        return program;
    }

    private static String printed(int code, ProcessBuilder program) throws Exception {
        Process process = program.start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(code, process.waitFor(), said);
        return said;
    }
}
