"""What a symbol is: its kind, what one unit of it is worth, and the currencies it is priced and settled in.

Problem: the same fill means different money for a coin, an option on 100 shares and an inverse contract. Seen: bots trade most
symbols without ever describing them, and the ledgers they came from took every one for spot. Chosen: a symbol is made on
first use as spot, or from what an OCC symbol says; whatever else is spelled like a contract (``spellings``) is refused
until someone declares it. A declaration is checked as a whole and every broken field is reported. What the open lots were valued
by stays as it is while there are any.

    kind        paid up front   P&L of one unit of quantity               settled in
    SPOT        yes             multiplier x price difference              quote
    EQUITY      yes             multiplier x price difference              quote
    OPTION      yes (premium)   multiplier x price difference              quote
    PERPETUAL   no              multiplier x price difference              quote, or another that the multiplier counts in (quanto)
    FUTURE      no              multiplier x price difference              quote, or another that the multiplier counts in (quanto)
    INVERSE     no              multiplier / entry - multiplier / exit     base
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain import occ
from lotkeeperd.domain.book import Contract
from lotkeeperd.domain.decimals import ONE, plain
from lotkeeperd.domain.refusals import FieldViolations, InstrumentInUse, InstrumentNotDeclared, Violation, shown
from lotkeeperd.domain.spellings import contract_spelled


class Kind(Enum):
    """What is traded; the value is stored."""

    SPOT = "SPOT"
    EQUITY = "EQUITY"
    PERPETUAL = "PERPETUAL"
    INVERSE = "INVERSE"
    FUTURE = "FUTURE"
    OPTION = "OPTION"


class Right(Enum):
    """Which way an option gives its holder; the value is stored."""

    CALL = "CALL"
    PUT = "PUT"


PAID_UP_FRONT = frozenset({Kind.SPOT, Kind.EQUITY, Kind.OPTION})
"""Kinds whose fills move their whole value in cash."""

PLAIN = frozenset({Kind.SPOT, Kind.EQUITY})
"""Kinds whose multiplier is 1 when nobody says another."""

UNDATED = frozenset({Kind.SPOT, Kind.EQUITY, Kind.PERPETUAL})
"""Kinds that never expire."""

OF_OPTIONS = frozenset({"strike", "right"})
"""Fields that no other kind has."""

FIXED_BY_OPEN_LOTS = ("kind", "multiplier", "quote_currency", "settlement_currency")
"""What open lots were valued by."""

OCC_CURRENCY = "USD"
"""What every option that the OCC clears is priced and settled in."""


class Instrument(NamedTuple):
    """One symbol. ``price_step`` and ``size_step`` are None when not known; an execution is recorded whatever they say.

    ``expiry`` is an ISO date, ``strike`` in the quote currency. ``sequence`` is of the journal record that last declared it.
    """

    symbol: str
    kind: Kind = Kind.SPOT
    multiplier: Decimal = ONE
    base_currency: str = ""
    quote_currency: str = "USD"
    settlement_currency: str = "USD"
    price_step: Decimal | None = None
    size_step: Decimal | None = None
    negative_prices: bool = False
    underlying: str = ""
    expiry: str = ""
    strike: Decimal | None = None
    right: Right | None = None
    declared: bool = False
    sequence: int = 0

    @property
    def contract(self) -> Contract:
        """How its lots are valued."""
        return Contract(self.multiplier, self.kind is Kind.INVERSE, self.settlement_currency)

    @property
    def paid_up_front(self) -> bool:
        """Whether a fill moves its whole value in cash; of perpetuals, futures and inverse contracts only P&L moves."""
        return self.kind in PAID_UP_FRONT


class Declaration(NamedTuple):
    """What a caller said of a symbol. None, and empty text, mean that the caller left it out."""

    symbol: str
    kind: Kind | None = None
    multiplier: Decimal | None = None
    base_currency: str = ""
    quote_currency: str = ""
    settlement_currency: str = ""
    price_step: Decimal | None = None
    size_step: Decimal | None = None
    negative_prices: bool = False
    underlying: str = ""
    expiry: str = ""
    strike: Decimal | None = None
    right: Right | None = None


def on_first_use(symbol: str, currency: str) -> Instrument:
    """What ``symbol`` is when nobody declared it: an OCC option, or spot in the ledger's ``currency``.

    Raises InstrumentNotDeclared when it is spelled like anything else that is not spot.
    """
    option = occ.parsed(symbol)
    if option is not None and not option.is_standard:
        raise InstrumentNotDeclared(
            symbol,
            f"the digit in {option.root} marks an adjusted or flexible option, which may deliver something else than "
            f"{occ.STANDARD_MULTIPLIER} shares",
        )
    spelled = contract_spelled(symbol) if option is None else None
    if spelled is not None:
        raise InstrumentNotDeclared(symbol, f"it is spelled like {spelled}, whose terms are never guessed")
    return _instrument(_completed(Declaration(symbol), currency), is_declared=False)


def declared(asked: Declaration, currency: str, path: str = "instrument.") -> Instrument:
    """The instrument that ``asked`` declares, what it left out filled in; ``currency`` is the ledger's.

    Raises FieldViolations with every broken field: named as in the contract, with ``path`` in front.
    """
    terms = _completed(asked, currency)
    violations = [Violation(path + field, description) for field, description in _violations(terms)]
    if violations:
        raise FieldViolations(violations)
    return _instrument(terms, is_declared=True)


def differences(before: Instrument, after: Instrument) -> tuple[str, ...]:
    """The terms that differ, in the order of the fields; who said them and when is not a term."""
    return tuple(name for name in Declaration._fields if getattr(before, name) != getattr(after, name))


def check_change(before: Instrument, after: Instrument, open_quantity: Decimal) -> None:
    """Raises InstrumentInUse when ``after`` would value open lots another way; ``open_quantity`` is of both sides and all books."""
    if not open_quantity:
        return
    for field in differences(before, after):
        if field in FIXED_BY_OPEN_LOTS:
            was, now = (_written(getattr(instrument, field)) for instrument in (before, after))
            raise InstrumentInUse(before.symbol, field, was, now, open_quantity)


def price_violation(instrument: Instrument, field: str, price: Decimal) -> Violation | None:
    """What is wrong with the ``price`` of a fill, for the caller's ``field``; None when nothing is."""
    if instrument.kind is Kind.INVERSE and price <= 0:
        return Violation(
            field, f"{plain(price)} is not greater than 0, and {shown(instrument.symbol)} is worth 1 / price"
        )
    if price < 0 and not instrument.negative_prices:
        return Violation(
            field,
            f"{plain(price)} is negative, which {shown(instrument.symbol)} does not allow; "
            "if it is right, declare the instrument with negative_prices",
        )
    return None


def _written(value: Kind | Decimal | str) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return value.value if isinstance(value, Kind) else value


def _completed(asked: Declaration, currency: str) -> Declaration:
    """``asked`` with all that follows from its symbol and kind; ``kind`` stays None where it cannot be known."""
    option = occ.parsed(asked.symbol)
    if option is not None and asked.kind in {None, Kind.OPTION}:
        asked, currency = _with_occ_terms(asked, option), OCC_CURRENCY
    elif asked.kind is None and contract_spelled(asked.symbol) is None:
        asked = asked._replace(kind=Kind.SPOT)
    quote = asked.quote_currency or currency
    settlement = asked.settlement_currency or (asked.base_currency if asked.kind is Kind.INVERSE else quote)
    multiplier = ONE if asked.multiplier is None and asked.kind in PLAIN else asked.multiplier
    return asked._replace(quote_currency=quote, settlement_currency=settlement, multiplier=multiplier)


def _with_occ_terms(asked: Declaration, option: occ.OccOption) -> Declaration:
    """What the symbol says where the caller said nothing; the multiplier only where it is known."""
    standard = occ.STANDARD_MULTIPLIER if option.is_standard else None
    return asked._replace(
        kind=Kind.OPTION,
        multiplier=standard if asked.multiplier is None else asked.multiplier,
        underlying=asked.underlying or option.root,
        expiry=asked.expiry or option.expiry,
        strike=option.strike if asked.strike is None else asked.strike,
        right=asked.right or (Right.CALL if option.call else Right.PUT),
    )


def _instrument(terms: Declaration, *, is_declared: bool) -> Instrument:
    assert terms.kind is not None
    assert terms.multiplier is not None
    return Instrument(terms.symbol, terms.kind, terms.multiplier, *terms[3:], declared=is_declared)


def _violations(terms: Declaration) -> Iterator[Violation]:
    """The rules of a declaration, in the order of the fields."""
    if terms.kind is None:
        spelled = contract_spelled(terms.symbol)
        yield Violation("kind", f"is empty, and {shown(terms.symbol)} is spelled like {spelled}; say what it is")
        return
    yield from _amounts(terms)
    yield from _currencies(terms)
    yield from _option_terms(terms)
    yield from _expiry(terms)


def _amounts(terms: Declaration) -> Iterator[Violation]:
    if terms.multiplier is None:
        kind = terms.kind.value if terms.kind else ""
        yield Violation(
            "multiplier", f"is empty, and {shown(terms.symbol)} is of kind {kind}, which has none by itself"
        )
    for field in ("multiplier", "price_step", "size_step"):
        value: Decimal | None = getattr(terms, field)
        if value is not None and value <= 0:
            yield Violation(field, f"{plain(value)} is not greater than 0")
    if terms.kind is Kind.INVERSE and terms.negative_prices:
        yield Violation(
            "negative_prices", "is set, but an inverse contract is worth 1 / price; its price is always above 0"
        )


def _currencies(terms: Declaration) -> Iterator[Violation]:
    base, quote, settlement = terms.base_currency, terms.quote_currency, terms.settlement_currency
    if terms.kind is Kind.INVERSE and not base:
        yield Violation("base_currency", "is empty, but an inverse contract is settled in its base currency")
    elif terms.kind is Kind.INVERSE and settlement != base:
        yield Violation(
            "settlement_currency", f"{shown(settlement)} is not the base currency {shown(base)} of an inverse contract"
        )
    if terms.kind in PAID_UP_FRONT and settlement != quote:
        yield Violation("settlement_currency", f"{shown(settlement)} is not {shown(quote)}, in which its price is paid")
    if base and base == quote:
        yield Violation("base_currency", f"{shown(base)} is its quote currency as well")


def _option_terms(terms: Declaration) -> Iterator[Violation]:
    is_option = terms.kind is Kind.OPTION
    for field in ("underlying", "expiry", "strike", "right"):
        is_given = getattr(terms, field) not in {None, ""}
        if is_option and not is_given:
            yield Violation(field, "is empty, and an option has one")
        elif is_given and not is_option and field in OF_OPTIONS:
            yield Violation(field, "is set, but only an option has one")
    if is_option and terms.strike is not None and terms.strike <= 0 and not terms.negative_prices:
        yield Violation("strike", f"{plain(terms.strike)} is not greater than 0")


def _expiry(terms: Declaration) -> Iterator[Violation]:
    if terms.expiry and terms.kind in UNDATED:
        yield Violation("expiry", f"{shown(terms.expiry)} is set, but this kind of instrument has none")
    elif terms.expiry and not _is_day(terms.expiry):
        yield Violation("expiry", f"{shown(terms.expiry)} is not a day, written YYYY-MM-DD")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
