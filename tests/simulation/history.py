"""What the traders did: every try of every command, logged by who made it.

Problem: a checker that believes the ledger proves nothing, and a witness that dies with the ledger saw nothing. Chosen: each
trader has a log of its own. It flushes ``invoke`` to the disk before it sends, and then writes what became of the try:
``ok`` with what was answered, ``fail`` with the reason, or ``unknown`` when nobody can say. Times are of the machine's
monotonic clock, so tries of different processes can be compared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import lotkeeper
from lotkeeper import ExcessPolicy, PositionSide, Side
from lotkeeper.errors import LotkeeperError

CREATE, CLOSE, RECORD = "CreateEntry", "CloseFifo", "RecordFill"


class Command(NamedTuple):
    """One write as a trader sends it; texts as they go to the wire, the time in nanoseconds UTC.

    ``side`` is LONG or SHORT, empty for whichever is open; for RecordFill it is BUY or SELL. An empty quantity closes all.
    ``reverse`` says what becomes of quantity beyond the open lots.
    """

    method: str
    portfolio: str
    symbol: str
    side: str
    quantity: str
    price: str
    fee: str
    time: int | None
    fill_id: str
    request_id: str
    reverse: bool = False

    @property
    def content(self) -> tuple[object, ...]:
        """What makes it the same execution, whoever sends it: all but the request id."""
        return self._replace(request_id="")


class Answered(NamedTuple):
    """The ledger took it: where, whether it had it before, what it opened and closed, and the position's side and size."""

    sequence: int
    replayed: bool
    opened: str | None
    closed: tuple[tuple[str, str, str, str], ...]
    position: tuple[str, str]


class Refused(NamedTuple):
    """The ledger did not take it."""

    reason: str
    metadata: Mapping[str, str]


class Try(NamedTuple):
    """One command sent once; no outcome means that nobody knows, no end that the trader never heard."""

    trader: str
    command: Command
    begun: int
    ended: int | None
    outcome: Answered | Refused | None


def arguments(command: Command) -> tuple[str, dict[str, Any]]:
    """The client library's method that sends ``command``, and what to hand it."""
    given: dict[str, Any] = {name: getattr(command, name) for name in ("symbol", "request_id")}
    given |= {"portfolio_id": command.portfolio, "fee": command.fee or None}
    if command.method == CREATE:
        given |= {"side": PositionSide[command.side], "quantity": command.quantity, "entry_price": command.price}
        return "create_entry", given | {"entry_time": command.time, "entry_fill_id": command.fill_id}
    given["excess_policy"] = ExcessPolicy.REVERSE if command.reverse else ExcessPolicy.REJECT
    if command.method == RECORD:
        given |= {"side": Side[command.side], "quantity": command.quantity, "price": command.price}
        return "record_fill", given | {"fill_time": command.time, "fill_id": command.fill_id}
    given |= {"quantity": command.quantity} if command.quantity else {"close_all": True}
    given |= {"side": PositionSide[command.side]} if command.side else {}
    given |= {"exit_price": command.price, "exit_time": command.time, "exit_fill_id": command.fill_id}
    return "close_fifo", given


def answered(response: Any) -> Answered:
    """What the client library says of a write."""
    if isinstance(response, lotkeeper.CreateEntryResponse):
        opened: lotkeeper.Entry | None = response.entry
        trades: tuple[lotkeeper.ClosedTrade, ...] = ()
    else:
        opened, trades = response.opened_entry, response.closed_trades
    return Answered(
        response.sequence,
        response.replayed,
        None if opened is None else str(opened.quantity),
        tuple((str(t.quantity), str(t.gross_pnl), str(t.entry_fee), str(t.exit_fee)) for t in trades),
        (response.position.side.name, str(response.position.total_quantity)),
    )


class Log:
    """One trader's log, written by that trader only."""

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        """Start an empty log. ``clock`` is monotonic, in nanoseconds."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._clock = clock
        self._tries = 0

    def close(self) -> None:
        """Nothing more will be written."""
        os.close(self._file)

    def invoke(self, command: Command) -> int:
        """Put a try on the disk before it is sent; its number."""
        self._tries += 1
        self._write(self._tries, "invoke", list(command))
        os.fsync(self._file)
        return self._tries

    def ok(self, number: int, answer: Answered) -> None:
        """The ledger took it."""
        self._write(number, "ok", list(answer))

    def fail(self, number: int, error: LotkeeperError) -> None:
        """The ledger refused it."""
        self._write(number, "fail", [error.reason, dict(error.metadata)])

    def unknown(self, number: int, error: LotkeeperError) -> None:
        """Nobody can say whether the ledger took it."""
        self._write(number, "unknown", [error.reason or error.code.name])

    def _write(self, number: int, event: str, what: list[object]) -> None:
        line = json.dumps([number, event, self._clock(), what], separators=(",", ":"))
        os.write(self._file, line.encode() + b"\n")


def read_logs(paths: Iterable[Path]) -> list[Try]:
    """Every try of every trader, each trader's in order. Raises ValueError when a log cannot be read."""
    return [tried for path in paths for tried in _tries(path)]


def _tries(path: Path) -> list[Try]:
    tries: dict[int, Try] = {}
    for line in path.read_bytes().splitlines():
        number, event, at, what = json.loads(line)
        if event == "invoke":
            tries[number] = Try(path.stem, Command(*what), at, None, None)
        else:
            tries[number] = tries[number]._replace(ended=at, outcome=_outcome(event, what))
    return list(tries.values())


def _outcome(event: str, what: list[Any]) -> Answered | Refused | None:
    if event == "ok":
        sequence, replayed, opened, closed, position = what
        return Answered(sequence, replayed, opened, tuple(map(tuple, closed)), tuple(position))
    return Refused(*what) if event == "fail" else None


def newest_in(lines: bytes) -> int:
    """The highest sequence that some lines of a log acknowledge."""
    events = map(json.loads, lines.splitlines())
    return max((what[0] for _, event, _, what in events if event == "ok"), default=0)


def amount(text: str) -> Decimal:
    """An amount of a log; nothing is zero."""
    return Decimal(text or "0")
