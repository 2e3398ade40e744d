"""Refusals as a caller meets them: the status code, and what google.rpc.Status in the trailer says about it.

Problem: a test that looks at the code and the message alone passes on the wrong refusal of the same code. Chosen: every
refused call is read whole, and what must hold for all of them (one ErrorInfo of our domain, the same code and message in
the status and in its details) is checked here once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import grpc
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped, unused-ignore] # typed, no marker

DETAILS = "grpc-status-details-bin"
DOMAIN = "lotkeeper"


class Refused(NamedTuple):
    """One refusal: ``violations`` are the fields of BadRequest with their descriptions, ``retry_after`` is in seconds."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    violations: tuple[tuple[str, str], ...]
    retry_after: float | None
    message: str

    @property
    def fields(self) -> list[str]:
        """Every broken field, in the order of the request."""
        return [field for field, _ in self.violations]


def refused(call: Callable[..., object], *arguments: object, **options: object) -> Refused:
    """Make a call that must be refused by the ledger, and read why."""
    error = _failed(call, *arguments, **options)
    statuses = [datum.value for datum in error.trailing_metadata() or () if datum.key == DETAILS]
    assert len(statuses) == 1, f"{error.code()} {error.details()!r} carries {len(statuses)} statuses, one is required"
    assert isinstance(statuses[0], bytes)
    status = status_pb2.Status.FromString(statuses[0])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    return _refused(error.code(), status)


def failed(call: Callable[..., object], *arguments: object, **options: object) -> grpc.StatusCode:
    """Make a call that gRPC itself must end, and say with which code."""
    return _failed(call, *arguments, **options).code()


def _failed(call: Callable[..., object], *arguments: object, **options: object) -> grpc.RpcError:
    try:
        answer = call(*arguments, **options)
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"not refused, but answered: {str(answer)[:2000]}")


def _refused(code: grpc.StatusCode, status: status_pb2.Status) -> Refused:
    infos, violations, retry_after = [], [], None
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            infos.append((info.domain, info.reason, dict(info.metadata)))
        elif detail.Unpack(bad):
            violations += [(violation.field, violation.description) for violation in bad.field_violations]
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    ((domain, reason, metadata),) = infos
    assert domain == DOMAIN
    return Refused(code, reason, metadata, tuple(violations), retry_after, status.message)
