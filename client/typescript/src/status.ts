/**
 * A failed call's status as an error: the client's half of the table of refusals.
 *
 * The server sends `google.rpc.Status` in binary trailing metadata, with an `ErrorInfo` that names the reason, a
 * `BadRequest` that names fields, a `RetryInfo` that names a delay. A proxy, or gRPC itself, sends a code and words only.
 * Therefore the class is chosen by the reason, then by the code, and what cannot be read hides nothing else.
 */

import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import { status as Status, type Metadata, type ServiceError } from "@grpc/grpc-js";
import * as errors from "./errors.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
  StatusSchema,
  type Status as RichStatus,
} from "./gen/google/rpc/status_pb.js";

type ErrorClass = new (code: errors.Code, message: string, details?: errors.Details) => errors.LotkeeperError;

const DOMAIN = "lotkeeper";
const DETAILS_KEY = "grpc-status-details-bin";

/** The error of each reason. */
export const BY_REASON: Readonly<Record<string, ErrorClass>> = {
  FIELD_VIOLATION: errors.InvalidRequest,
  INVALID_PAGE_TOKEN: errors.InvalidPageToken,
  REQUEST_ID_REUSED: errors.RequestIdReused,
  FILL_CONFLICT: errors.FillConflict,
  INSUFFICIENT_QUANTITY: errors.InsufficientQuantity,
  NO_OPEN_POSITION: errors.NoOpenPosition,
  OPPOSITE_SIDE_OPEN: errors.OppositeSideOpen,
  PORTFOLIO_NOT_FOUND: errors.PortfolioNotFound,
  SEQUENCE_AHEAD: errors.SequenceAhead,
  LEDGER_REPLACED: errors.LedgerReplaced,
  TOKEN_MISSING: errors.TokenMissing,
  TOKEN_INVALID: errors.TokenInvalid,
  PORTFOLIO_FORBIDDEN: errors.PortfolioForbidden,
  TOO_MANY_STREAMS: errors.TooManyStreams,
  WRITE_QUEUE_FULL: errors.WriteQueueFull,
  STORAGE_UNAVAILABLE: errors.StorageUnavailable,
  SERVER_DRAINING: errors.ServerDraining,
  BROKER_UNAVAILABLE: errors.BrokerUnavailable,
  LEDGER_CORRUPT: errors.LedgerCorrupt,
  INTERNAL_ERROR: errors.InternalError,
  BROKER_ACCOUNT_NOT_FOUND: errors.BrokerAccountNotFound,
  DISK_FULL: errors.DiskFull,
  FENCED: errors.Fenced,
  NOT_YET_IMPLEMENTED: errors.NotYetImplemented,
  PORTFOLIO_EXISTS: errors.PortfolioExists,
  PORTFOLIO_CLOSED: errors.PortfolioClosed,
  PORTFOLIO_NOT_EMPTY: errors.PortfolioNotEmpty,
  PORTFOLIO_IN_USE: errors.PortfolioInUse,
  INSTRUMENT_NOT_DECLARED: errors.InstrumentNotDeclared,
  INSTRUMENT_IN_USE: errors.InstrumentInUse,
  LONG_ONLY: errors.LongOnly,
  LOT_NOT_OPEN: errors.LotNotOpen,
  FILL_NOT_FOUND: errors.FillNotFound,
  FILL_BUSTED: errors.FillBusted,
  LATER_COMMAND_REFUSED: errors.LaterCommandRefused,
  TRADE_NOT_FOUND: errors.TradeNotFound,
  INSTRUMENT_NOT_FOUND: errors.InstrumentNotFound,
  SYMBOL_FROZEN: errors.SymbolFrozen,
  PORTFOLIO_HALTED: errors.PortfolioHalted,
  DISCREPANCY_NOT_FOUND: errors.DiscrepancyNotFound,
  DISCREPANCY_NOT_OPEN: errors.DiscrepancyNotOpen,
  RECONCILIATION_NOT_FOUND: errors.ReconciliationNotFound,
  RESOLUTION_NOT_FOUND: errors.ResolutionNotFound,
  TRADING_MODE: errors.TradingModeMismatch,
};

const BY_CODE: Readonly<Partial<Record<errors.Code, ErrorClass>>> = {
  INVALID_ARGUMENT: errors.InvalidRequest,
  ALREADY_EXISTS: errors.Conflict,
  NOT_FOUND: errors.NotFound,
  UNAUTHENTICATED: errors.AccessDenied,
  PERMISSION_DENIED: errors.AccessDenied,
  RESOURCE_EXHAUSTED: errors.LimitReached,
  UNAVAILABLE: errors.Unavailable,
  DEADLINE_EXCEEDED: errors.DeadlineExceeded,
  UNIMPLEMENTED: errors.NotYetImplemented,
  DATA_LOSS: errors.ServerFault,
  INTERNAL: errors.ServerFault,
  UNKNOWN: errors.ServerFault,
};

/** The error for a call that failed, with everything the server said about it; what is no status stays what it is. */
export function errorOf(failed: unknown): unknown {
  if (!isServiceError(failed)) return failed;
  const code = (Status[failed.code] ?? "UNKNOWN") as errors.Code;
  const said = detailsOf(failed.metadata);
  const info = unpacked(said, ErrorInfoSchema);
  const reason = info?.domain === DOMAIN ? info.reason : "";
  const retry = unpacked(said, RetryInfoSchema)?.retryDelay;
  const kind = (Object.hasOwn(BY_REASON, reason) ? BY_REASON[reason] : BY_CODE[code]) ?? errors.LotkeeperError;
  return new kind(code, failed.details, {
    reason,
    metadata: reason ? { ...info?.metadata } : {},
    violations: (unpacked(said, BadRequestSchema)?.fieldViolations ?? []).map(({ field, description }) => ({
      field,
      description,
    })),
    ...(retry && { retryDelayMs: durationMs(retry) }),
  });
}

function isServiceError(failed: unknown): failed is ServiceError {
  return failed instanceof Error && "code" in failed && "details" in failed && typeof failed.code === "number";
}

function detailsOf(trailing: Metadata | undefined): RichStatus | undefined {
  const found = trailing?.get(DETAILS_KEY)[0];
  return found instanceof Uint8Array ? readable(() => fromBinary(StatusSchema, found)) : undefined;
}

function unpacked<D extends DescMessage>(said: RichStatus | undefined, schema: D): MessageShape<D> | undefined {
  for (const detail of said?.details ?? []) {
    const found = readable(() => anyUnpack(detail, schema));
    if (found) return found;
  }
  return undefined;
}

/** What `read` gives; nothing where the bytes are garbage, because a status whose details cannot be read is still one. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
