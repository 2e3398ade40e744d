"""What the ledger says of one broker account at the sequence that is being decided: books, executions as they count, cash.

Problem: the writer's thread serves everybody, and the journal may hold millions of records. Chosen: open books come from memory; of
the journal only what was recorded since the statement's history begins is read, and by its id what stands elsewhere. An
execution is recorded after it happened, so nothing of the statement's time is recorded before it, but for clocks that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from lotkeeperd.domain.book import Book, Lot
from lotkeeperd.domain.commands import Command, Decision, Method
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.history import GONE, Correction, Late
from lotkeeperd.domain.instruments import Instrument
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.reconciliation.holdings import Counted, Holding, Holdings
from lotkeeperd.domain.reconciliation.records import SYNTHETIC, Reconcile
from lotkeeperd.domain.reconciliation.statements import Statement
from lotkeeperd.domain.refusals import FieldViolations, Violation
from lotkeeperd.domain.times import iso
from lotkeeperd.service.ports import JournalRecord, Transaction
from lotkeeperd.service.stage import Stage, key_of

CLOCKS_DIFFER = 120_000_000_000
"""Nanoseconds by which our clock may be behind the venue's; what was recorded earlier yet is found by its id all the same."""

AT_ONCE = 1000
"""Ids that are looked up in one query."""

MOST = 100_000
"""Executions of one portfolio that a comparison reads at most: the writer serves nobody else meanwhile, some two seconds."""

EXECUTIONS = frozenset({Method.CREATE_ENTRY, Method.CLOSE_FIFO, Method.RECORD_FILL, Method.LIQUIDATION})
"""What a venue executes, and so reports."""


def holdings_of(command: Reconcile, stage: Stage, transaction: Transaction) -> Holdings:
    """All of the account; run under ``localcontext(EXACT)``. Raises FieldViolations when its history is too long."""
    portfolios = command.portfolio_ids
    books = {key: book for name in portfolios for key, book in stage.books_of(name).items()}
    counted = [each for name in portfolios for each in _counted(name, command.statement, stage, transaction)]
    return Holdings(
        portfolios,
        tuple(_holding(key, book, stage) for key, book in books.items() if book.direction is not None),
        tuple(key for key, book in books.items() if book.direction is None),
        tuple(counted),
        _orders(books, counted, command.statement),
        _cash(portfolios, command.statement, stage),
        any(_hedges(name, stage) for name in portfolios),
        _instruments(command, {key[1] for key in books}, stage),
    )


def _hedges(portfolio_id: str, stage: Stage) -> bool:
    portfolio = stage.portfolio(portfolio_id)
    return portfolio is not None and portfolio.position_mode is PositionMode.HEDGING


def _holding(key: tuple[str, str, str], book: Book, stage: Stage) -> Holding:
    instrument = stage.terms(*key[:2]).instrument
    assert book.direction is not None
    return Holding(
        key,
        book.quantity * int(book.direction),
        book.average_price(),
        instrument.multiplier,
        instrument.size_step or ZERO,
        instrument.price_step or ZERO,
        book.newest_time,
        sum((lot.remaining for lot in book.lots() if _is_adopted(lot)), ZERO),
    )


def _instruments(command: Reconcile, held: set[str], stage: Stage) -> Mapping[str, Instrument]:
    """What the ledger knows of everything that either side names."""
    ours = dict(command.account.spellings)
    statement = command.statement
    named = {ours.get(symbol, symbol) for symbol in statement.symbols}
    found = ((symbol, stage.instrument(symbol)) for symbol in sorted(held | named))
    return {symbol: instrument for symbol, instrument in found if instrument is not None}


# Executions.


def _counted(portfolio_id: str, statement: Statement, stage: Stage, transaction: Transaction) -> Iterator[Counted]:
    """Every execution of one portfolio that the statement may be about, as it counts now."""
    begins = _begins(statement)
    if begins is None:
        return
    found = _as_they_count(portfolio_id, begins, statement, stage, transaction)
    fill_ids = {execution.fill_id for execution in statement.executions if execution.fill_id}
    order_ids = {execution.order_id for execution in statement.executions if execution.order_id}
    for sequence in sorted(found):
        each = counted_of(sequence, found[sequence])
        named = each.fill_id in fill_ids or each.order_id in order_ids
        if each.time >= begins or each.synthetic or named:
            yield each


def _begins(statement: Statement) -> int | None:
    """When the history of ``statement`` begins; None when it has none."""
    times = [execution.time for execution in statement.executions]
    if statement.executions_since is not None:
        times.append(statement.executions_since)
    return min(times, default=None)


def _as_they_count(
    portfolio_id: str, begins: int, statement: Statement, stage: Stage, transaction: Transaction
) -> dict[int, Decision]:
    """By the sequence that first recorded them; what was busted is not among them. Raises FieldViolations."""
    recorded: list[JournalRecord] = [*transaction.executed(portfolio_id, begins - CLOCKS_DIFFER, MOST + 1)]
    if len(recorded) > MOST:
        what = (
            f"{iso(begins)} is too long ago: more than {MOST} executions of {portfolio_id!r} are recorded since; "
            "give a later time, and the executions since then"
        )
        raise FieldViolations([Violation("statement.fills_complete_since", what)])
    there = {record.command.fill_id for record in recorded}
    elsewhere = {one.fill_id for one in statement.executions if one.fill_id and one.fill_id not in there}
    recorded += _by_id(portfolio_id, elsewhere | _adopted(portfolio_id, stage), transaction)
    oldest = min((record.sequence for record in recorded), default=stage.next_sequence)
    corrections = transaction.corrections(portfolio_id, oldest)
    staged = [record for record in stage.records if record.command.portfolio_id == portfolio_id]
    return folded([*recorded, *corrections, *staged])


def _adopted(portfolio_id: str, stage: Stage) -> set[str]:
    """What is open of synthetic entries, however old: the executions that they stand for may turn up at any time."""
    books = stage.books_of(portfolio_id).values()
    return {lot.opened.origin.fill_id for book in books for lot in book.lots() if _is_adopted(lot)}


def _is_adopted(lot: Lot) -> bool:
    return lot.opened.origin.fill_id.startswith(SYNTHETIC)


def _by_id(portfolio_id: str, fill_ids: set[str], transaction: Transaction) -> Iterator[Decision | Late]:
    named = sorted(fill_ids)
    for start in range(0, len(named), AT_ONCE):
        part = [
            Command(Method.RECORD_FILL, portfolio_id, "", None, None, ZERO, fill_id=fill_id)
            for fill_id in named[start : start + AT_ONCE]
        ]
        for record in transaction.recorded(part):
            if isinstance(record, Decision | Late) and record.command.fill_id in fill_ids:
                yield record


def folded(records: Iterable[JournalRecord]) -> dict[int, Decision]:
    """Executions as they count after all of ``records``, by the sequence that first recorded them."""
    found: dict[int, Decision] = {}
    for record in sorted(records, key=lambda record: record.sequence):
        if isinstance(record, Decision) and record.command.method in EXECUTIONS:
            found[record.sequence] = record
        elif isinstance(record, Late):
            found[record.sequence] = record.decision
        if isinstance(record, Late | Correction):
            changed = {slot.sequence: slot.decision for slot in record.rematch.slots}
            found |= {sequence: changed[sequence] for sequence in found.keys() & changed.keys()}
        if isinstance(record, Correction) and record.rematch.place == GONE:
            found.pop(record.command.target, None)
    return found


def counted_of(sequence: int, decision: Decision) -> Counted:
    """An execution as it counts; run under ``localcontext(EXACT)``."""
    command, fill = decision.command, decision.fill
    return Counted(
        key_of(decision),
        sequence,
        fill.direction,
        decision.venue_quantity,
        fill.price,
        fill.time,
        command.fill_id,
        command.order_id,
        command.fee,
        command.fee_currency,
        command.synthetic,
    )


def _orders(
    books: Mapping[tuple[str, str, str], Book], counted: Iterable[Counted], statement: Statement
) -> dict[str, frozenset[str]]:
    """Which portfolios have recorded something of an order that the statement names."""
    wanted = {execution.order_id for execution in statement.executions if execution.order_id}
    found: dict[str, set[str]] = {}
    for each in counted if wanted else ():
        if each.order_id in wanted:
            found.setdefault(each.order_id, set()).add(each.key[0])
    for key, book in books.items() if wanted else ():
        for lot in book.lots():
            if lot.opened.origin.order_id in wanted:
                found.setdefault(lot.opened.origin.order_id, set()).add(key[0])
    return {order_id: frozenset(portfolios) for order_id, portfolios in found.items()}


def _cash(portfolios: Iterable[str], statement: Statement, stage: Stage) -> dict[str, Decimal]:
    """By currency, where the statement says anything of cash, and somebody has ever told the ledger how much there is."""
    if not (statement.cash or statement.cash_complete):
        return {}
    told = {currency for name in portfolios for currency in _told_of(name, stage)}
    return {currency: sum((stage.cash_in(name, currency) for name in portfolios), ZERO) for currency in sorted(told)}


def _told_of(portfolio_id: str, stage: Stage) -> Iterator[str]:
    """Currencies whose cash a portfolio keeps: executions alone move an amount that nobody has said."""
    portfolio = stage.portfolio(portfolio_id)
    yield from (currency for currency, _ in portfolio.initial_cash) if portfolio is not None else ()
    for currency, balance in stage.balances_of(portfolio_id).items():
        if balance.deposited or balance.withdrawn:
            yield currency
