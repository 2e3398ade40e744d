"""What ``$name`` stands for. No I/O but the drawing of fresh letters."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

_LETTERS = "bcdfghjklmnpqrstvwxyz"  # no vowels: PERP or USD in a symbol would be read as a contract
_LENGTH = 6
_NAME = re.compile(r"\$(?:\$|(?P<bare>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\})")


class UnknownName(ValueError):
    """A ``$name`` that no step has saved."""


def fresh() -> dict[str, Any]:
    """The names that one execution of a scenario begins with."""
    run = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    capitals = run.upper()
    return {"run": run, "RUN": capitals, "portfolio": f"c-{run}", "A": f"{capitals}-A", "B": f"{capitals}-B"}


def used(value: Any) -> set[str]:
    """The names in ``value``, at any depth."""
    if isinstance(value, str):
        return {found["bare"] or found["braced"] for found in _NAME.finditer(value) if found[0] != "$$"}
    if isinstance(value, Mapping):
        return {name for part in (*value.keys(), *value.values()) for name in used(part)}
    if isinstance(value, list):
        return {name for part in value for name in used(part)}
    return set()


def filled(value: Any, names: Mapping[str, Any]) -> Any:
    """``value`` with what its names stand for.

    Raises:
        UnknownName: no step has saved one of them.
    """
    if isinstance(value, str):
        return _filled_text(value, names)
    if isinstance(value, Mapping):
        return {filled(key, names): filled(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, names) for part in value]
    return value


def _filled_text(text: str, names: Mapping[str, Any]) -> Any:
    whole = _NAME.fullmatch(text)
    if whole and text != "$$":
        return _known(whole, names)
    return _NAME.sub(lambda found: "$" if found[0] == "$$" else str(_known(found, names)), text)


def _known(found: re.Match[str], names: Mapping[str, Any]) -> Any:
    name = found["bare"] or found["braced"]
    if name not in names:
        raise UnknownName(f"${name}: no step before this one has saved it; there are {', '.join(sorted(names))}")
    return names[name]
