// Before the first order: is the ledger right about the broker?
//
//     ReconcileOnStartup [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise

import dev.lotkeeper.Errors;
import dev.lotkeeper.Ledger;
import dev.lotkeeper.Options;
import dev.lotkeeper.Times;
import dev.lotkeeper.v1.BrokerPosition;
import dev.lotkeeper.v1.BrokerStatement;
import dev.lotkeeper.v1.Discrepancy;
import dev.lotkeeper.v1.Fill;
import dev.lotkeeper.v1.PositionSide;
import dev.lotkeeper.v1.ReconcileRequest;
import dev.lotkeeper.v1.RecordFillRequest;
import dev.lotkeeper.v1.Side;
import java.time.Instant;

public class ReconcileOnStartup {
    public static void main(String[] arguments) {
        String otherwise = System.getenv().getOrDefault("LOTKEEPER_ADDRESS", "127.0.0.1:50051");
        String address = arguments.length > 0 ? arguments[0] : otherwise;
        try (Ledger ledger = Ledger.connect(address, Options.DEFAULTS.portfolio("swing"))) {
            // What the bot knows: it bought 10 AAPL, and then was down for a while.
            Fill bought = Fill.newBuilder()
                    .setSymbol("AAPL")
                    .setSide(Side.SIDE_BUY)
                    .setQuantity("10")
                    .setPrice("180")
                    .setFillId("X-1")
                    .build();
            ledger.recordFill(RecordFillRequest.newBuilder().setFill(bought).build());

            // What the broker says it holds: 4 of them, and 5 TSLA short that nobody watches.
            BrokerStatement statement = BrokerStatement.newBuilder()
                    .setAsOf(Times.timestamp(Instant.now()))
                    .setPositionsComplete(true)
                    .addPositions(position("AAPL", PositionSide.POSITION_SIDE_LONG, "4", "180"))
                    .addPositions(position("TSLA", PositionSide.POSITION_SIDE_SHORT, "5", "400"))
                    .build();

            // Nothing is changed; a bot that must not trade on wrong books stops here.
            ledger.reconcileOnStartup(ReconcileRequest.newBuilder().setStatement(statement).build(), true);
            System.out.println("agreed: nothing to do");
        } catch (Errors.NotReconciled different) {
            for (Discrepancy found : different.report().getDiscrepanciesList()) {
                System.out.println(
                        found.getSymbol() + " ledger " + found.getLedgerQuantity() + " broker " + found.getBrokerQuantity());
            }
            System.exit(3);
        }
    }

    private static BrokerPosition position(String symbol, PositionSide side, String quantity, String averagePrice) {
        return BrokerPosition.newBuilder()
                .setSymbol(symbol)
                .setSide(side)
                .setQuantity(quantity)
                .setAveragePrice(averagePrice)
                .build();
    }
}
