// Follow closed trades and P&L, through restarts of the ledger: every closed trade is printed once.
//
//     watch_pnl.js [ADDRESS]      or LOTKEEPER_ADDRESS; 127.0.0.1:50051 otherwise; Ctrl-C ends it

import { connect } from "lotkeeper";

const address = process.argv[2] ?? process.env["LOTKEEPER_ADDRESS"] ?? "127.0.0.1:50051";
using ledger = connect(address);

const ending = new AbortController();
process.once("SIGINT", () => ending.abort());
process.once("SIGTERM", () => ending.abort());

for await (const event of ledger.streamPnL({}, { signal: ending.signal })) {
  switch (event.kind) {
    case "snapshot":
      // The whole state: first of all, and again after every lost connection.
      console.log(`snapshot ${event.positions.length} positions at ${event.sequence}`);
      break;
    case "update":
      // Facts: each comes exactly once and in order, whatever happens to the connection.
      for (const trade of event.closedTrades) {
        console.log("closed", trade.tradeId, trade.symbol, trade.quantity, "made", trade.netPnl);
      }
      break;
    case "disconnected":
      // What is known may be old by now; the stream looks for the ledger by itself.
      console.log(`disconnected at ${event.sequence}`);
      break;
    case "heartbeat":
      break;
  }
}
