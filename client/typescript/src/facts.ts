/**
 * Which facts of a P&L stream were delivered already, so that a new connection brings each of them once. No I/O.
 *
 * A message's sequence says that every fact up to it was sent; facts of the next sequence that has any may already have
 * come, because a long close or a correction is sent in several messages. After a lost connection they come again. A
 * closed trade is told by its place, (sequence, index), and all of them are in order, so the last place is enough. Several
 * lots may be opened under one sequence, and a trade that was restated to nothing names no sequence at all, but ids are
 * never used twice: those are remembered until their sequence is whole.
 */

import type { ClosedTrade, Entry, RestatedTrade } from "./gen/lotkeeper/v1/ledger_pb.js";
import type { PnLUpdate } from "./gen/lotkeeper/v1/ledger_service_pb.js";

/** Facts of one message. */
export interface Facts {
  readonly closedTrades: readonly ClosedTrade[];
  readonly openedEntries: readonly Entry[];
  readonly restatedTrades: readonly RestatedTrade[];
}

/** What was delivered: every fact up to a sequence, and some beyond it. */
export class Delivered {
  #sequence: bigint; // everything up to here
  #lastTrade: { sequence: bigint; index: number };
  #beyond = new Map<string, bigint>(); // ids of a fact, and the sequence at which they may be forgotten

  /** Up to `sequence` nothing needs to be delivered. */
  constructor(sequence: bigint) {
    this.#sequence = sequence;
    this.#lastTrade = { sequence, index: Infinity };
  }

  /** How many facts it keeps the ids of. */
  get remembered(): number {
    return this.#beyond.size;
  }

  /** The facts of `update`, in a message of `sequence`, that were not delivered; from now on they were. */
  fresh(sequence: bigint, update: PnLUpdate): Facts {
    const unnamed = sequenceOfUnnamed(sequence, update);
    const closedTrades = update.closedTrades.filter((trade) => this.#isAfterLastTrade(trade));
    const openedEntries = update.openedEntries.filter((entry) => this.#isFresh(entry.entryId, entry.sequence));
    const restatedTrades = update.restatedTrades.filter((trade) =>
      this.#isFresh(`${trade.before?.tradeId ?? ""} ${trade.after?.tradeId ?? ""}`, trade.after?.sequence || unnamed),
    );
    const last = closedTrades.at(-1);
    if (last) this.#lastTrade = { sequence: last.sequence, index: last.index };
    return { closedTrades, openedEntries, restatedTrades };
  }

  /** Every fact up to `sequence` was delivered. */
  reach(sequence: bigint): void {
    if (sequence <= this.#sequence) return;
    this.#sequence = sequence;
    if (sequence >= this.#lastTrade.sequence) this.#lastTrade = { sequence, index: Infinity };
    for (const [ids, until] of this.#beyond) if (until <= sequence) this.#beyond.delete(ids);
  }

  #isAfterLastTrade({ sequence, index }: ClosedTrade): boolean {
    const last = this.#lastTrade;
    return sequence > last.sequence || (sequence === last.sequence && index > last.index);
  }

  #isFresh(ids: string, sequence: bigint): boolean {
    const fresh = sequence > this.#sequence && !this.#beyond.has(ids);
    if (fresh) this.#beyond.set(ids, sequence);
    return fresh;
  }
}

/**
 * Facts come in order, so one that names no sequence is of the highest named beside it at most; where that is not beyond
 * the message's own it may be of the next, which is whole when a message of a later sequence comes.
 */
function sequenceOfUnnamed(sequence: bigint, update: PnLUpdate): bigint {
  let highest = 0n;
  const named = [...update.closedTrades, ...update.openedEntries, ...update.restatedTrades.map((each) => each.after)];
  for (const fact of named) if (fact && fact.sequence > highest) highest = fact.sequence;
  return highest > sequence ? highest : sequence + 1n;
}
