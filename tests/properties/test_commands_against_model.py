"""Commands in the domain against the model: the same arm or the same refusal, the same keys, the same first difference."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import event, given
from hypothesis import strategies as st

from lotkeeperd.domain.book import Book, Direction
from lotkeeperd.domain.commands import Command, Decision, Excess, Method
from lotkeeperd.domain.deciding import decide, decided
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.once import check_replay
from lotkeeperd.domain.refusals import (
    FillConflict,
    InsufficientQuantity,
    NoOpenPosition,
    OppositeSideOpen,
    Refusal,
    RequestIdReused,
)
from tests.domain.asking import TERMS
from tests.properties.ledger_model import (
    CLOSE_FIFO,
    CREATE_ENTRY,
    RECORD_FILL,
    STEP,
    Model,
    New,
    Repeat,
    Told,
    plain,
)
from tests.properties.ledger_model import Refusal as Expected

NOW = 4
SYMBOL = "X"
REASONS: dict[type[Refusal], str] = {
    FillConflict: "FILL_CONFLICT",
    RequestIdReused: "REQUEST_ID_REUSED",
    InsufficientQuantity: "INSUFFICIENT_QUANTITY",
    NoOpenPosition: "NO_OPEN_POSITION",
    OppositeSideOpen: "OPPOSITE_SIDE_OPEN",
}

few = st.sampled_from(["", "1", "2", "3"])
"""Ids that meet often."""


def _sensible(told: Told) -> Told:
    """What a request of its method can say: only CloseFifo may leave the side out or close all."""
    if told.method != CLOSE_FIFO:
        told = told._replace(side=told.side or 1, units=told.units or 2)
    return told._replace(policy="") if told.method == CREATE_ENTRY else told


tolds = st.builds(
    Told,
    method=st.sampled_from([CREATE_ENTRY, CLOSE_FIFO, RECORD_FILL]),
    symbol=st.just(SYMBOL),
    side=st.sampled_from([1, -1, 0]),
    units=st.one_of(st.integers(1, 4), st.none()),
    price=st.sampled_from([Fraction(1), Fraction(5, 4)]),
    fee=st.sampled_from([None, Fraction(0), Fraction(1, 2)]),
    time=st.sampled_from([None, 1, 2, 9]),
    order_id=st.sampled_from(["", "o1", "o2"]),
    fill_id=few,
    request_id=few,
    policy=st.sampled_from(["", "REJECT", "REVERSE"]),
).map(_sensible)


def command_of(told: Told) -> Command:
    """As the edge would hand it down."""
    return Command(
        Method(told.method),
        "p",
        told.symbol,
        Direction(told.traded) if told.traded else None,
        None if told.units is None else Decimal(plain(told.units * STEP)),
        Decimal(plain(told.price)),
        None if told.fee is None else Decimal(plain(told.fee)),
        time=told.time,
        order_id=told.order_id,
        fill_id=told.fill_id,
        request_id=told.request_id,
        close_all=told.units is None,
        excess=Excess[told.excess],
    )


class Domain:
    """The domain's functions over one book and a list of its records."""

    def __init__(self) -> None:
        self.book = Book()
        self.decisions: list[Decision] = []

    def tell(self, command: Command) -> Decision | None:
        """The record that the command repeats, or None once it is recorded. Raises a Refusal."""
        by_request = [
            decision
            for decision in self.decisions
            if command.request_id and decision.command.request_id == command.request_id
        ]
        by_fill = [
            decision
            for decision in self.decisions
            if command.fill_id and decision.command.fill_id == command.fill_id and decision.command.role & command.role
        ]
        first = check_replay(command, by_request[0] if by_request else None, by_fill)
        if first is not None:
            return first
        sequence = len(self.decisions) + 1
        what = decide(command, self.book, sequence, NOW, TERMS)
        self.decisions.append(decided(command, what, sequence, NOW))
        self.book.evolve(what.records, sequence, what.fill.time)
        return None


@given(st.lists(tolds, max_size=25))
def test_every_command_becomes_what_the_model_says(conversation: list[Told]) -> None:
    """Laws 2, 7 and 8, with ids that meet often."""
    domain, model = Domain(), Model()
    with localcontext(EXACT):
        for told in conversation:
            prediction = model.predict(told)
            event(type(prediction).__name__)
            first = refused = None
            try:
                first = domain.tell(command_of(told))
            except Refusal as refusal:
                refused = Expected(REASONS[type(refusal)], refusal.metadata)
            if isinstance(prediction, Expected):
                assert refused == prediction
                continue
            assert refused is None
            if isinstance(prediction, Repeat):
                assert first is not None
                assert first.sequence == prediction.fact.sequence
                continue
            assert isinstance(prediction, New)
            assert first is None
            newest = model.pile(SYMBOL).newest_time
            time = max(NOW, newest) if told.time is None else told.time
            fact = model.record(told, prediction, len(domain.decisions), time)
            recorded = domain.decisions[-1]
            assert recorded.fill.time == time
            assert [match.lot_sequence for match in recorded.matches] == [
                taken.entry.sequence for taken in fact.did.taken
            ]
            assert bool(recorded.opened) == bool(fact.did.opened_units)
            assert domain.book.quantity == model.pile(SYMBOL).quantity
