/** What a newer server may send is read as far as this client knows it: fields, enum values and events it does not know. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { FillResultSchema, PositionSchema, StreamPnLRequestSchema, StreamPnLResponseSchema } from "lotkeeper/v1";
import { Subscription } from "#client/resume.js";

const UNKNOWN_FIELD = 1_000;

test("a field that is not known does not matter", () => {
  const known = toBinary(PositionSchema, create(PositionSchema, { symbol: "A", totalQuantity: "1" }));
  const newer = new BinaryWriter().raw(known).uint32((UNKNOWN_FIELD << 3) | 2).string("news").finish();
  const { symbol, totalQuantity } = fromBinary(PositionSchema, newer);
  assert.deepEqual([symbol, totalQuantity], ["A", "1"]);
});

test("an enum value that is not known keeps its number", () => {
  const newer = toBinary(FillResultSchema, create(FillResultSchema, { refusal: 999 as never, message: "in words" }));
  const { refusal, message } = fromBinary(FillResultSchema, newer);
  assert.deepEqual([refusal as number, message], [999, "in words"]);
});

test("an event of the stream that is not known is passed over", () => {
  const newer = new BinaryWriter().uint32((UNKNOWN_FIELD << 3) | 2).bytes(new Uint8Array()).finish();
  const watch = new Subscription(create(StreamPnLRequestSchema, {}));
  assert.equal(watch.take(fromBinary(StreamPnLResponseSchema, newer), 0n), undefined);
});
