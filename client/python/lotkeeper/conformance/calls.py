"""Calls over a channel, as a scenario makes them: JSON in, JSON or a refusal out. One attempt each, with a deadline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from lotkeeper.conformance import matching
from lotkeeper.conformance.shapes import Method
from lotkeeper.status import error_of

SECONDS = 10.0
"""The deadline of a call, and how long a step waits for messages of a stream."""


class Refused(Exception):
    """The server refused; ``content`` is the refusal as a scenario writes it."""

    def __init__(self, failed: grpc.RpcError) -> None:
        error = error_of(failed)
        super().__init__(f"{error.code.name} {error.reason}: {error.message}")
        self.content: dict[str, Any] = {
            "code": error.code.name,
            "reason": error.reason,
            "metadata": dict(error.metadata),
            "violations": sorted(violation.field for violation in error.violations),
            "retry": error.retry_delay is not None,
        }


def written(message: Message) -> dict[str, Any]:
    """Protobuf JSON with the names of the ``.proto`` files; what has no presence is always there."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def parsed(method: Method, request: Mapping[str, Any]) -> Message:
    """The request as a message."""
    return json_format.ParseDict(dict(request), method.request())


def one(channel: grpc.Channel, method: Method, request: Mapping[str, Any]) -> dict[str, Any]:
    """One request, one answer.

    Raises:
        Refused: the server refused.
    """
    call = channel.unary_unary(
        method.path, request_serializer=_bytes_of, response_deserializer=method.answer.FromString
    )
    try:
        return written(call(parsed(method, request), timeout=SECONDS))
    except grpc.RpcError as failed:
        raise Refused(failed) from failed


def many(
    channel: grpc.Channel, method: Method, requests: Iterable[Mapping[str, Any]], answers: list[dict[str, Any]]
) -> None:
    """All requests, then the end of them; what is answered goes into ``answers`` as it comes.

    Raises:
        Refused: the server refused, maybe after some answers.
    """
    sent = iter([parsed(method, request) for request in requests])
    try:
        if method.many_out:
            both = channel.stream_stream(
                method.path, request_serializer=_bytes_of, response_deserializer=method.answer.FromString
            )
            for answer in both(sent, timeout=SECONDS):
                answers.append(written(answer))  # noqa: PERF401 - those before a refusal count
        else:
            one_way = channel.stream_unary(
                method.path, request_serializer=_bytes_of, response_deserializer=method.answer.FromString
            )
            answers.append(written(one_way(sent, timeout=SECONDS)))
    except grpc.RpcError as failed:
        raise Refused(failed) from failed


def stream(channel: grpc.Channel, method: Method, request: Message) -> Any:
    """A stream of answers, without a deadline; waits for a server that is starting."""
    call = channel.unary_stream(
        method.path, request_serializer=_bytes_of, response_deserializer=method.answer.FromString
    )
    return call(request, wait_for_ready=True)


def refusal_difference(expected: Mapping[str, Any], refused: Refused, where: str, saved: dict[str, Any]) -> str | None:
    """What of a refusal is not as expected, or None."""
    wanted = dict(expected)
    if "violations" in wanted:
        wanted["violations"] = sorted(wanted["violations"])
    found = matching.difference(wanted, refused.content, where, saved)
    return f"{found} ({refused})" if found else None


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString()
