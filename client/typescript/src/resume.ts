/**
 * A P&L stream that outlives its connections: what to ask for next, and which facts are new. No I/O.
 *
 * A connection may break between any two messages, also between the parts of a snapshot and in the middle of a long close,
 * whose closed trades come in several messages. `sequence` of a message says that every fact up to it was sent; facts of
 * the sequence after it may already have come. Laws kept here:
 *
 *  1. Every fact is delivered once, in order: closed trades, opened entries, restated trades. (`facts` keeps it.)
 *  2. A snapshot is delivered whole or not at all.
 *  3. Before the first whole snapshot there is nothing to resume: start again, without a sequence.
 *  4. A sequence belongs to one ledger. Another one's ends the stream: the facts delivered are not of its history.
 *
 * Whoever keeps `sequence` and `ledgerId` of the last event, and hands them in after a restart of their own, resumes there;
 * the facts of a command that was cut in the middle then come again, recognizable by their ids.
 */

import { clone } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { LedgerReplaced, Unavailable, type LotkeeperError } from "./errors.js";
import type { Disconnected, Envelope, Heartbeat, PnLEvent, Snapshot, Update } from "./events.js";
import { Delivered } from "./facts.js";
import {
  StreamPnLRequestSchema,
  type PnLSnapshot,
  type PnLUpdate,
  type StreamPnLRequest,
  type StreamPnLResponse,
} from "./gen/lotkeeper/v1/ledger_service_pb.js";
import { isRetryable } from "./retry.js";
import { millisecondsBetween, nanoseconds } from "./time.js";

const HEARTBEAT_INTERVAL = 5_000; // milliseconds; the server's when none is asked for
const SILENT_HEARTBEATS = 3; // missed, and the connection counts as lost
const SHORTEST_SILENCE = 1_000; // milliseconds; a busy machine is late by less

/** One stream across its connections. `request` opens each, `take` reads a message, `lost` says how to go on. */
export class Subscription {
  /** Milliseconds without any message after which a connection counts as lost. */
  readonly silenceLimit: number;
  readonly #asked: StreamPnLRequest;
  readonly #delivered: Delivered;
  #resumable: boolean;
  #sequence: bigint;
  #ledgerId: string;
  #parts: PnLSnapshot[] = [];
  #latest: PnLEvent | undefined;

  /** @param asked what the caller asked for. */
  constructor(asked: StreamPnLRequest) {
    this.#asked = asked;
    const heartbeat = (asked.heartbeatInterval && durationMs(asked.heartbeatInterval)) || HEARTBEAT_INTERVAL;
    // While news waits for its interval to pass there is no heartbeat either.
    const interval = Math.max(heartbeat, asked.minUpdateInterval ? durationMs(asked.minUpdateInterval) : 0);
    this.silenceLimit = Math.max(interval * SILENT_HEARTBEATS, SHORTEST_SILENCE);
    this.#resumable = asked.afterSequence !== undefined;
    this.#sequence = asked.afterSequence ?? 0n;
    this.#ledgerId = asked.ledgerId;
    this.#delivered = new Delivered(this.#sequence);
  }

  /** What to ask for on a new connection. */
  request(): StreamPnLRequest {
    this.#parts = [];
    if (!this.#resumable) return this.#asked;
    const request = clone(StreamPnLRequestSchema, this.#asked);
    request.afterSequence = this.#sequence;
    request.ledgerId = this.#ledgerId;
    return request;
  }

  /**
   * The event `message` completes; undefined for a part of a snapshot, or a kind this client does not know yet. `now` is
   * the time here, in nanoseconds UTC.
   *
   * @throws LedgerReplaced it is of another ledger than the events before (law 4).
   */
  take(message: StreamPnLResponse, now: bigint): PnLEvent | undefined {
    this.#checkLedger(message);
    const event = this.#read(message, now);
    if (event) this.#passed(event);
    return event;
  }

  /**
   * The event that tells of a connection lost to `error`; undefined if no event came since the last one. `now` is the time
   * here, in nanoseconds UTC.
   *
   * @throws LotkeeperError `error` itself, when a new connection would not help.
   */
  lost(error: LotkeeperError, now: bigint): Disconnected | undefined {
    // CANCELLED is no answer: gRPC ends so what reaches a server in the moment that it shuts down.
    if (!isRetryable(error) && error.code !== "CANCELLED") throw error;
    const latest = this.#latest;
    this.#latest = undefined;
    if (!latest) return undefined;
    const { sequence, ledgerId, emitTime } = latest;
    return { kind: "disconnected", sequence, ledgerId, emitTime, lagMs: millisecondsBetween(emitTime, now), cause: error };
  }

  /** The error of a connection on which nothing came for `silenceLimit`. */
  silent(): Unavailable {
    return new Unavailable(
      "UNAVAILABLE",
      `StreamPnL: not even a heartbeat for ${this.silenceLimit} ms; connecting anew`,
    );
  }

  /** The error of a connection that the server ended without one: a stream has no end of its own. */
  ended(): Unavailable {
    return new Unavailable("UNAVAILABLE", "StreamPnL: the server ended the stream; connecting anew");
  }

  #read(message: StreamPnLResponse, now: bigint): PnLEvent | undefined {
    switch (message.event.case) {
      case "snapshot":
        return this.#snapshot(envelope(message, now), message.event.value);
      case "update":
        return this.#update(envelope(message, now), message.event.value);
      case "heartbeat":
        return this.#parts.length ? undefined : ({ kind: "heartbeat", ...envelope(message, now) } satisfies Heartbeat);
      default:
        return undefined;
    }
  }

  #passed(event: PnLEvent): void {
    this.#latest = event;
    this.#sequence = event.sequence;
    this.#ledgerId = event.ledgerId;
    this.#resumable ||= event.kind === "snapshot";
    this.#delivered.reach(event.sequence);
  }

  #checkLedger(message: StreamPnLResponse): void {
    if (!this.#resumable || message.ledgerId === this.#ledgerId) return;
    throw new LedgerReplaced(
      "FAILED_PRECONDITION",
      `the stream was of ledger ${this.#ledgerId} and is now of ${message.ledgerId}: drop what was collected and start ` +
        "a new stream",
      { reason: "LEDGER_REPLACED", metadata: { ledger_id: message.ledgerId } },
    );
  }

  #snapshot(about: Envelope, part: PnLSnapshot): Snapshot | undefined {
    this.#parts.push(part);
    if (part.more) return undefined;
    const parts = this.#parts;
    this.#parts = [];
    return {
      kind: "snapshot",
      ...about,
      positions: parts.flatMap((each) => each.positions),
      totals: parts.flatMap((each) => each.totals),
      groups: parts.flatMap((each) => each.groups),
    };
  }

  #update(about: Envelope, update: PnLUpdate): Update {
    const { positions, totals, groups, conflatedCount } = update;
    return {
      kind: "update",
      ...about,
      positions,
      totals,
      groups,
      conflatedCount,
      ...this.#delivered.fresh(about.sequence, update),
    };
  }
}

function envelope(message: StreamPnLResponse, now: bigint): Envelope {
  const emitTime = message.emitTime ? nanoseconds(message.emitTime) : 0n;
  return {
    sequence: message.sequence,
    ledgerId: message.ledgerId,
    emitTime,
    lagMs: millisecondsBetween(emitTime, now),
  };
}
