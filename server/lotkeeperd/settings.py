"""Settings: each is a flag, an environment variable and a key of a TOML file, in this order of precedence.

Problem: pydantic-settings costs 13 MB resident. Therefore a frozen dataclass whose fields carry their own description; the
command line, the environment, the file and the README's table are all read off it. Edges receive values, never settings.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "LOTKEEPER_"


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
    insecure: bool = _setting(False, "listen on other addresses than loopback, for anyone who can reach them")
    create_portfolios: bool = _setting(True, "a portfolio is made by the first entry or fill recorded in it")
    mark_max_age: float = _setting(60.0, "seconds after which a mark is stale")
    write_queue: int = _setting(10_000, "commands that may wait to be written")
    max_streams: int = _setting(2_000, "StreamPnL calls that may be open")
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
            values[name] = _converted(environment[variable], setting.default, variable)
        elif name in stored:
            values[name] = _typed(stored[name], setting.default, f"{named}: {name}")
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


def _checked(settings: Settings) -> Settings:
    for name, least in (("mark_max_age", 0.001), ("write_queue", 1), ("max_streams", 1), ("drain_seconds", 0)):
        if getattr(settings, name) < least:
            raise BadSetting(f"{name} = {getattr(settings, name)}: {least} or more is required")
    return settings
