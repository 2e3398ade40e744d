"""The scripted session that is killed at every write: each arm of a book, a refusal, a replay, two portfolios.

It is played one command at a time by a caller who never retries by itself, so a death is seen where it happens. What the dead
server left unanswered is sent again to the next one, and then the rest: whatever the point of death was, the ledger must end
up the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import grpc

from lotkeeper import writes
from lotkeeper.calls import Call, Defaults
from lotkeeper.channel import methods
from lotkeeper.errors import DiskFull, LotkeeperError, TryAgain
from lotkeeper.status import error_of
from tests.simulation.history import CLOSE, CREATE, RECORD, Command, Log, answered, arguments
from tests.simulation.orders import START

CALL_SECONDS = 20.0


def _command(number: int, method: str, side: str, quantity: str, price: str, **others: object) -> Command:
    given = Command(method, "alpha", "BTC-USD", side, quantity, price, "0.3", START + number, f"f{number}", "")
    return given._replace(**others)  # type: ignore[arg-type]


FIRST = (
    _command(1, CREATE, "LONG", "2", "100.5", request_id="r1"),
    _command(2, CREATE, "LONG", "1", "101"),
    _command(3, CLOSE, "", "2.5", "110.25", fee="0.1"),
)
"""What is recorded before a restart over a write-ahead log: opened, added, closed across two lots."""

SECOND = (
    _command(4, CREATE, "SHORT", "1", "100"),  # refused: the other side is open
    _command(1, CREATE, "LONG", "2", "100.5", request_id="r1"),  # a replay
    _command(5, RECORD, "SELL", "3", "99", reverse=True),  # a flip
    _command(6, CLOSE, "SHORT", "50", "98"),  # refused: so much is not open
    _command(7, CREATE, "SHORT", "4", "7.125", fee="-0.02", portfolio="beta", symbol="ETH-USD", fill_id=""),
    _command(8, CLOSE, "", "", "95", fee=""),  # everything
)
SCRIPT = (*FIRST, *(command if command.fill_id else command._replace(request_id="r7") for command in SECOND))
RECORDED = ("f1", "f2", "f3", "f5", "r7", "f8")
"""Ids in the order of the journal, wherever the session was killed."""


class Caller:
    """Sends each command once. ``log`` is where its tries are written; ``next`` is the first command not settled."""

    def __init__(self, log: Path) -> None:
        self._log = Log(log, time.monotonic_ns)
        self.next = 0

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def play(self, address: str, script: Iterable[Command]) -> None:
        """Send what is not settled yet. Raises TryAgain when nobody can say what became of a command."""
        with grpc.insecure_channel(address, options=(("grpc.enable_retries", 0),)) as channel:
            for command in list(script)[self.next :]:
                self.send(channel, command)
                self.next += 1

    def send(self, channel: grpc.Channel, command: Command) -> None:
        """Send one command; a refusal is settled, too. Raises TryAgain or DiskFull when it has to be sent again."""
        number = self._log.invoke(command)
        try:
            answer = answered(sent_once(channel, command))
        except (TryAgain, DiskFull) as error:
            self._log.unknown(number, error)
            raise
        except LotkeeperError as error:
            self._log.fail(number, error)
        else:
            self._log.ok(number, answer)


def sent_once(channel: grpc.Channel, command: Command) -> object:
    """The answer to a command that is sent once, without the client library's retries. Raises LotkeeperError."""
    method, given = arguments(command)
    call: Call[object] = getattr(writes, method)(Defaults("", CALL_SECONDS), **given)
    try:
        return call.read(methods(channel)[call.method](call.request, timeout=CALL_SECONDS, wait_for_ready=True))
    except grpc.RpcError as broken:
        raise error_of(broken) from broken
