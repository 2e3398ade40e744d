"""The column map: which column holds which field, as data. A TOML file, and flags that win over it.

    [file]       format, delimiter, encoding, header, rows, order      how the file is written
    [columns]    field = "column"                                     labels.NAME = "column" for labels
    [constants]  field = "value"                                      for every row
    [values.X]   "what the file says" = "what is meant"               of the field X
    [only]       column = ["value", ...]                              other rows are passed over
    [time]       format = "iso", "unix_s", "unix_ms", "unix_us", "unix_ns" or a pattern of strptime; zone = "Europe/Berlin"
    [numbers]    decimal = ",", thousands = ".", exponent, signed, negate_fee = true
    [instruments.SYMBOL], [portfolios.NAME]    what is declared before the rows are recorded (``declarations``)

A field that is not mapped is looked for under its own name. Fields are named as in the contract.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lotkeeperd.intake.cells import ISO, UNITS, Numbers, Times
from lotkeeperd.intake.lines import check_encoding
from lotkeeperd.intake.problems import BadMap

FIELDS = (
    "portfolio_id",
    "symbol",
    "side",
    "position_side",
    "quantity",
    "price",
    "fee",
    "fee_currency",
    "fill_time",
    "fill_id",
    "order_id",
    "reason",
    "group_id",
    "synthetic",
    "role",
    "labels",
)
"""What a row may say.

``role`` is what a fill is recorded as: entry, exit or, as usual, both. ``position_side`` is the book of a hedging portfolio that a
fill belongs to. ``labels`` is an object of all labels, ``labels.NAME`` a single one.
"""

LABEL = "labels."
FORMATS = ("csv", "jsonl", "json")
ORDERS = ("time", "file")


@dataclass(frozen=True, slots=True)
class Form:
    """How the file is written. ``rows`` is where the rows of a JSON file lie, ``order`` which one is recorded first."""

    format: str = ""
    delimiter: str = ""
    encoding: str = "utf-8"
    header: bool = True
    rows: str = ""
    order: str = "time"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Everything that a map says; ``constants`` are of fields, ``only`` of columns, ``instruments`` and ``portfolios`` by name."""

    form: Form
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    only: Mapping[str, frozenset[str]]
    times: Times
    numbers: Numbers
    instruments: Mapping[str, Mapping[str, Any]]
    portfolios: Mapping[str, Mapping[str, Any]]


def read_map(
    path: Path | None, columns: Sequence[str], constants: Sequence[str], flags: Mapping[str, str]
) -> ColumnMap:
    """The map of a TOML file with the flags over it: ``columns`` and ``constants`` as ``FIELD=TEXT``.

    ``flags`` holds what is given of ``format``, ``delimiter``, ``encoding``, ``order``, ``time`` and ``zone``. Raises BadMap.
    """
    stored = _stored(path) if path else {}
    where = f"{path}: " if path else ""
    known = ("file", "columns", "constants", "values", "only", "time", "numbers", "instruments", "portfolios")
    for name in stored:
        if name not in known:
            raise BadMap(f"{where}there is no table [{name}]; there are {', '.join(known)}")
    times = {"format": "time", "zone": "zone"}
    return ColumnMap(
        _form(_typed(where, stored, "file", Form()), flags),
        _fields(f"{where}[columns]", _table(where, stored, "columns")) | _pairs("--map", columns),
        _fields(f"{where}[constants]", _table(where, stored, "constants")) | _pairs("--constant", constants),
        {name: _texts(f"{where}[values.{name}]", table) for name, table in _table(where, stored, "values").items()},
        {name: _choice(f"{where}[only] {name}", choice) for name, choice in _table(where, stored, "only").items()},
        _times(where, stored, {name: flags[flag] for name, flag in times.items() if flags.get(flag)}),
        _typed(where, stored, "numbers", Numbers()),
        _tables(where, stored, "instruments"),
        _tables(where, stored, "portfolios"),
    )


def _stored(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)  # a multiplier keeps its digits
    except OSError as error:
        raise BadMap(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMap(f"{path}: not TOML: {error}") from error


def _table(where: str, stored: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = stored.get(name, {})
    if not isinstance(table, dict):
        raise BadMap(f"{where}{name} = {table!r}: a table is required")
    return table


def _tables(where: str, stored: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    """Tables by their name: [name.X]."""
    tables = _table(where, stored, name)
    for each, table in tables.items():
        if not isinstance(table, dict):
            raise BadMap(f"{where}[{name}] {each} = {table!r}: a table is required, [{name}.{each}]")
    return tables


def _typed(where: str, stored: Mapping[str, Any], name: str, default: Any) -> Any:
    """A table whose keys and types are those of ``default``."""
    names = [field.name for field in fields(default)]
    table = _table(where, stored, name)
    for key, value in table.items():
        if key not in names:
            raise BadMap(f"{where}[{name}] has no {key!r}; it has {', '.join(names)}")
        wanted = type(getattr(default, key))
        if type(value) is not wanted:
            raise BadMap(f"{where}[{name}] {key} = {value!r}: a {wanted.__name__} is required")
    return replace(default, **table)


def _form(form: Form, flags: Mapping[str, str]) -> Form:
    given = {name: flags[name] for name in ("format", "delimiter", "encoding", "order") if flags.get(name)}
    form = replace(form, **given)  # type: ignore[arg-type] # only texts are given by flags
    form = replace(form, delimiter={"tab": "\t", "\\t": "\t"}.get(form.delimiter, form.delimiter))
    if form.format and form.format not in FORMATS:
        raise BadMap(f"format {form.format!r}: one of {', '.join(FORMATS)} is required")
    if form.order not in ORDERS:
        raise BadMap(f"order {form.order!r}: one of {', '.join(ORDERS)} is required")
    if len(form.delimiter) > 1 or form.delimiter in ('"', "\r", "\n"):
        raise BadMap(f"delimiter {form.delimiter!r}: one character is required, or tab")
    check_encoding(form.encoding)
    return form


def _times(where: str, stored: Mapping[str, Any], flags: Mapping[str, str]) -> Times:
    table = _texts(f"{where}[time]", _table(where, stored, "time")) | dict(flags)
    for key in table:
        if key not in ("format", "zone"):
            raise BadMap(f"{where}[time] has no {key!r}; it has format, zone")
    form, zone = table.get("format", ISO), table.get("zone", "")
    if form != ISO and form not in UNITS and "%" not in form:
        raise BadMap(f"time format {form!r}: one of iso, {', '.join(UNITS)}, or a pattern of strptime is required")
    try:
        return Times(form, ZoneInfo(zone) if zone else None)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadMap(f"zone {zone!r}: there is none of that name; Europe/Berlin and UTC are names") from error


def _pairs(flag: str, given: Sequence[str]) -> dict[str, str]:
    table = {}
    for text in given:
        field, equals, value = text.partition("=")
        if not equals or not value:
            raise BadMap(f"{flag} {text}: FIELD=TEXT is required")
        table[field] = value
    return _fields(flag, table)


def _fields(where: str, table: Mapping[str, Any]) -> dict[str, str]:
    """Texts by field; labels may be a table of their own."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if name == "labels" and isinstance(value, dict):
            flat |= {LABEL + label: column for label, column in value.items()}
        else:
            flat[name] = value
    for name in flat:
        if name not in FIELDS and not (name.startswith(LABEL) and name != LABEL):
            raise BadMap(f"{where}: there is no field {name!r}; there are {', '.join(FIELDS)} and labels.NAME")
    return _texts(where, flat)


def _texts(where: str, table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise BadMap(f"{where} = {table!r}: a table is required")
    for name, value in table.items():
        if not isinstance(value, str):
            raise BadMap(f"{where} {name} = {value!r}: a text is required")
    return table


def _choice(where: str, choice: Any) -> frozenset[str]:
    if not isinstance(choice, list) or not all(isinstance(value, str) for value in choice):
        raise BadMap(f"{where} = {choice!r}: an array of texts is required")
    return frozenset(choice)
