/** The client against servers that answer slowly, reset streams, or end calls with garbage. Raw HTTP/2, no gRPC library. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { connect, DeadlineExceeded, InvalidRequest, LotkeeperError, Unavailable } from "lotkeeper";
import { GetSummaryResponseSchema } from "lotkeeper/v1";

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, count: number) => void;

class Serving implements AsyncDisposable {
  readonly #server: Http2Server;
  calls: IncomingHttpHeaders[] = [];
  address = "";

  private constructor(answer: Answer) {
    this.#server = createServer();
    this.#server.on("stream", (stream, headers) => {
      stream.on("error", () => undefined);
      this.calls.push(headers);
      answer(stream, headers, this.calls.length);
    });
    this.#server.on("session", (session) => this.#sessions.push(session));
  }

  readonly #sessions: { destroy(): void }[] = [];

  static async with(answer: Answer): Promise<Serving> {
    const serving = new Serving(answer);
    serving.#server.listen(0, "127.0.0.1");
    await once(serving.#server, "listening");
    serving.address = `127.0.0.1:${(serving.#server.address() as AddressInfo).port}`;
    return serving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function trailersOnly(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc", ...trailers }, { endStream: true });
}

function summary(stream: ServerHttp2Stream, sequence: bigint): void {
  const body = toBinary(GetSummaryResponseSchema, create(GetSummaryResponseSchema, { sequence }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.concat([prefix, body]));
}

test("one that never answers is given up at the deadline", async () => {
  await using serving = await Serving.with(() => undefined);
  using ledger = connect(serving.address, { timeoutMs: 200 });
  await assert.rejects(ledger.getSummary(), DeadlineExceeded);
  assert.equal(serving.calls.length, 1);
  assert.match(serving.calls[0]?.["grpc-timeout"] as string, /^\d+m$/);
});

test("one that resets a stream once is asked again, with the same ids", async () => {
  await using serving = await Serving.with((stream, _, count) => {
    if (count === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else summary(stream, 7n);
  });
  using ledger = connect(serving.address);
  assert.equal((await ledger.getSummary()).sequence, 7n);
  assert.equal(serving.calls.length, 2);
});

test("one that is unavailable is asked again until the deadline, and its own words are thrown then", async () => {
  await using serving = await Serving.with((stream) => {
    trailersOnly(stream, { "grpc-status": "14", "grpc-message": "come back" });
  });
  using ledger = connect(serving.address, { timeoutMs: 400 });
  await assert.rejects(ledger.getSummary(), (error) => error instanceof Unavailable && error.message === "come back");
  assert.ok(serving.calls.length > 1);
});

test("one that ends a call with garbage in its trailers is understood as far as it goes", async () => {
  await using serving = await Serving.with((stream) => {
    trailersOnly(stream, { "grpc-status": "3", "grpc-message": "no", "grpc-status-details-bin": "/////w" });
  });
  using ledger = connect(serving.address);
  await assert.rejects(ledger.getSummary(), (error) => {
    assert.ok(error instanceof InvalidRequest);
    assert.deepEqual([error.code, error.message, error.reason], ["INVALID_ARGUMENT", "no", ""]);
    return true;
  });
});

test("one that is no ledger at all is an error of its own, not a wrong answer", async () => {
  await using serving = await Serving.with((stream) => {
    stream.respond({ ":status": 200, "content-type": "text/html" });
    stream.end("<html>");
  });
  using ledger = connect(serving.address);
  await assert.rejects(ledger.getSummary(), LotkeeperError);
});

test("a token goes with every call", async () => {
  await using serving = await Serving.with((stream) => summary(stream, 1n));
  using ledger = connect(serving.address, { token: "secret" });
  await ledger.getSummary();
  assert.equal(serving.calls[0]?.authorization, "Bearer secret");
  assert.match(serving.calls[0]?.["user-agent"] as string, /^lotkeeper-typescript\/\d/);
});
