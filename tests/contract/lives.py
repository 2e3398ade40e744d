"""Random lives of one portfolio, told to a real server: everything that happens to an account, and what takes it back.

A step that the ledger refuses changes nothing and is counted; what is written is remembered by its sequence, with what
GetSummary said right after it.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import grpc

from lotkeeper.v1 import ledger_service_pb2
from tests.contract.asking import (
    BUY,
    LONG,
    NOON,
    REVERSE,
    SECOND,
    SELL,
    SHORT,
    close,
    entry,
    fill,
    fresh,
    stamp,
    summary,
)
from tests.contract.happening import HEDGING, bust, correct, create, event, money

IN_TIME_ORDER = ledger_service_pb2.LATE_POLICY_IN_TIME_ORDER
COIN = "BNB"
"""A coin that some fees are taken in; nobody knows a rate until one is told."""

TRADING = ("fill", "fill", "fill", "fill", "close", "enter")
AMENDING = ("late", "bust", "correct", "fee")
BESIDES = ("split", "rename", "cash", "rate")
EVERYTHING = TRADING + AMENDING + BESIDES

Stub = Any
"""A generated stub; gRPC writes no types for it."""


class Stubs(NamedTuple):
    """The services that a life is told to."""

    ledger: Stub
    events: Stub
    portfolios: Stub


class Seen(NamedTuple):
    """What a portfolio was after one write."""

    sequence: int
    answer: ledger_service_pb2.GetSummaryResponse


class Life:
    """Plays one portfolio; ``seen`` has what was said after each write, ``fills`` what may be corrected, by symbol."""

    def __init__(self, stubs: Stubs, portfolio: str, symbols: tuple[str, ...], random: Random, **terms: Any) -> None:
        self._stubs = stubs
        self._random = random
        self.portfolio = portfolio
        self._symbols = list(symbols)
        self._hedging = terms.get("position_mode") == HEDGING
        self._fills: dict[str, list[str]] = {symbol: [] for symbol in symbols}
        self._second = 0
        self.seen: list[Seen] = []
        self.refused = 0
        self.played: list[str] = []
        stubs.portfolios.CreatePortfolio(create(portfolio, **terms))
        self.look()

    def look(self) -> None:
        """Remember what the ledger says now."""
        asked = summary(self.portfolio, include_entries=True, include_flat=True, page_size=1000)
        answer = self._stubs.ledger.GetSummary(asked)
        self.seen.append(Seen(answer.sequence, answer))

    def play(self, steps: int, kinds: tuple[str, ...] = EVERYTHING) -> None:
        """So many steps, drawn from ``kinds``."""
        for _ in range(steps):
            kind = self._random.choice(kinds)
            self._second += 1
            try:
                getattr(self, f"_{kind}")(self._random.choice(self._symbols))
            except grpc.RpcError as error:
                if error.code() not in REFUSALS:
                    raise
                self.refused += 1
            else:
                self.played.append(kind)
                self.look()

    def flatten(self) -> None:
        """Close everything that is open."""
        for position in self._stubs.ledger.GetSummary(summary(self.portfolio)).positions:
            asked = close(self.portfolio, position.symbol, close_all=True, side=position.side, price="120")
            self._stubs.ledger.CloseFifo(asked)
        self.look()

    # What happens.

    def _amount(self, most: int) -> str:
        return str(self._random.randint(1, most * 4) / 4)

    def _execution(self, second: int) -> dict[str, Any]:
        fee = self._random.choice(["", "0.3", "-0.1", "0.07"])
        given: dict[str, Any] = {
            "quantity": self._amount(5),
            "price": self._amount(200),
            "side": self._random.choice([BUY, SELL]),
            "fill_id": fresh("f"),
            "fill_time": stamp(NOON + second * SECOND),
            "fee": fee,
            "fee_currency": COIN if fee and self._random.random() < 0.2 else "",
        }
        if self._hedging:
            given["position_side"] = self._random.choice([LONG, SHORT])
        return given

    def _fill(self, symbol: str) -> None:
        given = self._execution(self._second)
        self._stubs.ledger.RecordFill(fill(self.portfolio, symbol, excess_policy=REVERSE, **given))
        self._fills[symbol].append(given["fill_id"])

    def _late(self, symbol: str) -> None:
        given = self._execution(self._random.randint(0, self._second))
        asked = fill(self.portfolio, symbol, excess_policy=REVERSE, late_policy=IN_TIME_ORDER, **given)
        self._stubs.ledger.RecordFill(asked)
        self._fills[symbol].append(given["fill_id"])

    def _enter(self, symbol: str) -> None:
        side = self._random.choice([LONG, SHORT])
        asked = entry(self.portfolio, symbol, self._amount(5), self._amount(200), side=side, entry_fill_id=fresh("f"))
        self._stubs.ledger.CreateEntry(asked)
        self._fills[symbol].append(asked.entry_fill_id)

    def _close(self, symbol: str) -> None:
        side = self._random.choice([LONG, SHORT]) if self._hedging else 0
        asked = close(self.portfolio, symbol, self._amount(4), self._amount(200), exit_fill_id=fresh("f"), side=side)
        self._stubs.ledger.CloseFifo(asked)
        self._fills[symbol].append(asked.exit_fill_id)

    def _told(self, symbol: str) -> str:
        return self._random.choice(self._fills[symbol] or ["none"])

    def _bust(self, symbol: str) -> None:
        policy = self._random.choice([0, REVERSE])
        self._stubs.events.BustFill(bust(self.portfolio, symbol, self._told(symbol), excess_policy=policy))

    def _correct(self, symbol: str) -> None:
        changes = {
            "quantity": self._amount(5),
            "price": self._amount(200),
            "fill_time": stamp(NOON + self._random.randint(0, self._second) * SECOND),
        }
        name = self._random.choice(sorted(changes))
        asked = correct(self.portfolio, symbol, self._told(symbol), excess_policy=REVERSE, **{name: changes[name]})
        self._stubs.events.CorrectFill(asked)

    def _happen(self, kind: str, **told: Any) -> None:
        self._stubs.events.RecordEvent(event(self.portfolio, kind, **told))

    def _fee(self, symbol: str) -> None:
        self._happen("fill_fee", symbol=symbol, fill_id=self._told(symbol), fee=money("0.11"))

    def _rate(self, _symbol: str) -> None:
        self._happen("fee_rate", fee_currency=COIN, quote_currency="USD", rate="1.5", source="told")

    def _split(self, symbol: str) -> None:
        numerator, denominator = self._random.choice([(2, 1), (3, 1), (1, 3), (3, 2)])
        self._happen("split", symbol=symbol, numerator=numerator, denominator=denominator)

    def _rename(self, symbol: str) -> None:
        into = self._random.choice([other for other in self._symbols if other != symbol])
        self._happen("symbol_change", from_symbol=symbol, to_symbol=into)

    def _cash(self, symbol: str) -> None:
        what = self._random.choice(["deposit", "withdrawal", "funding", "interest", "dividend", "charge"])
        amount = money(self._amount(100), self._random.choice(["USD", "EUR"]))
        told = {"symbol": symbol} if what in ("funding", "dividend") else {}
        self._happen(what, money=amount, **told)


REFUSALS = frozenset(
    {
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""What a step may be refused with."""
