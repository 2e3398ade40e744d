"""Files of scenarios, read and checked: what a runner executes is known to be well formed before the first call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from lotkeeper.conformance import names, shapes
from lotkeeper.v1.ledger_pb2 import GroupPnL, Position
from lotkeeper.v1.ledger_service_pb2 import PnLSnapshot, PnLUpdate

FACTS = ("closed_trades", "opened_entries", "restated_trades")
"""Kinds of facts in an update of StreamPnL."""

LOOKED_FOR = ("snapshot", "facts", "position", "group", "heartbeat", "refusal")
"""What an ``expect`` step may expect, one of them."""

MEASURED = "measured: "
"""How ``covers`` names a failure of the systems that were replaced."""

_STEPS: Mapping[str, frozenset[str]] = {
    "call": frozenset({"call", "request", "answer", "refusal"}),
    "calls": frozenset({"calls", "requests", "answers", "refusal"}),
    "open": frozenset({"open", "stream", "request", "follow"}),
    "expect": frozenset({"expect", "sequence", "ledger_id", *LOOKED_FOR}),
    "close": frozenset({"close"}),
    "restart": frozenset({"restart"}),
}
_REFUSAL = frozenset({"code", "reason", "metadata", "violations", "retry"})
_SCENARIO = frozenset({"name", "covers", "server", "steps"})
_PLAIN = (str, int, bool, type(None))


class BadScenario(ValueError):
    """A file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; ``theme`` is its file's name, ``server`` the settings its server needs."""

    theme: str
    name: str
    covers: tuple[str, ...]
    server: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]

    @property
    def restarts(self) -> bool:
        """Whether its server is restarted in between."""
        return any("restart" in step for step in self.steps)


def packaged() -> Path:
    """The folder of the scenarios that came with this package, or with the source tree it is run from.

    Raises:
        BadScenario: there is none.
    """
    inside = Path(str(resources.files("lotkeeper.conformance"))) / "scenarios"
    source = Path(__file__).parents[4] / "tests" / "conformance"
    for folder in (inside, source):
        if folder.is_dir():
            return folder
    raise BadScenario(f"no scenarios in {inside}; name their folder with --scenarios")


def loaded(folder: Path) -> list[Scenario]:
    """Every scenario of the ``*.yaml`` files of ``folder``, in the order of the files' names.

    Raises:
        BadScenario: there is no file, or one of them is not as README.md says.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise BadScenario(f"{folder}: there is no *.yaml file in it")
    found = [scenario for file in files for scenario in _of(file)]
    _unique(found)
    return found


def _of(file: Path) -> list[Scenario]:
    import yaml  # here, because nothing else of the package needs it

    text = file.read_text(encoding="utf-8")
    try:
        tokens = list(yaml.scan(text))
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadScenario(f"{file.name}: not YAML: {error}") from error
    if any(isinstance(token, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)) for token in tokens):
        raise BadScenario(f"{file.name}: anchors, aliases and tags are not used in scenarios: write it out")
    if not isinstance(content, list):
        raise BadScenario(f"{file.name}: a list of scenarios is required")
    return [_scenario(file.stem, f"{file.name}, scenario {n}", one) for n, one in enumerate(content, 1)]


def _unique(scenarios: Iterable[Scenario]) -> None:
    seen: set[str] = set()
    for scenario in scenarios:
        if scenario.name in seen:
            raise BadScenario(f"{scenario.theme}.yaml: two scenarios are named {scenario.name!r}")
        seen.add(scenario.name)


def _scenario(theme: str, where: str, content: Any) -> Scenario:
    _only(where, content, _SCENARIO)
    name, steps = content.get("name"), content.get("steps")
    if not isinstance(name, str) or not name:
        raise BadScenario(f"{where}: a name is required")
    where = f"{theme}.yaml, {name!r}"
    if not isinstance(steps, list) or not steps:
        raise BadScenario(f"{where}: steps are required")
    _plain(where, content)
    covers = content.get("covers", [])
    for one in covers:
        if one not in shapes.METHODS and one not in shapes.REASONS and not one.startswith(MEASURED):
            raise BadScenario(f"{where}: covers {one!r}: neither an RPC, a reason nor {MEASURED}...")
    known = set(names.fresh())
    for number, step in enumerate(steps, 1):
        _step(f"{where}, step {number}", step, known)
    return Scenario(theme, name, tuple(covers), content.get("server") or {}, tuple(steps))


def _plain(where: str, value: Any) -> None:
    """Only what every language's YAML reader reads alike: no dates, no fractions, text for keys."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if not isinstance(key, str):
                raise BadScenario(f"{where}: key {key!r}: put it in quotes")
            _plain(where, part)
    elif isinstance(value, list):
        for part in value:
            _plain(where, part)
    elif not isinstance(value, _PLAIN):
        raise BadScenario(f"{where}: {value!r} ({type(value).__name__}): put decimals and times in quotes")


def _only(where: str, content: Any, allowed: frozenset[str]) -> None:
    if not isinstance(content, Mapping):
        raise BadScenario(f"{where}: a map is required, not {content!r}")
    for key in content:
        if key not in allowed:
            raise BadScenario(f"{where}: there is no key {key!r} here; there are {', '.join(sorted(allowed))}")


def _step(where: str, step: Any, known: set[str]) -> None:
    if not isinstance(step, Mapping):
        raise BadScenario(f"{where}: a map is required, not {step!r}")
    kind = next((kind for kind in _STEPS if kind in step), None)
    if kind is None:
        raise BadScenario(f"{where}: {', '.join(step)}: begins with none of {', '.join(_STEPS)}")
    _only(where, step, _STEPS[kind])
    _CHECKS[kind](where, step)
    for name in sorted(names.used(step) - known):
        raise BadScenario(f"{where}: ${name}: no step before this one has saved it")
    known |= _saved(step)
    if "refusal" in step:
        _refusal(where, step["refusal"])


def _saved(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        own = {value["save"]} if set(value) == {"save"} else set()
        return own.union(*(_saved(part) for part in value.values()))
    if isinstance(value, list):
        return set[str]().union(*(_saved(part) for part in value))
    return set()


def _method(where: str, name: Any) -> shapes.Method:
    if name not in shapes.METHODS:
        raise BadScenario(f"{where}: there is no RPC {name!r}; there are {', '.join(shapes.METHODS)}")
    return shapes.METHODS[name]


def _fits(problem: str | None, where: str) -> None:
    if problem:
        raise BadScenario(f"{where}: {problem}")


def _call(where: str, step: Mapping[str, Any]) -> None:
    method = _method(where, step["call"])
    if method.many_in or method.many_out:
        raise BadScenario(f"{where}: {step['call']} is a stream: use calls, or open and expect")
    if ("answer" in step) == ("refusal" in step):
        raise BadScenario(f"{where}: one of answer and refusal is required")
    _fits(shapes.wrong_in_request(method.request, step.get("request", {}), "request"), where)
    _fits(shapes.wrong_in_answer(method.answer, step.get("answer", {}), "answer"), where)


def _calls(where: str, step: Mapping[str, Any]) -> None:
    method = _method(where, step["calls"])
    if not method.many_in:
        raise BadScenario(f"{where}: {step['calls']} takes one message: use call, or open and expect")
    if "answers" not in step and "refusal" not in step:
        raise BadScenario(f"{where}: answers, refusal or both are required")
    for n, request in enumerate(step.get("requests", [])):
        _fits(shapes.wrong_in_request(method.request, request, f"requests[{n}]"), where)
    for n, answer in enumerate(step.get("answers", [])):
        _fits(shapes.wrong_in_answer(method.answer, answer, f"answers[{n}]"), where)


def _open(where: str, step: Mapping[str, Any]) -> None:
    method = _method(where, step.get("stream"))
    if method.many_in or not method.many_out:
        raise BadScenario(f"{where}: {step['stream']} does not answer one request with many messages")
    _fits(shapes.wrong_in_request(method.request, step.get("request", {}), "request"), where)


def _expect(where: str, step: Mapping[str, Any]) -> None:
    asked = [kind for kind in LOOKED_FOR if kind in step]
    if len(asked) != 1:
        raise BadScenario(f"{where}: one of {', '.join(LOOKED_FOR)} is required")
    kind = asked[0]
    shape: Mapping[str, type[Message]] = {
        "snapshot": PnLSnapshot,
        "facts": PnLUpdate,
        "position": Position,
        "group": GroupPnL,
    }
    if kind in shape:
        _fits(shapes.wrong_in_answer(shape[kind], step[kind], kind), where)
    if kind == "facts" and not set(step[kind]) <= set(FACTS):
        raise BadScenario(f"{where}: facts are {', '.join(FACTS)}")


def _close(where: str, step: Mapping[str, Any]) -> None:
    if not isinstance(step["close"], str):
        raise BadScenario(f"{where}: the name of a stream is required")


def _restart(where: str, step: Mapping[str, Any]) -> None:
    if step["restart"] not in ("kill", "stop"):
        raise BadScenario(f"{where}: restart: kill or stop")


def _refusal(where: str, refusal: Any) -> None:
    _only(where, refusal, _REFUSAL)
    code, reason = refusal.get("code"), refusal.get("reason")
    if code not in grpc.StatusCode.__members__:
        raise BadScenario(f"{where}: refusal.code: {code!r} is no status code")
    if reason is not None and reason not in shapes.REASONS:
        raise BadScenario(f"{where}: refusal.reason: {reason!r} is none of {', '.join(sorted(shapes.REASONS))}")


_CHECKS = {"call": _call, "calls": _calls, "open": _open, "expect": _expect, "close": _close, "restart": _restart}
