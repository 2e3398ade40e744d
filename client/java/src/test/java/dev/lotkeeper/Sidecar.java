package dev.lotkeeper;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * A real {@code lotkeeper serve} in a process of its own, as a user starts it. {@code LOTKEEPER_SERVER} is the command, such as
 * {@code python -m lotkeeperd}; without it a test is skipped, and fails where {@code LOTKEEPER_DEMAND_ALL} is 1.
 */
final class Sidecar implements AutoCloseable {
    private static final int START_SECONDS = 60;
    private static final int STOP_SECONDS = 30;
    private static final Pattern READY = Pattern.compile("lotkeeper ready: listening on (\\S+), .*");

    private final Path folder;
    private String address;
    private Process process; // null while it does not run

    private Sidecar(Path folder, String listen) {
        this.folder = folder;
        this.address = listen;
    }

    /** One that is ready, with a database of its own in {@code folder}. */
    static Sidecar start(Path folder) {
        return at(folder, "127.0.0.1:0").start();
    }

    /** One that is still to be started, at an address of the test's choice. */
    static Sidecar at(Path folder, String listen) {
        return new Sidecar(folder, listen);
    }

    /** Where to connect to; the same after a restart. */
    String address() {
        return address;
    }

    /** Starts it, at the address it had, and waits until it is ready. */
    Sidecar start() {
        List<String> command = new ArrayList<>(server());
        command.addAll(List.of("serve", "--listen", address, "--database", folder.resolve("ledger.db").toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeIf(name -> name.startsWith("LOTKEEPER_"));
        try {
            process = builder.start();
        } catch (IOException missing) {
            throw new AssertionError("LOTKEEPER_SERVER: " + missing.getMessage(), missing);
        }
        BufferedReader output = process.inputReader();
        String line = firstLine(output);
        Matcher ready = READY.matcher(line);
        if (!ready.matches()) {
            process.destroyForcibly();
            throw new AssertionError("the server did not start; it said \"" + line + "\"");
        }
        address = ready.group(1);
        return this;
    }

    /** SIGKILL, and waits. */
    void kill() {
        end(process.destroyForcibly());
    }

    /** SIGTERM, and waits until it has drained. */
    void stop() {
        process.destroy();
        end(process);
    }

    @Override
    public void close() {
        if (process != null) {
            kill();
        }
    }

    static List<String> server() {
        String command = System.getenv().getOrDefault("LOTKEEPER_SERVER", "").strip();
        if (command.isEmpty()) {
            String reason = "LOTKEEPER_SERVER is not set; it names the command of a real server, such as python -m lotkeeperd";
            Assertions.assertNotEquals("1", System.getenv("LOTKEEPER_DEMAND_ALL"), reason);
            Assumptions.abort(reason);
        }
        return List.of(command.split("\\s+"));
    }

    private String firstLine(BufferedReader output) {
        CompletableFuture<String> first = CompletableFuture.supplyAsync(() -> {
            try {
                return String.valueOf(output.readLine());
            } catch (IOException broken) {
                return broken.toString();
            }
        });
        try {
            String line = first.get(START_SECONDS, TimeUnit.SECONDS);
            CompletableFuture.runAsync(() -> discard(output));
            return line;
        } catch (TimeoutException | InterruptedException | ExecutionException late) {
            return "nothing within " + START_SECONDS + " s";
        }
    }

    private static void discard(BufferedReader output) {
        try (output) {
            output.transferTo(java.io.Writer.nullWriter());
        } catch (IOException ended) {
            // it was killed
        }
    }

    private void end(Process ending) {
        process = null;
        try {
            if (!ending.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                ending.destroyForcibly();
                throw new AssertionError("the server did not end within " + STOP_SECONDS + " s");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while the server ended", interrupted);
        }
    }
}
