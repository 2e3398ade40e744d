"""Events: cash that moves, ends of contracts, exercises, splits, changes of symbol. One event, one transaction.

An event of several books is several records, one for each book, that follow each other: whoever reads one book's records
reads its whole story. The first carries the ids, and says how many belong to it.
"""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.accounts import (
    CashEvent,
    CashMoved,
    DefineInstrument,
    InstrumentDefined,
    PortfolioCommand,
    TermsSet,
)
from lotkeeperd.domain.book import Book, Direction, Fill, Record
from lotkeeperd.domain.commands import Command, Decision, Excess, Method
from lotkeeperd.domain.deciding import Decided, check_portfolio, decide, decided
from lotkeeperd.domain.decimals import ONE, ZERO, quotient
from lotkeeperd.domain.fees import NONE
from lotkeeperd.domain.history import Amendment, Correction, Late
from lotkeeperd.domain.instruments import Instrument, Kind, Right
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.refusals import (
    FieldViolations,
    InsufficientQuantity,
    NoOpenPosition,
    OppositeSideOpen,
    PortfolioNotFound,
    Violation,
)
from lotkeeperd.domain.splits import arrived, beyond_whole_steps, departed, split
from lotkeeperd.domain.trades import ClosedTrade, Entry, Restatement, closed_trades, entry_as_opened
from lotkeeperd.service import agreements
from lotkeeperd.service.outcomes import IN_ANSWER, Agreed, Answer, Happened
from lotkeeperd.service.ports import AnyCommand, JournalRecord, Key, Transaction
from lotkeeperd.service.stage import Stage, key_of

RECORDS = "records"
"""The detail of an event's first record that says how many it has."""


class _Story:
    """The records of one event as they are made."""

    def __init__(self, stage: Stage, command: Command) -> None:
        self.stage = stage
        self._command = command
        self._first = 0
        self._books: dict[Key, Book] = {}
        self._trades: list[ClosedTrade] = []
        self._opened: list[Entry] = []

    def lead(self, command: Command, count: int) -> Command:
        """The first record's command carries the ids, the others' do not."""
        if self._first:
            return command._replace(request_id="", fill_id="")
        return command._replace(details=(*command.details, (RECORDS, str(count)))) if count > 1 else command

    def staged(self, key: Key) -> Book:
        """A copy of a book to evolve; one that is only shown shares nothing."""
        terms = self.stage.terms(*key[:2])
        book = self.stage.book(key) or Book(terms.instrument.contract, terms.portfolio.lot_method)
        return book.detached() if self._command.validate_only else book.staged()

    def execute(self, command: Command, key: Key) -> None:
        """One execution of one book."""
        stage, book = self.stage, self.staged(key)
        command = stage.in_full(command, stage.terms(*key[:2]))
        sequence = agreements.first_use(stage, command.symbol)
        what = decide(command, book, sequence, stage.now, stage.terms(*key[:2], command.fee_currency))
        agreements.make_first_use(stage, command.symbol, sequence)
        self._took(key, book, command, what, sequence)

    def carry(self, command: Command, key: Key, records: tuple[Record, ...]) -> None:
        """Lots that leave and arrive."""
        stage = self.stage
        time = stage.now if command.time is None else command.time
        what = Decided(Fill(Direction.LONG, ZERO, ZERO, ZERO, time), NONE, records)
        self._took(key, self.staged(key), command, what, stage.next_sequence)

    def _took(self, key: Key, book: Book, command: Command, what: Decided, sequence: int) -> None:
        stage = self.stage
        trades = list(closed_trades(command, what.fill, what.records, book.contract, what.charged.state))
        decision = decided(command, what, sequence, stage.now)
        stage.take(key, book, decision, what.records, trades)
        self._first = self._first or sequence
        self._books[key] = book
        self._trades += trades
        if decision.opened is not None:
            self._opened.append(entry_as_opened(key[0], key[1], decision.opened))

    def told(self) -> Happened:
        """What the caller hears."""
        currencies = dict.fromkeys(book.contract.currency for book in self._books.values())
        return Happened(
            self._command,
            0 if self._command.validate_only else self._first,
            self._opened,
            self._trades[:IN_ANSWER],
            len(self._trades),
            books=list(self._books.items()),
            cash=[(currency, self.stage.cash_in(self._command.portfolio_id, currency)) for currency in currencies],
        )


def happened(command: Command, stage: Stage) -> Happened:
    """An event that touches lots. Raises what says why not."""
    portfolio = stage.portfolio(command.portfolio_id)
    if portfolio is None:
        raise PortfolioNotFound(command.portfolio_id)
    check_portfolio(portfolio)
    check_side(command.book_side, command.portfolio_id, stage)
    # Several records may be made before one is refused: they are tried apart, and made again where they stay.
    trial = _Story(stage.fork(), command._replace(validate_only=True))
    _EVENTS[command.method](command, trial)
    if command.validate_only:
        return trial.told()
    story = _Story(stage, command)
    _EVENTS[command.method](command, story)
    return story.told()


def check_side(side: Direction | None, portfolio_id: str, stage: Stage) -> None:
    """Raises FieldViolations where a side is named of books that have none."""
    portfolio = stage.portfolio(portfolio_id)
    if side is not None and (portfolio is None or portfolio.position_mode is PositionMode.NETTING):
        what = "is for hedging portfolios; this one is netting: leave it unspecified"
        raise FieldViolations([Violation("event.position_side", what)])


def _open_keys(command: Command, stage: Stage) -> list[Key]:
    """The books of its symbol that have something open, and that the event is for."""
    sides = ("", "LONG", "SHORT") if command.book_side is None else (command.book_side.name,)
    keys = [(command.portfolio_id, command.symbol, side) for side in sides]
    found = [key for key in keys if (book := stage.book(key)) is not None and book.direction is not None]
    if not found:
        raise NoOpenPosition(command.symbol, "")
    return found


def _sided(command: Command, key: Key) -> Command:
    return command._replace(book_side=Direction[key[2]] if key[2] else None)


def _close(command: Command, story: _Story) -> None:
    """Expiry and cash settlement: everything that is open, on both sides."""
    _check_kind(command, story.stage)
    keys = _open_keys(command, story.stage)
    if command.fee and len(keys) > 1:
        raise FieldViolations(
            [Violation("event.position_side", "is required: the fee is of one book, and both are open")]
        )
    for key in keys:
        story.execute(_sided(story.lead(command, len(keys)), key), key)


def _check_kind(command: Command, stage: Stage) -> None:
    instrument = stage.terms(command.portfolio_id, command.symbol).instrument
    if command.method is Method.EXPIRY and instrument.kind is not Kind.OPTION:
        what = f"{command.symbol!r} is {instrument.kind.name}, not an option: a contract ends by cash_settlement"
        raise FieldViolations([Violation("event.expiry.symbol", what)])


def _liquidated(command: Command, story: _Story) -> None:
    """An execution that the venue forced."""
    stage = story.stage
    if command.book_side is None and stage.terms(command.portfolio_id, command.symbol).hedging:
        raise FieldViolations([Violation("event.position_side", "is required in a hedging portfolio")])
    side = command.book_side.name if command.book_side is not None else ""
    story.execute(command, (command.portfolio_id, command.symbol, side))


def _exercised(command: Command, story: _Story) -> None:
    """The option's lots close at zero; the underlying trades at the strike."""
    stage = story.stage
    option = stage.terms(command.portfolio_id, command.symbol).instrument
    wanted = Direction.LONG if command.method is Method.EXERCISE else Direction.SHORT
    keys = [key for key in _open_keys(command, stage) if _direction(stage, key) is wanted]
    if not keys:
        raise NoOpenPosition(command.symbol, f" {wanted.name}")
    book = stage.book(keys[0])
    assert book is not None
    quantity = book.quantity if command.quantity is None else command.quantity
    if quantity > book.quantity:
        raise InsufficientQuantity(command.symbol, book.quantity, quantity)
    delivery = _delivery(command, option, wanted, quantity)
    underlying, key = _delivered_to(delivery, stage)
    closing = command._replace(side=wanted.opposite, quantity=quantity, fee=None, fee_currency="")
    story.execute(_sided(story.lead(closing, 2), keys[0]), keys[0])
    story.execute(underlying, key)


def _direction(stage: Stage, key: Key) -> Direction | None:
    book = stage.book(key)
    return None if book is None else book.direction


def _delivery(command: Command, option: Instrument, wanted: Direction, quantity: Decimal) -> Command:
    if option.kind is not Kind.OPTION or option.strike is None:
        what = f"{command.symbol!r} is {option.kind.name}, not an option"
        raise FieldViolations([Violation(f"event.{command.method.value.lower()}.symbol", what)])
    buys = (option.right is Right.CALL) is (wanted is Direction.LONG)
    return Command(
        Method.DELIVERY,
        command.portfolio_id,
        option.underlying,
        Direction.LONG if buys else Direction.SHORT,
        quantity * option.multiplier,
        option.strike,
        command.fee,
        time=command.time,
        excess=Excess.REVERSE,
        reason=command.method.value.lower(),
        details=(("of", command.symbol),),
    )


def _delivered_to(delivery: Command, stage: Stage) -> tuple[Command, Key]:
    """The underlying's book; in a hedging portfolio the one that the delivery closes, or else opens."""
    at = (delivery.portfolio_id, delivery.symbol)
    if not stage.terms(*at).hedging:
        return delivery, (*at, "")
    assert delivery.side is not None
    against = stage.book((*at, delivery.side.opposite.name))
    closes = against is not None and against.direction is not None and delivery.quantity is not None
    side = delivery.side
    if closes and against is not None and delivery.quantity is not None and against.quantity >= delivery.quantity:
        side = delivery.side.opposite
    return delivery._replace(book_side=side), (*at, side.name)


def _split(command: Command, story: _Story) -> None:
    """Every lot in new units; what is left beyond whole steps is paid for, where the caller says how much."""
    stage = story.stage
    keys = _open_keys(command, stage)
    details = dict(command.details)
    numerator, denominator = Decimal(details["numerator"]), Decimal(details["denominator"])
    cash = details.get("cash_in_lieu")
    if cash is not None and len(keys) > 1:
        raise FieldViolations([Violation("event.position_side", "is required: cash_in_lieu is of one book")])
    for key in keys:
        book = story.staged(key)
        carried = split(book, command.symbol, stage.next_sequence, numerator, denominator)
        count = len(keys) + (cash is not None)
        story.carry(_sided(story.lead(command, count), key), key, carried)
        if cash is not None:
            _in_lieu(command, key, Decimal(cash), story)


def _in_lieu(command: Command, key: Key, cash: Decimal, story: _Story) -> None:
    instrument = story.stage.terms(*key[:2]).instrument
    book = story.stage.book(key)
    assert book is not None
    if not instrument.paid_up_front:
        what = f"{command.symbol!r} is {instrument.kind.name}, of which only P&L moves cash: nothing is paid for its fractions"
        raise FieldViolations([Violation("event.split.cash_in_lieu", what)])
    rest = beyond_whole_steps(book.quantity, instrument.size_step or ONE)
    if not rest:
        what = f"{cash} is paid for fractions, and the split leaves none of {book.quantity}"
        raise FieldViolations([Violation("event.split.cash_in_lieu", what)])
    assert book.direction is not None
    # A price has 18 digits; what they cannot tell of the payment stands as a fee of less than a unit of the last one.
    price = quotient(cash, rest * instrument.multiplier)
    beyond = price * rest * instrument.multiplier - cash
    paid = Command(
        Method.CASH_IN_LIEU,
        *key[:2],
        book.direction.opposite,
        rest,
        price,
        beyond if book.direction is Direction.LONG else -beyond,
        time=command.time,
        reason="cash_in_lieu",
    )
    story.execute(_sided(paid, key), key)


def _renamed(command: Command, story: _Story) -> None:
    """The same lots under another symbol."""
    stage = story.stage
    keys = _open_keys(command, stage)
    to_symbol = dict(command.details)["to_symbol"]
    agreements.make_first_use(stage, to_symbol, agreements.first_use(stage, to_symbol))
    for key in keys:
        into = (key[0], to_symbol, key[2])
        book, other = stage.book(key), stage.book(into)
        assert book is not None
        assert book.direction is not None
        _check_alike(key, into, stage)
        if other is not None and other.direction is not None and other.direction is not book.direction:
            raise OppositeSideOpen(to_symbol, other.direction.name, other.quantity)
        departing, arriving = departed(book, stage.next_sequence), arrived(book, stage.next_sequence + 1)
        story.carry(_sided(story.lead(command, 2 * len(keys)), key), key, departing)
        arrival = Command(Method.SYMBOL_ARRIVAL, key[0], to_symbol, None, None, ZERO, time=command.time)
        arrival = arrival._replace(details=(("from_symbol", key[1]),))
        story.carry(_sided(arrival, into), into, arriving)


def _check_alike(key: Key, into: Key, stage: Stage) -> None:
    """Lots are carried at what they cost: both symbols have to value them alike."""
    was, now = (stage.terms(*at[:2]).instrument for at in (key, into))
    if was.contract != now.contract or was.kind is not now.kind:
        what = (
            f"{into[1]!r} is valued otherwise than {key[1]!r}: declare it with the same kind, multiplier and currencies"
        )
        raise FieldViolations([Violation("event.symbol_change.to_symbol", what)])


_EVENTS = {
    Method.EXPIRY: _close,
    Method.CASH_SETTLEMENT: _close,
    Method.LIQUIDATION: _liquidated,
    Method.EXERCISE: _exercised,
    Method.ASSIGNMENT: _exercised,
    Method.SPLIT: _split,
    Method.SYMBOL_CHANGE: _renamed,
}


def moved_cash(command: CashEvent, stage: Stage) -> Happened:
    """An event of cash alone. Raises PortfolioNotFound or PortfolioClosed."""
    portfolio = stage.portfolio(command.portfolio_id)
    if portfolio is None:
        raise PortfolioNotFound(command.portfolio_id)
    check_portfolio(portfolio)
    staged = stage.fork() if command.validate_only else stage
    sequence = staged.next_sequence
    time = stage.now if command.time is None else command.time
    rate = stage.rate(command.currency, portfolio.base_currency)
    staged.cash(CashMoved(sequence, stage.now, command, time, rate))
    cash = [(command.currency, staged.cash_in(command.portfolio_id, command.currency))]
    return Happened(command, 0 if command.validate_only else sequence, cash=cash)


def replayed(command: AnyCommand, first: JournalRecord, stage: Stage, transaction: Transaction) -> Answer:
    """What an event, a correction or terms did when they were first recorded, with everything else as it is now."""
    if isinstance(command, PortfolioCommand | DefineInstrument):
        assert isinstance(first, TermsSet | InstrumentDefined)
        return _agreed_then(command, first, stage)
    if isinstance(first, CashMoved):
        cash = [(first.command.currency, stage.cash_in(command.portfolio_id, first.command.currency))]
        return Happened(first.command, first.sequence, cash=cash, replayed=True)
    assert isinstance(first, Decision | Late | Correction)
    return _told_then(first, stage, transaction)


def _agreed_then(
    command: PortfolioCommand | DefineInstrument, first: TermsSet | InstrumentDefined, stage: Stage
) -> Agreed:
    now = (
        stage.portfolio(command.portfolio_id)
        if isinstance(command, PortfolioCommand)
        else stage.instrument(command.symbol)
    )
    assert now is not None
    return Agreed(now, first.sequence, True)


def _told_then(first: Decision | Late | Correction, stage: Stage, transaction: Transaction) -> Happened:
    portfolio_id = first.command.portfolio_id
    records = [first, *_others(first, stage, transaction)]
    trades: list[ClosedTrade] = []
    restated: list[Restatement] = []
    for record in records:
        staged_trades, staged = stage.trades_of(record.sequence), stage.restated_of(record.sequence)
        if isinstance(record, Decision):
            was = (
                transaction.trades(portfolio_id, record.sequence, IN_ANSWER) if staged_trades is None else staged_trades
            )
            trades += was
        else:
            restated += transaction.restated(portfolio_id, record.sequence, IN_ANSWER) if staged is None else staged
    books = [(key, book) for key in dict.fromkeys(map(key_of, records)) if (book := stage.book(key)) is not None]
    currencies = dict.fromkeys(book.contract.currency for _, book in books)
    rematches = [record.rematch for record in records if not isinstance(record, Decision)]
    return Happened(
        first.command,
        first.sequence,
        [entry_as_opened(*key_of(one)[:2], one.opened) for one in records if isinstance(one, Decision) and one.opened],
        trades[:IN_ANSWER],
        sum(len(one.matches) for one in records if isinstance(one, Decision)),
        restated[:IN_ANSWER],
        sum(len(rematch.pairs) for rematch in rematches),
        sum((rematch.gross - rematch.fees for rematch in rematches), ZERO),
        books,
        [(currency, stage.cash_in(portfolio_id, currency)) for currency in currencies],
        True,
    )


def _others(
    first: Decision | Late | Correction, stage: Stage, transaction: Transaction
) -> list[Decision | Late | Correction]:
    """The records of an event that follow its first one."""
    command: Command | Amendment = first.command
    count = command.records if isinstance(command, Amendment) else int(dict(command.details).get(RECORDS, "1"))
    wanted = range(first.sequence + 1, first.sequence + count)
    if not wanted:
        return []
    found = stage.since(wanted.start)[: len(wanted)]
    if not found:
        found = transaction.records(command.portfolio_id, wanted.start, wanted[-1])
    return [record for record in found if isinstance(record, Decision | Late | Correction)]
