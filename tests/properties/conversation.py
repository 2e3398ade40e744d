"""A conversation that Hypothesis makes up: one bot, and its second instance who repeats, contradicts and comes late."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.properties.ledger_messages import SECOND, Mark
from tests.properties.ledger_model import CLOSE_FIFO, CREATE_ENTRY, RECORD_FILL, Told
from tests.properties.ledger_run import Run

LONG_AGO = 1_600_000_000 * SECOND
AHEAD = time.time_ns() + 3600 * SECOND
"""Nanoseconds UTC, an hour ahead of the server's clock: a time left out then stands behind it."""

names = st.sampled_from("AB")
sides = st.sampled_from([1, -1])
units = st.integers(1, 6)
prices = st.integers(0, 40).map(lambda eighths: Fraction(eighths, 8))
fees = st.one_of(
    st.none(),
    st.sampled_from([Fraction(0), Fraction(1), Fraction(-1, 2), Fraction(1, 10), Fraction(-7, 10**18)]),
    st.integers(-(10**18), 10**18).map(lambda steps: Fraction(steps, 10**18)),
)
times = st.one_of(
    st.none(),
    st.integers(0, 9).map(lambda late: LONG_AGO + late),
    st.integers(0, 9).map(lambda late: LONG_AGO + late),
    st.integers(0, 2).map(lambda ahead: AHEAD + ahead),
)
OTHER_POLICY = {"REJECT": "REVERSE", "REVERSE": "REJECT"}
policies = st.sampled_from(["", "REJECT", "REVERSE", "REVERSE"])


class Saying(NamedTuple):
    """What a caller says besides the figures; the ids themselves are made by the machine, new each time."""

    ids: str
    has_order: bool
    reason: str
    group_id: str
    labels: tuple[tuple[str, str], ...]


sayings = st.builds(
    Saying,
    st.sampled_from(["fill", "request", "both"]),
    st.booleans(),
    st.sampled_from(["", "take_profit", "Σ — “stop”"]),
    st.sampled_from(["", "legs"]),
    st.sampled_from([(), (("bot", "a"),), (("bot", "ß"), ("why", '"quoted" \\ back'))]),
)


class Conversation(RuleBasedStateMachine):
    """About one portfolio; each rule tells the server and the model the same, and what they answer is compared."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.example = run.example()
        self.run = run
        self.numbers = iter(range(1, 1_000_000))

    def said(self, told: Told, saying: Saying) -> Told:
        """The command with new ids and whatever else is said; CloseFifo has no group and no labels."""
        number = next(self.numbers)
        return told._replace(
            fill_id=f"f{number}" if saying.ids != "request" else "",
            request_id=f"r{number}" if saying.ids != "fill" else "",
            order_id=f"o{number}" if saying.has_order else "",
            reason=saying.reason if told.method != CREATE_ENTRY else "",
            group_id=saying.group_id if told.method != CLOSE_FIFO else "",
            labels=saying.labels if told.method != CLOSE_FIFO else (),
        )

    def symbol(self, name: str) -> str:
        """Marks are the whole server's: an example has symbols of its own."""
        return f"{self.example.portfolio}.{name}"

    def recorded(self, which: int) -> Told:
        """One of the commands that were recorded."""
        facts = self.example.model.facts
        return facts[which % len(facts)].told

    def has_facts(self) -> bool:
        """Whether anything was recorded yet."""
        return bool(self.example.model.facts)

    @rule(name=names, side=sides, units=units, price=prices, fee=fees, time=times, saying=sayings)
    def create_entry(
        self, name: str, side: int, units: int, price: Fraction, fee: Fraction | None, time: int | None, saying: Saying
    ) -> None:
        """CreateEntry, late ones among them."""
        self.example.tell(self.said(Told(CREATE_ENTRY, self.symbol(name), side, units, price, fee, time), saying))

    @rule(
        name=names,
        lots=st.lists(st.tuples(units, prices, fees, times), min_size=2, max_size=4),
        saying=sayings,
    )
    def scale_in(
        self, name: str, lots: list[tuple[int, Fraction, Fraction | None, int | None]], saying: Saying
    ) -> None:
        """Several lots on the side that is open, each where its time puts it."""
        symbol = self.symbol(name)
        side = self.example.model.pile(symbol).side or 1
        for lot in lots:
            self.example.tell(self.said(Told(CREATE_ENTRY, symbol, side, *lot), saying))

    @rule(
        name=names,
        side=st.sampled_from([0, 0, 1, -1]),
        units=st.one_of(st.integers(1, 12), st.none()),
        price=prices,
        fee=fees,
        time=times,
        policy=policies,
        saying=sayings,
    )
    def close_fifo(
        self,
        name: str,
        side: int,
        units: int | None,
        price: Fraction,
        fee: Fraction | None,
        time: int | None,
        policy: str,
        saying: Saying,
    ) -> None:
        """CloseFifo of a quantity or of all, with each policy."""
        told = Told(CLOSE_FIFO, self.symbol(name), side, units, price, fee, time, policy=policy)
        self.example.tell(self.said(told, saying))

    @rule(
        name=names,
        side=sides,
        units=st.integers(1, 12),
        price=prices,
        fee=fees,
        time=times,
        policy=policies,
        saying=sayings,
    )
    def record_fill(
        self,
        name: str,
        side: int,
        units: int,
        price: Fraction,
        fee: Fraction | None,
        time: int | None,
        policy: str,
        saying: Saying,
    ) -> None:
        """RecordFill; the book decides which arm it takes."""
        told = Told(RECORD_FILL, self.symbol(name), side, units, price, fee, time, policy=policy)
        self.example.tell(self.said(told, saying))

    @rule(name=names, more=st.integers(0, 6), price=prices, fee=fees, time=times, saying=sayings)
    def turn(
        self, name: str, more: int, price: Fraction, fee: Fraction | None, time: int | None, saying: Saying
    ) -> None:
        """Close what is open and turn the side; then every fill of the symbol is delivered again."""
        symbol = self.symbol(name)
        pile = self.example.model.pile(symbol)
        units = len(pile.units) + more
        if pile.side:
            self.example.tell(self.said(Told(RECORD_FILL, symbol, -pile.side, units, price, fee, time), saying))
            for fact in [fact for fact in self.example.model.facts if fact.told.symbol == symbol]:
                self.example.tell(fact.told)

    @precondition(has_facts)
    @rule(
        which=st.integers(0, 99),
        request=st.sampled_from(["same", "none", "other"]),
        time=times,
        forgets=st.sets(st.sampled_from(["fee", "order_id", "time"])),
        labels=st.sampled_from([(), (("instance", "2"),)]),
    )
    def redeliver(
        self, which: int, request: str, time: int | None, forgets: set[str], labels: tuple[tuple[str, str], ...]
    ) -> None:
        """Any earlier command again, perhaps from a second instance: other request id, clock and labels."""
        told = self.recorded(which)
        if told.fill_id and request != "same":
            told = told._replace(request_id=f"again{next(self.numbers)}" if request == "other" else "")
        told = told._replace(time=told.time or time)
        if "time" in forgets:
            told = told._replace(time=None)
        if "fee" in forgets:
            told = told._replace(fee=None)
        if "order_id" in forgets:
            told = told._replace(order_id="")
        self.example.tell(told if told.method == CLOSE_FIFO else told._replace(labels=labels))

    @precondition(has_facts)
    @rule(
        which=st.integers(0, 99),
        change=st.sampled_from(
            ["side", "units", "price", "fee", "time", "order_id", "symbol", "policy", "fill_id", "close_all"]
        ),
        keeps_request=st.booleans(),
    )
    def contradict(self, which: int, change: str, keeps_request: bool) -> None:
        """An earlier id with something else in it."""
        told = self.recorded(which)
        changes: dict[str, Told] = {
            "side": told._replace(side=-told.side or 1),
            "units": told._replace(units=(told.units or 0) + 1),
            "price": told._replace(price=told.price + 1),
            "fee": told._replace(fee=(told.fee or Fraction(0)) + 1),
            "time": told._replace(time=(told.time or LONG_AGO) + 1),
            "order_id": told._replace(order_id="another"),
            "symbol": told._replace(symbol=self.symbol("A" if told.symbol.endswith("B") else "B")),
            "policy": told if told.method == CREATE_ENTRY else told._replace(policy=OTHER_POLICY[told.excess]),
            "fill_id": told._replace(fill_id=f"f{next(self.numbers)}"),
            "close_all": told._replace(units=None if told.method == CLOSE_FIFO else told.units),
        }
        changed = changes[change]
        self.example.tell(changed if keeps_request or not changed.fill_id else changed._replace(request_id=""))

    @precondition(has_facts)
    @rule(
        which=st.integers(0, 99),
        method=st.sampled_from([CREATE_ENTRY, CLOSE_FIFO, RECORD_FILL]),
        policy=policies,
        more=st.integers(0, 2),
    )
    def retell(self, which: int, method: str, policy: str, more: int) -> None:
        """An earlier fill through another method: a flip is so split in two, or told whole after its parts."""
        told = self.recorded(which)
        if not told.fill_id or told.units is None:
            return
        facts = self.example.model.facts
        traded = facts[which % len(facts)].side
        self.example.tell(
            told._replace(
                method=method,
                side=-traded if method == CLOSE_FIFO else traded,
                units=told.units + more,
                request_id="",
                policy="" if method == CREATE_ENTRY else policy,
                reason="",
                group_id="",
                labels=(),
            )
        )

    @rule(
        name=names,
        side=sides,
        units=units,
        price=prices,
        method=st.sampled_from([CREATE_ENTRY, CLOSE_FIFO, RECORD_FILL]),
    )
    def preview(self, name: str, side: int, units: int, price: Fraction, method: str) -> None:
        """validate_only writes nothing."""
        self.example.preview(Told(method, self.symbol(name), side, units, price, request_id=f"p{next(self.numbers)}"))

    @rule(
        name=names, price=prices, source=st.sampled_from(["bot", "feed"]), time=st.integers(0, 9).map(LONG_AGO.__add__)
    )
    def set_marks(self, name: str, price: Fraction, source: str, time: int) -> None:
        """A price from one of two sources, perhaps an outdated one."""
        self.example.push(self.symbol(name), Mark(price, time, source))

    @rule(size=st.integers(1, 5), name=st.sampled_from(["", "A", "B"]))
    def list_pages(self, size: int, name: str) -> None:
        """Entries and closed trades in small pages."""
        symbol = self.symbol(name) if name else ""
        self.example.assert_entries(size, symbol)
        self.example.assert_trades(size, symbol)

    @invariant()
    def summary_agrees(self) -> None:
        """After every step."""
        self.run.counts["steps"] += 1
        self.example.assert_summary()

    def teardown(self) -> None:
        """Every recorded fill once more, whatever the side is now; then everything is read once more."""
        for fact in list(self.example.model.facts):
            self.example.tell(fact.told)
        self.example.assert_summary()
        self.example.assert_entries(1000)
        self.example.assert_trades(1000)
