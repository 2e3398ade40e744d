"""The contract's enums as Python enums that do not break when a newer server says something new.

A server may be newer than the client beside it. A plain ``IntEnum`` raises ``ValueError`` on a number it does not know,
and the bot would lose the whole answer over one field it perhaps never looks at. Therefore an unknown number becomes an
unnamed member: it prints as ``UNKNOWN_7``, equals its number, and matches none of the members known here.
"""

from __future__ import annotations

from enum import IntEnum


class OpenEnum(IntEnum):
    """An enum of the contract; a number this client does not know yet is kept as it is."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member


class Side(OpenEnum):
    """Which way an execution traded."""

    UNSPECIFIED = 0
    BUY = 1
    SELL = 2


class PositionSide(OpenEnum):
    """Which way a lot or a position profits; ``FLAT`` is only ever answered."""

    UNSPECIFIED = 0
    LONG = 1
    SHORT = 2
    FLAT = 3


class EntryStatus(OpenEnum):
    """How much of an entry is still open; ``SUPERSEDED``: it no longer counts."""

    UNSPECIFIED = 0
    OPEN = 1
    PARTIALLY_CLOSED = 2
    CLOSED = 3
    SUPERSEDED = 4


class ExcessPolicy(OpenEnum):
    """What becomes of quantity beyond the open lots: refuse it, or close all and open the rest on the other side."""

    UNSPECIFIED = 0
    REJECT = 1
    REVERSE = 2


class LatePolicy(OpenEnum):
    """What becomes of an execution older than the newest of its book: take it as it comes, or put it in its place."""

    UNSPECIFIED = 0
    AS_RECORDED = 1
    IN_TIME_ORDER = 2


class LotMethod(OpenEnum):
    """Which lots a close takes: the oldest, the newest, the least gain, the oldest at average cost, those it names."""

    UNSPECIFIED = 0
    FIFO = 1
    LIFO = 2
    HIFO = 3
    AVERAGE = 4
    CHOSEN = 5


class PositionMode(OpenEnum):
    """Whether both sides of a symbol may be open at once."""

    UNSPECIFIED = 0
    NETTING = 1
    HEDGING = 2


class TradingMode(OpenEnum):
    """Whether real money stands behind a portfolio."""

    UNSPECIFIED = 0
    LIVE = 1
    PAPER = 2


class InstrumentKind(OpenEnum):
    """What is traded; the contract says what each one's P&L is in."""

    UNSPECIFIED = 0
    SPOT = 1
    EQUITY = 2
    PERPETUAL = 3
    INVERSE = 4
    FUTURE = 5
    OPTION = 6


class OptionRight(OpenEnum):
    """Which way an option gives its holder: to buy or to sell."""

    UNSPECIFIED = 0
    CALL = 1
    PUT = 2


class RecordKind(OpenEnum):
    """What a record behind a figure was."""

    UNSPECIFIED = 0
    FILL = 1
    BUST = 2
    CORRECTION = 3
    LATE_FILL = 4
    CORPORATE_ACTION = 5
    SETTLEMENT = 6


class ReconcileMode(OpenEnum):
    """What ``reconcile`` may do; unspecified is ``DRY_RUN``."""

    UNSPECIFIED = 0
    DRY_RUN = 1
    APPLY = 2


class DiscrepancyKind(OpenEnum):
    """One kind of difference between the ledger and the broker."""

    UNSPECIFIED = 0
    ORPHANED_POSITION = 1
    MISSING_AT_BROKER = 2
    QUANTITY_MISMATCH = 3
    SIDE_MISMATCH = 4
    AVERAGE_PRICE_MISMATCH = 5
    MISSING_FILL = 6
    UNKNOWN_FILL = 7
    CASH_MISMATCH = 8


class ResolutionKind(OpenEnum):
    """What would remove a difference; unspecified: a person decides."""

    UNSPECIFIED = 0
    BACKFILL_FILLS = 1
    ADOPT_POSITION = 2
    CLOSE_SYNTHETIC = 3
    NONE = 4


class Severity(OpenEnum):
    """How bad a difference is; the larger the worse."""

    UNSPECIFIED = 0
    INFO = 1
    MINOR = 2
    MAJOR = 3
    CRITICAL = 4


class DiscrepancyState(OpenEnum):
    """What became of a difference."""

    UNSPECIFIED = 0
    OPEN = 1
    RESOLVED = 2
    IGNORED = 3
    GONE = 4


class Restraint(OpenEnum):
    """What an open difference stops: nothing, new entries of its symbol, or every execution of its portfolios."""

    UNSPECIFIED = 0
    FREEZE_SYMBOL = 1
    HALT_PORTFOLIO = 2
