"""The bots' logs: what each bot sent and what it was answered, one JSON object per line.

Problem: the log is the only witness against the ledger, so a fill must stand in it before the ledger can know it, and a
torn or doubled line must not pass for a fill.
Chosen: a bot writes and flushes ``{"event": "fill", ...}`` to the disk before the first delivery of a fill, and
``{"event": "answer", ...}`` after every delivery. Reading is strict: a line that is neither is refused with file and
line.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

LONG, SHORT = "LONG", "SHORT"


class LogError(ValueError):
    """A bot's log that cannot be counted; the text names file, line and what is wrong."""


class LoggedFill(NamedTuple):
    """One execution as the bot logged it before sending; ``side`` is LONG when bought, SHORT when sold."""

    portfolio: str
    symbol: str
    fill_id: str
    side: str
    quantity: Fraction
    price: Fraction
    fee: Fraction
    time: int


class Answer(NamedTuple):
    """What the ledger answered to one delivery of a fill."""

    portfolio: str
    fill_id: str
    sequence: int
    replayed: bool


class BotLog(NamedTuple):
    """One bot's log: its fills in the order they were sent, and every answer it got."""

    fills: tuple[LoggedFill, ...]
    answers: tuple[Answer, ...]


class Tally:
    """Counts the fills of a log that is still being written; each look reads what is new."""

    def __init__(self, path: Path) -> None:
        """Count in ``path``, which need not be there yet."""
        self._path = path
        self._seen = 0
        self._fills = 0

    def fills(self) -> int:
        """How many fills stand in the log now."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._seen)
                whole, end, _ = file.read().rpartition(b"\n")
            self._seen += len(whole) + len(end)
            self._fills += whole.count(b'"event": "fill"')
        return self._fills


def read_log(path: Path) -> BotLog:
    """Read one bot's log of JSON lines.

    Raises:
        LogError: a line is not what a bot writes, or a fill id was logged twice.
    """
    fills: dict[str, LoggedFill] = {}
    answers = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            if record["event"] == "answer":
                answers.append(Answer(record["portfolio"], record["fill_id"], record["sequence"], record["replayed"]))
                continue
            fill = _fill(record)
        except (ValueError, KeyError, TypeError) as error:
            raise LogError(f"{path} line {number}: {line[:80]!r} is not a logged fill or answer ({error!r})") from error
        if fill.fill_id in fills:
            raise LogError(f"{path} line {number}: fill {fill.fill_id} stands in the log twice")
        fills[fill.fill_id] = fill
    return BotLog(tuple(fills.values()), tuple(answers))


def _fill(record: dict[str, str]) -> LoggedFill:
    if record["event"] != "fill":
        raise ValueError("event is neither fill nor answer")
    quantity, price, fee = (_exact(record[name]) for name in ("quantity", "price", "fee"))
    side = {"BUY": LONG, "SELL": SHORT}[record["side"]]
    return LoggedFill(
        record["portfolio"], record["symbol"], record["fill_id"], side, quantity, price, fee, int(record["time"])
    )


def _exact(text: object) -> Fraction:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")  # a JSON number has been through floating point
    return Fraction(text)
