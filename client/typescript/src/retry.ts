/**
 * Which failures are tried again, and when: one pure function, one generator, and the count-down of one deadline.
 *
 * A lost connection, a locked database or a full queue pass within seconds in a sidecar, and a bot that had to handle each
 * would do it worse. Because every write carries an id, sending it again is safe. Everything else the server says is an
 * answer, and repeating the question does not change it. gRPC can retry by itself, but knows neither our reasons nor
 * RetryInfo, and both together would multiply; therefore its retries are off and these are the only ones.
 */

import { DeadlineExceeded, LotkeeperError } from "./errors.js";
import { errorOf } from "./status.js";

const FIRST_PAUSE = 50; // milliseconds; a local server restarts in a few of these
const PAUSE_GROWTH = 2;
const LONGEST_PAUSE = 1_000; // milliseconds; a bot waits for its ledger, it does not go to sleep

/**
 * Whether the same request may succeed by itself soon.
 *
 * A broker that did not answer is not: the server has waited for it, and asking on would use up its rate limit.
 */
export function isRetryable(error: LotkeeperError): boolean {
  if (error.reason === "BROKER_UNAVAILABLE") return false;
  return error.code === "UNAVAILABLE" || error.reason === "WRITE_QUEUE_FULL";
}

/** Milliseconds to pause before each further try, growing to the longest; `random`, in [0, 1), takes off half. */
export function* backoff(random: () => number = Math.random): Generator<number, never> {
  let ceiling = FIRST_PAUSE;
  for (;;) {
    yield ceiling - (ceiling / 2) * random();
    ceiling = Math.min(ceiling * PAUSE_GROWTH, LONGEST_PAUSE);
  }
}

/**
 * Milliseconds until the next try, after the server's own wish if it has one; undefined if there is none to be made.
 *
 * There is none when the error is an answer, or when the deadline comes first: then the error that is known says more than
 * a wait for a deadline would.
 */
export function pauseBeforeRetry(error: LotkeeperError, pause: number, remaining: number): number | undefined {
  if (!isRetryable(error)) return undefined;
  const wait = pause + (error.retryDelayMs ?? 0);
  return wait < remaining ? wait : undefined;
}

/** The tries of one call, `method` at `address`, within one deadline: `timeoutMs` from now, or the one handed in. */
export class Attempts {
  readonly #method: string;
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #pauses = backoff();
  readonly #deadline: number;
  #last: LotkeeperError | undefined;

  constructor(method: string, address: string, timeoutMs: number, deadline = performance.now() + timeoutMs) {
    this.#method = method;
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#deadline = deadline;
  }

  /** Milliseconds the next try may take. */
  remaining(): number {
    return Math.max(0, this.#deadline - performance.now());
  }

  /**
   * Milliseconds to pause before the next try.
   *
   * @throws LotkeeperError there is none.
   */
  failed(broken: unknown): number {
    const error = errorOf(broken);
    if (!(error instanceof LotkeeperError)) throw error;
    const pause = pauseBeforeRetry(error, this.#pauses.next().value, this.remaining());
    if (pause === undefined) throw this.#told(error);
    this.#last = error;
    return pause;
  }

  #told(error: LotkeeperError): LotkeeperError {
    if (!(error instanceof DeadlineExceeded)) return error;
    const message =
      `${this.#method}: no answer from ${this.#address} within ${this.#timeoutMs} ms. A write may have been recorded: ` +
      "send it again with the same ids. If this repeats, see whether the server runs.";
    return new DeadlineExceeded(error.code, message, {
      reason: error.reason,
      metadata: error.metadata,
      cause: this.#last ?? error,
    });
  }
}
