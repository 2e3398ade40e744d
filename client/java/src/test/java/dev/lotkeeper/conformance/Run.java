package dev.lotkeeper.conformance;

import com.google.protobuf.Message;
import dev.lotkeeper.Ledger;
import dev.lotkeeper.LotkeeperError;
import dev.lotkeeper.v1.StreamPnLRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One execution of a scenario, from its first step to its last: its names, its streams, its connection. */
final class Run {
    /** What became of a scenario. */
    enum Verdict {
        PASSED("ok  "),
        FAILED("FAIL"),
        SKIPPED("skip");

        final String shown;

        Verdict(String shown) {
            this.shown = shown;
        }
    }

    /** {@code message} says why it failed or was skipped, {@code step} where it failed, from 1. */
    record Outcome(Scenario scenario, Verdict verdict, String message, int step) {}

    private final Servers servers;
    private final Map<String, Object> names = Names.fresh();
    private final Map<String, Followed> streams = new HashMap<>();
    private String address = "";
    private Ledger ledger;

    private Run(Servers servers) {
        this.servers = servers;
    }

    /** Executes a scenario once, under names of its own. */
    static Outcome of(Scenario scenario, Servers servers) {
        Run run = new Run(servers);
        int number = 0;
        try {
            if (scenario.restarts() && servers instanceof Servers.OneAddress) {
                servers.restarted("kill");
            }
            run.connect(servers.serving(scenario.server()));
            for (Map<?, ?> step : scenario.steps()) {
                number++;
                check(run.take(step));
            }
            for (String stream : List.copyOf(run.streams.keySet())) {
                check(run.streams.remove(stream).close());
            }
        } catch (Servers.NotHere reason) {
            return new Outcome(scenario, Verdict.SKIPPED, reason.getMessage(), 0);
        } catch (Unmet failure) {
            return new Outcome(scenario, Verdict.FAILED, failure.getMessage(), number);
        } finally {
            run.end();
        }
        return new Outcome(scenario, Verdict.PASSED, "", 0);
    }

    private static void check(String difference) {
        if (difference != null) {
            throw new Unmet(difference);
        }
    }

    private void connect(String address) {
        if (!address.equals(this.address)) {
            end();
            this.address = address;
            ledger = Ledger.connect(address);
        }
    }

    private void end() {
        streams.values().forEach(Followed::close);
        if (ledger != null) {
            ledger.close();
        }
    }

    private String take(Map<?, ?> written) {
        Map<String, Object> saved = new HashMap<>();
        Map<?, ?> step = (Map<?, ?>) Names.filled(written, names);
        String found =
                switch (Scenario.kind(step)) {
                    case "call" -> call(step, saved);
                    case "calls" -> calls(step, saved);
                    case "open" -> open(step);
                    case "expect" -> stream(step.get("expect")).expect(step, saved);
                    case "close" -> close(step);
                    default -> restart(step);
                };
        names.putAll(saved);
        return found;
    }

    private String call(Map<?, ?> step, Map<String, Object> saved) {
        Object answer;
        try {
            answer = Calls.one(ledger.channel(), Contract.METHODS.get(step.get("call")), Scenario.orEmpty(step, "request"));
        } catch (LotkeeperError refused) {
            return refused(step, refused, saved);
        }
        if (step.containsKey("refusal")) {
            return "refusal: expected " + step.get("refusal") + ", got the answer " + answer;
        }
        return Matching.difference(step.get("answer"), answer, "answer", saved);
    }

    private String calls(Map<?, ?> step, Map<String, Object> saved) {
        List<Object> answers = Collections.synchronizedList(new ArrayList<>());
        try {
            Calls.many(ledger.channel(), Contract.METHODS.get(step.get("calls")), Scenario.items(step, "requests"), answers);
            if (step.containsKey("refusal")) {
                return "refusal: expected " + step.get("refusal") + ", got the answers " + answers;
            }
        } catch (LotkeeperError refused) {
            String found = refused(step, refused, saved);
            if (found != null) {
                return found;
            }
        }
        return Matching.difference(Scenario.items(step, "answers"), List.copyOf(answers), "answers", saved);
    }

    private String open(Map<?, ?> step) {
        String name = (String) step.get("open");
        if (streams.containsKey(name)) {
            return "a stream named " + name + " is open already";
        }
        var method = Contract.METHODS.get(step.get("stream"));
        Message request = Contract.parsed(method, Scenario.orEmpty(step, "request"));
        boolean follow = Boolean.TRUE.equals(step.get("follow"));
        streams.put(
                name, follow ? Followed.resuming(ledger, (StreamPnLRequest) request) : Followed.once(ledger, method, request));
        return null;
    }

    private String close(Map<?, ?> step) {
        Followed stream = stream(step.get("close"));
        streams.values().remove(stream);
        return stream.close();
    }

    private String restart(Map<?, ?> step) {
        connect(servers.restarted((String) step.get("restart")));
        return null;
    }

    private Followed stream(Object name) {
        if (!streams.containsKey(name)) {
            throw new Unmet("no stream named " + name + " is open");
        }
        return streams.get(name);
    }

    private static String refused(Map<?, ?> step, LotkeeperError refused, Map<String, Object> saved) {
        if (!step.containsKey("refusal")) {
            return "expected an answer, was refused: " + Calls.described(refused);
        }
        return Calls.difference(step.get("refusal"), refused, saved);
    }
}
