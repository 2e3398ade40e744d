/** A caller's values become fields of the contract exactly, or are refused with the field's name. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import { Decimal } from "decimal.js";
import { decimalFields, message } from "#client/fields.js";
import { connect, PositionSide, Side, type Fields } from "lotkeeper";
import * as v1 from "lotkeeper/v1";

const fill = (given: object): v1.Fill => message(v1.FillSchema, given);

test("decimals go as plain digits, all of them", () => {
  const digits = "12345678901234567890.123456789012345678";
  assert.equal(fill({ quantity: digits }).quantity, digits);
  assert.equal(fill({ quantity: new Decimal(digits) }).quantity, digits);
  assert.equal(fill({ quantity: new Decimal("1e-18") }).quantity, "0.000000000000000001");
  assert.equal(fill({ quantity: new Decimal("1e19") }).quantity, "10000000000000000000");
  assert.equal(fill({ quantity: -(10n ** 19n) }).quantity, "-10000000000000000000");
});

test("a number is no decimal, nor is text that only looks like one", () => {
  assert.throws(() => fill({ price: 0.1 }), /^TypeError: price: 0.1 is a number, rounded already; pass the venue's text/);
  assert.throws(() => fill({ price: NaN }), TypeError);
  for (const text of ["1e-8", "", " 1", "+1", "1.", ".5", "1_000", "1,5", "NaN", "Infinity", "٣"]) {
    assert.throws(() => fill({ price: text }), /^RangeError: price: ".*" is not plain digits; pass such as/, text);
  }
  assert.throws(() => fill({ price: new Decimal(Infinity) }), RangeError);
  assert.throws(() => fill({ price: true }), TypeError);
});

test("the types refuse what the values would", () => {
  const given: Fields<v1.Fill>[] = [
    { price: "1", quantity: 1n, fee: new Decimal(1), side: Side.BUY, fillTime: 1n },
    // @ts-expect-error a number is no decimal
    { price: 1 },
    // @ts-expect-error a number is no time
    { fillTime: 1 },
    // @ts-expect-error an enum of another field, though its numbers are the same
    { side: PositionSide.SHORT },
    // @ts-expect-error a field that is not there
    { filId: "1" },
  ];
  assert.equal(fill(given[0] as object).fee, "1");
});

test("times keep their nanoseconds, before 1970 as well", () => {
  const { fillTime } = fill({ fillTime: -1n });
  assert.deepEqual([fillTime?.seconds, fillTime?.nanos], [-1n, 999_999_999]);
  assert.equal(fill({ fillTime: new Date(1_500) }).fillTime?.nanos, 500_000_000);
  assert.equal(fill({ fillTime }).fillTime?.nanos, 999_999_999);
  assert.throws(() => fill({ fillTime: Date.now() }), /^TypeError: fillTime: \d+ is no time; pass a Date, or a bigint/);
  assert.throws(() => fill({ fillTime: new Date(NaN) }), RangeError);
  assert.throws(() => fill({ fillTime: 2n ** 63n }), RangeError);
});

test("a misspelled field, a wrong enum and a wrong type are refused with their names", () => {
  assert.throws(() => fill({ filId: "1" }), /^TypeError: filId: Fill has no such field; it has fillId, orderId/);
  assert.throws(() => fill({ side: 7 }), /^TypeError: side: 7 is not a Side; pass one of Side.BUY, Side.SELL/);
  assert.throws(() => fill({ orderId: 17 }), /^TypeError: orderId: 17 is no string; pass String\(...\) of it/);
  const entry = (given: object): unknown => message(v1.CreateEntryRequestSchema, given);
  assert.throws(() => entry({ validateOnly: 1 }), /^TypeError: validateOnly/);
  assert.throws(() => entry({ labels: { a: 1 } }), /^TypeError: labels\["a"\]/);
  assert.throws(() => entry({ labels: "a" }), /^TypeError: labels/);
  const summary = (given: object): unknown => message(v1.GetSummaryRequestSchema, given);
  assert.throws(() => summary({ asOfSequence: 3 }), /^TypeError: asOfSequence: 3 is no bigint; pass such as 42n/);
  assert.throws(() => summary({ asOfSequence: 2n ** 63n }), RangeError);
  assert.throws(() => summary({ pageSize: 1.5 }), TypeError);
  assert.throws(() => summary({ pageSize: 2 ** 31 }), RangeError);
  assert.throws(() => summary({ symbols: "BTC" }), /^TypeError: symbols: "BTC" is no array; pass \["BTC"\]/);
  const stream = (given: object): unknown => message(v1.StreamPnLRequestSchema, given);
  assert.throws(() => stream({ heartbeatInterval: -1 }), /^RangeError: heartbeatInterval: -1 is not a duration/);
});

test("values inside others are refused with their path", () => {
  const recorded = { fill: { symbol: "A", side: Side.BUY, price: 1, quantity: "1" } };
  assert.throws(() => message(v1.RecordFillRequestSchema, recorded), /^TypeError: fill.price: 1 is a number/);
  const event = { event: { case: "deposit", value: { money: { currency: "USD", amount: 5 } } } };
  assert.throws(() => message(v1.EventSchema, event), /^TypeError: deposit.money.amount: 5 is a number/);
  const lots = { lots: [{ entryId: "E", quantity: 1 }] };
  assert.throws(() => message(v1.CloseFifoRequestSchema, lots), /^TypeError: lots\[0\].quantity: 1 is a number/);
});

test("every field that is said to hold a decimal is one of the contract's strings", () => {
  const strings = new Set<string>();
  for (const schema of Object.values(v1).filter((each): each is never => isMessage(each)) as DescMessage[]) {
    for (const field of schema.fields) if (field.fieldKind === "scalar") strings.add(field.localName);
  }
  for (const name of decimalFields) assert.ok(strings.has(name), name);
});

test("an address or an option that is none is refused", () => {
  for (const address of ["", "localhost", "http://a:1", "a b:1", "unix:"]) {
    assert.throws(() => connect(address), /is neither host:port nor unix:\/path.sock/, address);
  }
  assert.throws(() => connect("a:1", { timeoutMs: 0 }), /^RangeError: timeoutMs: 0 is not a time to wait/);
  assert.throws(() => connect("a:1", { timeoutMs: Infinity }), RangeError);
  assert.throws(() => connect("10.0.0.1:1", { token: "t" }), /^RangeError: token: address "10.0.0.1:1" is another machine/);
  assert.throws(() => connect("a:1", { clientKey: "k" }), /^RangeError: clientCertificate, clientKey: one without the other/);
  for (const near of ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/tmp/s"]) connect(near, { token: "t" }).close();
});

function isMessage(each: unknown): boolean {
  return typeof each === "object" && each !== null && "kind" in each && each.kind === "message";
}
