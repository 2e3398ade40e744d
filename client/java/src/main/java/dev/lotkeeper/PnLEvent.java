package dev.lotkeeper;

import dev.lotkeeper.v1.ClosedTrade;
import dev.lotkeeper.v1.Entry;
import dev.lotkeeper.v1.GroupPnL;
import dev.lotkeeper.v1.PortfolioTotals;
import dev.lotkeeper.v1.Position;
import dev.lotkeeper.v1.RestatedTrade;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What {@link PnLStream} gives. A lost connection is an event too: whoever shows prices must know that they are old, and a log
 * line would not tell it.
 */
public sealed interface PnLEvent {
    /** Where and when it stands. */
    Place place();

    /**
     * Where and when an event stands.
     *
     * @param sequence up to which every fact has come; pass it as {@code after_sequence} to resume
     * @param ledgerId ledger that the sequence belongs to
     * @param emitTime the server's clock when the message was made
     * @param lag until this client handed it over, by its own clock; below 0 where the two clocks do not agree
     */
    record Place(long sequence, String ledgerId, Instant emitTime, Duration lag) {}

    /** The whole subscribed state: first of all, and again after every resumption. {@code groups} have something open. */
    record Snapshot(Place place, List<Position> positions, List<PortfolioTotals> totals, List<GroupPnL> groups)
            implements PnLEvent {}

    /**
     * What changed. Facts (closed trades, opened entries, restated trades) come exactly once and in order; values (positions,
     * totals, groups) are the newest at the time, and may skip what lay between. {@code conflatedCount} mark changes were folded
     * into it.
     */
    record Update(
            Place place,
            List<Position> positions,
            List<PortfolioTotals> totals,
            List<ClosedTrade> closedTrades,
            List<Entry> openedEntries,
            List<RestatedTrade> restatedTrades,
            List<GroupPnL> groups,
            long conflatedCount)
            implements PnLEvent {}

    /** Nothing changed, and the connection lives. */
    record Heartbeat(Place place) implements PnLEvent {}

    /**
     * The connection was lost after the event of this place; the stream looks for a new one by itself. The lag is how old
     * everything is by now.
     */
    record Disconnected(Place place, LotkeeperError cause) implements PnLEvent {}
}
