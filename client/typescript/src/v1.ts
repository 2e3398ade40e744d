/**
 * The contract itself: every message, enum and service of `protos/lotkeeper/v1`, as the compiler wrote them. For callers
 * who want a message as it is on the wire, or the contract's enums.
 */
export * from "./gen/lotkeeper/v1/error_reason_pb.js";
export * from "./gen/lotkeeper/v1/event_service_pb.js";
export * from "./gen/lotkeeper/v1/explain_service_pb.js";
export * from "./gen/lotkeeper/v1/instrument_service_pb.js";
export * from "./gen/lotkeeper/v1/ledger_pb.js";
export * from "./gen/lotkeeper/v1/ledger_service_pb.js";
export * from "./gen/lotkeeper/v1/market_service_pb.js";
export * from "./gen/lotkeeper/v1/portfolio_service_pb.js";
export * from "./gen/lotkeeper/v1/reconciliation_pb.js";
export * from "./gen/lotkeeper/v1/reconciliation_service_pb.js";
