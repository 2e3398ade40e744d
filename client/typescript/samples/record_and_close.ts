// Buy twice, sell most of it, and see what was made: first in, first out.
//
//     record_and_close.js [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise

import { connect, Side } from "lotkeeper";

const address = process.argv[2] ?? process.env["LOTKEEPER_ADDRESS"] ?? "127.0.0.1:50051";
using ledger = connect(address, { portfolio: "scale-in" });

// Every fill carries the venue's own id: however often it is sent, it counts once.
await ledger.recordFill({
  fill: { symbol: "BTC-USD", side: Side.BUY, quantity: "100", price: "50000", fillId: "F-1" },
});
const { position } = await ledger.recordFill({
  fill: { symbol: "BTC-USD", side: Side.BUY, quantity: "50", price: "51000", fillId: "F-2" },
});
console.log("holding", position?.totalQuantity, "at", position?.averageEntryPrice);

// The oldest lots go first: 100 bought at 50,000, then 20 of those bought at 51,000.
const sold = await ledger.recordFill({
  fill: { symbol: "BTC-USD", side: Side.SELL, quantity: "120", price: "53000", fillId: "F-3" },
});
for (const trade of sold.closedTrades) {
  console.log("closed", trade.quantity, "from", trade.entryPrice, "at", trade.exitPrice, "made", trade.netPnl);
}
console.log("left", sold.position?.totalQuantity, "realized", sold.position?.netRealizedPnl);
