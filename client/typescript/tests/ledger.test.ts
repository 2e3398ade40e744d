/** The client against a real sidecar: what a bot does with it. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Decimal } from "decimal.js";
import * as lotkeeper from "lotkeeper";
import { connect, PositionSide, Side } from "lotkeeper";
import { freeAddress, Sidecar, skip } from "./sidecar.js";

const LONGEST = "12345678901234567890.123456789012345678"; // 20 digits and 18, the most the contract takes

describe("a ledger", { skip }, () => {
  let sidecar: Sidecar;
  let ledger: lotkeeper.Ledger;
  before(async () => {
    sidecar = await Sidecar.start();
    ledger = connect(sidecar.address, { portfolio: "bot", timeoutMs: 20_000 });
  });
  after(async () => {
    ledger.close();
    await sidecar[Symbol.asyncDispose]();
  });

  test("closes lots first in first out, and tells what each made", async () => {
    await ledger.createEntry({ symbol: "AAA", quantity: "100", entryPrice: "50000", entryFillId: "1" });
    await ledger.createEntry({ symbol: "AAA", quantity: 50n, entryPrice: new Decimal("51000"), entryFillId: "2" });
    const closed = await ledger.closeFifo({ symbol: "AAA", quantity: "120", exitPrice: "53000", exitFillId: "3" });
    assert.deepEqual(
      closed.closedTrades.map((trade) => [trade.quantity, trade.grossPnl]),
      [
        ["100", "300000"],
        ["20", "40000"],
      ],
    );
    assert.equal(closed.position?.totalQuantity, "30");
    assert.equal(typeof closed.sequence, "bigint");
  });

  test("keeps every digit of a decimal and every nanosecond of a time", async () => {
    const entryTime = 1_767_225_600_123_456_789n;
    const quantity = new Decimal(LONGEST);
    const { entry } = await ledger.createEntry({ symbol: "DIG", quantity, entryPrice: "1", entryTime, entryFillId: "1" });
    assert.equal(entry?.quantity, LONGEST);
    assert.equal(entry?.entryTime && lotkeeper.nanoseconds(entry.entryTime), entryTime);
    assert.equal(entry?.entryTime && lotkeeper.date(entry.entryTime).toISOString(), "2026-01-01T00:00:00.123Z");
  });

  test("records a fill once, however often it is sent", async () => {
    const fill = { symbol: "ONE", side: Side.BUY, quantity: "1", price: "10", fillId: "f" };
    const first = await ledger.recordFill({ fill });
    const again = await ledger.recordFill({ fill });
    assert.deepEqual([first.replayed, again.replayed, again.sequence], [false, true, first.sequence]);
  });

  test("throws what was refused as a class of its own, with what the reason carries", async () => {
    const fill = { symbol: "CON", side: Side.BUY, quantity: "1", price: "10", fillId: "f" };
    await ledger.recordFill({ fill });
    await assert.rejects(ledger.recordFill({ fill: { ...fill, price: "11" } }), (refused) => {
      assert.ok(refused instanceof lotkeeper.FillConflict && refused instanceof lotkeeper.Conflict);
      assert.deepEqual([refused.name, refused.code, refused.reason], ["FillConflict", "ALREADY_EXISTS", "FILL_CONFLICT"]);
      assert.equal(refused.metadata["field"], "fill.price");
      return true;
    });
    await assert.rejects(ledger.recordFill({ fill: { ...fill, symbol: "", quantity: "-1" } }), (refused) => {
      assert.ok(refused instanceof lotkeeper.InvalidRequest);
      assert.deepEqual(
        refused.violations.map((broken) => broken.field),
        ["fill.symbol", "fill.quantity"],
      );
      return true;
    });
  });

  test("refuses a write without an id before anything is sent", async () => {
    const refused = { name: "RangeError", message: /^createEntry: neither entryFillId nor requestId was given/ };
    await assert.rejects(ledger.createEntry({ symbol: "NO", quantity: "1", entryPrice: "1" }), refused);
  });

  test("iterates over more trades than a page holds, and sums all of them", async () => {
    const pages = { portfolioId: "pages" };
    const fills = function* () {
      for (let each = 0; each < 1_100; each += 1) {
        yield { symbol: "P", side: Side.BUY, quantity: "1", price: "10", fillId: `b${each}` };
        yield { symbol: "P", side: Side.SELL, quantity: "1", price: "11", fillId: `s${each}` };
      }
    };
    let recorded = 0;
    for await (const result of ledger.recordFills({ ...pages, fills: fills() })) if (result.sequence) recorded += 1;
    assert.equal(recorded, 2_200);
    const trades = ledger.listClosedTrades(pages);
    const listed = await trades.all();
    assert.equal(new Set(listed.map((trade) => trade.tradeId)).size, 1_100);
    assert.equal((await trades.totals())[0]?.netRealizedPnl, "1100");
  });

  test("names a fill of many that is refused in its own result, and goes on", async () => {
    const fill = { symbol: "BAD", side: Side.BUY, quantity: "1", price: "10" };
    const fills = [{ ...fill, fillId: "1" }, { ...fill, fillId: "2", quantity: "0" }, { ...fill, fillId: "3" }];
    const refusals: lotkeeper.ErrorReason[] = [];
    for await (const { refusal } of ledger.recordFills({ fills })) refusals.push(refusal);
    const { UNSPECIFIED, FIELD_VIOLATION } = lotkeeper.ErrorReason;
    assert.deepEqual(refusals, [UNSPECIFIED, FIELD_VIOLATION, UNSPECIFIED]);
  });

  test("values positions at marks that were set or published, and never at none", async () => {
    await ledger.createEntry({ symbol: "MRK", quantity: "2", entryPrice: "10", entryFillId: "1" });
    const value = async () => (await ledger.getSummary({ symbols: ["MRK"] })).positions[0]?.unrealizedPnl;
    assert.equal(await value(), undefined);
    await ledger.setMarks({ marks: { MRK: "12.5" } });
    assert.equal(await value(), "5");
    const publisher = ledger.publishMarks({ source: "feed" });
    await publisher.send([{ symbol: "MRK", price: "13", observeTime: new Date() }]);
    assert.equal((await publisher.end()).acceptedCount, 1n);
    const { marks, feeds } = await ledger.listMarks({ symbols: ["MRK"] });
    assert.deepEqual([marks.length, feeds.some((feed) => feed.source === "feed" && !feed.connected)], [1, true]);
  });

  test("tells why a stream of marks was refused", async () => {
    const publisher = ledger.publishMarks({ source: "bad" });
    await publisher.send({ "": "13" });
    await assert.rejects(publisher.end(), lotkeeper.InvalidRequest);
    await assert.rejects(publisher.send({ OK: "13" }), lotkeeper.InvalidRequest);
  });

  test("agrees on terms, records events, corrects and explains", async () => {
    const desk = { portfolioId: "desk" };
    await ledger.createPortfolio({
      requestId: "p",
      portfolio: { ...desk, baseCurrency: "USD", initialCash: [{ currency: "USD", amount: "1000" }] },
    });
    await ledger.defineInstrument({ requestId: "i", instrument: { symbol: "EQ", kind: lotkeeper.InstrumentKind.EQUITY } });
    const fill = { symbol: "EQ", side: Side.BUY, quantity: "2", price: "100", fillId: "1" };
    await ledger.recordFill({ ...desk, fill });
    const { closedTrades } = await ledger.recordFill({
      ...desk,
      fill: { ...fill, side: Side.SELL, price: "110", fillId: "2" },
    });
    await ledger.recordEvent({
      event: { ...desk, eventId: "d", event: { case: "deposit", value: { money: { currency: "USD", amount: "500" } } } },
    });
    const explained = await ledger.explainTrade({ ...desk, tradeId: closedTrades[0]?.tradeId ?? "" });
    assert.equal(explained.lines.length, 2);
    const fixed = await ledger.correctFill({ ...desk, requestId: "c", symbol: "EQ", fillId: "1", price: "99" });
    assert.equal(fixed.netPnlChange, "2");
    const position = ledger.explainPosition({ ...desk, symbol: "EQ" });
    assert.equal((await position.position()).netRealizedPnl, "22");
    assert.equal((await ledger.getSummary(desk)).totals[0]?.cash, "1522");
    assert.equal((await ledger.listEvents(desk).all()).length, 1);
    assert.ok((await ledger.listInstruments().all()).some((instrument) => instrument.symbol === "EQ"));
    await ledger.bustFill({ ...desk, requestId: "b", symbol: "EQ", fillId: "2" });
    await ledger.updatePortfolio({ ...desk, requestId: "u", description: "a desk" });
    await assert.rejects(ledger.closePortfolio({ ...desk, requestId: "x" }), lotkeeper.PortfolioNotEmpty);
    assert.equal((await ledger.listEntries(desk).all())[0]?.remainingQuantity, "2");
    assert.deepEqual((await ledger.listPortfolios({ portfolioIds: ["desk"] }).all())[0]?.description, "a desk");
  });

  test("is compared with the broker, and a person decides about what differs", async () => {
    const swing = { portfolioIds: ["swing"] };
    await ledger.createEntry({ portfolioId: "swing", symbol: "S", quantity: "10", entryPrice: "1", entryFillId: "1" });
    const value = {
      asOf: new Date(),
      positionsComplete: true,
      positions: [{ symbol: "S", side: PositionSide.LONG, quantity: "4" }],
    };
    const asked = { ...swing, source: { case: "statement" as const, value } };
    await assert.rejects(
      ledger.reconcileOnStartup(asked, { requireAgreement: true }),
      (refused) => refused instanceof lotkeeper.NotReconciled && !lotkeeper.agreed(refused.report),
    );
    const report = await ledger.reconcileOnStartup(asked);
    const [found] = lotkeeper.outstanding(report);
    assert.deepEqual([found?.ledgerQuantity, found?.brokerQuantity], ["10", "4"]);
    const { reconciliationId } = report;
    assert.equal((await ledger.getReconciliation({ reconciliationId })).report?.discrepancies.length, 1);
    assert.ok((await ledger.listReconciliations().all()).length >= 2);
    assert.equal((await ledger.listDiscrepancies({ portfolioId: "swing" }).all()).length, 1);
    const decided = { discrepancyId: found?.discrepancyId ?? "", requestId: "ignore" };
    const action = { case: "ignore" as const, value: { reason: "known" } };
    const { discrepancy } = await ledger.resolveDiscrepancy({ ...decided, action });
    const resolutionId = discrepancy?.resolution?.resolutionId ?? "";
    const undone = await ledger.undoResolution({ requestId: "undo", resolutionId, reason: "it is not" });
    assert.equal(undone.discrepancy?.state, lotkeeper.DiscrepancyState.OPEN);
    await assert.rejects(
      ledger.reconcile({ ...asked, mode: lotkeeper.ReconcileMode.APPLY }),
      /^RangeError: reconcile: APPLY without a requestId/,
    );
  });
});

describe("a server", { skip }, () => {
  test("that is still starting is waited for", async () => {
    const address = await freeAddress();
    using ledger = connect(address, { timeoutMs: 30_000 });
    const asked = ledger.getSummary();
    await using sidecar = await Sidecar.start(address);
    assert.equal((await asked).positions.length, 0);
    assert.equal(sidecar.address, address);
  });

  test("is reached over a socket file", async () => {
    await using sidecar = new Sidecar();
    await sidecar.restart(`unix:${sidecar.folder}/socket`);
    using ledger = connect(sidecar.address);
    await ledger.createEntry({ symbol: "U", quantity: "1", entryPrice: "1", entryFillId: "1" });
    assert.equal((await ledger.getSummary()).positions.length, 1);
  });

  test("that is killed in the middle of many fills has each of them once when it is back", async () => {
    await using sidecar = await Sidecar.start();
    using ledger = connect(sidecar.address, { timeoutMs: 30_000 });
    const fills = Array.from({ length: 6_000 }, (_, each) => {
      return { symbol: "K", side: Side.BUY, quantity: "1", price: "10", fillId: `f${each}` };
    });
    const seen = new Set<string>();
    let restarted: Promise<void> | undefined;
    for await (const { fillId } of ledger.recordFills({ fills })) {
      seen.add(fillId);
      if (seen.size === 700) restarted = sidecar.end().then(() => sidecar.restart());
    }
    await restarted;
    assert.equal(seen.size, 6_000);
    assert.equal((await ledger.getSummary()).positions[0]?.totalQuantity, "6000");
  });
});

test("without a server a call ends at its deadline, and says what to do", async () => {
  using ledger = connect(await freeAddress(), { timeoutMs: 300 });
  await assert.rejects(ledger.getSummary(), (late) => {
    assert.ok(late instanceof lotkeeper.DeadlineExceeded && late instanceof lotkeeper.TryAgain);
    assert.match(late.message, /^GetSummary: no answer from 127\.0\.0\.1:\d+ within 300 ms\. A write may have been recorded/);
    return true;
  });
});
