"""Anything a journal record may hold, drawn: texts of any script, amounts of any length, given and left out."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from lotkeeperd.domain.accounts import (
    CashEvent,
    CashMoved,
    DefineInstrument,
    Flow,
    InstrumentDefined,
    PortfolioCommand,
    TermsMethod,
    TermsSet,
)
from lotkeeperd.domain.book import Direction, Fill, Lot, LotMethod, LotOpened, Origin
from lotkeeperd.domain.commands import Command, Decision, Excess, Match, Method, origin_of
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.fees import Charged, FeeState
from lotkeeperd.domain.history import GONE, Amend, Amendment, Correction, Late, Rematch, Slot
from lotkeeperd.domain.instruments import Instrument, Kind, Right
from lotkeeperd.domain.portfolios import Mode, Portfolio, PositionMode
from lotkeeperd.domain.rates import Rate
from lotkeeperd.service.ports import JournalRecord

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
NAME = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
AMOUNT = st.decimals(min_value=-(10**20), max_value=10**20, places=18, allow_nan=False, allow_infinity=False)
POSITIVE = st.decimals(min_value=Decimal("1e-18"), max_value=10**20, places=18, allow_nan=False, allow_infinity=False)
TIME = st.integers(0, 2**62)
SEQUENCE = st.integers(1, 2**62)
SIDE = st.sampled_from(Direction)
LABELS = st.dictionaries(NAME, TEXT, max_size=3).map(lambda labels: tuple(labels.items()))
RATES = st.builds(Rate, NAME, NAME, POSITIVE, TIME, TEXT, st.booleans())

COMMANDS = st.builds(
    Command,
    method=st.sampled_from(Method),
    portfolio_id=NAME,
    symbol=NAME,
    side=st.none() | SIDE,
    quantity=st.none() | POSITIVE,
    price=AMOUNT,
    fee=st.none() | AMOUNT,
    fee_currency=TEXT,
    time=st.none() | TIME,
    order_id=TEXT,
    fill_id=TEXT,
    request_id=TEXT,
    close_all=st.booleans(),
    excess=st.sampled_from(Excess),
    reason=TEXT,
    group_id=TEXT,
    labels=LABELS,
    validate_only=st.just(False),
    synthetic=st.booleans(),
    book_side=st.none() | SIDE,
    chosen=st.lists(st.tuples(SEQUENCE, POSITIVE), max_size=2).map(tuple),
    late=st.booleans(),
    details=LABELS,
    brief=st.just(False),
)
MATCHES = st.lists(st.builds(Match, SEQUENCE, POSITIVE, AMOUNT, AMOUNT, AMOUNT, st.none() | AMOUNT), max_size=3)
ORIGINS = st.builds(Origin, TEXT, TEXT, TEXT, TEXT, LABELS, st.booleans(), AMOUNT, st.none() | RATES, st.booleans())


@st.composite
def _lots(draw: st.DrawFn) -> Lot:
    """An open lot as it leaves one book and arrives in another."""
    cost = draw(st.none() | AMOUNT)
    opened = LotOpened(
        draw(SEQUENCE), draw(SIDE), draw(POSITIVE), draw(AMOUNT), draw(AMOUNT), draw(TIME), draw(ORIGINS), cost
    )
    return Lot(opened.time, opened.sequence, draw(POSITIVE), opened.price, draw(AMOUNT), opened, cost)


@st.composite
def _charges(draw: st.DrawFn, command: Command) -> Charged:
    """How the fee came in: as it was taken, or in a way that has to be told."""
    settled = Charged(command.fee or ZERO)
    told = st.builds(Charged, AMOUNT, POSITIVE, st.sampled_from(FeeState), st.none() | RATES)
    return draw(st.just(settled) | told)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """Any decision a book may come to: it opens, closes, moves lots, or does all of it."""
    command, sequence = draw(COMMANDS), draw(SEQUENCE)
    charged = draw(_charges(command))
    fill = Fill(draw(SIDE), draw(POSITIVE), command.price, charged.amount, draw(TIME))
    opened = None
    if draw(st.booleans()):
        origin, cost = origin_of(command, charged), draw(st.none() | AMOUNT)
        opened = LotOpened(sequence, fill.direction, draw(POSITIVE), fill.price, draw(AMOUNT), fill.time, origin, cost)
    taken, placed = draw(st.lists(SEQUENCE, max_size=2)), draw(st.lists(_lots(), max_size=2))
    matches = tuple(draw(MATCHES))
    return Decision(sequence, draw(TIME), command, fill, opened, matches, charged, tuple(taken), tuple(placed))


REF = st.tuples(SEQUENCE, st.integers(0, 1000))


@st.composite
def _slots(draw: st.DrawFn, portfolio_id: str, symbol: str) -> Slot:
    """An execution of one book as a correction left it."""
    decision = draw(decisions())
    command = decision.command._replace(portfolio_id=portfolio_id, symbol=symbol)
    return Slot(decision._replace(command=command), tuple(draw(st.lists(REF, max_size=2))))


@st.composite
def _rematches(draw: st.DrawFn, portfolio_id: str, symbol: str) -> Rematch:
    """What a correction changed in one book."""
    slots = draw(st.lists(_slots(portfolio_id, symbol), max_size=2))
    pairs = draw(st.lists(st.tuples(st.none() | REF, st.none() | REF), max_size=2))
    return Rematch(draw(st.sampled_from((GONE, 0)) | SEQUENCE), tuple(slots), tuple(pairs), draw(AMOUNT), draw(AMOUNT))


@st.composite
def late_fills(draw: st.DrawFn) -> Late:
    """An execution that was put where its time belongs."""
    decision = draw(decisions())
    return Late(decision, draw(_rematches(decision.command.portfolio_id, decision.command.symbol)))


AMENDMENTS = st.builds(
    Amendment,
    method=st.sampled_from(Amend),
    portfolio_id=NAME,
    symbol=NAME,
    request_id=TEXT,
    fill_id=TEXT,
    target=st.integers(0, 2**62),
    side=st.none() | SIDE,
    quantity=st.none() | POSITIVE,
    price=st.none() | AMOUNT,
    fee=st.none() | AMOUNT,
    fee_currency=st.none() | TEXT,
    time=st.none() | TIME,
    rate=st.none() | POSITIVE,
    source=TEXT,
    reason=TEXT,
    excess=st.sampled_from(Excess),
    event_id=TEXT,
    into=TEXT,
    book_side=st.none() | SIDE,
    validate_only=st.just(False),
)


@st.composite
def corrections(draw: st.DrawFn) -> Correction:
    """A bust, a correction, a fee or a rate that came later."""
    command = draw(AMENDMENTS)
    return Correction(draw(SEQUENCE), draw(TIME), command, draw(_rematches(command.portfolio_id, command.symbol)))


CASH = st.builds(
    CashMoved,
    sequence=SEQUENCE,
    recorded_time=TIME,
    command=st.builds(
        CashEvent,
        method=st.sampled_from(Flow),
        portfolio_id=NAME,
        symbol=TEXT,
        currency=NAME,
        amount=AMOUNT,
        time=st.none() | TIME,
        fill_id=TEXT,
        request_id=TEXT,
        note=TEXT,
        validate_only=st.just(False),
    ),
    time=TIME,
    rate=st.none() | RATES,
)

INITIAL_CASH = st.dictionaries(NAME, AMOUNT, max_size=2).map(lambda cash: tuple(cash.items()))
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "base_currency": NAME,
        "position_mode": st.sampled_from(PositionMode),
        "long_only": st.booleans(),
        "mode": st.sampled_from(Mode),
        "broker_account": TEXT,
        "lot_method": st.sampled_from(LotMethod),
        "time_zone": NAME,
        "initial_cash": INITIAL_CASH,
        "fees_later": st.booleans(),
        "description": TEXT,
        "closed": st.booleans(),
    },
)


@st.composite
def terms(draw: st.DrawFn) -> TermsSet:
    """The terms of a portfolio, as they were asked for and as they are."""
    name, sequence = draw(NAME), draw(SEQUENCE)
    command = PortfolioCommand(draw(st.sampled_from(TermsMethod)), name, draw(NAME), tuple(draw(CHANGES).items()))
    is_now = Portfolio(name, draw(NAME), declared=True, created_time=draw(TIME), sequence=sequence)
    return TermsSet(sequence, draw(TIME), command, is_now._replace(**draw(CHANGES)))


INSTRUMENTS = st.builds(
    Instrument,
    symbol=NAME,
    kind=st.sampled_from(Kind),
    multiplier=POSITIVE,
    base_currency=TEXT,
    quote_currency=NAME,
    settlement_currency=NAME,
    price_step=st.none() | POSITIVE,
    size_step=st.none() | POSITIVE,
    negative_prices=st.booleans(),
    underlying=TEXT,
    expiry=TEXT,
    strike=st.none() | POSITIVE,
    right=st.none() | st.sampled_from(Right),
    declared=st.booleans(),
    sequence=SEQUENCE,
)


@st.composite
def definitions(draw: st.DrawFn) -> InstrumentDefined:
    """An instrument as it was declared and as it is."""
    asked = draw(INSTRUMENTS)
    is_now = draw(INSTRUMENTS)._replace(symbol=asked.symbol)
    return InstrumentDefined(draw(SEQUENCE), draw(TIME), DefineInstrument(asked, draw(TEXT)), is_now)


KINDS: dict[str, st.SearchStrategy[JournalRecord]] = {
    "execution": decisions(),
    "late execution": late_fills(),
    "correction": corrections(),
    "cash": CASH,
    "terms": terms(),
    "instrument": definitions(),
}
"""Every kind of record of a book, of cash or of terms."""
