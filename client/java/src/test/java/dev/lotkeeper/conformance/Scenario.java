package dev.lotkeeper.conformance;

import com.google.protobuf.Message;
import dev.lotkeeper.v1.GroupPnL;
import dev.lotkeeper.v1.PnLSnapshot;
import dev.lotkeeper.v1.PnLUpdate;
import dev.lotkeeper.v1.Position;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;

/**
 * One scenario, read and checked: what a runner executes is known to be well formed before the first call.
 *
 * @param theme its file's name
 * @param server the settings its server needs
 */
record Scenario(String theme, String name, Map<?, ?> server, List<Map<?, ?>> steps) {
    /** Kinds of facts in an update of StreamPnL. */
    static final List<String> FACTS = List.of("closed_trades", "opened_entries", "restated_trades");

    /** What an {@code expect} step may expect, one of them. */
    static final List<String> LOOKED_FOR = List.of("snapshot", "facts", "position", "group", "heartbeat", "refusal");

    private static final String MEASURED = "measured: ";
    private static final Set<String> KEYS = Set.of("name", "covers", "server", "steps");
    private static final Set<String> REFUSAL_KEYS = Set.of("code", "reason", "metadata", "violations", "retry");
    private static final Map<String, Set<String>> STEPS = Map.of(
            "call", Set.of("call", "request", "answer", "refusal"),
            "calls", Set.of("calls", "requests", "answers", "refusal"),
            "open", Set.of("open", "stream", "request", "follow"),
            "expect",
                    Set.of("expect", "sequence", "ledger_id", "snapshot", "facts", "position", "group", "heartbeat", "refusal"),
            "close", Set.of("close"),
            "restart", Set.of("restart"));
    private static final Map<String, Message> EXPECTED = Map.of(
            "snapshot", PnLSnapshot.getDefaultInstance(),
            "facts", PnLUpdate.getDefaultInstance(),
            "position", Position.getDefaultInstance(),
            "group", GroupPnL.getDefaultInstance());

    /** Whether its server is restarted in between. */
    boolean restarts() {
        return steps.stream().anyMatch(step -> step.containsKey("restart"));
    }

    /** What a step does: {@code call}, {@code expect} and so on. */
    static String kind(Map<?, ?> step) {
        return STEPS.keySet().stream().filter(step::containsKey).findFirst().orElse("");
    }

    /**
     * Every scenario of the {@code *.yaml} files of a folder, in the order of the files' names.
     *
     * @throws BadScenario there is no file, or one of them is not as the README beside them says
     */
    static List<Scenario> loaded(Path folder) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*.yaml")) {
            found.forEach(files::add);
        } catch (IOException unreadable) {
            throw new BadScenario(folder + ": " + unreadable);
        }
        if (files.isEmpty()) {
            throw new BadScenario(folder + ": there is no *.yaml file in it");
        }
        List<Scenario> scenarios = files.stream().sorted().flatMap(Scenario::of).toList();
        Set<String> seen = new HashSet<>();
        for (Scenario scenario : scenarios) {
            check(seen.add(scenario.name), scenario.theme + ".yaml", "two scenarios are named \"" + scenario.name + "\"");
        }
        return scenarios;
    }

    private static Stream<Scenario> of(Path file) {
        String name = file.getFileName().toString();
        Object content;
        try {
            String text = Files.readString(file);
            LoaderOptions options = new LoaderOptions();
            options.setAllowDuplicateKeys(false);
            Yaml yaml = new Yaml(new SafeConstructor(options));
            for (Event event : yaml.parse(new StringReader(text))) {
                check(isPlain(event), name, "anchors, aliases and tags are not used in scenarios: write it out");
            }
            content = yaml.load(text);
        } catch (IOException | YAMLException unreadable) {
            throw new BadScenario(name + ": not YAML: " + unreadable.getMessage());
        }
        check(content instanceof List, name, "a list of scenarios is required");
        return ((List<?>) content).stream().map(one -> one(name, one));
    }

    private static boolean isPlain(Event event) {
        boolean named = event instanceof AliasEvent || event instanceof NodeEvent node && node.getAnchor() != null;
        boolean tagged = event instanceof ScalarEvent scalar && scalar.getTag() != null
                || event instanceof CollectionStartEvent start && start.getTag() != null;
        return !named && !tagged;
    }

    @SuppressWarnings("unchecked") // each step is checked to be a map
    private static Scenario one(String file, Object content) {
        Map<?, ?> map = only(file, content, KEYS);
        Object name = map.get("name");
        check(name instanceof String text && !text.isEmpty(), file, "a name is required");
        String where = file + ", \"" + name + "\"";
        check(map.get("steps") instanceof List<?> steps && !steps.isEmpty(), where, "steps are required");
        plain(where, map);
        for (Object covered : map.get("covers") instanceof List<?> covers ? covers : List.of()) {
            String text = String.valueOf(covered);
            boolean known = Contract.METHODS.containsKey(text) || Contract.REASONS.contains(text) || text.startsWith(MEASURED);
            check(known, where, "covers " + text + ": neither an RPC, a reason nor " + MEASURED + "...");
        }
        List<Map<?, ?>> steps = (List<Map<?, ?>>) map.get("steps");
        Set<String> known = new HashSet<>(Names.fresh().keySet());
        for (int number = 0; number < steps.size(); number++) {
            step(where + ", step " + (number + 1), steps.get(number), known);
        }
        Map<?, ?> server = map.get("server") instanceof Map<?, ?> settings ? settings : Map.of();
        return new Scenario(file.replace(".yaml", ""), (String) name, server, steps);
    }

    /** Only what every language's YAML reader reads alike: no dates, no fractions, text for keys. */
    private static void plain(String where, Object value) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, part) -> {
                check(key instanceof String, where, "key " + key + ": put it in quotes");
                plain(where, part);
            });
        } else if (value instanceof List<?> list) {
            list.forEach(part -> plain(where, part));
        } else {
            boolean known = value == null || value instanceof String || value instanceof Boolean || value instanceof Integer
                    || value instanceof Long;
            check(known, where, value + ": put decimals and times in quotes");
        }
    }

    private static void step(String where, Object content, Set<String> known) {
        check(content instanceof Map, where, "a map is required, not " + content);
        Map<?, ?> step = (Map<?, ?>) content;
        String kind = kind(step);
        check(!kind.isEmpty(), where, step.keySet() + ": begins with none of " + STEPS.keySet());
        only(where, step, STEPS.get(kind));
        switch (kind) {
            case "call" -> call(where, step);
            case "calls" -> calls(where, step);
            case "open" -> open(where, step);
            case "expect" -> expect(where, step);
            case "close" -> check(step.get("close") instanceof String, where, "the name of a stream is required");
            default -> check(Set.of("kill", "stop").contains(step.get("restart")), where, "restart: kill or stop");
        }
        for (String name : Names.used(step)) {
            check(known.contains(name), where, "$" + name + ": no step before this one has saved it");
        }
        addSaved(step, known);
        if (step.containsKey("refusal")) {
            refusal(where, step.get("refusal"));
        }
    }

    private static void call(String where, Map<?, ?> step) {
        var method = method(where, step.get("call"));
        check(method.getType() == MethodDescriptor.MethodType.UNARY, where, "a stream: use calls, or open and expect");
        check(step.containsKey("answer") != step.containsKey("refusal"), where, "one of answer and refusal is required");
        fits(where, Contract.wrongInRequest(Contract.request(method), orEmpty(step, "request"), "request"));
        fits(where, Contract.wrongInAnswer(Contract.answer(method), orEmpty(step, "answer"), "answer"));
    }

    private static void calls(String where, Map<?, ?> step) {
        var method = method(where, step.get("calls"));
        check(!method.getType().clientSendsOneMessage(), where, "it takes one message: use call, or open and expect");
        check(step.containsKey("answers") || step.containsKey("refusal"), where, "answers, refusal or both are required");
        for (Object request : items(step, "requests")) {
            fits(where, Contract.wrongInRequest(Contract.request(method), request, "requests"));
        }
        for (Object answer : items(step, "answers")) {
            fits(where, Contract.wrongInAnswer(Contract.answer(method), answer, "answers"));
        }
    }

    private static void open(String where, Map<?, ?> step) {
        var method = method(where, step.get("stream"));
        boolean stream = method.getType() == MethodDescriptor.MethodType.SERVER_STREAMING;
        check(stream, where, step.get("stream") + " does not answer one request with many messages");
        fits(where, Contract.wrongInRequest(Contract.request(method), orEmpty(step, "request"), "request"));
    }

    private static void expect(String where, Map<?, ?> step) {
        List<String> asked = LOOKED_FOR.stream().filter(step::containsKey).toList();
        check(asked.size() == 1, where, "one of " + LOOKED_FOR + " is required");
        String kind = asked.get(0);
        if (EXPECTED.containsKey(kind)) {
            fits(where, Contract.wrongInAnswer(EXPECTED.get(kind), step.get(kind), kind));
        }
        boolean known = !kind.equals("facts") || FACTS.containsAll(((Map<?, ?>) step.get(kind)).keySet());
        check(known, where, "facts are " + FACTS);
    }

    private static void refusal(String where, Object content) {
        Map<?, ?> refusal = only(where, content, REFUSAL_KEYS);
        boolean known = Stream.of(Status.Code.values()).anyMatch(code -> code.name().equals(refusal.get("code")));
        check(known, where, "refusal.code: " + refusal.get("code") + " is no status code");
        Object reason = refusal.get("reason");
        check(reason == null || Contract.REASONS.contains(reason), where, "refusal.reason: " + reason + " is none of the contract's");
    }

    private static MethodDescriptor<Message, Message> method(String where, Object name) {
        var method = Contract.METHODS.get(String.valueOf(name));
        check(method != null, where, "there is no RPC " + name + "; there are " + Contract.METHODS.keySet());
        return method;
    }

    /** The items of a step's list; none when it has no such list. */
    static List<?> items(Map<?, ?> step, String key) {
        return step.get(key) instanceof List<?> list ? list : List.of();
    }

    /** A step's map; an empty one when it has none. */
    static Object orEmpty(Map<?, ?> step, String key) {
        return step.containsKey(key) ? step.get(key) : Map.of();
    }

    private static void addSaved(Object value, Set<String> saved) {
        if (value instanceof Map<?, ?> map) {
            if (map.size() == 1 && map.get("save") instanceof String name) {
                saved.add(name);
            }
            map.values().forEach(part -> addSaved(part, saved));
        } else if (value instanceof List<?> list) {
            list.forEach(part -> addSaved(part, saved));
        }
    }

    private static Map<?, ?> only(String where, Object content, Set<String> allowed) {
        check(content instanceof Map, where, "a map is required, not " + content);
        for (Object key : ((Map<?, ?>) content).keySet()) {
            check(allowed.contains(key), where, "there is no key " + key + " here; there are " + allowed);
        }
        return (Map<?, ?>) content;
    }

    private static void fits(String where, String problem) {
        check(problem == null, where, problem);
    }

    private static void check(boolean holds, String where, String otherwise) {
        if (!holds) {
            throw new BadScenario(where + ": " + otherwise);
        }
    }
}
