"""A scenario from its first step to its last, against a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

import grpc
from google.protobuf import json_format

from lotkeeper.channel import OPTIONS, target
from lotkeeper.conformance import calls, matching, names
from lotkeeper.conformance.following import Followed, Unmet
from lotkeeper.conformance.scenarios import Scenario
from lotkeeper.conformance.servers import NotHere, OneAddress, Servers
from lotkeeper.conformance.shapes import METHODS


class Verdict(Enum):
    """What became of a scenario; the value is how its line begins."""

    PASSED = "ok  "
    FAILED = "FAIL"
    SKIPPED = "skip"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``message`` says why it failed or was skipped, ``step`` where it failed, from 1."""

    scenario: Scenario
    verdict: Verdict
    message: str = ""
    step: int = 0


class Failed(Exception):
    """A step is not as the scenario says."""


@dataclass
class _Run:
    """One execution: its names, its streams, its connection."""

    servers: Servers
    names: dict[str, Any] = field(default_factory=names.fresh)
    streams: dict[str, Followed] = field(default_factory=dict)
    address: str = ""
    _channel: grpc.Channel | None = None

    def channel(self) -> grpc.Channel:
        assert self._channel is not None
        return self._channel

    def connect(self, address: str) -> None:
        if address != self.address:
            before, self.address = self._channel, address
            # A pool of its own: channels to one address would share a connection, and with it its fate.
            self._channel = grpc.insecure_channel(target(address), (*OPTIONS, ("grpc.use_local_subchannel_pool", 1)))
            if before is not None:
                before.close()

    def end(self) -> None:
        for stream in self.streams.values():
            stream.close()
        if self._channel is not None:
            self._channel.close()

    def take(self, step: Mapping[str, Any]) -> str | None:
        """Execute one step; the first difference, or None."""
        saved: dict[str, Any] = {}
        content = names.filled(step, self.names)
        do = next(do for kind, do in self._DOES.items() if kind in step)
        found = do(self, content, saved)
        self.names |= saved
        return found

    def _call(self, step: Mapping[str, Any], saved: dict[str, Any]) -> str | None:
        method = METHODS[step["call"]]
        try:
            answer = calls.one(self.channel(), method, step.get("request", {}))
        except calls.Refused as refused:
            return _refused(step, refused, saved)
        if "refusal" in step:
            return f"refusal: expected {step['refusal']}, got the answer {answer}"
        return matching.difference(step["answer"], answer, "answer", saved)

    def _calls(self, step: Mapping[str, Any], saved: dict[str, Any]) -> str | None:
        method = METHODS[step["calls"]]
        answers: list[dict[str, Any]] = []
        found = None
        try:
            calls.many(self.channel(), method, step.get("requests", []), answers)
            if "refusal" in step:
                return f"refusal: expected {step['refusal']}, got the answers {answers}"
        except calls.Refused as refused:
            found = _refused(step, refused, saved)
        return found or matching.difference(step.get("answers", []), answers, "answers", saved)

    def _open(self, step: Mapping[str, Any], _saved: dict[str, Any]) -> str | None:
        method = METHODS[step["stream"]]
        if step["open"] in self.streams:
            return f"a stream named {step['open']} is open already"
        follow = bool(step.get("follow"))
        self.streams[step["open"]] = Followed(self.channel, method, step.get("request", {}), follow=follow)
        return None

    def _expect(self, step: Mapping[str, Any], saved: dict[str, Any]) -> str | None:
        stream = self.streams.get(step["expect"])
        if stream is None:
            return f"no stream named {step['expect']} is open"
        return stream.expect(step, saved)

    def _close(self, step: Mapping[str, Any], _saved: dict[str, Any]) -> str | None:
        stream = self.streams.pop(step["close"], None)
        return stream.close() if stream else f"no stream named {step['close']} is open"

    def _restart(self, step: Mapping[str, Any], _saved: dict[str, Any]) -> str | None:
        self.connect(self.servers.restarted(step["restart"]))
        return None

    _DOES: ClassVar[Mapping[str, Callable[..., str | None]]] = {
        "calls": _calls,
        "call": _call,
        "open": _open,
        "expect": _expect,
        "close": _close,
        "restart": _restart,
    }


def run(scenario: Scenario, servers: Servers) -> Outcome:
    """Execute it once, under names of its own."""
    run = _Run(servers)
    number = 0
    try:
        if scenario.restarts and isinstance(servers, OneAddress):
            servers.restarted("restart")
        run.connect(servers.serving(scenario.server))
        for step in scenario.steps:
            number += 1  # of the step that fails, whatever raises
            _check(run.take(step))
        for stream in list(run.streams):
            _check(run.take({"close": stream}))
    except NotHere as reason:
        return Outcome(scenario, Verdict.SKIPPED, str(reason))
    except (Failed, Unmet, names.UnknownName, json_format.ParseError) as failure:
        return Outcome(scenario, Verdict.FAILED, str(failure), number)
    finally:
        run.end()
    return Outcome(scenario, Verdict.PASSED)


def _check(difference: str | None) -> None:
    if difference:
        raise Failed(difference)


def _refused(step: Mapping[str, Any], refused: calls.Refused, saved: dict[str, Any]) -> str | None:
    if "refusal" not in step:
        return f"expected an answer, was refused: {refused}"
    return calls.refusal_difference(step["refusal"], refused, "refusal", saved)
