package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The runner as a program, against a real server. Those scenarios that need a harness run where there is one. */
class ConformanceTest {
    private static final Path SCENARIOS = Path.of("..", "..", "tests", "conformance");

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void everyScenarioThatNeedsNoHarness() throws Exception {
        Assumptions.assumeTrue(Files.isDirectory(SCENARIOS), "there is no tests/conformance beside this client");
        try (Sidecar server = Sidecar.start(folder)) {
            String said = run(0, "--address", server.address());
            assertTrue(said.contains("\"failed\":0"), said);
        }
    }

    /** A scenario with a field that the contract does not have is refused before the first call. */
    @Test
    void aScenarioThatIsNotWellFormed() throws Exception {
        Files.writeString(
                folder.resolve("wrong.yaml"),
                """
                - name: A field that nobody has
                  steps:
                    - call: LedgerService.GetSummary
                      request: {portfolio: $portfolio}
                      answer: {}
                """);
        String said = run(2, "--address", "127.0.0.1:1", "--scenarios", folder.toString());
        assertTrue(said.contains("request.portfolio: GetSummaryRequest has no such field"), said);
        run(2, "--address");
    }

    private static String run(int code, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.lotkeeper.conformance.Conformance"));
        command.addAll(List.of(arguments));
        Process runner = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(runner.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(code, runner.waitFor(), said);
        return said;
    }
}
