"""The one table: refusal -> status code, reason and details. No other place in the program knows a status code."""

from __future__ import annotations

from typing import NoReturn

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from lotkeeper.v1 import error_reason_pb2 as reasons
from lotkeeperd.domain import refusals

DOMAIN = "lotkeeper"
DETAILS = "grpc-status-details-bin"
"""The trailer that carries google.rpc.Status (gRFC A66 calls it by this name)."""

MESSAGE_LENGTH = 1000
"""Characters: trailers are limited to 8 KiB, and a message is percent-encoded."""

TABLE: dict[type[refusals.Refusal], tuple[grpc.StatusCode, int]] = {
    refusals.FieldViolations: (grpc.StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_FIELD_VIOLATION),
    refusals.InvalidPageToken: (grpc.StatusCode.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_PAGE_TOKEN),
    refusals.RequestIdReused: (grpc.StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_REQUEST_ID_REUSED),
    refusals.FillConflict: (grpc.StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_FILL_CONFLICT),
    refusals.EventConflict: (grpc.StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_FILL_CONFLICT),
    refusals.InsufficientQuantity: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_INSUFFICIENT_QUANTITY),
    refusals.NoOpenPosition: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_NO_OPEN_POSITION),
    refusals.NeverTraded: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_NO_OPEN_POSITION),
    refusals.OppositeSideOpen: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_OPPOSITE_SIDE_OPEN),
    refusals.PortfolioNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_PORTFOLIO_NOT_FOUND),
    refusals.PortfolioExists: (grpc.StatusCode.ALREADY_EXISTS, reasons.ERROR_REASON_PORTFOLIO_EXISTS),
    refusals.PortfolioClosed: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_PORTFOLIO_CLOSED),
    refusals.PortfolioNotEmpty: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_PORTFOLIO_NOT_EMPTY),
    refusals.PortfolioInUse: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_PORTFOLIO_IN_USE),
    refusals.InstrumentNotDeclared: (
        grpc.StatusCode.FAILED_PRECONDITION,
        reasons.ERROR_REASON_INSTRUMENT_NOT_DECLARED,
    ),
    refusals.InstrumentInUse: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_INSTRUMENT_IN_USE),
    refusals.InstrumentNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_INSTRUMENT_NOT_FOUND),
    refusals.LongOnly: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_LONG_ONLY),
    refusals.LotNotOpen: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_LOT_NOT_OPEN),
    refusals.FillNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_FILL_NOT_FOUND),
    refusals.FillBusted: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_FILL_BUSTED),
    refusals.LaterCommandRefused: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_LATER_COMMAND_REFUSED),
    refusals.TradeNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_TRADE_NOT_FOUND),
    refusals.SymbolFrozen: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_SYMBOL_FROZEN),
    refusals.PortfolioHalted: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_PORTFOLIO_HALTED),
    refusals.DiscrepancyNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_DISCREPANCY_NOT_FOUND),
    refusals.DiscrepancyNotOpen: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_DISCREPANCY_NOT_OPEN),
    refusals.ReconciliationNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_RECONCILIATION_NOT_FOUND),
    refusals.ResolutionNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_RESOLUTION_NOT_FOUND),
    refusals.TradingModeMismatch: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_TRADING_MODE),
    refusals.SequenceAhead: (grpc.StatusCode.OUT_OF_RANGE, reasons.ERROR_REASON_SEQUENCE_AHEAD),
    refusals.LedgerReplaced: (grpc.StatusCode.FAILED_PRECONDITION, reasons.ERROR_REASON_LEDGER_REPLACED),
    refusals.TooManyStreams: (grpc.StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_TOO_MANY_STREAMS),
    refusals.WriteQueueFull: (grpc.StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_WRITE_QUEUE_FULL),
    refusals.StorageUnavailable: (grpc.StatusCode.UNAVAILABLE, reasons.ERROR_REASON_STORAGE_UNAVAILABLE),
    refusals.DiskFull: (grpc.StatusCode.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_DISK_FULL),
    refusals.Fenced: (grpc.StatusCode.UNAVAILABLE, reasons.ERROR_REASON_FENCED),
    refusals.ServerDraining: (grpc.StatusCode.UNAVAILABLE, reasons.ERROR_REASON_SERVER_DRAINING),
    refusals.BrokerUnavailable: (grpc.StatusCode.UNAVAILABLE, reasons.ERROR_REASON_BROKER_UNAVAILABLE),
    refusals.BrokerAccountNotFound: (grpc.StatusCode.NOT_FOUND, reasons.ERROR_REASON_BROKER_ACCOUNT_NOT_FOUND),
    refusals.LedgerCorrupt: (grpc.StatusCode.DATA_LOSS, reasons.ERROR_REASON_LEDGER_CORRUPT),
    refusals.NotYetImplemented: (grpc.StatusCode.UNIMPLEMENTED, reasons.ERROR_REASON_NOT_YET_IMPLEMENTED),
    refusals.InternalError: (grpc.StatusCode.INTERNAL, reasons.ERROR_REASON_INTERNAL_ERROR),
}


def reason_name(reason: int) -> str:
    """The reason as it stands in ErrorInfo."""
    return str(reasons.ErrorReason.Name(reason)).removeprefix("ERROR_REASON_")


def status_of(refusal: refusals.Refusal) -> tuple[grpc.StatusCode, status_pb2.Status]:
    """The code, and the status with its details."""
    code, reason = TABLE[type(refusal)]
    details = [error_details_pb2.ErrorInfo(reason=reason_name(reason), domain=DOMAIN, metadata=refusal.metadata)]
    if isinstance(refusal, refusals.FieldViolations):
        details.append(_bad_request(refusal))
    if isinstance(refusal, refusals.WriteQueueFull):
        delay = Duration()
        delay.FromNanoseconds(int(refusal.retry_after * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=code.value[0], message=refusal.message[:MESSAGE_LENGTH])
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return code, status


def _bad_request(refusal: refusals.FieldViolations) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=violation.field, description=violation.description)
            for violation in refusal.violations
        ]
    )


async def refuse(context: grpc.aio.ServicerContext[bytes, bytes], refusal: refusals.Refusal) -> NoReturn:
    """End the call with ``refusal``."""
    code, status = status_of(refusal)
    await context.abort(code, status.message, ((DETAILS, status.SerializeToString()),))
    raise AssertionError("abort does not return")
