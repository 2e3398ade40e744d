"""What happens to an account besides executions, as frozen values: one class per kind of event, named as in the contract.

An ``Event`` says when and where; its ``event`` says what, and is told apart by its class:

    match each.event:
        case Deposit(money=money): ...
        case Split(symbol=symbol, numerator=after, denominator=before): ...
        case None: ...  # a kind that this client does not know yet

Fields that may be left out when an event is recorded are ``None`` where the ledger has nothing in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lotkeeper.enums import PositionSide
from lotkeeper.values import Fill, Money, Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Cash brought in."""

    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Cash taken out."""

    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Funding of a perpetual: received, or negative when paid."""

    symbol: str
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Interest on what was borrowed or lent: received, or negative when paid."""

    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Dividend:
    """A dividend: received, or negative when paid on a short."""

    symbol: str
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A fee that belongs to no execution; negative is a refund."""

    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFee:
    """The whole fee of an execution that came without one; negative is a rebate."""

    symbol: str
    fill_id: str
    fee: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRate:
    """A rate for fees in a currency that had none."""

    fee_currency: str
    quote_currency: str
    rate: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Every ``denominator`` units became ``numerator`` units."""

    symbol: str
    numerator: int
    denominator: int
    cash_in_lieu: Decimal | None  # None when fractions stay


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolChange:
    """The same lots under another symbol."""

    from_symbol: str
    to_symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The end of an option that nobody exercised."""

    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """A long option used; ``quantity`` None is all that were open."""

    symbol: str
    quantity: Decimal | None
    fee: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A short option used by its holder; ``quantity`` None is all that were open."""

    symbol: str
    quantity: Decimal | None
    fee: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSettlement:
    """The end of a contract that is settled in cash."""

    symbol: str
    price: Decimal
    fee: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """The venue closed a position by force."""

    fill: Fill


EventKind = (
    Deposit
    | Withdrawal
    | Funding
    | Interest
    | Dividend
    | Charge
    | FillFee
    | FeeRate
    | Split
    | SymbolChange
    | Expiry
    | Exercise
    | Assignment
    | CashSettlement
    | Liquidation
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event."""

    sequence: int
    portfolio_id: str
    event_time: Time
    event_id: str
    note: str
    position_side: PositionSide
    event: EventKind | None  # None for a kind that this client does not know yet
