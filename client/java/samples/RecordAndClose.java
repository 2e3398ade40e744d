// Buy twice, sell most of it, and see what was made: first in, first out.
//
//     RecordAndClose [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise

import dev.lotkeeper.Ledger;
import dev.lotkeeper.Options;
import dev.lotkeeper.v1.ClosedTrade;
import dev.lotkeeper.v1.Fill;
import dev.lotkeeper.v1.Position;
import dev.lotkeeper.v1.RecordFillRequest;
import dev.lotkeeper.v1.RecordFillResponse;
import dev.lotkeeper.v1.Side;

public class RecordAndClose {
    public static void main(String[] arguments) {
        String otherwise = System.getenv().getOrDefault("LOTKEEPER_ADDRESS", "127.0.0.1:50051");
        String address = arguments.length > 0 ? arguments[0] : otherwise;
        try (Ledger ledger = Ledger.connect(address, Options.DEFAULTS.portfolio("scale-in"))) {
            // Every fill carries the venue's own id: however often it is sent, it counts once.
            record(ledger, Side.SIDE_BUY, "100", "50000", "F-1");
            Position bought = record(ledger, Side.SIDE_BUY, "50", "51000", "F-2").getPosition();
            System.out.println("holding " + bought.getTotalQuantity() + " at " + bought.getAverageEntryPrice());

            // The oldest lots go first: 100 bought at 50,000, then 20 of those bought at 51,000.
            RecordFillResponse sold = record(ledger, Side.SIDE_SELL, "120", "53000", "F-3");
            for (ClosedTrade trade : sold.getClosedTradesList()) {
                System.out.println("closed " + trade.getQuantity() + " from " + trade.getEntryPrice() + " at "
                        + trade.getExitPrice() + " made " + trade.getNetPnl());
            }
            Position left = sold.getPosition();
            System.out.println("left " + left.getTotalQuantity() + " realized " + left.getNetRealizedPnl());
        }
    }

    private static RecordFillResponse record(Ledger ledger, Side side, String quantity, String price, String fillId) {
        Fill fill = Fill.newBuilder()
                .setSymbol("BTC-USD")
                .setSide(side)
                .setQuantity(quantity)
                .setPrice(price)
                .setFillId(fillId)
                .build();
        return ledger.recordFill(RecordFillRequest.newBuilder().setFill(fill).build());
    }
}
