"""A failed call's status as an exception: the client's half of the table of refusals.

The server sends ``google.rpc.Status`` in binary trailing metadata, with an ``ErrorInfo`` that names the reason, a
``BadRequest`` that names fields, a ``RetryInfo`` that names a delay. A proxy, or gRPC itself, sends a code and words
only. Therefore the class is chosen by the reason, then by the code, and what cannot be read hides nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import (  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker that says so
    error_details_pb2,
    status_pb2,
)

from lotkeeper import errors

_DOMAIN = "lotkeeper"
_DETAILS_KEY = "grpc-status-details-bin"
_NANOSECONDS = 1_000_000_000

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
