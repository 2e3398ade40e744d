package dev.lotkeeper.conformance;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.lotkeeper.Ledger;
import dev.lotkeeper.LotkeeperError;
import dev.lotkeeper.PnLEvent;
import dev.lotkeeper.PnLStream;
import dev.lotkeeper.v1.Heartbeat;
import dev.lotkeeper.v1.PnLSnapshot;
import dev.lotkeeper.v1.PnLUpdate;
import dev.lotkeeper.v1.StreamPnLRequest;
import dev.lotkeeper.v1.StreamPnLResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A stream that a scenario follows: facts in queues, values at their newest, read only as far as a step needs.
 *
 * <p>How facts are spread over updates is the server's choice, and values may be folded; therefore a step says which facts come
 * next, or what a position becomes, and never which message it comes in.
 */
final class Followed {
    private final BlockingQueue<Object> arrived = new LinkedBlockingQueue<>(); // messages as maps, and the error at the end
    private final Map<String, Deque<Object>> facts = new HashMap<>();
    private final TreeSet<String> expected = new TreeSet<>();
    private final Map<List<Object>, Object> positions = new LinkedHashMap<>();
    private final Map<List<Object>, Object> groups = new LinkedHashMap<>();
    private final Runnable end;
    private Map<String, Object> last = Map.of();

    private Followed(Runnable end) {
        this.end = end;
        Scenario.FACTS.forEach(kind -> facts.put(kind, new ArrayDeque<>()));
    }

    /** A stream of one connection. */
    static Followed once(Ledger ledger, MethodDescriptor<Message, Message> method, Message request) {
        ClientCall<Message, Message> call = ledger.channel().newCall(method, CallOptions.DEFAULT.withWaitForReady());
        Followed followed = new Followed(() -> call.cancel("the scenario has enough", null));
        followed.read(() -> ClientCalls.blockingServerStreamingCall(call, request)
                .forEachRemaining(message -> followed.arrived.add(Contract.written(message))));
        return followed;
    }

    /** The client's own stream, which goes on after a lost connection. */
    static Followed resuming(Ledger ledger, StreamPnLRequest request) {
        PnLStream stream = ledger.streamPnL(request);
        Followed followed = new Followed(stream::close);
        followed.read(() -> stream.forEachRemaining(event -> {
            if (!(event instanceof PnLEvent.Disconnected)) {
                followed.arrived.add(Contract.written(message(event)));
            }
        }));
        return followed;
    }

    /** Reads until a step is met; the first difference, or null. */
    String expect(Map<?, ?> step, Map<String, Object> saved) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Calls.SECONDS);
        String kind = Scenario.LOOKED_FOR.stream().filter(step::containsKey).findFirst().orElseThrow();
        Object wanted = step.get(kind);
        String found =
                switch (kind) {
                    case "snapshot" -> snapshot(wanted, until, saved);
                    case "facts" -> facts((Map<?, ?>) wanted, until, saved);
                    case "position" -> value(kind, positions.values(), wanted, until, saved);
                    case "group" -> value(kind, groups.values(), wanted, until, saved);
                    case "heartbeat" -> heartbeat(until);
                    default -> refusal(wanted, until, saved);
                };
        Map<Object, Object> beside = new LinkedHashMap<>(step);
        beside.keySet().retainAll(List.of("sequence", "ledger_id"));
        return found == null ? Matching.difference(beside, last, "message", saved) : found;
    }

    /** Ends it; what is left that should not be, in words, or null. */
    String close() {
        end.run();
        for (Object late; (late = arrived.poll()) != null; ) {
            if (late instanceof Map) {
                taken(late);
            }
        }
        for (String kind : expected) {
            if (!facts.get(kind).isEmpty()) {
                return kind + ": not expected, but came: " + facts.get(kind);
            }
        }
        return null;
    }

    private void read(Runnable messages) {
        Thread reader = new Thread(() -> {
            try {
                messages.run();
                arrived.add(new Unmet("the stream ended"));
            } catch (StatusRuntimeException refused) {
                arrived.add(LotkeeperError.of(refused));
            } catch (RuntimeException failed) {
                arrived.add(failed);
            }
        });
        reader.setDaemon(true);
        reader.start();
    }

    private static StreamPnLResponse message(PnLEvent event) {
        PnLEvent.Place place = event.place();
        StreamPnLResponse.Builder message = StreamPnLResponse.newBuilder()
                .setSequence(place.sequence())
                .setLedgerId(place.ledgerId())
                .setEmitTime(Timestamp.newBuilder()
                        .setSeconds(place.emitTime().getEpochSecond())
                        .setNanos(place.emitTime().getNano()));
        if (event instanceof PnLEvent.Snapshot snapshot) {
            message.setSnapshot(PnLSnapshot.newBuilder()
                    .addAllPositions(snapshot.positions())
                    .addAllTotals(snapshot.totals())
                    .addAllGroups(snapshot.groups()));
        } else if (event instanceof PnLEvent.Update update) {
            message.setUpdate(PnLUpdate.newBuilder()
                    .addAllPositions(update.positions())
                    .addAllTotals(update.totals())
                    .addAllClosedTrades(update.closedTrades())
                    .addAllOpenedEntries(update.openedEntries())
                    .addAllRestatedTrades(update.restatedTrades())
                    .addAllGroups(update.groups())
                    .setConflatedCount(update.conflatedCount()));
        } else {
            message.setHeartbeat(Heartbeat.getDefaultInstance());
        }
        return message.build();
    }

    private String snapshot(Object wanted, long until, Map<String, Object> saved) {
        Map<String, List<Object>> whole = new LinkedHashMap<>();
        List.of("positions", "totals", "groups").forEach(name -> whole.put(name, new ArrayList<>()));
        while (true) {
            if (next(until, "a snapshot").get("snapshot") instanceof Map<?, ?> part) {
                whole.forEach((name, items) -> items.addAll((List<?>) part.get(name)));
                if (part.get("more").equals(false)) {
                    return Matching.difference(wanted, whole, "snapshot", saved);
                }
            }
        }
    }

    private String facts(Map<?, ?> wanted, long until, Map<String, Object> saved) {
        Map<String, List<Object>> taken = new LinkedHashMap<>();
        wanted.forEach((kind, items) -> {
            Deque<Object> queue = facts.get(kind);
            expected.add((String) kind);
            int count = ((List<?>) items).size();
            while (queue.size() < count) {
                next(until, count + " of " + kind + ", of which " + queue.size() + " came");
            }
            taken.put((String) kind, new ArrayList<>());
        });
        taken.forEach((kind, items) -> {
            for (int count = ((List<?>) wanted.get(kind)).size(); count > 0; count--) {
                items.add(facts.get(kind).removeFirst());
            }
        });
        return Matching.difference(wanted, taken, "facts", saved);
    }

    private String value(String kind, Collection<Object> newest, Object wanted, long until, Map<String, Object> saved) {
        while (true) {
            for (Object value : newest) {
                Map<String, Object> met = new HashMap<>();
                if (Matching.difference(wanted, value, kind, met) == null) {
                    saved.putAll(met);
                    return null;
                }
            }
            next(until, "a " + kind + " like " + wanted + "; the newest are " + newest);
        }
    }

    private String heartbeat(long until) {
        Map<String, Object> message;
        do {
            message = next(until, "a heartbeat");
        } while (!message.containsKey("heartbeat"));
        return null;
    }

    private String refusal(Object wanted, long until, Map<String, Object> saved) {
        while (true) {
            if (take(until, "a refusal") instanceof LotkeeperError refused) {
                return Calls.difference(wanted, refused, saved);
            }
        }
    }

    private Map<String, Object> next(long until, String awaited) {
        Object message = take(until, awaited);
        if (message instanceof RuntimeException ended) {
            throw new Unmet("the stream ended with " + ended.getMessage() + " before " + awaited);
        }
        return taken(message);
    }

    @SuppressWarnings("unchecked") // what arrives and is no error is a message
    private Map<String, Object> taken(Object message) {
        last = (Map<String, Object>) message;
        Object state = last.containsKey("snapshot") ? last.get("snapshot") : last.get("update");
        if (state instanceof Map<?, ?> content) {
            keep(content, "positions", List.of("portfolio_id", "symbol", "book_side"), positions);
            keep(content, "groups", List.of("portfolio_id", "group_id", "currency"), groups);
            facts.forEach((kind, queue) -> queue.addAll(Scenario.items(content, kind)));
        }
        return last;
    }

    private static void keep(Map<?, ?> content, String name, List<String> keys, Map<List<Object>, Object> newest) {
        for (Object item : Scenario.items(content, name)) {
            newest.put(keys.stream().<Object>map(((Map<?, ?>) item)::get).toList(), item);
        }
    }

    private Object take(long until, String awaited) {
        Object message;
        try {
            message = arrived.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            throw new Unmet("interrupted while waiting for " + awaited);
        }
        if (message == null) {
            throw new Unmet("waited " + Calls.SECONDS + " s for " + awaited);
        }
        return message;
    }
}
