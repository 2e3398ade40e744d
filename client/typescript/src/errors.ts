/**
 * What the ledger refuses, as errors to catch by what one can do about it.
 *
 *   LotkeeperError                  everything below; raised itself for what this client does not know yet
 *   ├── InvalidRequest              the request broke a rule; `violations` names every broken field
 *   │   └── InvalidPageToken        the pages of a read expired; start the read again
 *   ├── Conflict                    recorded before with other content; nothing was written
 *   │   ├── FillConflict            the fill id: `metadata` names the first differing `field`
 *   │   ├── RequestIdReused         the request id
 *   │   └── PortfolioExists         the portfolio, with other terms: `metadata` names the `field`
 *   ├── BookRefused                 the lots that are open do not allow it; nothing was written
 *   │   ├── InsufficientQuantity    `metadata`: open_quantity, requested_quantity
 *   │   ├── NoOpenPosition
 *   │   ├── OppositeSideOpen        `metadata`: open_side, open_quantity
 *   │   ├── LongOnly                `metadata`: symbol, open_quantity
 *   │   └── LotNotOpen              `metadata`: entry_id, open_quantity
 *   ├── TermsRefused                the terms of the portfolio or instrument do not allow it; nothing was written
 *   │   ├── PortfolioClosed         `metadata`: portfolio_id
 *   │   ├── PortfolioNotEmpty       `metadata`: symbol
 *   │   ├── PortfolioInUse          `metadata`: field
 *   │   ├── InstrumentNotDeclared   `metadata`: symbol
 *   │   ├── InstrumentInUse         `metadata`: symbol, field, open_quantity
 *   │   └── TradingModeMismatch     `metadata`: portfolio_id
 *   ├── HistoryRefused              what is recorded already does not allow it; nothing was written
 *   │   ├── FillBusted              `metadata`: fill_id, sequence
 *   │   └── LaterCommandRefused     `metadata`: sequence, fill_id and reason of the first such command
 *   ├── Restrained                  the broker holds something else, and a person has not decided yet
 *   │   ├── SymbolFrozen            `metadata`: portfolio_id, symbol, discrepancy_id
 *   │   └── PortfolioHalted         `metadata`: portfolio_id, discrepancy_id
 *   ├── DiscrepancyNotOpen          `metadata`: discrepancy_id, state
 *   ├── NotReconciled               `report`: why ledger and broker are not known to agree
 *   ├── NotFound
 *   │   ├── PortfolioNotFound
 *   │   ├── BrokerAccountNotFound
 *   │   ├── InstrumentNotFound      `metadata`: symbol
 *   │   ├── FillNotFound            `metadata`: fill_id
 *   │   ├── TradeNotFound           `metadata`: trade_id
 *   │   ├── DiscrepancyNotFound     `metadata`: discrepancy_id
 *   │   ├── ReconciliationNotFound  `metadata`: reconciliation_id
 *   │   └── ResolutionNotFound      `metadata`: resolution_id
 *   ├── OtherHistory                a sequence that is not one of this ledger's
 *   │   ├── SequenceAhead           `metadata`: latest_sequence
 *   │   └── LedgerReplaced          restored or another one: what was collected from it starts again
 *   ├── AccessDenied
 *   │   ├── TokenMissing
 *   │   ├── TokenInvalid
 *   │   └── PortfolioForbidden
 *   ├── LimitReached
 *   │   ├── TooManyStreams
 *   │   └── DiskFull                reads and streams go on
 *   ├── TryAgain                    recorded or not: send it again with the same ids, it counts once
 *   │   ├── WriteQueueFull
 *   │   ├── Unavailable             the connection was lost, or:
 *   │   │   ├── StorageUnavailable
 *   │   │   ├── ServerDraining
 *   │   │   ├── BrokerUnavailable
 *   │   │   └── Fenced              another server has the database now
 *   │   └── DeadlineExceeded
 *   ├── NotYetImplemented           `metadata`: feature
 *   └── ServerFault                 a bug or worse, on the other side
 *       ├── LedgerCorrupt
 *       └── InternalError
 *
 * gRPC gives one class for everything, with the reason in binary metadata; bots need `instanceof FillConflict`. Therefore
 * each `ErrorReason` has a class; a reason newer than this client is raised as its status code's, and keeps its name.
 */

import type { ReconcileResponse } from "./gen/lotkeeper/v1/reconciliation_pb.js";
import { outstanding } from "./reconciliation.js";

/** Name of a gRPC status code. */
export type Code =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** One broken field of a request, and the rule it broke. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What was said beside code and message. */
export interface Details {
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly retryDelayMs?: number;
  readonly cause?: unknown;
}

/** Anything the ledger, or the way to it, answered instead of the result. */
export class LotkeeperError extends Error {
  // `message`, of every Error, is the ledger's own: what was wrong, with the values, and what to do.

  /** The gRPC status code. */
  readonly code: Code;
  /** `ErrorReason` without its prefix, such as `FILL_CONFLICT`; empty when the ledger gave none. */
  readonly reason: string;
  /** What the reason carries, by name; all text. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Every broken field of an invalid request. */
  readonly violations: readonly FieldViolation[];
  /** Milliseconds to wait before trying again, when the server says so. */
  readonly retryDelayMs: number | undefined;

  constructor(code: Code, message: string, details: Details = {}) {
    const { reason = "", metadata = {}, violations = [], retryDelayMs, cause } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.reason = reason;
    this.metadata = metadata;
    this.violations = violations;
    this.retryDelayMs = retryDelayMs;
  }
}

/** Differences that the words of `NotReconciled` tell; its report has all. */
const EXPLAINED = 5;

/** The request broke a rule of the contract; `violations` names every broken field. */
export class InvalidRequest extends LotkeeperError {}

/** The pages of a read expired, or the token is another read's: start the read again. */
export class InvalidPageToken extends InvalidRequest {}

/** Recorded before with other content; nothing was written. */
export class Conflict extends LotkeeperError {}

/** The fill id was recorded with other content; `metadata` names the first differing field. */
export class FillConflict extends Conflict {}

/** The request id was used with other content, or by another method. */
export class RequestIdReused extends Conflict {}

/** The portfolio exists with other terms; `metadata` names the first differing field. */
export class PortfolioExists extends Conflict {}

/** The lots that are open do not allow it; nothing was written. */
export class BookRefused extends LotkeeperError {}

/** Fewer are open than the close asks for. */
export class InsufficientQuantity extends BookRefused {}

/** Nothing is open on that side. */
export class NoOpenPosition extends BookRefused {}

/** The other side is open. */
export class OppositeSideOpen extends BookRefused {}

/** The portfolio is long-only, and this would make it short. */
export class LongOnly extends BookRefused {}

/** A lot that the close names is not open, or not that much of it. */
export class LotNotOpen extends BookRefused {}

/** The terms of the portfolio or the instrument do not allow it; nothing was written. */
export class TermsRefused extends LotkeeperError {}

/** The portfolio is closed and takes no more commands. */
export class PortfolioClosed extends TermsRefused {}

/** A portfolio with open lots cannot be closed: close them first. */
export class PortfolioNotEmpty extends TermsRefused {}

/** What was agreed before the portfolio's first record cannot be changed after it. */
export class PortfolioInUse extends TermsRefused {}

/** A contract or an option that nobody has declared: `defineInstrument` first. */
export class InstrumentNotDeclared extends TermsRefused {}

/** Lots of the instrument are open, so this of it cannot change. */
export class InstrumentInUse extends TermsRefused {}

/** A portfolio is of another trading mode than was asked for. */
export class TradingModeMismatch extends TermsRefused {}

/** What is recorded already does not allow it; nothing was written. */
export class HistoryRefused extends LotkeeperError {}

/** The execution was busted before. */
export class FillBusted extends HistoryRefused {}

/** With this change a later command would have been refused; `metadata` names the first such command. */
export class LaterCommandRefused extends HistoryRefused {}

/** The broker holds something else than the ledger: this waits until a person has decided; nothing was written. */
export class Restrained extends LotkeeperError {}

/** New entries of this symbol wait: `resolveDiscrepancy` first. */
export class SymbolFrozen extends Restrained {}

/** Every execution of this portfolio waits: `resolveDiscrepancy` first. */
export class PortfolioHalted extends Restrained {}

/** The difference was resolved before, or is not there any more; `metadata` tells which. */
export class DiscrepancyNotOpen extends LotkeeperError {}

/** Ledger and broker are not known to agree; raised by the client, and only where it was asked for. */
export class NotReconciled extends LotkeeperError {
  /** What was compared and found. */
  readonly report: ReconcileResponse;

  constructor(report: ReconcileResponse) {
    super("FAILED_PRECONDITION", disagreement(report), { reason: "NOT_RECONCILED" });
    this.report = report;
  }
}

function disagreement(report: ReconcileResponse): string {
  const open = outstanding(report);
  const said = open.slice(0, EXPLAINED).map((found) => found.explanation);
  if (open.length > said.length) said.push(`and ${open.length - said.length} more`);
  if (!report.complete) said.push("the broker did not say everything");
  return `reconciliation ${report.reconciliationId}: ${said.join("; ")}`;
}

/** No such thing in this ledger. */
export class NotFound extends LotkeeperError {}

/** No such portfolio; the first fill makes it. */
export class PortfolioNotFound extends NotFound {}

/** No such broker account is configured. */
export class BrokerAccountNotFound extends NotFound {}

/** No such instrument. */
export class InstrumentNotFound extends NotFound {}

/** No such execution is recorded. */
export class FillNotFound extends NotFound {}

/** No such closed trade. */
export class TradeNotFound extends NotFound {}

/** No such difference. */
export class DiscrepancyNotFound extends NotFound {}

/** No such report. */
export class ReconciliationNotFound extends NotFound {}

/** No such resolution, or it was taken back. */
export class ResolutionNotFound extends NotFound {}

/** A sequence that is not one of this ledger's. */
export class OtherHistory extends LotkeeperError {}

/** The sequence is ahead of this ledger. */
export class SequenceAhead extends OtherHistory {}

/** The ledger is another one, or was restored: what was collected from the old one starts again. */
export class LedgerReplaced extends OtherHistory {}

/** Credentials are missing, not accepted, or do not cover this. */
export class AccessDenied extends LotkeeperError {}

/** No credentials were sent. */
export class TokenMissing extends AccessDenied {}

/** The credentials were not accepted. */
export class TokenInvalid extends AccessDenied {}

/** The credentials do not cover the portfolio or the method. */
export class PortfolioForbidden extends AccessDenied {}

/** A limit of the server, or of the message size. */
export class LimitReached extends LotkeeperError {}

/** Close another stream first. */
export class TooManyStreams extends LimitReached {}

/** The server's disk is full; nothing was written, reads and streams go on. */
export class DiskFull extends LimitReached {}

/** Nothing is wrong with the request: send it again with the same ids, it counts once. */
export class TryAgain extends LotkeeperError {}

/** The server has more writes waiting than it takes; nothing was written. */
export class WriteQueueFull extends TryAgain {}

/** The connection was lost, or the server cannot answer now. */
export class Unavailable extends TryAgain {}

/** The database is locked or unreachable; whether the write was recorded, the next try tells. */
export class StorageUnavailable extends Unavailable {}

/** The server is shutting down. */
export class ServerDraining extends Unavailable {}

/** The broker did not answer, or not completely. */
export class BrokerUnavailable extends Unavailable {}

/** Another server has taken the database over; the address may soon lead there. */
export class Fenced extends Unavailable {}

/** No answer within the timeout. */
export class DeadlineExceeded extends TryAgain {}

/** This version of the server does not do it yet. */
export class NotYetImplemented extends LotkeeperError {}

/** A bug or worse, on the other side. */
export class ServerFault extends LotkeeperError {}

/** An invariant of the ledger does not hold; its writes are stopped. */
export class LedgerCorrupt extends ServerFault {}

/** A bug of the server. */
export class InternalError extends ServerFault {}
