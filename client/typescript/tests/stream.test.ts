/** `streamPnL` through whatever happens to its connection. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, LedgerReplaced, Side, type Ledger } from "lotkeeper";
import { Sidecar, skip } from "./sidecar.js";

const RESTARTS = 4; // the sample goes through more of them
const PATIENCE = 60_000; // milliseconds, also on a busy machine

async function roundTrip(ledger: Ledger, name: string): Promise<string> {
  const fill = { symbol: "BTC-USD", quantity: "1" };
  await ledger.recordFill({ fill: { ...fill, side: Side.BUY, price: "10", fillId: `${name}-in` } });
  const sold = await ledger.recordFill({ fill: { ...fill, side: Side.SELL, price: "11", fillId: `${name}-out` } });
  return sold.closedTrades[0]?.tradeId ?? "";
}

test("every closed trade is seen once and in order across restarts", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  using ledger = connect(sidecar.address, { timeoutMs: PATIENCE });
  const closed: string[] = [];
  const made: string[] = [];
  const disconnections: bigint[] = [];
  let trading: Promise<void> | undefined;
  const trade = async (): Promise<void> => {
    for (let each = 0; each < RESTARTS; each += 1) {
      made.push(await roundTrip(ledger, `t${each}`));
      await sidecar.end(each % 2 ? "SIGTERM" : "SIGKILL");
      await sidecar.restart();
    }
    made.push(await roundTrip(ledger, "last"));
  };
  for await (const event of ledger.streamPnL({ heartbeatInterval: 500 })) {
    if (event.kind === "snapshot") trading ??= trade();
    if (event.kind === "disconnected") disconnections.push(event.sequence);
    if (event.kind === "update") closed.push(...event.closedTrades.map((each) => each.tradeId));
    if (made.length > RESTARTS && closed.includes(made.at(-1) as string)) break;
  }
  await trading;
  assert.deepEqual(closed, made);
  assert.ok(disconnections.length > 0);
});

test("a watcher that was restarted itself goes on where it was", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  using ledger = connect(sidecar.address, { timeoutMs: PATIENCE });
  let last: { sequence: bigint; ledgerId: string } | undefined;
  for await (const event of ledger.streamPnL()) {
    last = event;
    break;
  }
  const trade = await roundTrip(ledger, "between");
  for await (const event of ledger.streamPnL({ afterSequence: last?.sequence, ledgerId: last?.ledgerId })) {
    assert.equal(event.kind, "update");
    if (event.kind === "update") assert.deepEqual(event.closedTrades.map((each) => each.tradeId), [trade]);
    break;
  }
});

test("another ledger at the same address ends the stream", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  using ledger = connect(sidecar.address, { timeoutMs: PATIENCE });
  await roundTrip(ledger, "before");
  await assert.rejects(async () => {
    for await (const event of ledger.streamPnL()) {
      if (event.kind !== "snapshot") continue;
      await sidecar.end();
      await sidecar.restart(sidecar.address, "other.db");
    }
  }, LedgerReplaced);
});

test("a server that hangs is noticed, and told as a disconnection", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  using ledger = connect(sidecar.address, { timeoutMs: PATIENCE });
  const kinds: string[] = [];
  for await (const event of ledger.streamPnL({ heartbeatInterval: 200 })) {
    kinds.push(event.kind);
    if (event.kind === "snapshot") sidecar.pause();
    if (event.kind === "disconnected") {
      assert.match(event.cause.message, /not even a heartbeat for 1000 ms/);
      break;
    }
  }
  sidecar.resume();
  assert.equal(kinds.at(-1), "disconnected");
});

test("a stream ends with its signal, and with its ledger", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  const ledger = connect(sidecar.address);
  const ending = new AbortController();
  for await (const event of ledger.streamPnL({}, { signal: ending.signal })) if (event) ending.abort();
  for await (const event of ledger.streamPnL()) if (event) ledger.close();
});

test("a sequence without its ledger is refused", () => {
  using ledger = connect("127.0.0.1:1");
  assert.throws(() => ledger.streamPnL({ afterSequence: 3n }), /streamPnL: afterSequence=3 with ledgerId=""/);
});
