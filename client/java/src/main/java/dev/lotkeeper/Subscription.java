package dev.lotkeeper;

import dev.lotkeeper.v1.PnLSnapshot;
import dev.lotkeeper.v1.PnLUpdate;
import dev.lotkeeper.v1.StreamPnLRequest;
import dev.lotkeeper.v1.StreamPnLResponse;
import io.grpc.Status.Code;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A P&amp;L stream that outlives its connections: what to ask for next, and which facts are new. No I/O.
 *
 * <p>A connection may break between any two messages, also between the parts of a snapshot and in the middle of a long close,
 * whose closed trades come in several messages. Laws kept here:
 *
 * <ol>
 *   <li>Every fact is delivered once, in order: closed trades, opened entries, restated trades. ({@link Delivered} keeps it.)
 *   <li>A snapshot is delivered whole or not at all.
 *   <li>Before the first whole snapshot there is nothing to resume: start again, without a sequence.
 *   <li>A sequence belongs to one ledger. Another one's ends the stream: the facts delivered are not of its history.
 * </ol>
 */
final class Subscription {
    private static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(5); // the server's when none is asked for
    private static final int SILENT_HEARTBEATS = 3; // missed, and the connection counts as lost
    private static final Duration SHORTEST_SILENCE = Duration.ofSeconds(1); // a busy machine is late by less

    /** How long nothing may come. */
    final Duration silenceLimit;

    private final StreamPnLRequest asked;
    private final Delivered delivered;
    private boolean resumable;
    private long sequence;
    private String ledgerId;
    private List<PnLSnapshot> parts = new ArrayList<>();
    private PnLEvent latest; // null when none came since the last loss

    Subscription(StreamPnLRequest asked) {
        if (asked.hasAfterSequence() == asked.getLedgerId().isEmpty()) {
            throw new IllegalArgumentException(
                    "streamPnL: after_sequence=" + (asked.hasAfterSequence() ? asked.getAfterSequence() : "none")
                            + " with ledger_id=\"" + asked.getLedgerId() + "\": a sequence counts in one ledger only; pass both, "
                            + "as the last event had them, or neither");
        }
        this.asked = asked;
        resumable = asked.hasAfterSequence();
        sequence = asked.getAfterSequence();
        ledgerId = asked.getLedgerId();
        delivered = new Delivered(sequence);
        Duration heartbeat = Times.java(asked.getHeartbeatInterval());
        Duration interval = heartbeat.isZero() || heartbeat.isNegative() ? HEARTBEAT_INTERVAL : heartbeat;
        // While news waits for its interval to pass there is no heartbeat either.
        interval = longest(interval, Times.java(asked.getMinUpdateInterval()));
        silenceLimit = longest(interval.multipliedBy(SILENT_HEARTBEATS), SHORTEST_SILENCE);
    }

    /** What to ask for on a new connection. */
    StreamPnLRequest request() {
        parts = new ArrayList<>();
        return resumable ? asked.toBuilder().setAfterSequence(sequence).setLedgerId(ledgerId).build() : asked;
    }

    /**
     * The event that a message completes; empty for a part of a snapshot, or a kind this client does not know yet.
     *
     * @throws Errors.LedgerReplaced it is of another ledger than the events before (law 4)
     */
    Optional<PnLEvent> take(StreamPnLResponse message, Instant now) {
        checkLedger(message);
        Optional<PnLEvent> event = event(message, place(message, now));
        event.ifPresent(this::passed);
        return event;
    }

    /**
     * The event that tells of a connection lost to {@code broken}; empty if no event came since the last one.
     *
     * @throws LotkeeperError {@code broken} itself, when a new connection would not help
     */
    Optional<PnLEvent> lost(LotkeeperError broken, Instant now) {
        // CANCELLED is no answer: gRPC ends so what reaches a server in the moment that it shuts down.
        if (!broken.isRetryable() && broken.code() != Code.CANCELLED) {
            throw broken;
        }
        if (latest == null) {
            return Optional.empty();
        }
        PnLEvent.Place last = latest.place();
        latest = null;
        Duration lag = Duration.between(last.emitTime(), now);
        return Optional.of(new PnLEvent.Disconnected(
                new PnLEvent.Place(last.sequence(), last.ledgerId(), last.emitTime(), lag), broken));
    }

    /** The error of a connection on which nothing came for the silence limit. */
    LotkeeperError silent() {
        return LotkeeperError.found(
                Code.UNAVAILABLE,
                "StreamPnL: not even a heartbeat for " + Ledger.seconds(silenceLimit) + "; connecting anew");
    }

    /** The error of a connection that the server ended without one: a stream has no end of its own. */
    LotkeeperError ended() {
        return LotkeeperError.found(Code.UNAVAILABLE, "StreamPnL: the server ended the stream; connecting anew");
    }

    private void checkLedger(StreamPnLResponse message) {
        if (resumable && !message.getLedgerId().equals(ledgerId)) {
            throw Errors.of(new LotkeeperError.Details(
                    Code.FAILED_PRECONDITION,
                    "the stream was of ledger " + ledgerId + " and is now of " + message.getLedgerId()
                            + ": drop what was collected and start a new stream",
                    "LEDGER_REPLACED",
                    Map.of("ledger_id", message.getLedgerId())));
        }
    }

    private Optional<PnLEvent> event(StreamPnLResponse message, PnLEvent.Place place) {
        return switch (message.getEventCase()) {
            case SNAPSHOT -> snapshot(message.getSnapshot(), place);
            case UPDATE -> Optional.of(update(message.getUpdate(), place));
            case HEARTBEAT -> parts.isEmpty() ? Optional.of(new PnLEvent.Heartbeat(place)) : Optional.empty();
            case EVENT_NOT_SET -> Optional.empty();
        };
    }

    private Optional<PnLEvent> snapshot(PnLSnapshot part, PnLEvent.Place place) {
        parts.add(part);
        if (part.getMore()) {
            return Optional.empty();
        }
        List<PnLSnapshot> whole = parts;
        parts = new ArrayList<>();
        return Optional.of(new PnLEvent.Snapshot(
                place,
                whole.stream().flatMap(each -> each.getPositionsList().stream()).toList(),
                whole.stream().flatMap(each -> each.getTotalsList().stream()).toList(),
                whole.stream().flatMap(each -> each.getGroupsList().stream()).toList()));
    }

    private PnLEvent update(PnLUpdate update, PnLEvent.Place place) {
        return new PnLEvent.Update(
                place,
                update.getPositionsList(),
                update.getTotalsList(),
                delivered.freshTrades(update),
                delivered.freshEntries(update),
                delivered.freshRestated(place.sequence(), update),
                update.getGroupsList(),
                update.getConflatedCount());
    }

    private void passed(PnLEvent event) {
        latest = event;
        sequence = event.place().sequence();
        ledgerId = event.place().ledgerId();
        resumable = resumable || event instanceof PnLEvent.Snapshot;
        delivered.reach(sequence);
    }

    private static PnLEvent.Place place(StreamPnLResponse message, Instant now) {
        Instant emitTime = Times.instant(message.getEmitTime());
        return new PnLEvent.Place(message.getSequence(), message.getLedgerId(), emitTime, Duration.between(emitTime, now));
    }

    private static Duration longest(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? other : one;
    }
}
