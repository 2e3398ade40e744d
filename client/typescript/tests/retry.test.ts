/** Which failures are tried again, when, and what they are thrown as. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Metadata, status as Status, type ServiceError } from "@grpc/grpc-js";
import * as lotkeeper from "lotkeeper";
import { ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "#client/gen/google/rpc/status_pb.js";
import { backoff, isRetryable, pauseBeforeRetry } from "#client/retry.js";
import { BY_REASON, errorOf } from "#client/status.js";

function failed(code: Status, reason = "", retryMs?: number, domain = "lotkeeper"): lotkeeper.LotkeeperError {
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain, metadata: { field: "x" } }))];
  if (retryMs !== undefined) {
    const retryDelay = create(DurationSchema, { seconds: 0n, nanos: retryMs * 1e6 });
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  return thrown(code, Buffer.from(toBinary(StatusSchema, create(StatusSchema, { details }))));
}

function thrown(code: Status, details: Buffer): lotkeeper.LotkeeperError {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", details);
  const error: ServiceError = Object.assign(new Error("words"), { code, details: "words", metadata });
  return errorOf(error) as lotkeeper.LotkeeperError;
}

test("every reason of the contract has a class", () => {
  const reasons = Object.keys(lotkeeper.ErrorReason).filter((name) => !/^\d+$|^UNSPECIFIED$/.test(name));
  assert.deepEqual(Object.keys(BY_REASON).sort(), reasons.sort());
});

test("a reason this client does not know is its status code's, and keeps its name", () => {
  const error = failed(Status.NOT_FOUND, "A_NEW_REASON");
  assert.ok(error instanceof lotkeeper.NotFound);
  assert.deepEqual([error.reason, error.metadata["field"], error.message], ["A_NEW_REASON", "x", "words"]);
  assert.equal(failed(Status.ABORTED, "toString").constructor, lotkeeper.LotkeeperError);
});

test("a reason of somebody else's is none", () => {
  const error = failed(Status.UNAVAILABLE, "FILL_CONFLICT", undefined, "a-proxy");
  assert.ok(error instanceof lotkeeper.Unavailable);
  assert.deepEqual([error.reason, error.metadata], ["", {}]);
});

test("details that are garbage hide nothing else", () => {
  const error = thrown(Status.INVALID_ARGUMENT, Buffer.from([0xff, 0x01, 0x02]));
  assert.ok(error instanceof lotkeeper.InvalidRequest);
  assert.deepEqual([error.code, error.message, error.violations], ["INVALID_ARGUMENT", "words", []]);
});

test("what passes by itself is tried again, an answer is not", () => {
  for (const reason of ["", "STORAGE_UNAVAILABLE", "SERVER_DRAINING", "FENCED", "A_NEW_REASON"]) {
    assert.ok(isRetryable(failed(Status.UNAVAILABLE, reason)), reason);
  }
  assert.ok(isRetryable(failed(Status.RESOURCE_EXHAUSTED, "WRITE_QUEUE_FULL")));
  assert.ok(!isRetryable(failed(Status.UNAVAILABLE, "BROKER_UNAVAILABLE")));
  assert.ok(!isRetryable(failed(Status.RESOURCE_EXHAUSTED, "DISK_FULL")));
  assert.ok(!isRetryable(failed(Status.DEADLINE_EXCEEDED)));
  assert.ok(!isRetryable(failed(Status.INTERNAL, "INTERNAL_ERROR")));
});

test("a pause grows to its longest, adds the server's wish, and ends before the deadline", () => {
  const pauses = backoff(() => 0);
  assert.deepEqual(Array.from({ length: 7 }, () => pauses.next().value), [50, 100, 200, 400, 800, 1000, 1000]);
  assert.equal(backoff(() => 0.5).next().value, 37.5);
  const full = failed(Status.RESOURCE_EXHAUSTED, "WRITE_QUEUE_FULL", 70);
  assert.equal(full.retryDelayMs, 70);
  assert.equal(pauseBeforeRetry(full, 50, 1_000), 120);
  assert.equal(pauseBeforeRetry(full, 50, 120), undefined);
});
