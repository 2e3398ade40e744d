/**
 * Long answers, page by page, as if they were one.
 *
 * The server gives at most 1000 of anything at once, and a token for the next page. Whoever forgets the token reads the
 * first page and believes it is all. Therefore the client never shows a page: a list is iterated, and a page is fetched
 * when the iteration reaches it.
 */

import type { ExplainLine, ExplainPositionResponse } from "./gen/lotkeeper/v1/explain_service_pb.js";
import type { ClosedTrade, Position, Totals } from "./gen/lotkeeper/v1/ledger_pb.js";
import type { ListClosedTradesResponse } from "./gen/lotkeeper/v1/ledger_service_pb.js";

/** The most a server gives at once: the fewest round trips. */
export const PAGE_SIZE = 1000;

/** One page of an answer. */
export interface Page {
  readonly nextPageToken: string;
}

/** Iterates over a list, fetching each page when the iteration reaches it. */
export class Pages<P extends Page, V> implements AsyncIterableIterator<V> {
  readonly #fetch: (pageToken: string) => Promise<P>;
  readonly #items: (page: P) => readonly V[];
  #newest: P | undefined;
  #waiting: readonly V[] = [];
  #taken = 0;

  /** @param fetch asks for the page of a token; empty is the first. @param items are what a page lists. */
  constructor(fetch: (pageToken: string) => Promise<P>, items: (page: P) => readonly V[]) {
    this.#fetch = fetch;
    this.#items = items;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<V, undefined>> {
    while (this.#taken === this.#waiting.length) {
      if (this.#newest && !this.#newest.nextPageToken) return { done: true, value: undefined };
      await this.#read(this.#newest?.nextPageToken ?? "");
    }
    return { done: false, value: this.#waiting[this.#taken++] as V };
  }

  /** All that is left, in memory at once. */
  async all(): Promise<V[]> {
    const items: V[] = [];
    for await (const item of this) items.push(item);
    return items;
  }

  /** The page read last; fetches the first if need be. */
  protected async newest(): Promise<P> {
    return this.#newest ?? (await this.#read(""));
  }

  async #read(pageToken: string): Promise<P> {
    const page = await this.#fetch(pageToken);
    this.#newest = page;
    this.#waiting = this.#items(page);
    this.#taken = 0;
    return page;
  }
}

/** Iterates over closed trades, and knows their sums. */
export class ClosedTrades extends Pages<ListClosedTradesResponse, ClosedTrade> {
  /** Sums over all trades asked for, one per currency, as of the newest page; fetches the first if need be. */
  async totals(): Promise<readonly Totals[]> {
    return (await this.newest()).totals;
  }
}

/** Iterates over the records that made a position, and knows the position. */
export class ExplainedPosition extends Pages<ExplainPositionResponse, ExplainLine> {
  /** What the changes of all lines sum to; fetches the first page if need be. */
  async position(): Promise<Position> {
    return (await this.newest()).position as Position; // every page has one
  }

  /** Journal sequence that every page is taken at; fetches the first if need be. */
  async sequence(): Promise<bigint> {
    return (await this.newest()).sequence;
  }
}
