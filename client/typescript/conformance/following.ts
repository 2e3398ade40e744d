/** A P&L stream that a scenario follows: messages read in order, facts queued until a step expects them. */

import { create } from "@bufbuild/protobuf";
import type { Channel } from "#client/channel.js";
import { LotkeeperError, type Ledger, type PnLEvent } from "lotkeeper";
import {
  LedgerService,
  PnLSnapshotSchema,
  PnLUpdateSchema,
  StreamPnLResponseSchema,
  type StreamPnLRequest,
} from "lotkeeper/v1";
import { DEADLINE, matchRefusal, reading, unexpected, written } from "./calls.js";
import { match, Mismatch, type Json, type Names } from "./matching.js";

type Fields = { [name: string]: Json };

/** One message, or event of the resuming stream: what kind it is, and that as protobuf JSON. */
interface Seen {
  readonly kind: string;
  readonly sequence: Json;
  readonly ledger_id: Json;
  readonly body: Fields;
}

const FACTS = ["closed_trades", "opened_entries", "restated_trades"] as const;

/** Values of which the newest counts, and what tells them apart. */
const VALUES = {
  positions: ["portfolio_id", "symbol", "book_side"],
  groups: ["portfolio_id", "group_id", "currency"],
};

/** A stream by the name a scenario gave it. */
export class Followed {
  readonly #messages: AsyncGenerator<Seen, void>;
  readonly #queues = new Map<string, Json[]>(FACTS.map((kind) => [kind, []]));
  readonly #newest = new Map<string, Map<string, Json>>(Object.keys(VALUES).map((list) => [list, new Map()]));
  readonly #expected = new Set<string>();
  readonly #end: () => void;
  #pending: Promise<IteratorResult<Seen, void>> | undefined;
  #last: Seen | undefined;

  private constructor(messages: AsyncGenerator<Seen, void>, end: () => void) {
    this.#messages = messages;
    this.#end = end;
  }

  /** A stream as the server sends it. */
  static raw(channel: Channel, request: StreamPnLRequest): Followed {
    const stream = channel.serverStream(LedgerService.method.streamPnL, request);
    const messages = async function* (): AsyncGenerator<Seen, void> {
      for await (const message of reading(stream)) {
        const { sequence, ledger_id, ...rest } = written(StreamPnLResponseSchema, message);
        const kind = message.event.case ?? "";
        yield { kind, sequence: sequence as Json, ledger_id: ledger_id as Json, body: (rest[kind] ?? {}) as Fields };
      }
    };
    return new Followed(messages(), () => stream.cancel());
  }

  /** The client's own stream, which resumes. */
  static resuming(ledger: Ledger, request: StreamPnLRequest): Followed {
    const ending = new AbortController();
    const { portfolioIds, symbols, afterSequence, ledgerId } = request;
    const asked = { portfolioIds, symbols, ...(afterSequence !== undefined && { afterSequence }), ledgerId };
    const messages = async function* (): AsyncGenerator<Seen, void> {
      for await (const event of ledger.streamPnL(asked, { signal: ending.signal })) yield seen(event);
    };
    return new Followed(messages(), () => ending.abort());
  }

  /** One step: reads until `step` has what it expects. @throws Mismatch it is not there, or is another. */
  async expect(step: Fields, names: Names): Promise<void> {
    const deadline = performance.now() + DEADLINE;
    if (step["refusal"] !== undefined) return this.#refused(step["refusal"] as Fields, deadline, names);
    if (step["snapshot"] !== undefined) await this.#snapshot(step["snapshot"], deadline, names);
    else if (step["facts"] !== undefined) await this.#facts(step["facts"] as Fields, deadline, names);
    else if (step["position"] !== undefined) await this.#value("positions", step["position"], deadline, names);
    else if (step["group"] !== undefined) await this.#value("groups", step["group"], deadline, names);
    else if (step["heartbeat"] !== undefined) while ((await this.#next(deadline)).kind !== "heartbeat");
    for (const key of ["sequence", "ledger_id"] as const) {
      if (step[key] !== undefined) match(step[key], this.#last?.[key], key, names);
    }
  }

  /** End the stream. @throws Mismatch a fact is left of a kind that was expected. */
  close(): void {
    this.abandon();
    for (const kind of this.#expected) {
      const left = this.#queues.get(kind)?.length;
      if (left) throw new Mismatch(`${left} of ${kind} came that nothing expected`);
    }
  }

  /** End the stream, whatever is left of it. */
  abandon(): void {
    this.#end();
    this.#pending?.catch(() => undefined);
  }

  async #next(deadline: number): Promise<Seen> {
    this.#pending ??= this.#messages.next();
    let late: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      const waiting = Math.max(0, deadline - performance.now());
      late = setTimeout(() => reject(new Mismatch(`what was expected did not come within ${DEADLINE} ms`)), waiting);
    });
    try {
      const next = await Promise.race([this.#pending, silence]);
      this.#pending = undefined;
      if (next.done) throw new Mismatch("the stream ended");
      return this.#taken(next.value);
    } finally {
      clearTimeout(late);
    }
  }

  #taken(message: Seen): Seen {
    this.#last = message;
    for (const [list, key] of Object.entries(VALUES)) {
      for (const item of (message.body[list] ?? []) as Fields[]) {
        this.#newest.get(list)?.set(JSON.stringify(key.map((name) => item[name])), item);
      }
    }
    if (message.kind === "update") {
      for (const kind of FACTS) this.#queues.get(kind)?.push(...(message.body[kind] as Json[]));
    }
    return message;
  }

  async #answered(deadline: number): Promise<Seen> {
    try {
      return await this.#next(deadline);
    } catch (failed) {
      throw unexpected(failed);
    }
  }

  async #refused(expected: Fields, deadline: number, names: Names): Promise<void> {
    try {
      for (;;) await this.#next(deadline);
    } catch (failed) {
      if (!(failed instanceof LotkeeperError)) throw failed;
      matchRefusal(expected, failed, names);
    }
  }

  async #snapshot(expected: Json, deadline: number, names: Names): Promise<void> {
    const whole: { [name: string]: Json[] } = { positions: [], totals: [], groups: [] };
    for (;;) {
      const { kind, body } = await this.#answered(deadline);
      if (kind !== "snapshot") continue;
      for (const [name, items] of Object.entries(whole)) items.push(...(body[name] as Json[]));
      if (body["more"] !== true) break;
    }
    match(expected, whole, "snapshot", names);
  }

  async #facts(expected: Fields, deadline: number, names: Names): Promise<void> {
    for (const [kind, items] of Object.entries(expected)) {
      this.#expected.add(kind);
      const queue = this.#queues.get(kind) as Json[];
      const count = (items as Json[]).length;
      while (queue.length < count) await this.#answered(deadline);
      match(items, queue.splice(0, count), `facts.${kind}`, names);
    }
  }

  async #value(list: string, expected: Json, deadline: number, names: Names): Promise<void> {
    const newest = this.#newest.get(list) as Map<string, Json>;
    while (![...newest.values()].some((item) => matches(expected, item, names))) await this.#answered(deadline);
  }
}

function matches(expected: Json, actual: Json, names: Names): boolean {
  const saved: Names = new Map();
  try {
    match(expected, actual, "", saved);
  } catch (mismatch) {
    if (mismatch instanceof Mismatch) return false;
    throw mismatch;
  }
  for (const [name, value] of saved) names.set(name, value);
  return true;
}

function seen(event: PnLEvent): Seen {
  const about = { kind: event.kind, sequence: String(event.sequence), ledger_id: event.ledgerId };
  if (event.kind === "snapshot") {
    const { positions, totals, groups } = event;
    const whole = { positions: [...positions], totals: [...totals], groups: [...groups] };
    return { ...about, body: written(PnLSnapshotSchema, create(PnLSnapshotSchema, whole)) };
  }
  if (event.kind !== "update") return { ...about, body: {} };
  const { positions, totals, groups, closedTrades, openedEntries, restatedTrades, conflatedCount } = event;
  const update = create(PnLUpdateSchema, {
    positions: [...positions],
    totals: [...totals],
    groups: [...groups],
    closedTrades: [...closedTrades],
    openedEntries: [...openedEntries],
    restatedTrades: [...restatedTrades],
    conflatedCount,
  });
  return { ...about, body: written(PnLUpdateSchema, update) };
}
