/** Laws 1 to 4 of `resume`, message by message. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { LedgerReplaced, LotkeeperError, Unavailable, type Update } from "lotkeeper";
import { Delivered } from "#client/facts.js";
import { Subscription } from "#client/resume.js";
import { PnLUpdateSchema, StreamPnLRequestSchema, StreamPnLResponseSchema, type StreamPnLResponse } from "lotkeeper/v1";

type Event = NonNullable<MessageInitShape<typeof StreamPnLResponseSchema>["event"]>;

function sent(sequence: bigint, event: Event, ledgerId = "L"): StreamPnLResponse {
  return create(StreamPnLResponseSchema, { sequence, ledgerId, event });
}

const trades = (sequence: bigint, ...indexes: number[]) =>
  indexes.map((index) => ({ sequence, index, tradeId: `T${sequence}.${index}` }));
const snapshot = (sequence: bigint, more = false, ledgerId = "L") =>
  sent(sequence, { case: "snapshot", value: { more, positions: [{ symbol: "A" }] } }, ledgerId);
const closing = (sequence: bigint, of: bigint, ...indexes: number[]) =>
  sent(sequence, { case: "update", value: { closedTrades: trades(of, ...indexes) } });

function subscription(): Subscription {
  return new Subscription(create(StreamPnLRequestSchema, {}));
}

function closed(of: Subscription, message: StreamPnLResponse): string[] {
  return (of.take(message, 0n) as Update).closedTrades.map((trade) => trade.tradeId);
}

test("a close that was cut in the middle goes on where it was (law 1)", () => {
  const watch = subscription();
  watch.take(snapshot(5n), 0n);
  assert.deepEqual(closed(watch, closing(5n, 6n, 0, 1)), ["T6.0", "T6.1"]);
  assert.equal(watch.lost(new Unavailable("UNAVAILABLE", ""), 0n)?.sequence, 5n);
  assert.deepEqual([watch.request().afterSequence, watch.request().ledgerId], [5n, "L"]);
  assert.deepEqual(closed(watch, closing(6n, 6n, 0, 1, 2)), ["T6.2"]);
  assert.deepEqual(closed(watch, closing(6n, 6n, 2)), []);
});

test("a snapshot is delivered whole or not at all (law 2)", () => {
  const watch = subscription();
  assert.equal(watch.take(snapshot(5n, true), 0n), undefined);
  assert.equal(watch.take(sent(5n, { case: "heartbeat", value: {} }), 0n), undefined);
  assert.equal(watch.lost(new Unavailable("UNAVAILABLE", ""), 0n), undefined);
  watch.request();
  assert.equal(watch.take(snapshot(5n, true), 0n), undefined);
  const whole = watch.take(snapshot(5n), 0n);
  assert.equal(whole?.kind === "snapshot" && whole.positions.length, 2);
});

test("before the first whole snapshot there is nothing to resume (law 3)", () => {
  const watch = subscription();
  watch.take(snapshot(5n, true), 0n);
  assert.equal(watch.request().afterSequence, undefined);
});

test("another ledger's sequence ends the stream (law 4)", () => {
  const watch = subscription();
  watch.take(snapshot(5n), 0n);
  assert.throws(() => watch.take(snapshot(5n, false, "M"), 0n), LedgerReplaced);
});

test("an answer ends the stream, a lost connection does not, a kind not known yet is passed over", () => {
  const watch = subscription();
  watch.take(snapshot(5n), 0n);
  assert.equal(watch.take(sent(6n, { case: undefined }), 0n), undefined);
  assert.equal(watch.lost(new LotkeeperError("CANCELLED", ""), 0n)?.kind, "disconnected");
  assert.throws(() => watch.lost(new LotkeeperError("PERMISSION_DENIED", "no"), 0n), /no/);
});

test("entries and restated trades are told by their ids, and forgotten when their sequence is whole", () => {
  const delivered = new Delivered(1n);
  const update = create(PnLUpdateSchema, {
    openedEntries: [
      { entryId: "E2.0", sequence: 2n },
      { entryId: "E2.1", sequence: 2n },
    ],
    restatedTrades: [{ before: { tradeId: "T1.0" } }, { after: { tradeId: "T2.0", sequence: 2n } }],
  });
  const first = delivered.fresh(1n, update);
  assert.deepEqual([first.openedEntries.length, first.restatedTrades.length, delivered.remembered], [2, 2, 4]);
  const again = delivered.fresh(1n, update);
  assert.deepEqual([again.openedEntries.length, again.restatedTrades.length], [0, 0]);
  delivered.reach(2n);
  assert.equal(delivered.remembered, 0);
  assert.equal(delivered.fresh(2n, update).openedEntries.length, 0);
});
