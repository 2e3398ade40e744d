/**
 * The fills of one `recordFills`: many executions over one stream, a result for each. No I/O.
 *
 * One call per execution costs a flush and a round trip each, so a bot that moves in with years of fills waits for hours;
 * and a stream that breaks in the middle leaves its caller to find out what was recorded. Therefore fills are sent in
 * messages, a few of them ahead of the answers; when the connection is lost, what is not answered yet is sent again. Each
 * fill has its id, so what was recorded already is found, and comes back as `replayed`.
 */

import { create } from "@bufbuild/protobuf";
import { DeadlineExceeded, Unavailable } from "./errors.js";
import { message, type Fields } from "./fields.js";
import { FillSchema, type Fill } from "./gen/lotkeeper/v1/ledger_pb.js";
import {
  RecordFillsRequestSchema,
  type FillResult,
  type RecordFillsRequest,
  type RecordFillsResponse,
} from "./gen/lotkeeper/v1/ledger_service_pb.js";

const FILLS = 500; // in one message; the server takes 1000
const AHEAD = 4; // messages that wait for their answers; the server reads as many before its first answer is taken

/** Executions, one by one: an array, or a generator that reads a file. */
export type Fills = Iterable<Fields<Fill>> | AsyncIterable<Fields<Fill>>;

/** What to send next, and what still waits for an answer. */
export class Recording {
  readonly #given: Iterator<Fields<Fill>> | AsyncIterator<Fields<Fill>>;
  readonly #envelope: RecordFillsRequest;
  #unanswered: RecordFillsRequest[] = [];

  /** @param given the caller's fills; taken from as they are sent. @param envelope a message with everything but fills. */
  constructor(given: Fills, envelope: RecordFillsRequest) {
    this.#given = Symbol.asyncIterator in given ? given[Symbol.asyncIterator]() : given[Symbol.iterator]();
    this.#envelope = envelope;
  }

  /** Whether something that was sent still waits for its answer. */
  get waits(): boolean {
    return this.#unanswered.length > 0;
  }

  /** What goes first over a new stream: what an older one did not answer, then what follows. */
  async *opening(): AsyncGenerator<RecordFillsRequest> {
    yield* [...this.#unanswered];
    yield* this.following();
  }

  /**
   * The next messages, until there are no more fills or enough of them wait for an answer.
   *
   * @throws RangeError, TypeError a fill has no id, or holds a value that cannot be sent.
   */
  async *following(): AsyncGenerator<RecordFillsRequest> {
    while (this.#unanswered.length < AHEAD) {
      const fills = await this.#taken();
      if (!fills.length) return;
      const { portfolioId, excessPolicy, latePolicy } = this.#envelope;
      const next = create(RecordFillsRequestSchema, { portfolioId, excessPolicy, latePolicy, fills });
      this.#unanswered.push(next);
      yield next;
    }
  }

  /** The results in the answer to the oldest message that waits. */
  take(answer: RecordFillsResponse): readonly FillResult[] {
    this.#unanswered.shift();
    return answer.results;
  }

  async #taken(): Promise<Fill[]> {
    const fills: Fill[] = [];
    while (fills.length < FILLS) {
      const next = await this.#given.next();
      if (next.done) break;
      fills.push(fillOf(next.value));
    }
    return fills;
  }
}

/** No answer came in time. */
export function silent(timeoutMs: number): DeadlineExceeded {
  return new DeadlineExceeded(
    "DEADLINE_EXCEEDED",
    `RecordFills: no answer within ${timeoutMs} ms. What was sent may have been recorded: send it again with the same ` +
      "fill ids. If this repeats, see whether the server runs.",
  );
}

/** The server ended the stream before everything was answered. */
export function cutShort(): Unavailable {
  return new Unavailable(
    "UNAVAILABLE",
    "RecordFills: the server ended the stream before everything was answered; send it again with the same fill ids",
  );
}

function fillOf(given: Fields<Fill>): Fill {
  const fill = message(FillSchema, given, "fills.");
  if (fill.fillId) return fill;
  throw new RangeError(
    `recordFills: a fill of ${fill.symbol} at ${fill.price} has no fillId. Without one a fill that is sent again would be ` +
      "recorded twice. Pass the venue's execution id, or one of your own that is the same the next time.",
  );
}
