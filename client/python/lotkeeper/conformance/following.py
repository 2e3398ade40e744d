"""A stream that a scenario follows: facts in queues, values at their newest, read only as far as a step needs.

How facts are spread over updates is the server's choice, and values may be folded; therefore a step says which facts come next,
or what a position becomes, and never which message it comes in.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import grpc

from lotkeeper.conformance import calls, matching
from lotkeeper.conformance.scenarios import FACTS
from lotkeeper.conformance.shapes import Method
from lotkeeper.errors import LotkeeperError
from lotkeeper.events import Update
from lotkeeper.resume import Subscription
from lotkeeper.status import error_of
from lotkeeper.v1.ledger_service_pb2 import StreamPnLRequest, StreamPnLResponse


class Unmet(Exception):
    """A step's expectation was not met; the message says what came instead."""


class Followed:
    """One open stream.

    Args:
        channel: gives the channel to the server as it is now; asked again for every connection.
        method: the RPC.
        request: what is asked for.
        follow: go on after a lost connection, as the client's own stream does.
    """

    def __init__(
        self, channel: Callable[[], grpc.Channel], method: Method, request: Mapping[str, Any], *, follow: bool
    ) -> None:
        self._channel, self._method, self._follow = channel, method, follow
        message = calls.parsed(method, request)
        assert isinstance(message, StreamPnLRequest)
        self._subscription = Subscription(message)
        self._request = message
        self._arrived: queue.SimpleQueue[dict[str, Any] | calls.Refused | LotkeeperError] = queue.SimpleQueue()
        self._facts: dict[str, deque[Any]] = {kind: deque() for kind in FACTS}
        self._expected: set[str] = set()
        self._positions: dict[tuple[str, ...], Any] = {}
        self._groups: dict[tuple[str, ...], Any] = {}
        self._last: dict[str, Any] = {}
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._call = calls.stream(channel(), method, message)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def expect(self, step: Mapping[str, Any], saved: dict[str, Any]) -> str | None:
        """Read until ``step`` is met; the first difference, or None.

        Raises:
            Unmet: it was not met in time, or the stream ended.
        """
        until = time.monotonic() + calls.SECONDS
        kind = next(kind for kind in self._WAYS if kind in step)
        found = self._WAYS[kind](self, step[kind], until, saved)
        beside = {key: step[key] for key in ("sequence", "ledger_id") if key in step}
        return found or matching.difference(beside, self._last, "message", saved)

    def close(self) -> str | None:
        """End it; what is left that should not be, in words, or None."""
        self._closed.set()
        with self._lock:
            self._call.cancel()
        self._reader.join(calls.SECONDS)
        for kind in sorted(self._expected):
            if self._facts[kind]:
                return f"{kind}: not expected, but came: {list(self._facts[kind])}"
        return None

    def _snapshot(self, expected: Any, until: float, saved: dict[str, Any]) -> str | None:
        whole: dict[str, list[Any]] = {"positions": [], "totals": [], "groups": []}
        while True:
            message = self._next(until, "a snapshot")
            if "snapshot" in message:
                for name, items in whole.items():
                    items.extend(message["snapshot"][name])
                if not message["snapshot"]["more"]:
                    return matching.difference(expected, whole, "snapshot", saved)

    def _fact(self, expected: Mapping[str, list[Any]], until: float, saved: dict[str, Any]) -> str | None:
        self._expected |= set(expected)
        for kind, wanted in expected.items():
            while len(self._facts[kind]) < len(wanted):
                self._next(until, f"{len(wanted)} of {kind}, of which {len(self._facts[kind])} came")
        taken = {kind: [self._facts[kind].popleft() for _ in wanted] for kind, wanted in expected.items()}
        return matching.difference(expected, taken, "facts", saved)

    def _position(self, expected: Any, until: float, saved: dict[str, Any]) -> str | None:
        return self._value("position", self._positions, expected, until, saved)

    def _group(self, expected: Any, until: float, saved: dict[str, Any]) -> str | None:
        return self._value("group", self._groups, expected, until, saved)

    def _value(
        self, kind: str, newest: Mapping[tuple[str, ...], Any], expected: Any, until: float, saved: dict[str, Any]
    ) -> str | None:
        while True:
            for value in newest.values():
                met: dict[str, Any] = {}
                if matching.difference(expected, value, kind, met) is None:
                    saved.update(met)
                    return None
            self._next(until, f"a {kind} like {expected}; the newest are {list(newest.values())}")

    def _heartbeat(self, _expected: Any, until: float, _saved: dict[str, Any]) -> str | None:
        while "heartbeat" not in self._next(until, "a heartbeat"):
            pass
        return None

    def _refusal(self, expected: Any, until: float, saved: dict[str, Any]) -> str | None:
        while True:
            arrived = self._take(until, "a refusal")
            if isinstance(arrived, calls.Refused):
                return calls.refusal_difference(expected, arrived, "refusal", saved)

    _WAYS: ClassVar[Mapping[str, Callable[..., str | None]]] = {
        "snapshot": _snapshot,
        "facts": _fact,
        "position": _position,
        "group": _group,
        "heartbeat": _heartbeat,
        "refusal": _refusal,
    }

    def _next(self, until: float, awaited: str) -> dict[str, Any]:
        arrived = self._take(until, awaited)
        if not isinstance(arrived, dict):
            raise Unmet(f"the stream ended with {arrived} before {awaited}")
        self._last = arrived
        state = arrived.get("snapshot") or arrived.get("update") or {}
        for position in state.get("positions", ()):
            self._positions[position["portfolio_id"], position["symbol"], position["book_side"]] = position
        for group in state.get("groups", ()):
            self._groups[group["portfolio_id"], group["group_id"], group["currency"]] = group
        for kind in FACTS:
            self._facts[kind].extend(state.get(kind, ()))
        return arrived

    def _take(self, until: float, awaited: str) -> dict[str, Any] | calls.Refused | LotkeeperError:
        try:
            return self._arrived.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            raise Unmet(f"waited {calls.SECONDS:g} s for {awaited}") from None

    def _read(self) -> None:
        """The reader's thread: messages into the queue, connections anew where the scenario follows."""
        while not self._closed.is_set():
            try:
                for message in self._call:
                    self._arrived.put(self._fresh(message))
                failed: LotkeeperError = self._subscription.ended()
            except grpc.RpcError as broken:
                if not self._follow:
                    self._arrived.put(calls.Refused(broken))
                    return
                failed = error_of(broken)
            except LotkeeperError as replaced:
                self._arrived.put(replaced)
                return
            if self._closed.is_set() or not self._again(failed):
                return

    def _again(self, failed: LotkeeperError) -> bool:
        try:
            self._subscription.lost(failed, time.time_ns())
        except LotkeeperError as final:
            self._arrived.put(final)
            return False
        with self._lock:
            if not self._closed.is_set():
                self._call = calls.stream(self._channel(), self._method, self._subscription.request())
        return not self._closed.is_set()

    def _fresh(self, message: StreamPnLResponse) -> dict[str, Any]:
        """The message; where the scenario follows, with the facts only that the client's stream gives on."""
        content = calls.written(message)
        if not self._follow:
            return content
        event = self._subscription.take(message, time.time_ns())
        if isinstance(event, Update):
            update = content["update"]
            trades = {trade.trade_id for trade in event.closed_trades}
            entries = {entry.entry_id for entry in event.opened_entries}
            update["closed_trades"] = [one for one in update["closed_trades"] if one["trade_id"] in trades]
            update["opened_entries"] = [one for one in update["opened_entries"] if one["entry_id"] in entries]
            update["restated_trades"] = update["restated_trades"][
                len(update["restated_trades"]) - len(event.restated_trades) :
            ]
        return content
