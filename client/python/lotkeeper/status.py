"""A failed call's status as an exception: the client's half of the table of refusals.

The server sends ``google.rpc.Status`` in binary trailing metadata, with an ``ErrorInfo`` that names the reason, a
``BadRequest`` that names fields, a ``RetryInfo`` that names a delay. A proxy, or gRPC itself, sends a code and words
only. Therefore the class is chosen by the reason, then by the code, and what cannot be read hides nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from google.rpc import (  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker that says so
    error_details_pb2,
    status_pb2,
)

from lotkeeper import errors

_DOMAIN = "lotkeeper"
_DETAILS_KEY = "grpc-status-details-bin"
_NANOSECONDS = 1_000_000_000
LAST_WORD = 1.0  # seconds that what a server said may still be on its way, once its stream is known to have ended
_NOT_FROM_THE_SERVER = "Internal error from Core"

BY_REASON: Mapping[str, type[errors.LotkeeperError]] = {
    "FIELD_VIOLATION": errors.InvalidRequest,
    "INVALID_PAGE_TOKEN": errors.InvalidPageToken,
    "REQUEST_ID_REUSED": errors.RequestIdReused,
    "FILL_CONFLICT": errors.FillConflict,
    "INSUFFICIENT_QUANTITY": errors.InsufficientQuantity,
    "NO_OPEN_POSITION": errors.NoOpenPosition,
    "OPPOSITE_SIDE_OPEN": errors.OppositeSideOpen,
    "PORTFOLIO_NOT_FOUND": errors.PortfolioNotFound,
    "SEQUENCE_AHEAD": errors.SequenceAhead,
    "LEDGER_REPLACED": errors.LedgerReplaced,
    "TOKEN_MISSING": errors.TokenMissing,
    "TOKEN_INVALID": errors.TokenInvalid,
    "PORTFOLIO_FORBIDDEN": errors.PortfolioForbidden,
    "TOO_MANY_STREAMS": errors.TooManyStreams,
    "WRITE_QUEUE_FULL": errors.WriteQueueFull,
    "STORAGE_UNAVAILABLE": errors.StorageUnavailable,
    "SERVER_DRAINING": errors.ServerDraining,
    "BROKER_UNAVAILABLE": errors.BrokerUnavailable,
    "LEDGER_CORRUPT": errors.LedgerCorrupt,
    "INTERNAL_ERROR": errors.InternalError,
    "BROKER_ACCOUNT_NOT_FOUND": errors.BrokerAccountNotFound,
    "DISK_FULL": errors.DiskFull,
    "FENCED": errors.Fenced,
    "NOT_YET_IMPLEMENTED": errors.NotYetImplemented,
    "PORTFOLIO_EXISTS": errors.PortfolioExists,
    "PORTFOLIO_CLOSED": errors.PortfolioClosed,
    "PORTFOLIO_NOT_EMPTY": errors.PortfolioNotEmpty,
    "PORTFOLIO_IN_USE": errors.PortfolioInUse,
    "INSTRUMENT_NOT_DECLARED": errors.InstrumentNotDeclared,
    "INSTRUMENT_IN_USE": errors.InstrumentInUse,
    "LONG_ONLY": errors.LongOnly,
    "LOT_NOT_OPEN": errors.LotNotOpen,
    "FILL_NOT_FOUND": errors.FillNotFound,
    "FILL_BUSTED": errors.FillBusted,
    "LATER_COMMAND_REFUSED": errors.LaterCommandRefused,
    "TRADE_NOT_FOUND": errors.TradeNotFound,
    "INSTRUMENT_NOT_FOUND": errors.InstrumentNotFound,
    "SYMBOL_FROZEN": errors.SymbolFrozen,
    "PORTFOLIO_HALTED": errors.PortfolioHalted,
    "DISCREPANCY_NOT_FOUND": errors.DiscrepancyNotFound,
    "DISCREPANCY_NOT_OPEN": errors.DiscrepancyNotOpen,
    "RECONCILIATION_NOT_FOUND": errors.ReconciliationNotFound,
    "RESOLUTION_NOT_FOUND": errors.ResolutionNotFound,
    "TRADING_MODE": errors.TradingModeMismatch,
}

_BY_CODE: Mapping[grpc.StatusCode, type[errors.LotkeeperError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.ALREADY_EXISTS: errors.Conflict,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.UNAUTHENTICATED: errors.AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: errors.AccessDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.LimitReached,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotYetImplemented,
    grpc.StatusCode.DATA_LOSS: errors.ServerFault,
    grpc.StatusCode.INTERNAL: errors.ServerFault,
    grpc.StatusCode.UNKNOWN: errors.ServerFault,
}


def error_of(failed: grpc.RpcError) -> errors.LotkeeperError:
    """The exception for a call that failed, blocking or asyncio, with everything the server said about it."""
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    _unpack_details(failed, (info, bad, retry))
    reason = info.reason if info.domain == _DOMAIN else ""
    code = failed.code()
    return _class_for(code, reason)(
        code,
        failed.details() or "",
        reason,
        dict(info.metadata) if reason else {},
        tuple(errors.FieldViolation(broken.field, broken.description) for broken in bad.field_violations),
        retry.retry_delay.ToNanoseconds() / _NANOSECONDS if retry.HasField("retry_delay") else None,
    )


def _class_for(code: grpc.StatusCode, reason: str) -> type[errors.LotkeeperError]:
    return BY_REASON.get(reason) or _BY_CODE.get(code) or errors.LotkeeperError


def _unpack_details(failed: grpc.RpcError, kinds: Sequence[Message]) -> None:
    # Pairs in both clients; only the types of the two differ.
    trailing = cast("Iterable[tuple[str, str | bytes]]", failed.trailing_metadata() or ())
    for key, value in trailing:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            # A status whose details cannot be read is still a status.
            with suppress(DecodeError):
                for detail in status_pb2.Status.FromString(value).details:
                    for kind in kinds:
                        detail.Unpack(kind)


class FirstStatus:
    """The status that a server ended an asyncio stream with.

    Seen: a message that is on its way when the server ends the stream fails with "Internal error from Core", and the call may say
    INTERNAL from then on instead of what the server said, or the other way round. Therefore the first status that is the
    server's is ``known``.
    """

    def __init__(self, call: grpc.aio.Call) -> None:
        self.known: grpc.aio.AioRpcError | None = None
        self._told = asyncio.Event()
        call.add_done_callback(self._on_end)

    def _on_end(self, call: grpc.aio.Call) -> None:
        code, details = _at_once(call.code()), _at_once(call.details())
        if code is not grpc.StatusCode.OK and details != _NOT_FROM_THE_SERVER and self.known is None:
            self.known = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), _at_once(call.trailing_metadata()), details)
            self._told.set()

    async def of(self, broken: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Why the stream ended, when a read or a write says ``broken``: what the server said, or a lost connection."""
        ours = broken.details() == _NOT_FROM_THE_SERVER
        if self.known is None and ours:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD):
                    await self._told.wait()
        return self.known or (_lost() if ours else broken)


def _lost() -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "the connection was lost while sending")


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that has nothing to wait for: the parts of a status that is there."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("the status of a call that has ended is not there")
