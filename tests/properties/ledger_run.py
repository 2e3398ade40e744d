"""One real server for many examples, and the comparison of everything it says with the model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, ledger_service_pb2_grpc, market_service_pb2_grpc
from tests.properties import ledger_messages as messages
from tests.properties.ledger_messages import SECOND, Mark
from tests.properties.ledger_model import Fact, Model, New, Refusal, Repeat, Told
from tests.properties.unit_fifo import Held
from tests.support.refusals import refused

EVERY_STATUS = (
    ledger_pb2.ENTRY_STATUS_OPEN,
    ledger_pb2.ENTRY_STATUS_PARTIALLY_CLOSED,
    ledger_pb2.ENTRY_STATUS_CLOSED,
)
ALWAYS_THERE = "default"
"""The portfolio that every ledger has."""


class Run:
    """The server of a run. Nobody else writes to it, so the sequence of every record is known before."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.dial(channel)
        self.head: int = self.ledger.GetSummary(
            ledger_service_pb2.GetSummaryRequest(portfolio_id=ALWAYS_THERE)
        ).sequence
        self.examples: list[Example] = []
        self.counts: Counter[str] = Counter()

    def dial(self, channel: grpc.Channel) -> None:
        """Talk over this channel from now on."""
        self.ledger: Any = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        self.market: Any = market_service_pb2_grpc.MarketServiceStub(channel)

    def example(self) -> Example:
        """The next one, in a portfolio of its own."""
        self.examples.append(Example(self, f"p{len(self.examples) + 1}"))
        return self.examples[-1]


@dataclass
class Example:
    """One portfolio of the server and its model."""

    run: Run
    portfolio: str
    model: Model = field(default_factory=Model)
    marks: dict[str, Mark] = field(default_factory=dict)
    held_marks: dict[tuple[str, str], Mark] = field(default_factory=dict)

    def tell(self, told: Told) -> None:
        """Send a command; the answer, or the refusal, must be the one that the model gives."""
        prediction = self.model.predict(told)
        if isinstance(prediction, Refusal):
            found = refused(lambda: self._call(told))
            assert (found.reason, found.metadata) == (prediction.reason, prediction.metadata), found.message
            self.run.counts[prediction.reason] += 1
            return
        earliest = time.time_ns()
        reply = self._call(told)
        latest = time.time_ns()
        if isinstance(prediction, Repeat):
            fact = prediction.fact
            self.run.counts["replayed"] += 1
            turned = self.model.pile(told.symbol).side == -fact.side
            self.run.counts["replayed after the side had turned"] += turned
        else:
            fact = self._record(told, prediction, reply, earliest, latest)
        replayed = isinstance(prediction, Repeat)
        mark = self.marks.get(told.symbol)
        assert reply == messages.answer(self.portfolio, self.model, told, fact, replayed, mark)

    def _call(self, told: Told, validate_only: bool = False) -> Any:
        return getattr(self.run.ledger, told.method)(messages.request(self.portfolio, told, validate_only))

    def _record(self, told: Told, new: New, reply: Any, earliest: int, latest: int) -> Fact:
        """Law 2: a time left out is the server's clock, or the newest time of the book when that is later."""
        pile = self.model.pile(told.symbol)
        given = told.time
        if given is None:
            given = _time_of(reply)
            assert max(earliest, pile.newest_time) <= given <= max(latest, pile.newest_time)
        self.run.head += 1
        self.run.counts["late"] += bool(pile.units) and new.side == pile.side and given < pile.units[-1].time
        self.run.counts["recorded"] += 1
        self.run.counts["flipped"] += 0 < len(pile.units) < new.units and new.side != pile.side
        return self.model.record(told, new, self.run.head, given)

    def preview(self, told: Told) -> None:
        """validate_only: the refusal, or what would happen, and nothing written."""
        prediction = self.model.predict(told)
        if isinstance(prediction, Refusal):
            assert refused(lambda: self._call(told, True)).reason == prediction.reason
            return
        reply = self._call(told, True)
        assert reply.replayed == isinstance(prediction, Repeat)
        assert reply.sequence == (prediction.fact.sequence if isinstance(prediction, Repeat) else 0)
        self.run.counts["previewed"] += 1

    def push(self, symbol: str, mark: Mark) -> None:
        """SetMarks; older than the held one of its source is dropped, and the newest observation counts."""
        reply = self.run.market.SetMarks(messages.set_marks(symbol, mark))
        held = self.held_marks.get((symbol, mark.source))
        taken = held is None or mark.time >= held.time
        assert reply.accepted_count == int(taken)
        if not taken:
            return
        self.held_marks[symbol, mark.source] = mark
        newest = self.marks.get(symbol)
        if newest is None or newest.source == mark.source or mark.time >= newest.time:
            self.marks[symbol] = mark

    def assert_summary(self) -> None:
        """Positions with their open lots, flat ones too, totals, and the sequence: refusals used none up."""
        asked = ledger_service_pb2.GetSummaryRequest(
            portfolio_id=self.portfolio, include_entries=True, include_flat=True
        )
        if not self.model.facts:
            assert refused(lambda: self.run.ledger.GetSummary(asked)).reason == "PORTFOLIO_NOT_FOUND"
            return
        summary = self.run.ledger.GetSummary(asked)
        assert summary.sequence == self.run.head
        assert list(summary.positions) == [self._position(symbol) for symbol in sorted(self.model.piles)]
        assert list(summary.totals) == [messages.totals(self.model, self.marks)]

    def _position(self, symbol: str) -> ledger_pb2.Position:
        position = messages.position(self.portfolio, self.model, symbol, self.marks.get(symbol))
        for held in self.model.pile(symbol).held():
            fact = self.model.fact(held.entry.sequence)
            position.entries.append(messages.entry(self.portfolio, fact, held))
        return position

    def assert_entries(self, page_size: int, symbol: str = "") -> None:
        """ListEntries page by page: every entry ever opened, and those still open, in FIFO order."""
        if not self.model.facts:
            return
        for statuses in ((), EVERY_STATUS):

            def wanted(fact: Fact, held: Held | None, every: bool = bool(statuses)) -> bool:
                return (every or held is not None) and symbol in ("", fact.told.symbol)

            asked = ledger_service_pb2.ListEntriesRequest(
                portfolio_id=self.portfolio, symbol=symbol, statuses=statuses, page_size=page_size
            )
            found = [entry for page in _pages(self.run.ledger.ListEntries, asked) for entry in page.entries]
            assert found == [messages.entry(self.portfolio, *pair) for pair in self.model.entries(wanted)]

    def assert_trades(self, page_size: int, symbol: str = "") -> None:
        """ListClosedTrades page by page: in the order they were closed, with the sums over all pages."""
        if not self.model.facts:
            return
        asked = ledger_service_pb2.ListClosedTradesRequest(
            portfolio_id=self.portfolio, symbol=symbol, page_size=page_size
        )
        pages = list(_pages(self.run.ledger.ListClosedTrades, asked))
        closed = [trade for trade in self.model.trades if symbol in ("", trade.fact.told.symbol)]
        expected = [messages.trade(self.portfolio, trade) for trade in closed]
        assert [trade for page in pages for trade in page.closed_trades] == expected
        gross = sum((trade.taken.gross for trade in closed), messages.NOTHING)
        fees = sum((trade.taken.entry_fee + trade.taken.exit_fee for trade in closed), messages.NOTHING)
        for page in pages:
            assert list(page.totals) == [messages.realized(gross, fees)]


def _pages(method: Callable[[Any], Any], asked: Any) -> Iterator[Any]:
    while True:
        page = method(asked)
        yield page
        asked.page_token = page.next_page_token
        if not asked.page_token:
            return


def _time_of(reply: Any) -> int:
    """When the server says that it happened."""
    if isinstance(reply, ledger_service_pb2.CreateEntryResponse):
        stamp = reply.entry.entry_time
    elif reply.closed_trades:
        stamp = reply.closed_trades[0].exit_time
    else:
        stamp = reply.opened_entry.entry_time
    return int(stamp.seconds * SECOND + stamp.nanos)
