"""Random lives of one book: fills, closes, splits and expiries, and everything that corrects them, under any terms."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hypothesis import strategies as st

from lotkeeperd.domain.book import Book, Direction, Fill, LotMethod
from lotkeeperd.domain.commands import Command, Excess, Method, Terms
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.refusals import Refusal
from tests.domain.journal import Journal
from tests.properties.strategies import small_fees, small_prices, small_units

LINEAR = Instrument("X")
HUNDRED = Instrument("X", Kind.OPTION, Decimal(100))
INVERSE = Instrument("X", Kind.INVERSE, Decimal(10), settlement_currency="BTC", declared=True)

COIN = "BNB"
"""What some fees are taken in; nobody knows a rate until one is told."""

COINS = Instrument("X", base_currency=COIN, declared=True)
"""The coin itself: a fee in it moves the quantity."""

RATE = Rate(COIN, "USD", Decimal("1.5"), 1, "told")


def terms(instrument: Instrument, method: LotMethod, fees_later: bool = False) -> Terms:
    """A netting portfolio that closes by ``method``."""
    return Terms(instrument, Portfolio("p", "USD", lot_method=method, fees_later=fees_later))


all_terms = st.builds(
    terms, st.sampled_from([LINEAR, HUNDRED, INVERSE, COINS]), st.sampled_from(LotMethod), st.booleans()
)


LABELS: tuple[tuple[tuple[str, str], ...], ...] = ((), (("why", "signal"),), (("rematch", '"a":'), ("slots", "")))
"""What a caller says of an entry: also words that the journal uses itself."""


class Step(NamedTuple):
    """One thing that happens; ``pick`` chooses among what is there, each kind takes of the rest what it needs."""

    kind: str
    units: int
    fill: Fill
    pick: int
    flips: bool
    currency: str


def _fill(direction: Direction, units: int, price: Decimal, fee: Decimal, time: int) -> Fill:
    return Fill(direction, units * Decimal("0.25"), price, fee, time)


fills = st.builds(
    _fill,
    st.sampled_from(Direction),
    small_units,
    small_prices.map(lambda price: price + Decimal("0.01")),  # an inverse contract has no value at 0
    small_fees,
    st.integers(1, 9),
)

TRADING = ("fill", "fill", "fill", "close", "choose")
AMENDING = ("late", "bust", "quantity", "price", "side", "time", "fee")
BESIDES = ("split", "expiry", "rate", "all")


def steps(*kinds: str) -> st.SearchStrategy[list[Step]]:
    """Steps of these kinds."""
    return st.lists(
        st.builds(
            Step,
            st.sampled_from(kinds),
            small_units,
            fills,
            st.integers(0, 30),
            st.booleans(),
            st.sampled_from(["", "", COIN]),
        ),
        min_size=4,
        max_size=20,
    )


class Life:
    """Plays steps into a journal; what is refused is counted and leaves nothing."""

    def __init__(self, under: Terms) -> None:
        self.journal = Journal(under)
        self.refused = 0

    def play(self, step: Step) -> None:
        """Try one step."""
        journal = self.journal
        before = (journal.book, len(journal.records), dict(journal.trades), dict(journal.entries))
        try:
            getattr(self, f"_{step.kind}")(step)
        except Refusal:
            self.refused += 1
            assert (journal.book, len(journal.records), journal.trades, journal.entries) == before

    def _command(self, step: Step) -> Command:
        fill = step.fill
        fee = None if step.pick % 4 == 0 else fill.fee
        currency = step.currency if fee else ""
        return Command(
            Method.RECORD_FILL,
            "p",
            "X",
            fill.direction,
            fill.quantity,
            fill.price,
            fee,
            currency,
            fill.time,
            fill_id=f"f{self.journal.sequence + 1}",
            excess=Excess.REVERSE,
            order_id="o" if step.flips else "",
            labels=LABELS[step.pick % len(LABELS)],
        )

    def _fill(self, step: Step) -> None:
        self.journal.record(self._command(step))

    def _close(self, step: Step) -> None:
        command = self._command(step)._replace(method=Method.CLOSE_FIFO, side=None, excess=Excess.REJECT)
        self.journal.record(command._replace(quantity=None, close_all=True) if step.flips else command)

    def _choose(self, step: Step) -> None:
        lots = list(self.journal.book.lots())
        if not lots:
            return self._fill(step)
        first, second = (lots[(step.pick + more) % len(lots)] for more in (0, 1))
        chosen: tuple[tuple[int, Decimal], ...] = ((first.sequence, first.remaining / 2),)
        if second is not first:
            chosen += ((second.sequence, second.remaining),)
        quantity = sum((part for _, part in chosen), ZERO)
        side = self.journal.book.direction
        assert side is not None
        command = self._command(step)._replace(side=side.opposite, quantity=quantity, chosen=chosen)
        self.journal.record(command)
        return None

    def _late(self, step: Step) -> None:
        self.journal.put_late(self._command(step)._replace(late=True))

    def _target(self, step: Step) -> int:
        slots = [slot for slot in self.journal.history().slots if slot.decision.command.method in TRADED]
        return slots[step.pick % len(slots)].sequence if slots else 0

    def _bust(self, step: Step) -> None:
        if target := self._target(step):
            self.journal.bust(target, step.flips)

    def _correct(self, step: Step, **changes: object) -> None:
        if target := self._target(step):
            self.journal.correct(target, step.flips, **changes)

    def _quantity(self, step: Step) -> None:
        self._correct(step, quantity=step.fill.quantity)

    def _price(self, step: Step) -> None:
        self._correct(step, price=step.fill.price)

    def _side(self, step: Step) -> None:
        self._correct(step, side=step.fill.direction)

    def _time(self, step: Step) -> None:
        self._correct(step, time=step.fill.time)

    def _fee(self, step: Step) -> None:
        self._correct(step, fee=step.fill.fee, fee_currency=step.currency)

    def _split(self, step: Step) -> None:
        if self.journal.book.direction:
            self.journal.split(step.units, 1 + step.pick % 3)

    def _expiry(self, _step: Step) -> None:
        if self.journal.book.direction and self.journal.terms.instrument.kind is not Kind.INVERSE:
            self.journal.record(Command(Method.EXPIRY, "p", "X", None, None, ZERO, close_all=True))

    def _rate(self, _step: Step) -> None:
        known = self.journal.terms._replace(rate=RATE)
        waiting = [slot.sequence for slot in self.journal.history().slots if slot.decision.command.fee_currency == COIN]
        self.journal.rate(known, *waiting)

    def _all(self, _step: Step) -> None:
        for slot in reversed(self.journal.history().slots):
            self.journal.bust(slot.sequence)


TRADED = frozenset({Method.RECORD_FILL, Method.CLOSE_FIFO})


def cash_flow(journal: Journal) -> Decimal:
    """What the executions that count paid, each valued once: negative for what was bought."""
    contract = journal.book.contract
    return sum(
        (
            -slot.decision.fill.direction * contract.value(slot.decision.fill.quantity, slot.decision.fill.price)
            for slot in journal.history().slots
            if slot.decision.fill.quantity
        ),
        ZERO,
    )


def signed(book: Book, amount: Decimal) -> Decimal:
    """With the sign of the book's side."""
    return amount * int(book.direction or 0)
