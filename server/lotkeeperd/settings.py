"""Settings: each is a flag, an environment variable and a key of a TOML file, in this order of precedence.

Problem: pydantic-settings costs 13 MB resident. Therefore a frozen dataclass whose fields carry their own description; the
command line, the environment, the file and the README's table are all read off it. Edges receive values, never settings.

Lists are arrays in the file and separated by commas in the environment; tables are ``name=value`` there. Feeds and accounts
are in the file alone.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

PREFIX = "LOTKEEPER_"

LEAST_AGE = 0.001
"""Seconds."""


class BadSetting(Exception):
    """A setting cannot be used; the message names it, where it came from, and the rule."""


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    listen: str = _setting("127.0.0.1:50051", "HOST:PORT, or unix:/path.sock; port 0 takes a free one")
    database: str = _setting("lotkeeper.db", "a SQLite file, or a postgresql:// URL")
    currency: str = _setting("", "the currency of every amount; fixed when a ledger is made, USD unless set")
    journal_key: str = _setting(
        "", "where the secret is that keys the journal's chain: `env:NAME` or `file:PATH`; fixed when a ledger is made"
    )
    insecure: bool = _setting(False, "listen on other addresses than loopback, for anyone who can reach them")
    create_portfolios: bool = _setting(True, "a portfolio is made by the first entry or fill recorded in it")
    mark_max_age: float = _setting(60.0, "seconds after which a mark is stale")
    mark_ages: tuple[tuple[str, float], ...] = _setting(
        (), "the same for single sources, a table: `bybit = 5.0`; `bybit=5,bots=2` in the environment"
    )
    mark_sources: tuple[str, ...] = _setting(
        (), "sources of marks, the preferred one first; the others come after them"
    )
    pairs: tuple[tuple[str, str], ...] = _setting(
        (), 'marks that convert currencies, a table: `"EUR/USD" = "EURUSD"`; `EUR/USD=EURUSD` in the environment'
    )
    feeds: tuple[tuple[str, Mapping[str, object]], ...] = _setting((), "market data, a table for each feed: see below")
    accounts: tuple[tuple[str, Mapping[str, object]], ...] = _setting(
        (), "broker accounts that the ledger is compared with, a table for each: see below"
    )
    write_queue: int = _setting(10_000, "commands that may wait to be written")
    max_streams: int = _setting(2_000, "StreamPnL calls that may be open")
    max_streams_per_caller: int = _setting(200, "StreamPnL calls that one connection may have open")
    drain_seconds: float = _setting(5.0, "how long running calls may take after SIGTERM")


def loaded(
    flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ, config: Path | None = None
) -> Settings:
    """The settings; ``flags`` holds what the command line gave, None where it gave nothing. Raises BadSetting."""
    named = config or (Path(environment["LOTKEEPER_CONFIG"]) if environment.get("LOTKEEPER_CONFIG") else None)
    stored = _file(named) if named else {}
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name, variable = setting.name, PREFIX + setting.name.upper()
        if flags.get(name) is not None:
            values[name] = flags[name]
        elif variable in environment:
            values[name] = _READ.get(name, _converted)(environment[variable], setting.default, variable)
        elif name in stored:
            values[name] = _TAKEN.get(name, _typed)(stored[name], setting.default, f"{named}: {name}")
    return _checked(Settings(**values))


def _file(path: Path) -> dict[str, Any]:
    try:
        stored = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadSetting(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: not TOML: {error}") from error
    known = {setting.name for setting in fields(Settings)}
    for name in stored:
        if name not in known:
            raise BadSetting(f"{path}: there is no setting {name!r}; there are {', '.join(sorted(known))}")
    return stored


def _converted(text: str, default: Any, where: str) -> Any:
    if isinstance(default, bool):
        if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
            raise BadSetting(f"{where}={text!r}: say true or false")
        return text.lower() in ("1", "true", "yes")
    try:
        return type(default)(text)
    except ValueError as error:
        raise BadSetting(f"{where}={text!r}: a number is required") from error


def _typed(value: Any, default: Any, where: str) -> Any:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise BadSetting(f"{where} = {value!r}: a {type(default).__name__} is required")
    return value


def _names(text: str, _default: Any, _where: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _ages(text: str, _default: Any, where: str) -> tuple[tuple[str, float], ...]:
    pairs = [pair.partition("=") for pair in _names(text, (), where)]
    return tuple((name.strip(), _converted(seconds, 0.0, f"{where}: {name}")) for name, _, seconds in pairs)


def _pairs(text: str, _default: Any, where: str) -> tuple[tuple[str, str], ...]:
    found = [pair.partition("=") for pair in _names(text, (), where)]
    return tuple((name.strip(), symbol.strip()) for name, _, symbol in found)


def _pair_table(value: Any, _default: Any, where: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _typed(symbol, "", f"{where}.{name}")) for name, symbol in _table(value, where).items())


def _not_here(_text: str, _default: Any, where: str) -> NoReturn:
    kind = where.removeprefix(PREFIX).lower()
    raise BadSetting(f"{where}: {kind} are tables of the file that --config names, [{kind}.NAME]")


def _array(value: Any, _default: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadSetting(f"{where} = {value!r}: an array of names is required")
    return tuple(value)


def _age_table(value: Any, _default: Any, where: str) -> tuple[tuple[str, float], ...]:
    return tuple((name, _typed(seconds, 0.0, f"{where}.{name}")) for name, seconds in _table(value, where).items())


def _tables(value: Any, _default: Any, where: str) -> tuple[tuple[str, Mapping[str, object]], ...]:
    return tuple((name, _table(table, f"{where}.{name}")) for name, table in _table(value, where).items())


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadSetting(f"{where} = {value!r}: a table is required")
    return value


_READ = {"pairs": _pairs, "mark_sources": _names, "mark_ages": _ages, "feeds": _not_here, "accounts": _not_here}
_TAKEN = {
    "pairs": _pair_table,
    "mark_sources": _array,
    "mark_ages": _age_table,
    "feeds": _tables,
    "accounts": _tables,
}


def _checked(settings: Settings) -> Settings:
    for name, least in (
        ("mark_max_age", LEAST_AGE),
        ("write_queue", 1),
        ("max_streams", 1),
        ("max_streams_per_caller", 1),
        ("drain_seconds", 0),
    ):
        if not least <= getattr(settings, name) < math.inf:
            raise BadSetting(f"{name} = {getattr(settings, name)}: {least} or more is required")
    for source, seconds in settings.mark_ages:
        if not LEAST_AGE <= seconds < math.inf:
            raise BadSetting(f"mark_ages.{source} = {seconds}: {LEAST_AGE} or more is required")
    return settings
