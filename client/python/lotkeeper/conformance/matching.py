"""Whether an answer is what a scenario expects: the first difference in words, or none. No I/O.

An answer is protobuf JSON with the names of the ``.proto`` files; what has no presence is always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MATCHERS = frozenset({"save", "greater", "contains"})
"""A map with one of these keys, and nothing else, is a matcher: no field of the contract has such a name."""

REST = "..."
"""As the last item of a list: more may follow."""


def difference(expected: Any, actual: Any, where: str, saved: dict[str, Any]) -> str | None:
    """The first difference, or None; what ``{save: NAME}`` met is put into ``saved``."""
    if is_matcher(expected):
        return _matched(expected, actual, where, saved)
    if isinstance(expected, Mapping):
        return _map_difference(expected, actual, where, saved)
    if isinstance(expected, list):
        return _list_difference(expected, actual, where, saved)
    if expected is None:
        return None if actual is None else f"{where}: expected it not to be set, got {_shown(actual)}"
    return None if _same(expected, actual) else f"{where}: expected {_shown(expected)}, got {_shown(actual)}"


def is_matcher(expected: Any) -> bool:
    """Whether this is ``{save: ...}`` or another such map."""
    return isinstance(expected, Mapping) and len(expected) == 1 and next(iter(expected)) in MATCHERS


def _matched(expected: Mapping[str, Any], actual: Any, where: str, saved: dict[str, Any]) -> str | None:
    ((kind, wanted),) = expected.items()
    if actual is None or actual == "":
        return f"{where}: expected a value, got {_shown(actual)}"
    if kind == "save":
        saved[wanted] = actual
        return None
    if kind == "contains":
        return None if str(wanted) in str(actual) else f"{where}: expected {_shown(wanted)} in {_shown(actual)}"
    above = str(actual).lstrip("-").isdigit() and int(actual) > int(wanted)
    return None if above else f"{where}: expected more than {wanted}, got {_shown(actual)}"


def _map_difference(expected: Mapping[str, Any], actual: Any, where: str, saved: dict[str, Any]) -> str | None:
    if not isinstance(actual, Mapping):
        return f"{where}: expected {_shown(expected)}, got {_shown(actual)}"
    for key, wanted in expected.items():
        found = difference(wanted, actual.get(key), f"{where}.{key}", saved)
        if found:
            return found
    return None


def _list_difference(expected: list[Any], actual: Any, where: str, saved: dict[str, Any]) -> str | None:
    if not isinstance(actual, list):
        return f"{where}: expected a list, got {_shown(actual)}"
    open_ended = bool(expected) and expected[-1] == REST
    wanted = expected[:-1] if open_ended else expected
    if len(actual) < len(wanted) or (len(actual) > len(wanted) and not open_ended):
        least = "at least " if open_ended else ""
        return f"{where}: expected {least}{len(wanted)} items, got {len(actual)}: {_shown(actual)}"
    for index, item in enumerate(wanted):
        found = difference(item, actual[index], f"{where}[{index}]", saved)
        if found:
            return found
    return None


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int):  # int64 is a string in protobuf JSON
        return str(expected) == str(actual)
    return bool(expected == actual)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return f'"{value}"' if isinstance(value, str) else str(value)
