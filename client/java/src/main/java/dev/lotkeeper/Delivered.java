package dev.lotkeeper;

import dev.lotkeeper.v1.ClosedTrade;
import dev.lotkeeper.v1.Entry;
import dev.lotkeeper.v1.PnLUpdate;
import dev.lotkeeper.v1.RestatedTrade;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Which facts of a P&amp;L stream were delivered already, so that a new connection brings each of them once. No I/O.
 *
 * <p>A message's sequence says that every fact up to it was sent; facts of the next sequence that has any may already have come,
 * because a long close or a correction is sent in several messages. After a lost connection they come again. A closed trade is
 * told by its place, and all of them are in order, so the last place is enough. Several lots may be opened under one sequence,
 * and a trade that was restated to nothing names no sequence at all, but ids are never used twice: those are remembered until
 * their sequence is whole.
 */
final class Delivered {
    private long sequence;
    private long lastTradeSequence;
    private int lastTradeIndex = Integer.MAX_VALUE; // after every index of a sequence
    private final Map<List<String>, Long> beyond = new HashMap<>(); // ids of a fact, and when they may be forgotten

    Delivered(long sequence) {
        this.sequence = sequence;
        this.lastTradeSequence = sequence;
    }

    /** The closed trades of an update that were not delivered; from now on they were. */
    List<ClosedTrade> freshTrades(PnLUpdate update) {
        return update.getClosedTradesList().stream().filter(this::isFresh).toList();
    }

    /** The opened entries of an update that were not delivered; from now on they were. */
    List<Entry> freshEntries(PnLUpdate update) {
        return update.getOpenedEntriesList().stream()
                .filter(entry -> isFresh(List.of(entry.getEntryId()), entry.getSequence()))
                .toList();
    }

    /** The restated trades of an update, in a message of {@code sequence}, that were not delivered; from now on they were. */
    List<RestatedTrade> freshRestated(long sequence, PnLUpdate update) {
        long unnamed = sequenceOfUnnamed(sequence, update);
        return update.getRestatedTradesList().stream()
                .filter(trade -> isFresh(
                        List.of(trade.getBefore().getTradeId(), trade.getAfter().getTradeId()),
                        trade.getAfter().getSequence() == 0 ? unnamed : trade.getAfter().getSequence()))
                .toList();
    }

    /** Every fact up to {@code sequence} was delivered. */
    void reach(long sequence) {
        if (sequence <= this.sequence) {
            return;
        }
        this.sequence = sequence;
        if (sequence >= lastTradeSequence) {
            lastTradeSequence = sequence;
            lastTradeIndex = Integer.MAX_VALUE;
        }
        beyond.values().removeIf(until -> until <= sequence);
    }

    private boolean isFresh(ClosedTrade trade) {
        if (trade.getSequence() < lastTradeSequence
                || trade.getSequence() == lastTradeSequence && trade.getIndex() <= lastTradeIndex) {
            return false;
        }
        lastTradeSequence = trade.getSequence();
        lastTradeIndex = trade.getIndex();
        return true;
    }

    private boolean isFresh(List<String> ids, long sequence) {
        return sequence > this.sequence && beyond.putIfAbsent(ids, sequence) == null;
    }

    // Facts come in order, so one that names no sequence is of the highest named beside it at most; where that is not beyond
    // the message's own it may be of the next, which is whole when a message of a later sequence comes.
    private static long sequenceOfUnnamed(long sequence, PnLUpdate update) {
        long highest = Stream.of(
                        update.getClosedTradesList().stream().mapToLong(ClosedTrade::getSequence),
                        update.getOpenedEntriesList().stream().mapToLong(Entry::getSequence),
                        update.getRestatedTradesList().stream().mapToLong(trade -> trade.getAfter().getSequence()))
                .flatMapToLong(LongStream::sorted)
                .max()
                .orElse(0);
        return highest > sequence ? highest : sequence + 1;
    }
}
