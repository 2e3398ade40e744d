"""A subscriber that stays through every crash: what StreamPnL told it must be what the ledger turns out to hold.

Only committed state may ever be seen. A fact that a crash took back would stand in the follower's list, but not in the journal,
or another one would stand at its place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import lotkeeper
from lotkeeper.events import Disconnected, Snapshot, Update
from tests.simulation.checker import Checked, told
from tests.simulation.fifo import LONG, SHORT
from tests.simulation.witnesses import lot_of, trade_of

HEARTBEAT = 0.2
PATIENCE = 30.0
"""Seconds in which the newest facts must have come."""


class Follower:
    """Follows every portfolio of the ledger at ``address``; start it before anything is recorded."""

    def __init__(self, address: str) -> None:
        self._ledger = lotkeeper.connect(address)
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._sequence = -1
        self._failure: Exception | None = None
        self.trades: list[lotkeeper.ClosedTrade] = []
        self.entries: list[lotkeeper.Entry] = []
        self.disconnections = 0
        self.events = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self.await_sequence(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.close()
        self._thread.join(PATIENCE)

    def await_sequence(self, sequence: int) -> None:
        """Until every fact up to ``sequence`` has come. Raises AssertionError when it does not."""
        self._await(lambda: self._sequence >= sequence, f"the stream stays before {sequence}")

    def await_event(self) -> None:
        """Until something more comes, a heartbeat at least. Raises AssertionError when nothing does."""
        before = self.events
        self._await(lambda: self.events > before, "the stream is silent")

    def _await(self, come: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not come():
            assert self._failure is None, f"the stream ended: {self._failure!r}"
            assert time.monotonic() < deadline, f"{otherwise}, it is at {self._sequence}"
            time.sleep(0.005)

    def check(self, checked: Checked) -> str:
        """Hold what came against the ledger; how much it was, in words. Raises AssertionError."""
        self.await_sequence(checked.records[-1].sequence if checked.records else 0)
        lots = {entry.entry_id: entry.sequence for entry in self.entries}
        trades = [trade_of(trade, lots) for trade in self.trades]
        problems = _not_once([(trade.sequence, trade.trade_index) for trade in trades], sorted(checked.replay.trades))
        problems += _not_once([(entry.sequence, 0) for entry in self.entries], [(s, 0) for s in checked.replay.lots])
        problems += [
            f"{t} was not closed" for t in trades if checked.replay.trades.get((t.sequence, t.trade_index)) != t
        ]
        for lot in map(lot_of, self.entries):
            opened = checked.replay.opened.get(lot.sequence)
            problems += [] if opened == lot else [f"{lot} was not opened, but {opened}"]
        assert not problems, told(problems)
        return f"{len(self.entries)} entries and {len(trades)} trades came over {self.disconnections} disconnections"

    def _follow(self) -> None:
        try:
            for event in self._ledger.stream_pnl(portfolio_ids=[], heartbeat_interval=HEARTBEAT):
                self._take(event)
        except (lotkeeper.LotkeeperError, AssertionError) as error:
            self._failure = error

    def _take(self, event: lotkeeper.PnLEvent) -> None:
        if isinstance(event, Disconnected):
            self.disconnections += 1
        elif isinstance(event, Update):
            self.trades += event.closed_trades
            self.entries += event.opened_entries
        elif isinstance(event, Snapshot):
            assert all(position.side.name in (LONG, SHORT) for position in event.positions), "a flat position was sent"
        assert event.sequence >= self._sequence, f"the stream went back from {self._sequence} to {event.sequence}"
        self._sequence = event.sequence
        self.events += 1


def _not_once(came: list[tuple[int, int]], held: list[tuple[int, int]]) -> list[str]:
    if came == sorted(held):
        return []
    missing, extra = sorted(set(held) - set(came)), sorted(set(came) - set(held))
    return [f"facts did not come once and in order: missing {missing[:5]}, extra {extra[:5]}, {len(came)} came"]
