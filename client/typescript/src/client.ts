/**
 * The client: what a trading bot imports to tell the ledger what it executed, and to ask what it holds.
 *
 * A call takes the fields of its request as the contract names them, in camel case, and gives the generated answer.
 * Decimals go in as text, bigint or a decimal object and come out as text, times go in as bigint nanoseconds or `Date` and
 * come out as the contract has them (`nanoseconds` reads them), sequences are bigint. Added to the stubs are five things:
 * connect (`channel`), deadlines and retries with the same ids (`retry`), exact decimals and times (`fields`, `time`), typed
 * errors (`errors`), and a P&L stream that outlives its connections (`resume`, `facts`). Nothing is calculated here.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { clone, type DescMessage, type DescMethodUnary, type MessageShape } from "@bufbuild/protobuf";
import { cutShort, Recording, silent, type Fills } from "./bulk.js";
import { Channel, type Security } from "./channel.js";
import { DeadlineExceeded, LotkeeperError, NotReconciled } from "./errors.js";
import type { PnLEvent } from "./events.js";
import { message, text, waitingTime, type Fields, type Needs } from "./fields.js";
import * as v1 from "./v1.js";
import { ClosedTrades, ExplainedPosition, PAGE_SIZE, Pages } from "./pages.js";
import { markMessages, Publisher, type Marks } from "./publishing.js";
import { watched } from "./reading.js";
import { agreed } from "./reconciliation.js";
import { Subscription } from "./resume.js";
import { Attempts, backoff } from "./retry.js";
import { now } from "./time.js";

/** Milliseconds an answer may take, retries included, where nothing else was said. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/** The same for `reconcile`: a server asks its broker for 30 s and, where something differs, once more. */
export const BROKER_TIMEOUT_MS = 120_000;

/** What `connect` takes beside the address. */
export interface ConnectOptions extends Security {
  /** For all calls that do not name another; empty is the server's "default". */
  readonly portfolio?: string;
  /** Milliseconds until an answer must be there, retries included, for all calls that do not say otherwise. */
  readonly timeoutMs?: number;
}

/** What any call takes beside its fields. */
export interface CallOptions {
  /** Milliseconds until the answer must be there, retries included. */
  readonly timeoutMs?: number;
}

/** Positions and totals, all pages of them, as they stood at one journal sequence. */
export type Summary = Omit<v1.GetSummaryResponse, "$typeName" | "$unknown" | "nextPageToken">;

/** What a read takes: pages are fetched for the caller. */
export type Asked<M> = Omit<Fields<M>, "pageToken">;

/**
 * A ledger at `address`, `host:port` or `unix:/path.sock`; `close` it in the end, or let `using` do so.
 *
 * Nothing is sent yet: the first call connects, and waits for a server that is still starting.
 *
 * @throws RangeError the address or an option is none.
 */
export function connect(address: string, options: ConnectOptions = {}): Ledger {
  return new Ledger(address, options);
}

/** A ledger behind a connection; `connect` makes one. */
export class Ledger implements Disposable {
  readonly #channel: Channel;
  readonly #address: string;
  readonly #portfolio: string;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();

  /** @throws RangeError the address or an option is none. */
  constructor(address: string, options: ConnectOptions = {}) {
    this.#portfolio = text("portfolio", options.portfolio ?? "");
    this.#timeoutMs = waitingTime("timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#channel = new Channel(address, options);
    this.#address = address;
  }

  /** Close the connection; a stream that is still read ends. */
  close(): void {
    this.#closing.abort();
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Open one lot. `entryFillId` or `requestId` makes it count once, however often it is sent.
   *
   * @throws RangeError neither id was given, or a value cannot be sent.
   * @throws TypeError a number for a decimal, or another type that cannot be sent exactly.
   * @throws LotkeeperError the ledger refused, or did not answer in time. So does every other call; not said again.
   */
  async createEntry(
    entry: Needs<Fields<v1.CreateEntryRequest>, "symbol" | "quantity" | "entryPrice">,
    options?: CallOptions,
  ): Promise<v1.CreateEntryResponse> {
    identify("createEntry", entry.requestId, "entryFillId", entry.entryFillId);
    return this.#ask(v1.LedgerService.method.createEntry, this.#ofPortfolio(entry), options);
  }

  /**
   * Close open lots of one symbol, oldest first: `quantity` of them, or `closeAll`. `exitFillId` or `requestId` makes it
   * count once, however often it is sent. `lots`, where the portfolio's lot method is CHOSEN, are the lots to take.
   */
  async closeFifo(
    close: Needs<Fields<v1.CloseFifoRequest>, "symbol" | "exitPrice">,
    options?: CallOptions,
  ): Promise<v1.CloseFifoResponse> {
    identify("closeFifo", close.requestId, "exitFillId", close.exitFillId);
    return this.#ask(v1.LedgerService.method.closeFifo, this.#ofPortfolio(close), options);
  }

  /**
   * Record one execution and let the book decide: open, add, reduce, close or flip. `fill.fillId` or `requestId` makes it
   * count once, however often it is sent.
   */
  async recordFill(
    recorded: Omit<Fields<v1.RecordFillRequest>, "fill"> & {
      fill: Needs<Fields<v1.Fill>, "symbol" | "side" | "quantity" | "price">;
    },
    options?: CallOptions,
  ): Promise<v1.RecordFillResponse> {
    identify("recordFill", recorded.requestId, "fill.fillId", recorded.fill?.fillId);
    return this.#ask(v1.LedgerService.method.recordFill, this.#ofPortfolio(recorded), options);
  }

  /**
   * Record many executions in order; gives a `FillResult` for each. Nothing is sent until the results are iterated.
   *
   * `fills` may be an array or any generator, and is taken from as results are. A fill that is refused says so in its own
   * result, and the others go on. A lost connection is made again, and what was not answered is sent again: each fill needs
   * its `fillId` and counts once. `timeoutMs` is for each answer, of some hundred fills.
   */
  async *recordFills(
    recorded: Omit<Fields<v1.RecordFillsRequest>, "fills"> & { fills: Fills },
    options: CallOptions = {},
  ): AsyncGenerator<v1.FillResult, void> {
    const { fills, ...rest } = recorded;
    const envelope = message(v1.RecordFillsRequestSchema, this.#ofPortfolio(rest));
    const recording = new Recording(fills, envelope);
    const timeoutMs = this.#timeout(options);
    let attempts: Attempts | undefined;
    for (;;) {
      try {
        for await (const answer of this.#recordOverOneStream(recording, timeoutMs)) {
          attempts = undefined;
          yield* answer;
        }
        return;
      } catch (broken) {
        if (broken instanceof DeadlineExceeded) throw broken; // no answer in time is none, however often it is tried
        attempts ??= new Attempts("RecordFills", this.#address, timeoutMs);
        await sleep(attempts.failed(broken));
      }
    }
  }

  /** Take an execution back that the venue busted; the book is re-matched without it. `requestId` makes it count once. */
  async bustFill(
    bust: Needs<Fields<v1.BustFillRequest>, "requestId" | "symbol">,
    options?: CallOptions,
  ): Promise<v1.BustFillResponse> {
    return this.#ask(v1.EventService.method.bustFill, this.#ofPortfolio(bust), options);
  }

  /**
   * Correct an execution that the venue restated; the book is re-matched with it as it is now. What is given takes the place
   * of what was recorded, what is left out stays. `requestId` makes it count once.
   */
  async correctFill(
    correction: Needs<Fields<v1.CorrectFillRequest>, "requestId" | "symbol">,
    options?: CallOptions,
  ): Promise<v1.CorrectFillResponse> {
    return this.#ask(v1.EventService.method.correctFill, this.#ofPortfolio(correction), options);
  }

  /**
   * Record what happened to the account beside executions: cash, fees that come later, splits, the ends of contracts.
   * `event.event` says which: `{ case: "deposit", value: { money: { currency: "USD", amount: "500" } } }`. `event.eventId`
   * or `requestId` makes it count once, however often it is sent.
   */
  async recordEvent(
    recorded: Needs<Fields<v1.RecordEventRequest>, "event">,
    options?: CallOptions,
  ): Promise<v1.RecordEventResponse> {
    identify("recordEvent", recorded.requestId, "event.eventId", recorded.event?.eventId);
    const event = this.#ofPortfolio(recorded.event);
    return this.#ask(v1.EventService.method.recordEvent, { ...recorded, event }, options);
  }

  /** Iterate over events in the order they were recorded; no `symbol` means all. `timeoutMs` is for each page. */
  listEvents(
    asked: Asked<v1.ListEventsRequest> = {},
    options?: CallOptions,
  ): Pages<v1.ListEventsResponse, v1.Event> {
    const fetch = this.#pagesOf(v1.EventService.method.listEvents, this.#ofPortfolio(asked), options);
    return new Pages(fetch, (page) => page.events);
  }

  /**
   * Read positions and totals, all pages of them, as they stood at one journal sequence.
   *
   * No `symbols` means all that are open. `asOfSequence` or `asOfTime` reads a past state, `lotMethod` the same executions
   * matched by another method; neither is valued at the live marks, but at `marks`. `timeoutMs` is for the whole read.
   *
   * @throws InvalidPageToken the server lost the read between two pages; start it again.
   */
  async getSummary(asked: Asked<v1.GetSummaryRequest> = {}, options: CallOptions = {}): Promise<Summary> {
    const deadline = performance.now() + this.#timeout(options);
    const fetch = this.#pagesOf(v1.LedgerService.method.getSummary, this.#ofPortfolio(asked), options, deadline);
    const pages = [await fetch("")];
    for (let last = pages[0]!; last.nextPageToken; last = pages.at(-1)!) pages.push(await fetch(last.nextPageToken));
    const { totals, baseTotals, sequence, ledgerId } = pages.at(-1)!;
    return {
      positions: pages.flatMap((page) => page.positions),
      groups: pages.flatMap((page) => page.groups),
      totals,
      baseTotals,
      sequence,
      ledgerId,
    };
  }

  /** Iterate over lots in FIFO order; no `statuses` means open and partially closed. `timeoutMs` is for each page. */
  listEntries(
    asked: Asked<v1.ListEntriesRequest> = {},
    options?: CallOptions,
  ): Pages<v1.ListEntriesResponse, v1.Entry> {
    const fetch = this.#pagesOf(v1.LedgerService.method.listEntries, this.#ofPortfolio(asked), options);
    return new Pages(fetch, (page) => page.entries);
  }

  /**
   * Iterate over closed trades in the order they were closed; `totals()` of the iterator sums all of them.
   *
   * `startTime` counts, `endTime` does not. `day`, "today", "yesterday" or YYYY-MM-DD, is one in the portfolio's time zone.
   * Pages are fetched as the iteration reaches them; `timeoutMs` is for each.
   */
  listClosedTrades(asked: Asked<v1.ListClosedTradesRequest> = {}, options?: CallOptions): ClosedTrades {
    const fetch = this.#pagesOf(v1.LedgerService.method.listClosedTrades, this.#ofPortfolio(asked), options);
    return new ClosedTrades(fetch, (page) => page.closedTrades);
  }

  /** Read what makes a closed trade: the entry's execution, the exit's, and the corrections of either. */
  async explainTrade(
    asked: Needs<Fields<v1.ExplainTradeRequest>, "tradeId">,
    options?: CallOptions,
  ): Promise<v1.ExplainTradeResponse> {
    return this.#ask(v1.ExplainService.method.explainTrade, this.#ofPortfolio(asked), options);
  }

  /**
   * Iterate over the records that made a position; `position()` of the iterator is what their changes sum to. `timeoutMs` is
   * for each page.
   */
  explainPosition(
    asked: Needs<Asked<v1.ExplainPositionRequest>, "symbol">,
    options?: CallOptions,
  ): ExplainedPosition {
    const fetch = this.#pagesOf(v1.ExplainService.method.explainPosition, this.#ofPortfolio(asked), options);
    return new ExplainedPosition(fetch, (page) => page.lines);
  }

  /** Create a portfolio. `requestId` makes a retry safe. */
  async createPortfolio(
    created: Needs<Fields<v1.CreatePortfolioRequest>, "requestId" | "portfolio">,
    options?: CallOptions,
  ): Promise<v1.CreatePortfolioResponse> {
    const portfolio = this.#ofPortfolio(created.portfolio);
    return this.#ask(v1.PortfolioService.method.createPortfolio, { ...created, portfolio }, options);
  }

  /** Change the terms that are given; what is left out stays. `requestId` makes a retry safe. */
  async updatePortfolio(
    changed: Needs<Fields<v1.UpdatePortfolioRequest>, "requestId">,
    options?: CallOptions,
  ): Promise<v1.UpdatePortfolioResponse> {
    if (changed.initialCash?.length === 0) {
      throw new RangeError("initialCash: [] is sent as nothing and would change nothing; pass an amount of 0");
    }
    return this.#ask(v1.PortfolioService.method.updatePortfolio, this.#ofPortfolio(changed), options);
  }

  /** Take no more commands for a portfolio; its history stays readable. `requestId` makes a retry safe. */
  async closePortfolio(
    closed: Needs<Fields<v1.ClosePortfolioRequest>, "requestId">,
    options?: CallOptions,
  ): Promise<v1.ClosePortfolioResponse> {
    return this.#ask(v1.PortfolioService.method.closePortfolio, this.#ofPortfolio(closed), options);
  }

  /** Iterate over portfolios by id; no `portfolioIds` means all. `timeoutMs` is for each page. */
  listPortfolios(
    asked: Asked<v1.ListPortfoliosRequest> = {},
    options?: CallOptions,
  ): Pages<v1.ListPortfoliosResponse, v1.Portfolio> {
    const fetch = this.#pagesOf(v1.PortfolioService.method.listPortfolios, asked, options);
    return new Pages(fetch, (page) => page.portfolios);
  }

  /**
   * Declare an instrument, all of it: what is left out is the default, not what was declared before. `requestId` makes a
   * retry safe.
   */
  async defineInstrument(
    defined: Needs<Fields<v1.DefineInstrumentRequest>, "requestId" | "instrument">,
    options?: CallOptions,
  ): Promise<v1.DefineInstrumentResponse> {
    return this.#ask(v1.InstrumentService.method.defineInstrument, defined, options);
  }

  /** Iterate over instruments by symbol; no `symbols` means all. `timeoutMs` is for each page. */
  listInstruments(
    asked: Asked<v1.ListInstrumentsRequest> = {},
    options?: CallOptions,
  ): Pages<v1.ListInstrumentsResponse, v1.Instrument> {
    const fetch = this.#pagesOf(v1.InstrumentService.method.listInstruments, asked, options);
    return new Pages(fetch, (page) => page.instruments);
  }

  /**
   * Compare the ledger with the broker: `source` is a configured `brokerAccount`, or a `statement` that is passed.
   *
   * `portfolioIds` share the broker account, and their sum is compared; left out, they are those configured for the account,
   * or the portfolio given to `connect`. Only `ReconcileMode.APPLY` changes anything, and only what the server's rules
   * allow; it takes a `requestId`, so that a retry gets the same report.
   *
   * @throws BrokerUnavailable the broker did not answer; nothing is known, and nothing was changed.
   */
  async reconcile(
    asked: Needs<Fields<v1.ReconcileRequest>, "source">,
    options: CallOptions = {},
  ): Promise<v1.ReconcileResponse> {
    if (!asked.source?.case) throw new RangeError("reconcile: pass a brokerAccount or a statement; neither was given");
    if (asked.mode === v1.ReconcileMode.APPLY && !asked.requestId) {
      throw new RangeError(
        "reconcile: APPLY without a requestId: a retry after a lost answer could not be told from another run. Pass a " +
          "requestId made before the first try and kept for the next.",
      );
    }
    const portfolioIds = asked.source.case === "brokerAccount" ? [] : [this.#portfolio || "default"];
    const within = { timeoutMs: options.timeoutMs ?? BROKER_TIMEOUT_MS };
    const request = { mode: v1.ReconcileMode.DRY_RUN, portfolioIds, ...given(asked) };
    return this.#ask(v1.LedgerService.method.reconcile, request, within);
  }

  /**
   * What a bot calls first: compare the ledger with the broker, and with `ReconcileMode.APPLY` repair what the rules allow.
   *
   * The report tells what was found. With `requireAgreement` the bot gets no further where ledger and broker are not known
   * to agree: a difference stands, or the broker did not say everything. The rest is that of `reconcile`; each call is a run
   * of its own, and a repair that was made is found made.
   *
   * @throws NotReconciled they are not known to agree and `requireAgreement` was asked for; `report` tells why.
   */
  async reconcileOnStartup(
    asked: Needs<Omit<Fields<v1.ReconcileRequest>, "requestId">, "source">,
    options: CallOptions & { readonly requireAgreement?: boolean } = {},
  ): Promise<v1.ReconcileResponse> {
    const report = await this.reconcile({ ...asked, requestId: `startup-${randomUUID()}` }, options);
    if (options.requireAgreement && !agreed(report)) throw new NotReconciled(report);
    return report;
  }

  /** Iterate over reports, newest first; of all portfolios and accounts unless one is named. */
  listReconciliations(
    asked: Asked<v1.ListReconciliationsRequest> = {},
    options?: CallOptions,
  ): Pages<v1.ListReconciliationsResponse, v1.Reconciliation> {
    const fetch = this.#pagesOf(v1.ReconciliationService.method.listReconciliations, asked, options);
    return new Pages(fetch, (page) => page.reconciliations);
  }

  /** Read one report, as it was answered then. */
  async getReconciliation(
    asked: Needs<Fields<v1.GetReconciliationRequest>, "reconciliationId">,
    options?: CallOptions,
  ): Promise<v1.GetReconciliationResponse> {
    return this.#ask(v1.ReconciliationService.method.getReconciliation, asked, options);
  }

  /** Iterate over differences, worst first; the open ones unless `states` says otherwise, of everything not named. */
  listDiscrepancies(
    asked: Asked<v1.ListDiscrepanciesRequest> = {},
    options?: CallOptions,
  ): Pages<v1.ListDiscrepanciesResponse, v1.DiscrepancyRecord> {
    const fetch = this.#pagesOf(v1.ReconciliationService.method.listDiscrepancies, asked, options);
    return new Pages(fetch, (page) => page.discrepancies);
  }

  /** Decide about one difference; with `validateOnly` see the effect on P&L first, and change nothing. */
  async resolveDiscrepancy(
    decided: Needs<Fields<v1.ResolveDiscrepancyRequest>, "requestId" | "discrepancyId" | "action">,
    options?: CallOptions,
  ): Promise<v1.ResolveDiscrepancyResponse> {
    return this.#ask(v1.ReconciliationService.method.resolveDiscrepancy, decided, options);
  }

  /** Take a resolution back: what it recorded is busted, and the difference is open again. */
  async undoResolution(
    undone: Needs<Fields<v1.UndoResolutionRequest>, "requestId" | "resolutionId" | "reason">,
    options?: CallOptions,
  ): Promise<v1.UndoResolutionResponse> {
    return this.#ask(v1.ReconciliationService.method.undoResolution, undone, options);
  }

  /** Set prices to value open lots at: `{symbol: price}`, or marks that say when they were observed. */
  async setMarks(
    set: { readonly marks: Marks; readonly source?: string },
    options?: CallOptions,
  ): Promise<v1.SetMarksResponse> {
    return this.#ask(v1.MarketService.method.setMarks, { ...set, marks: markMessages(set.marks) }, options);
  }

  /** Read the newest marks, all or those of `symbols`, and the state of every price source. */
  async listMarks(asked: Fields<v1.ListMarksRequest> = {}, options?: CallOptions): Promise<v1.ListMarksResponse> {
    return this.#ask(v1.MarketService.method.listMarks, asked, options);
  }

  /**
   * Marks over one stream that stays open; its end tells the ledger that `source` is interrupted. `timeoutMs` is how long
   * that end may take.
   */
  publishMarks(about: { readonly source?: string } = {}, options: CallOptions = {}): Publisher {
    return new Publisher(this.#channel, text("source", about.source ?? ""), this.#timeout(options));
  }

  /**
   * Follow live P&L: a `snapshot`, then an `update` for every change, a `heartbeat` while nothing changes.
   *
   * Goes on after a lost connection by itself, with a `disconnected` to say so: every closed trade, opened entry and
   * restated trade comes exactly once and in order. To go on after a restart of your own, pass `sequence` of the last event
   * as `afterSequence`, and its `ledgerId`. Leave the loop, or abort `signal`, to end the stream.
   *
   * `portfolioIds` left out is the portfolio given to `connect`, or all of them when none was; `[]` is all. The intervals
   * are milliseconds: the least time between two messages (none: every change), and the time without a change after which a
   * heartbeat comes (5 s).
   *
   * @throws RangeError one of `afterSequence` and `ledgerId` without the other.
   * @throws LedgerReplaced while iterating: the ledger was restored; start a new stream.
   */
  streamPnL(
    asked: Fields<v1.StreamPnLRequest> = {},
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<PnLEvent, void> {
    if ((asked.afterSequence === undefined) !== !asked.ledgerId) {
      throw new RangeError(
        `streamPnL: afterSequence=${asked.afterSequence} with ledgerId=${JSON.stringify(asked.ledgerId ?? "")}: a sequence ` +
          "counts in one ledger only; pass both, as the last event had them, or neither",
      );
    }
    const portfolioIds = this.#portfolio ? [this.#portfolio] : [];
    const request = message(v1.StreamPnLRequestSchema, { portfolioIds, ...given(asked) });
    const ending = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    return this.#follow(new Subscription(request), ending);
  }

  async *#follow(subscription: Subscription, ending: AbortSignal): AsyncGenerator<PnLEvent, void> {
    let pauses = backoff();
    while (!ending.aborted) {
      let error: unknown;
      try {
        for await (const answer of this.#readOneStream(subscription, ending)) {
          pauses = backoff();
          const event = subscription.take(answer, now());
          if (event) yield event;
        }
        error = subscription.ended();
      } catch (broken) {
        error = broken;
      }
      if (ending.aborted) return;
      if (!(error instanceof LotkeeperError)) throw error;
      const disconnected = subscription.lost(error, now());
      if (disconnected) yield disconnected;
      await sleep(pauses.next().value, undefined, { signal: ending }).catch(() => undefined);
    }
  }

  async *#readOneStream(subscription: Subscription, ending: AbortSignal): AsyncGenerator<v1.StreamPnLResponse, void> {
    const call = this.#channel.serverStream(v1.LedgerService.method.streamPnL, subscription.request());
    const cancel = (): void => call.cancel();
    ending.addEventListener("abort", cancel);
    try {
      yield* watched(call, subscription.silenceLimit, () => subscription.silent());
    } finally {
      ending.removeEventListener("abort", cancel);
    }
  }

  async *#recordOverOneStream(
    recording: Recording,
    timeoutMs: number,
  ): AsyncGenerator<readonly v1.FillResult[], void> {
    const call = this.#channel.bothStreams(v1.LedgerService.method.recordFills);
    try {
      for await (const next of recording.opening()) call.write(next);
      if (!recording.waits) return;
      for await (const answer of watched(call, timeoutMs, () => silent(timeoutMs))) {
        yield recording.take(answer);
        for await (const next of recording.following()) call.write(next);
        if (!recording.waits) return;
      }
    } finally {
      call.cancel();
    }
    throw cutShort();
  }

  async #ask<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    fields: object,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    return this.#carryOut(method, message(method.input, fields), this.#timeout(options));
  }

  async #carryOut<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    timeoutMs: number,
    deadline?: number,
  ): Promise<MessageShape<O>> {
    const attempts = new Attempts(method.name, this.#address, timeoutMs, deadline);
    for (;;) {
      try {
        return await this.#channel.unary(method, request, attempts.remaining());
      } catch (broken) {
        await sleep(attempts.failed(broken));
      }
    }
  }

  /** How to fetch the page of a token, each within its own time, or all until `deadline`. */
  #pagesOf<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    fields: object,
    options: CallOptions = {},
    deadline?: number,
  ): (pageToken: string) => Promise<MessageShape<O>> {
    const first = message(method.input, { pageSize: PAGE_SIZE, ...given(fields) });
    const timeoutMs = this.#timeout(options);
    return (pageToken) => {
      const request = Object.assign(clone(method.input, first), { pageToken });
      return this.#carryOut(method, request, timeoutMs, deadline);
    };
  }

  #ofPortfolio<F extends { portfolioId?: string }>(fields: F): F {
    return { portfolioId: this.#portfolio, ...given(fields) };
  }

  #timeout(options: CallOptions): number {
    return options.timeoutMs === undefined ? this.#timeoutMs : waitingTime("timeoutMs", options.timeoutMs);
  }
}

/** `fields` without those that are undefined, which would hide a default. */
function given<F extends object>(fields: F): F {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as F;
}

/** See that a write carries an id: without one, nobody could tell a retry from something new. */
function identify(method: string, requestId: string | undefined, ownField: string, ownId: string | undefined): void {
  if (requestId || ownId) return;
  throw new RangeError(
    `${method}: neither ${ownField} nor requestId was given. Without one a retry after a lost answer, or a second instance ` +
      `of the bot, would record it twice. Pass the venue's own id as ${ownField}, or a requestId made before the first try ` +
      "and kept for the next.",
  );
}
