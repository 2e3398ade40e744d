"""What of an execution, or of an event, a correction may change.

Problem: an event is recorded as executions of its books, and each of them has a sequence that a correction may name. One of two
that belong together, changed by itself, leaves the other standing: shares that were delivered for an option that was never used.
Chosen: a correction changes what stands alone.

    method                                    bust    correct
    CreateEntry, CloseFifo, RecordFill        yes     everything
    Liquidation                               yes     everything
    CashSettlement                            yes     price, fee, time: side and quantity follow the book
    Expiry                                    yes     fee, time: it closes at zero
    Split without cash in lieu                yes     nothing: it has no price and no fee
    Split with cash in lieu, CashInLieu       no      nothing: two records of one event
    Exercise, Assignment, Delivery            no      nothing: two books
    SymbolChange, SymbolArrival               no      nothing: two books

What closed everything that was open goes on to have closed just that, whatever is corrected of it but the quantity itself.
"""

from __future__ import annotations

from lotkeeperd.domain.commands import Command, Decision, Method
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Instrument, price_violation
from lotkeeperd.domain.refusals import FieldViolations, Violation

EXECUTIONS = frozenset({Method.CREATE_ENTRY, Method.CLOSE_FIFO, Method.RECORD_FILL, Method.LIQUIDATION})
"""What a venue executed: it stands alone."""

FIXED = {
    Method.CASH_SETTLEMENT: ("side", "quantity"),
    Method.EXPIRY: ("side", "quantity", "price"),
    Method.SPLIT: ("side", "quantity", "price", "fee", "fee_currency", "time"),
}
"""What a correction cannot change of an event that stands alone."""

CALLED = {"time": "fill_time"}
"""Fields that CorrectFill calls otherwise."""


def check_amendable(command: Amendment, was: Decision) -> None:
    """Raises FieldViolations when ``command`` would change a part of what belongs together, or what an event does not have."""
    method = was.command.method
    if method in EXECUTIONS:
        return
    if method not in FIXED or "cash_in_lieu" in dict(was.command.details):
        what = (
            f"record {was.sequence} is {method.value}, a part of an event of several records, which a correction would tear "
            "apart; record what undoes it as executions of its own"
        )
        raise FieldViolations([Violation("fill_sequence", what)])
    if command.method is Amend.BUST:
        return
    broken = [
        Violation(
            CALLED.get(name, name), f"is not a term of record {was.sequence}, which is {method.value}; leave it out"
        )
        for name in FIXED[method]
        if getattr(command, name) is not None
    ]
    if broken:
        raise FieldViolations(broken)


def corrected(was: Command, by: Amendment, instrument: Instrument) -> Command:
    """The command with what is given of ``by``. Raises FieldViolations when ``instrument`` has no such price."""
    if by.price is not None:
        violation = price_violation(instrument, "price", by.price)
        if violation is not None:
            raise FieldViolations([violation])
    return was._replace(
        side=was.side if by.side is None else by.side,
        quantity=was.quantity if by.quantity is None else by.quantity,
        price=was.price if by.price is None else by.price,
        fee=was.fee if by.fee is None else by.fee,
        fee_currency=was.fee_currency if by.fee_currency is None else by.fee_currency,
        time=was.time if by.time is None else by.time,
        close_all=was.close_all and by.quantity is None,
    )
