package dev.lotkeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lotkeeper.v1.ClosedTrade;
import dev.lotkeeper.v1.Entry;
import dev.lotkeeper.v1.Heartbeat;
import dev.lotkeeper.v1.PnLSnapshot;
import dev.lotkeeper.v1.PnLUpdate;
import dev.lotkeeper.v1.Position;
import dev.lotkeeper.v1.RestatedTrade;
import dev.lotkeeper.v1.StreamPnLRequest;
import dev.lotkeeper.v1.StreamPnLResponse;
import io.grpc.Status.Code;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The four laws of a stream that outlives its connections. */
class SubscriptionTest {
    private static final Instant NOW = Instant.EPOCH;

    private final Subscription subscription = new Subscription(StreamPnLRequest.getDefaultInstance());

    /** Law 1: what came before a long close was whole comes again, and is delivered once. */
    @Test
    void everyFactOnce() {
        take(snapshot(5, false));
        var first = update(5, closed(6, 0), closed(6, 1), opened("E7", 6), restated("T1", "", 0));
        assertEquals(2, first.closedTrades().size());
        lose();
        assertEquals(5, subscription.request().getAfterSequence());
        assertEquals("L", subscription.request().getLedgerId());
        var again = update(6, closed(6, 0), closed(6, 1), closed(6, 2), opened("E7", 6), restated("T1", "", 0));
        assertEquals(List.of(2), again.closedTrades().stream().map(ClosedTrade::getIndex).toList());
        assertTrue(again.openedEntries().isEmpty());
        assertTrue(again.restatedTrades().isEmpty());
        assertEquals(1, update(7, closed(7, 0)).closedTrades().size());
    }

    /** Law 2: a snapshot is delivered whole or not at all. */
    @Test
    void aSnapshotInParts() {
        assertTrue(subscription.take(snapshot(5, true), NOW).isEmpty());
        assertTrue(subscription.take(message(5).setHeartbeat(Heartbeat.getDefaultInstance()).build(), NOW).isEmpty());
        subscription.request();
        assertEquals(1, ((PnLEvent.Snapshot) take(snapshot(5, false))).positions().size());
        subscription.take(snapshot(6, true), NOW);
        assertEquals(2, ((PnLEvent.Snapshot) take(snapshot(6, false))).positions().size());
    }

    /** Law 3: before the first whole snapshot there is nothing to resume. */
    @Test
    void nothingToResume() {
        subscription.take(snapshot(5, true), NOW);
        assertFalse(subscription.request().hasAfterSequence());
    }

    /** Law 4: another ledger ends the stream. */
    @Test
    void anotherLedger() {
        take(snapshot(5, false));
        var replaced = assertThrows(
                Errors.LedgerReplaced.class,
                () -> subscription.take(snapshot(6, false).toBuilder().setLedgerId("M").build(), NOW));
        assertEquals("M", replaced.metadata().get("ledger_id"));
    }

    /** A loss is told once, and an answer is no loss. */
    @Test
    void aLostConnection() {
        take(snapshot(5, false));
        assertInstanceOf(PnLEvent.Disconnected.class, lose().orElseThrow());
        assertTrue(lose().isEmpty());
        assertThrows(
                Errors.AccessDenied.class,
                () -> subscription.lost(LotkeeperError.found(Code.PERMISSION_DENIED, "words"), NOW));
    }

    private java.util.Optional<PnLEvent> lose() {
        return subscription.lost(subscription.ended(), NOW);
    }

    private PnLEvent take(StreamPnLResponse message) {
        return subscription.take(message, NOW).orElseThrow();
    }

    private PnLEvent.Update update(long sequence, PnLUpdate... parts) {
        PnLUpdate.Builder update = PnLUpdate.newBuilder();
        List.of(parts).forEach(update::mergeFrom);
        return (PnLEvent.Update) take(message(sequence).setUpdate(update).build());
    }

    private static StreamPnLResponse.Builder message(long sequence) {
        return StreamPnLResponse.newBuilder().setSequence(sequence).setLedgerId("L");
    }

    private static StreamPnLResponse snapshot(long sequence, boolean more) {
        return message(sequence)
                .setSnapshot(PnLSnapshot.newBuilder().addPositions(Position.getDefaultInstance()).setMore(more))
                .build();
    }

    private static PnLUpdate closed(long sequence, int index) {
        return PnLUpdate.newBuilder()
                .addClosedTrades(ClosedTrade.newBuilder().setSequence(sequence).setIndex(index))
                .build();
    }

    private static PnLUpdate opened(String id, long sequence) {
        return PnLUpdate.newBuilder()
                .addOpenedEntries(Entry.newBuilder().setEntryId(id).setSequence(sequence))
                .build();
    }

    private static PnLUpdate restated(String before, String after, long sequence) {
        return PnLUpdate.newBuilder()
                .addRestatedTrades(RestatedTrade.newBuilder()
                        .setBefore(ClosedTrade.newBuilder().setTradeId(before))
                        .setAfter(ClosedTrade.newBuilder().setTradeId(after).setSequence(sequence)))
                .build();
    }
}
