"""The course of a shared case through the domain: its instrument, its portfolio, its book, and the cash beside it.

The cases are facts read from the test suites of public trading systems. Each is played under its own lot method and its own
contract, and every event is a command that is decided, journaled and made so, as the writer does it. Which events make which
commands stands in ``players``; what our books then say of a figure, in ``figures``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lotkeeperd.domain.accounts import Balance, CashEvent, CashMoved, Flow, cash_of, opening
from lotkeeperd.domain.book import Book, Direction, Fill, LotMethod
from lotkeeperd.domain.commands import Command, Excess, Method, Terms
from lotkeeperd.domain.deciding import Decided, decide, decided
from lotkeeperd.domain.decimals import ONE, ZERO
from lotkeeperd.domain.fees import NONE
from lotkeeperd.domain.history import History, Late, Slot
from lotkeeperd.domain.instruments import Declaration, Instrument, Kind, declared, on_first_use
from lotkeeperd.domain.once import check_replay
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Pair, Pairs, Rate
from lotkeeperd.domain.reconciliation.comparison import compare
from lotkeeperd.domain.reconciliation.findings import Comparison
from lotkeeperd.domain.reconciliation.holdings import Holding, Holdings
from lotkeeperd.domain.reconciliation.records import UNNAMED
from lotkeeperd.domain.reconciliation.statements import HeldPosition, Statement
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.domain.rematch import net_change, rematched
from lotkeeperd.domain.splits import beyond_whole_steps, split
from lotkeeperd.domain.trades import ClosedTrade, closed_trades

FILE = Path(__file__).parent / "cases" / "trading.json"
SYMBOL = "X"
PORTFOLIO = "p"

Case = dict[str, Any]


@cache
def cases() -> tuple[Case, ...]:
    """All of them, of every kind."""
    return tuple(json.loads(FILE.read_text())["cases"])


def case_of(name: str) -> Case:
    """The case of that id."""
    return next(case for case in cases() if case["id"] == name)


def ids(found: Sequence[Case]) -> list[str]:
    """For the names of tests."""
    return [case["id"] for case in found]


class Start(NamedTuple):
    """What only the notes of a case say: the kind that is traded, and the cash there is before the first event."""

    kind: Kind | None = None
    cash: Decimal = ZERO


STARTS = {
    "lean-043": Start(cash=Decimal(5000)),  # the first holding is set without cash: here it is paid for with this
    "lean-046": Start(Kind.FUTURE, Decimal(1)),
    "lean-052": Start(cash=Decimal(19200)),
}


class Stage(NamedTuple):
    """Where a case stands after one fill: ``opened`` and ``closed`` are what it did, with its sign; ``net`` is what it gained."""

    book: Book
    balance: Balance
    cash: Decimal
    opened: Decimal
    closed: Decimal
    net: Decimal


def instrument_of(case: Case) -> Instrument:
    """What the case trades: declared where it is more than one unit of something, and no option."""
    kind, currency = _kind(case), case["currency"]
    if case["kind"] == "option_exercise":
        strike = Decimal(case["events"][0]["strike"])
        return on_first_use(f"SPY   240119C{strike:05}000", currency)
    if kind is None:
        return on_first_use(SYMBOL, currency)
    multiplier = Decimal(case["multiplier"])
    if kind is Kind.INVERSE:
        return declared(Declaration(SYMBOL, kind, multiplier, currency, "USD"), currency)
    return declared(Declaration(SYMBOL, kind, multiplier, "BASE" if kind is Kind.SPOT else "", currency), currency)


def _kind(case: Case) -> Kind | None:
    if case.get("inverse"):
        return Kind.INVERSE
    if case["kind"] == "base_fee":
        return Kind.SPOT
    if case["multiplier"] != "1":
        return Kind.FUTURE
    return Kind.PERPETUAL if case.get("mode") == "futures" else STARTS.get(case["id"], Start()).kind


def portfolio_of(case: Case) -> Portfolio:
    """Whose books they are: the lot method is the source's own."""
    method = {"STRICT": "CHOSEN", "n/a": "FIFO"}.get(case["method"], case["method"])
    cash = STARTS.get(case["id"], Start()).cash
    initial = ((case["currency"], cash),) if cash else ()
    base: str = case.get("account_ccy") or case["currency"]
    return Portfolio(PORTFOLIO, base, lot_method=LotMethod(method), initial_cash=initial)


def pairs_of(case: Case) -> tuple[Pairs, dict[str, Decimal]]:
    """The pairs that a case has rates for, and the rates by the pairs' symbols."""
    rates = {name.replace("QUOTE", case["currency"]): Decimal(rate) for name, rate in case.get("rates", {}).items()}
    if "fx_rate" in case:
        rates[f"{case['currency']}->{case['account_ccy']}"] = Decimal(case["fx_rate"])
    return Pairs(Pair(name, *name.split("->")) for name in rates), rates


class Course:
    """What a case comes to: the book, its history, the cash beside it, and what was seen on the way."""

    def __init__(self, case: Case, instrument: Instrument) -> None:
        self.case = case
        self.terms = Terms(instrument, portfolio_of(case))
        self.book = Book(instrument.contract, self.terms.portfolio.lot_method)
        self.history = History()
        self.balance = opening(self.terms.portfolio, 0).get(case["currency"], Balance())
        self.stages: list[Stage] = []
        self.trades: list[ClosedTrade] = []
        self.marks: list[Decimal] = []
        self.refusal: Refusal | None = None
        self.delivered: Course | None = None  # the underlying of an option that was exercised
        self.adopted: Decimal | None = None  # the price of a synthetic fill
        self._sequence = 0
        self._pairs, self._prices = pairs_of(case)

    @property
    def instrument(self) -> Instrument:
        """What is traded."""
        return self.terms.instrument

    @property
    def cash(self) -> Decimal:
        """In the currency of the case: what came without a trade, and what executions did."""
        delivered = cash_of(self.delivered.book, self.delivered.instrument) if self.delivered else ZERO
        return self.balance.cash + cash_of(self.book, self.instrument) + delivered

    def rate(self, source: str, target: str) -> Rate | None:
        """From one currency into another; None when no pair converts them."""
        pair = self._pairs.between(source, target)
        return None if pair is None else pair.rate(self._prices[pair.symbol], self._sequence, "case")

    def tell(self, command: Command) -> None:
        """One command: decided, journaled and made so. Raises what ``decide`` and ``check_replay`` raise."""
        command = command._replace(symbol=self.instrument.symbol)
        if command.fill_id:
            check_replay(
                command, None, [self.history.slots[at].decision for at in self.history.find(command.fill_id, 0)]
            )
        sequence = self._sequence + 1
        rate = self.rate(command.fee_currency, self.instrument.settlement_currency)
        what = decide(command, self.book, sequence, sequence, self.terms._replace(rate=rate))
        self._sequence = sequence
        if command.late and what.fill.time < self.book.newest_time:
            self._sort_in(command, what)
        else:
            self._take(command, what)

    def _take(self, command: Command, what: Decided) -> None:
        decision = decided(command, what, self._sequence, self._sequence)
        state = what.charged.state
        trades = list(closed_trades(command, what.fill, what.records, self.book.contract, state))
        self.book.evolve(what.records, self._sequence, what.fill.time)
        self.book.pending = self.book.pending.moved(what.charged, command.fee or ZERO, command.fee_currency)
        self.history.take(decision)
        self.trades.extend(trades)
        opened = decision.opened.quantity if decision.opened else ZERO
        self._stage(what.fill.direction, opened, trades)

    def _stage(self, direction: Direction, opened: Decimal, trades: list[ClosedTrade]) -> None:
        closed = sum((trade.quantity for trade in trades), ZERO)
        net = sum((trade.net_pnl for trade in trades), ZERO)
        stage = Stage(self.book.detached(), self.balance, self.cash, direction * opened, direction * closed, net)
        self.stages.append(stage)

    def _sort_in(self, command: Command, what: Decided) -> None:
        """Law 11: the book is matched again from there on."""
        asked = decided(command, what._replace(records=()), self._sequence, self._sequence)
        after = list(self.history.slots)
        after.insert(self.history.place_for(what.fill.time), Slot(asked, ()))
        done = rematched(self.history, after, self._sequence, self.book, self._sequence, self.terms, flips=False)
        assert net_change(done.restated) == _net(done.book) - _net(self.book)
        self.history.take(Late(asked, done.rematch))
        self.book = done.book
        self._stage(what.fill.direction, ZERO, [])

    def move(self, flow: Flow, amount: Decimal) -> None:
        """Cash that no execution moved."""
        self._sequence += 1
        event = CashEvent(flow, PORTFOLIO, SYMBOL, self.case["currency"], amount)
        self.balance = self.balance.moved(CashMoved(self._sequence, self._sequence, event, self._sequence, None))

    def split(self, factor: str, price: Decimal) -> None:
        """Each unit becomes 1 / ``factor``; what is beyond whole units is paid for at ``price``."""
        ratio = 1 / Fraction(factor)
        sides = (("numerator", str(ratio.numerator)), ("denominator", str(ratio.denominator)))
        self._sequence += 1
        records = split(self.book, SYMBOL, self._sequence, *(Decimal(units) for _, units in sides))
        assert self.book.direction is not None
        fill = Fill(self.book.direction, ZERO, ZERO, ZERO, self._sequence)
        command = Command(Method.SPLIT, PORTFOLIO, SYMBOL, None, None, ZERO, details=sides)
        decision = decided(command, Decided(fill, NONE, records), self._sequence, self._sequence)
        self.book.evolve(records, self._sequence, fill.time)
        self.history.take(decision)
        self._stage(fill.direction, ZERO, [])
        left = beyond_whole_steps(self.book.quantity, self.instrument.size_step or ONE)
        if left:
            self.tell(Command(Method.CASH_IN_LIEU, PORTFOLIO, SYMBOL, None, left, price))

    def compared(self) -> Comparison:
        """The book against what the venue of the case holds."""
        quantity, average = Decimal(self.case["venue"]["qty"]), self.case["venue"].get("avg")
        side = Direction.LONG if quantity > 0 else Direction.SHORT
        price = None if average is None else Decimal(average)
        rows = (HeldPosition(SYMBOL, side, abs(quantity), price),) if quantity else ()
        step = ONE.scaleb(-int(self.case["size_precision"])) if "size_precision" in self.case else ZERO
        held = Holding((PORTFOLIO, SYMBOL, ""), signed(self.book), self.book.average_price(), size_step=step)
        holdings = Holdings((PORTFOLIO,), (held,) if self.book.direction else ())
        return compare(UNNAMED, holdings, Statement(self._sequence, positions_complete=True, positions=rows))

    def adopt(self) -> None:
        """Carry out what is proposed, so that quantity and average are the venue's."""
        for difference in self.compared().differences:
            for proposal in difference.proposals:
                synthetic = proposal.execution
                assert synthetic is not None
                self.tell(fill(synthetic.side, synthetic.quantity, synthetic.price)._replace(synthetic=True))
                self.adopted = synthetic.price


def _net(book: Book) -> Decimal:
    return book.gross - book.fees


def signed(book: Book) -> Decimal:
    """Its open quantity, negative when it is short."""
    return book.quantity * (book.direction or 0)


def fill(side: Direction, quantity: Decimal, price: Decimal) -> Command:
    """An execution that opens what it does not close."""
    return Command(Method.RECORD_FILL, PORTFOLIO, SYMBOL, side, quantity, price, excess=Excess.REVERSE)
