/**
 * What `streamPnL()` yields; `kind` tells them apart.
 *
 * Facts (`closedTrades`, `openedEntries`, `restatedTrades`) come exactly once and in order. Values (`positions`, `totals`,
 * `groups`) are the newest at the time, and may skip what lay between. A lost connection is an event too: whoever shows
 * prices must know that they are old, and a log line would not tell it.
 */

import type { LotkeeperError } from "./errors.js";
import type { Facts } from "./facts.js";
import type { GroupPnL, Position } from "./gen/lotkeeper/v1/ledger_pb.js";
import type { PortfolioTotals } from "./gen/lotkeeper/v1/ledger_service_pb.js";

/** What every event has. */
export interface Envelope {
  /** Every fact up to this journal sequence came; pass it as `afterSequence` to resume. */
  readonly sequence: bigint;
  /** Identity of the ledger; pass it with `afterSequence`. */
  readonly ledgerId: string;
  /** The server's clock when the message was made, in nanoseconds UTC. */
  readonly emitTime: bigint;
  /** How many milliseconds later this client handed it over, by its own clock. */
  readonly lagMs: number;
}

/** The whole subscribed state: first of all, and again after every resumption. */
export interface Snapshot extends Envelope {
  readonly kind: "snapshot";
  readonly positions: readonly Position[];
  readonly totals: readonly PortfolioTotals[];
  /** Those with something open. */
  readonly groups: readonly GroupPnL[];
}

/** What changed. */
export interface Update extends Envelope, Facts {
  readonly kind: "update";
  readonly positions: readonly Position[];
  readonly totals: readonly PortfolioTotals[];
  /** Those that changed. */
  readonly groups: readonly GroupPnL[];
  /** So many mark changes were folded into it. */
  readonly conflatedCount: bigint;
}

/** Nothing changed, and the connection lives. */
export interface Heartbeat extends Envelope {
  readonly kind: "heartbeat";
}

/**
 * The connection was lost after the event of this sequence and time; the stream looks for a new one by itself. `lagMs` is
 * how old everything is by now.
 */
export interface Disconnected extends Envelope {
  readonly kind: "disconnected";
  readonly cause: LotkeeperError;
}

export type PnLEvent = Snapshot | Update | Heartbeat | Disconnected;
