// Follow closed trades and P&L, through restarts of the ledger: every closed trade is printed once.
//
//     WatchPnl [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise; Ctrl-C ends it

import dev.lotkeeper.Ledger;
import dev.lotkeeper.PnLEvent;
import dev.lotkeeper.PnLStream;
import dev.lotkeeper.v1.ClosedTrade;
import dev.lotkeeper.v1.StreamPnLRequest;

public class WatchPnl {
    public static void main(String[] arguments) {
        String otherwise = System.getenv().getOrDefault("LOTKEEPER_ADDRESS", "127.0.0.1:50051");
        String address = arguments.length > 0 ? arguments[0] : otherwise;
        try (Ledger ledger = Ledger.connect(address);
                PnLStream events = ledger.streamPnL(StreamPnLRequest.getDefaultInstance())) {
            for (PnLEvent event : events) {
                if (event instanceof PnLEvent.Snapshot snapshot) {
                    // The whole state: first of all, and again after every lost connection.
                    int positions = snapshot.positions().size();
                    System.out.println("snapshot " + positions + " positions at " + snapshot.place().sequence());
                } else if (event instanceof PnLEvent.Update update) {
                    // Facts: each comes exactly once and in order, whatever happens to the connection.
                    for (ClosedTrade trade : update.closedTrades()) {
                        System.out.println("closed " + trade.getTradeId() + " " + trade.getSymbol() + " " + trade.getQuantity()
                                + " made " + trade.getNetPnl());
                    }
                } else if (event instanceof PnLEvent.Disconnected disconnected) {
                    // What is known may be old by now; the stream looks for the ledger by itself.
                    System.out.println("disconnected at " + disconnected.place().sequence());
                }
            }
        }
    }
}
