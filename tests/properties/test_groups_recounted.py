"""Over random courses every group equals its recount from the lots and the closed trades that the ledger lists."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import grpc
import pytest

from tests.contract import reading
from tests.contract.asking import BUY, LONG, NOON, SECOND, SELL, SHORT, close, entry, fill, fresh, marks, stamp
from tests.contract.following import following
from tests.contract.grouping import groups, recounted, told
from tests.contract.happening import bust, correct, event

Stub = Any
"""A generated stub; gRPC writes no types for it."""

COURSES = 4
STEPS = 90
LOOK_EVERY = 6
GROUPS = ("", "a", "b", "c")
MAY_BE_REFUSED = frozenset(
    {
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""What a random command may meet: nothing open, a side that is open, an execution that is gone, that others stand on, or whose
lots have gone to another symbol."""


class Course:
    """One portfolio, three symbols, and whatever happens to them."""

    def __init__(self, random: Random, portfolio: str, ledger: Stub, market: Stub, events: Stub) -> None:
        self._random = random
        self._portfolio = portfolio
        self._ledger, self._market, self._events = ledger, market, events
        self._symbols = [f"{portfolio}.{name}" for name in "ABC"]
        self._fills: list[tuple[str, str]] = [(self._symbols[0], "never")]
        self.refusals = 0

    def step(self) -> None:
        """The next thing that happens."""
        steps: list[tuple[int, Callable[[], Any]]] = [
            (6, self._open),
            (4, self._close),
            (4, self._trade),
            (3, self._mark),
            (2, self._late),
            (1, self._bust),
            (1, self._correct),
            (1, self._split),
            (1, self._rename),
        ]
        (what,) = self._random.choices([step for _, step in steps], [weight for weight, _ in steps])
        try:
            what()
        except grpc.RpcError as error:
            if error.code() not in MAY_BE_REFUSED:
                raise
            self.refusals += 1

    def _symbol(self) -> str:
        return self._random.choice(self._symbols)

    def _price(self) -> str:
        return str(self._random.randint(1, 400) / 4)

    def _units(self) -> str:
        return str(self._random.randint(1, 5))

    def _new_fill(self, symbol: str) -> str:
        self._fills.append((symbol, fresh("f")))
        return self._fills[-1][1]

    def _open(self) -> None:
        symbol = self._symbol()
        self._ledger.CreateEntry(
            entry(
                self._portfolio,
                symbol,
                self._units(),
                self._price(),
                side=self._random.choice([LONG, LONG, SHORT]),
                group_id=self._random.choice(GROUPS),
                fee=self._random.choice(["0", "0.1", "0.7"]),
                entry_fill_id=self._new_fill(symbol),
            )
        )

    def _close(self) -> None:
        symbol = self._symbol()
        exit_id = self._new_fill(symbol)
        self._ledger.CloseFifo(
            close(self._portfolio, symbol, self._units(), self._price(), fee="0.3", exit_fill_id=exit_id)
        )

    def _trade(self, **others: Any) -> None:
        symbol = self._symbol()
        self._ledger.RecordFill(
            fill(
                self._portfolio,
                symbol,
                self._units(),
                self._price(),
                side=self._random.choice([BUY, SELL]),
                fill_id=self._new_fill(symbol),
                group_id=self._random.choice(GROUPS),
                **others,
            )
        )

    def _late(self) -> None:
        self._trade(
            fill_time=stamp(NOON + self._random.randint(0, 50) * SECOND), late_policy="LATE_POLICY_IN_TIME_ORDER"
        )

    def _mark(self) -> None:
        self._market.SetMarks(marks((self._symbol(), self._price())))

    def _bust(self) -> None:
        symbol, fill_id = self._random.choice(self._fills)
        self._events.BustFill(bust(self._portfolio, symbol, fill_id))

    def _correct(self) -> None:
        symbol, fill_id = self._random.choice(self._fills)
        changed = self._random.choice([{"price": self._price()}, {"quantity": self._units()}, {"fee": "0.9"}])
        self._events.CorrectFill(correct(self._portfolio, symbol, fill_id, **changed))

    def _split(self) -> None:
        into, of = self._random.choice([(2, 1), (3, 2), (1, 3)])
        self._events.RecordEvent(event(self._portfolio, "split", symbol=self._symbol(), numerator=into, denominator=of))

    def _rename(self) -> None:
        place = self._random.randrange(len(self._symbols))
        into = f"{self._symbols[place]}'"
        self._events.RecordEvent(
            event(self._portfolio, "symbol_change", from_symbol=self._symbols[place], to_symbol=into)
        )
        self._symbols[place] = into


@pytest.mark.parametrize("number", range(COURSES))
def test_groups_equal_their_recount(
    ledger: Stub, market: Stub, events: Stub, portfolio: str, seed: int, number: int
) -> None:
    """Whatever was opened, closed, flipped, marked, busted, corrected, came late, was split or renamed; and the stream agrees."""
    course = Course(Random(f"{seed} {number}"), portfolio, ledger, market, events)
    ledger.CreateEntry(entry(portfolio, f"{portfolio}.A", group_id="a"))
    with following(ledger, portfolio, heartbeat=0.1) as follower:
        follower.snapshot()
        for step in range(STEPS):
            course.step()
            if step % LOOK_EVERY == 0:
                counted = recounted(ledger, portfolio)
                shown = {name: told(one) for name, one in groups(ledger, portfolio, *counted).items()}
                assert {name: one for name, one in shown.items() if one.legs} == counted
        counted = recounted(ledger, portfolio)
        head = reading.head(ledger)
        follower.reached(head).quiet().quiet()
        heard = {name: told(one) for (_, name, _), one in follower.groups.items()}
        assert {name: one for name, one in heard.items() if one.legs} == counted
    assert course.refusals < STEPS / 2
