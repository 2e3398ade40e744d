/**
 * Marks over one stream that stays open, for bots with a feed of their own: `publishMarks`.
 *
 * The end of the stream tells the ledger that this source is interrupted: its marks are stale at once, and not only when
 * they have grown old. A stream that is lost is not opened again here: the marks that waited for it are old news by then.
 * `send` throws, and the caller opens another with the price it has now. When the server does not keep up `send` waits, so
 * nothing grows without bound.
 */

import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import type { ClientWritableStream } from "@grpc/grpc-js";
import type { Channel } from "./channel.js";
import { DeadlineExceeded, LotkeeperError } from "./errors.js";
import { decimalText, message, type Decimal, type Fields } from "./fields.js";
import {
  MarkSchema,
  MarketService,
  PublishMarksRequestSchema,
  type Mark,
  type PublishMarksRequest,
  type PublishMarksResponse,
} from "./gen/lotkeeper/v1/market_service_pb.js";
import { errorOf } from "./status.js";

/** Prices: `{symbol: price}`, or marks that say when they were observed. */
export type Marks = Readonly<Record<string, Decimal>> | readonly Fields<Mark>[];

/**
 * `marks` as they are sent.
 *
 * @throws TypeError, RangeError a value cannot be sent exactly.
 */
export function markMessages(marks: Marks): Mark[] {
  if (isList(marks)) return marks.map((mark, index) => message(MarkSchema, mark, `marks[${index}].`));
  return Object.entries(marks).map(([symbol, price]) =>
    create(MarkSchema, { symbol, price: decimalText(`price of ${symbol}`, price) }),
  );
}

function isList(marks: Marks): marks is readonly Fields<Mark>[] {
  return Array.isArray(marks);
}

/** An open stream of marks. `end` it, or let `await using` do so. */
export class Publisher implements AsyncDisposable {
  readonly #source: string;
  readonly #timeoutMs: number;
  readonly #call: ClientWritableStream<PublishMarksRequest>;
  readonly #answer: Promise<PublishMarksResponse>;
  #ended = false;

  /** @param timeoutMs how long the end of the stream may take. */
  constructor(channel: Channel, source: string, timeoutMs: number) {
    this.#source = source;
    this.#timeoutMs = timeoutMs;
    let settle!: (failed: Error | null, answer?: PublishMarksResponse) => void;
    this.#answer = new Promise((resolve, reject) => {
      settle = (failed, answer) => (answer && !failed ? resolve(answer) : reject(errorOf(failed)));
    });
    this.#answer.catch(() => undefined); // told by the next send, or by end
    this.#call = channel.clientStream(MarketService.method.publishMarks, (failed, answer) => {
      this.#ended = true;
      settle(failed, answer);
      this.#call.emit("drain"); // a send that waits for room looks why there will be none
    });
  }

  /**
   * Send prices.
   *
   * @throws TypeError, RangeError a value cannot be sent exactly.
   * @throws LotkeeperError the stream has ended; the ledger refused a mark, or is gone.
   */
  async send(marks: Marks): Promise<void> {
    const next = create(PublishMarksRequestSchema, { marks: markMessages(marks), source: this.#source });
    if (!this.#ended && !this.#call.write(next)) await once(this.#call, "drain");
    if (!this.#ended) return;
    await this.#answer;
    throw new LotkeeperError("CANCELLED", "the server ended the stream");
  }

  /**
   * End the stream; gives what it did.
   *
   * @throws LotkeeperError the ledger refused a mark, or did not end the stream in time.
   */
  async end(): Promise<PublishMarksResponse> {
    if (!this.#call.writableEnded) this.#call.end();
    const late = setTimeout(() => this.#call.cancel(), this.#timeoutMs);
    try {
      return await this.#answer;
    } catch (broken) {
      if (!(broken instanceof LotkeeperError) || broken.code !== "CANCELLED") throw broken;
      throw new DeadlineExceeded("DEADLINE_EXCEEDED", "the server did not end the stream", { cause: broken });
    } finally {
      clearTimeout(late);
    }
  }

  /** Break the stream off, without waiting for what it did. */
  cancel(): void {
    this.#call.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
