/**
 * Lotkeeper for trading bots in TypeScript and JavaScript: `connect` gives a `Ledger`, everything else is what it takes,
 * answers and throws.
 */
export * from "./errors.js";
export * from "./events.js";
export { VERSION, type Security } from "./channel.js";
export {
  BROKER_TIMEOUT_MS,
  connect,
  DEFAULT_TIMEOUT_MS,
  Ledger,
  type Asked,
  type CallOptions,
  type ConnectOptions,
  type Summary,
} from "./client.js";
export type { Fills } from "./bulk.js";
export type { Decimal, DecimalField, DecimalObject, Fields, Needs } from "./fields.js";
export { ClosedTrades, ExplainedPosition, Pages } from "./pages.js";
export { Publisher, type Marks } from "./publishing.js";
export { agreed, outstanding } from "./reconciliation.js";
export { date, nanoseconds, type Moment } from "./time.js";
export {
  DiscrepancyKind,
  DiscrepancyState,
  EntryStatus,
  ErrorReason,
  ExcessPolicy,
  InstrumentKind,
  LatePolicy,
  LotMethod,
  OptionRight,
  PositionMode,
  PositionSide,
  ReconcileMode,
  RecordKind,
  ResolutionKind,
  Restraint,
  Severity,
  Side,
  TradingMode,
} from "./v1.js";
