package dev.lotkeeper.conformance;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import dev.lotkeeper.conformance.Run.Outcome;
import dev.lotkeeper.conformance.Run.Verdict;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The runner: executes the conformance scenarios through this client, prints a line for each, and a summary in JSON. Exit code 0
 * when nothing failed, 1 when something did or nothing passed, 2 when a file or an argument is wrong.
 */
public final class Conformance {
    private static final int WRONG = 2;
    private static final String USAGE =
            "usage: conformance (--address HOST:PORT | --harness) [--scenarios FOLDER] [--only WORDS] [--json]";
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private Conformance() {}

    /** The command line. */
    public static void main(String[] arguments) {
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        int code;
        try {
            code = run(List.of(arguments), output);
        } catch (BadScenario | IllegalArgumentException wrong) {
            System.err.println("conformance: " + wrong.getMessage());
            code = WRONG;
        }
        System.exit(code);
    }

    private static int run(List<String> arguments, PrintStream output) {
        String address = null;
        Path folder = Path.of("..", "..", "tests", "conformance");
        String only = "";
        boolean json = false;
        boolean harness = false;
        for (var words = arguments.iterator(); words.hasNext(); ) {
            String word = words.next();
            switch (word) {
                case "--json" -> json = true;
                case "--harness" -> harness = true;
                case "--address", "--scenarios", "--only" -> {
                    if (!words.hasNext()) {
                        throw new IllegalArgumentException(word + " wants a value; " + USAGE);
                    }
                    String value = words.next();
                    switch (word) {
                        case "--address" -> address = value;
                        case "--scenarios" -> folder = Path.of(value);
                        default -> only = value;
                    }
                }
                default -> throw new IllegalArgumentException(word + " is no argument; " + USAGE);
            }
        }
        if (harness == (address != null)) {
            throw new IllegalArgumentException("one of --address and --harness is required; " + USAGE);
        }
        List<Scenario> scenarios = Scenario.loaded(folder);
        Servers servers = harness
                ? new Servers.Harness(output, new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)))
                : new Servers.OneAddress(address);
        List<Outcome> outcomes = new ArrayList<>();
        for (Scenario scenario : scenarios) {
            if (!scenario.name().contains(only) && !scenario.theme().contains(only)) {
                continue;
            }
            Outcome outcome = Run.of(scenario, servers);
            outcomes.add(outcome);
            if (!json) {
                output.println(line(outcome));
            }
        }
        output.println(summary(outcomes));
        return of(outcomes, Verdict.FAILED).isEmpty() && !of(outcomes, Verdict.PASSED).isEmpty() ? 0 : 1;
    }

    private static String line(Outcome outcome) {
        String line = outcome.verdict().shown + " " + outcome.scenario().name();
        if (outcome.message().isEmpty()) {
            return line;
        }
        return line + ": " + (outcome.step() > 0 ? "step " + outcome.step() + ", " : "") + outcome.message();
    }

    private static String summary(List<Outcome> outcomes) {
        Map<String, Object> summary = new LinkedHashMap<>();
        for (Verdict verdict : Verdict.values()) {
            summary.put(verdict.name().toLowerCase(java.util.Locale.ROOT), of(outcomes, verdict).size());
        }
        summary.put(
                "failures",
                of(outcomes, Verdict.FAILED).stream()
                        .map(each -> ordered("name", each.scenario().name(), "step", each.step(), "message", each.message()))
                        .toList());
        summary.put(
                "skips",
                of(outcomes, Verdict.SKIPPED).stream()
                        .map(each -> ordered("name", each.scenario().name(), "reason", each.message()))
                        .toList());
        return GSON.toJson(summary);
    }

    private static List<Outcome> of(List<Outcome> outcomes, Verdict verdict) {
        return outcomes.stream().filter(outcome -> outcome.verdict() == verdict).toList();
    }

    private static Map<String, Object> ordered(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int index = 0; index < pairs.length; index += 2) {
            map.put((String) pairs[index], pairs[index + 1]);
        }
        return map;
    }
}
