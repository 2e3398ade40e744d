// Before the first order: is the ledger right about the broker?
//
//     reconcile_on_startup.js [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise

import { connect, NotReconciled, PositionSide, Side } from "lotkeeper";

const address = process.argv[2] ?? process.env["LOTKEEPER_ADDRESS"] ?? "127.0.0.1:50051";
using ledger = connect(address, { portfolio: "swing" });

// What the bot knows: it bought 10 AAPL, and then was down for a while.
await ledger.recordFill({
  fill: { symbol: "AAPL", side: Side.BUY, quantity: "10", price: "180", fillId: "X-1" },
});

// What the broker says it holds: 4 of them, and 5 TSLA short that nobody watches.
const statement = {
  asOf: new Date(),
  positionsComplete: true,
  positions: [
    { symbol: "AAPL", side: PositionSide.LONG, quantity: "4", averagePrice: "180" },
    { symbol: "TSLA", side: PositionSide.SHORT, quantity: "5", averagePrice: "400" },
  ],
};

// Nothing is changed; a bot that must not trade on wrong books stops here.
try {
  await ledger.reconcileOnStartup({ source: { case: "statement", value: statement } }, { requireAgreement: true });
  console.log("agreed: nothing to do");
} catch (error) {
  if (!(error instanceof NotReconciled)) throw error;
  for (const found of error.report.discrepancies) {
    console.log(found.symbol, "ledger", found.ledgerQuantity, "broker", found.brokerQuantity);
  }
  process.exitCode = 3;
}
