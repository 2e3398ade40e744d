"""Random mixtures of everything that happens to accounts, on both databases: what is stored is what the journal says."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from lotkeeperd.domain.accounts import cash_of
from lotkeeperd.domain.book import Direction, Lot, LotMethod, Origin
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.history import Amend, Amendment, BookRecord, History, Late
from lotkeeperd.service.ports import Key, Transaction
from lotkeeperd.storage.engines import database_url as parsed_url
from lotkeeperd.storage.verify import verify
from tests.properties.accounts import SECOND, Life
from tests.storage.ledgers import CURRENCY, NOW, BareLedger, bare_ledger

SEEDS = range(3)
STEPS = 120


def silent(_done: int, _all: int) -> None:
    """No progress to show."""


def in_full(lot: Lot) -> Origin:
    """What was said of a lot, with what it means where nothing was said: its row says that."""
    return lot.opened.origin._replace(fee_currency=lot.opened.origin.fee_currency or CURRENCY)


def figures(ledger: BareLedger) -> dict[Key, tuple[object, ...]]:
    """Every book to the digit."""
    return {
        key: (
            book.direction,
            [(*lot[:5], lot.cost, in_full(lot), lot.opened.direction) for lot in book.lots()],
            book.cost,
            book.gross,
            book.fees,
            book.open_fees,
            book.pending,
            book.sequence,
            book.newest_time,
            book.contract,
        )
        for key, book in ledger.books.items()
    }


def histories(ledger: BareLedger) -> dict[Key, History]:
    """The slots of every book, read from the journal."""

    def read(transaction: Transaction) -> dict[Key, list[BookRecord]]:
        return {key: transaction.history(key) for key in ledger.books}

    with localcontext(EXACT):
        return {key: History(records) for key, records in ledger.store.transact(read).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_life_on_disk_is_the_life_in_memory(database_url: str, seed: int) -> None:
    """Law 13: loaded again every book, balance and term is what it was, and verify finds nothing."""
    with bare_ledger(database_url) as ledger:
        life = Life(ledger, seed)
        life.live(STEPS)
        print(f"seed {seed}: {life.steps} steps, {life.refused} refused, {ledger.sequence} records")
        assert life.refused < life.steps / 2
        live, state = figures(ledger), ledger.state
    found = verify(parsed_url(database_url), silent)
    assert found.differences == []
    with bare_ledger(database_url) as again:
        assert figures(again) == live
        assert again.state.balances == state.balances
        assert again.state.portfolios == state.portfolios
        assert again.state.instruments == state.instruments


@pytest.mark.parametrize("seed", SEEDS)
def test_what_counts_conserves_quantity_fees_and_cash(sqlite_url: str, seed: int) -> None:
    """Laws 3, 4 and 6 in every book: what its executions say is what it holds."""
    with bare_ledger(sqlite_url) as ledger:
        Life(ledger, seed).live(STEPS)
        with localcontext(EXACT):
            for key, history in histories(ledger).items():
                book = ledger.books[key]
                decisions = [slot.decision for slot in history.slots]
                if any(one.taken or one.placed for one in decisions):
                    continue  # in other units since: the domain's properties walk over splits
                traded = sum((one.fill.direction * one.fill.quantity for one in decisions), ZERO)
                assert traded == (book.direction or 0) * book.quantity
                assert sum((one.charged.amount for one in decisions), ZERO) == book.fees + book.open_fees
                assert _cash_flow(key, history, ledger) == cash_of(book, ledger.state.instruments[key[1]])


def _cash_flow(key: Key, history: History, ledger: BareLedger) -> Decimal:
    """What the executions paid and received, fees included; of what is margined, only what was realized."""
    instrument, book = ledger.state.instruments[key[1]], ledger.books[key]
    fees = book.fees + book.open_fees
    if not instrument.paid_up_front:
        return book.gross - fees
    fills = [slot.decision.fill for slot in history.slots]
    return sum((-fill.direction * fill.quantity * fill.price * instrument.multiplier for fill in fills), ZERO) - fees


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bust_of_everything_leaves_nothing(sqlite_url: str, seed: int) -> None:
    """Each execution of a book taken back, in any order: flat, and not a digit is realized."""
    with bare_ledger(sqlite_url) as ledger:
        life = Life(ledger, seed)
        life.live(STEPS)
        emptied = 0
        for key, history in histories(ledger).items():
            decisions = [slot.decision for slot in history.slots]
            if any(one.command.method is not Method.RECORD_FILL for one in decisions):
                continue  # events are not taken back
            life.random.shuffle(decisions)
            if key[0] in ("hedging", "long-only"):  # these never turn: what closes goes first
                decisions.sort(key=lambda one: not one.matches)
            for one in decisions:
                ledger.all_taken(
                    Amendment(
                        Amend.BUST, key[0], key[1], f"b{one.sequence}", target=one.sequence, excess=Excess.REVERSE
                    )
                )
            book = ledger.books[key]
            assert book.direction is None
            assert [book.cost, book.gross, book.fees, book.open_fees] == [ZERO] * 4
            emptied += 1
        assert emptied > len(ledger.books) / 3
    assert verify(parsed_url(sqlite_url), silent).differences == []


def test_every_method_realizes_the_same_over_a_book_that_ends_flat(database_url: str) -> None:
    """The same executions in five portfolios, closed at the end: one total."""
    with bare_ledger(database_url) as ledger:
        life = Life(ledger, 7)
        methods = [method.value.lower() for method in LotMethod]
        for number in range(60):
            side, quantity, price = life._side(), life._number(5), life._number(90)
            for name in methods:
                _record(ledger, name, f"m{number}", side, quantity, price)
        for name in methods:
            book = ledger.books[name, "STOCK", ""]
            if book.direction is not None:
                _record(ledger, name, "last", book.direction.opposite, book.quantity, Decimal(50))
        assert len({ledger.books[name, "STOCK", ""].gross for name in methods}) == 1


def _record(ledger: BareLedger, name: str, fill_id: str, side: Direction, quantity: Decimal, price: Decimal) -> None:
    command = Command(Method.RECORD_FILL, name, "STOCK", side, quantity, price, time=NOW, fill_id=fill_id)
    ledger.all_taken(command._replace(excess=Excess.REVERSE))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_fill_equals_the_same_fill_in_order(sqlite_url: str, seed: int) -> None:
    """Delivered in any order and put in time order, the executions make the book and the trades of their own order."""
    with bare_ledger(sqlite_url) as ledger:
        life = Life(ledger, seed)
        told = [(f"t{n}", life._side(), life._number(5), life._number(90), NOW + n * SECOND) for n in range(30)]
        shuffled = life.random.sample(told, len(told))
        for name, order in (("fifo", told), ("lifo", told), ("later", shuffled)):
            for fill_id, side, quantity, price, time in order:
                command = Command(Method.RECORD_FILL, name, "PERP", side, quantity, price, Decimal("0.01"), time=time)
                ledger.all_taken(command._replace(fill_id=fill_id, excess=Excess.REVERSE, late=True))
        kept, moved = ledger.books["fifo", "PERP", ""], ledger.books["later", "PERP", ""]
        assert (kept.direction, kept.quantity, kept.cost, kept.gross, kept.fees, kept.open_fees) == (
            moved.direction,
            moved.quantity,
            moved.cost,
            moved.gross,
            moved.fees,
            moved.open_fees,
        )
        slots = histories(ledger)
        matched = [
            [
                (slot.decision.command.fill_id, [(match.quantity, match.gross) for match in slot.decision.matches])
                for slot in slots[name, "PERP", ""].slots
            ]
            for name in ("fifo", "later")
        ]
        assert matched[0] == matched[1]


def test_a_life_has_every_sort_of_record(sqlite_url: str) -> None:
    """Or the properties above would say less than they seem to."""
    with bare_ledger(sqlite_url) as ledger:
        Life(ledger, SEEDS[-1]).live(4 * STEPS)
        found: set[str] = set()
        for history_of in ledger.books:
            records = ledger.store.transact(lambda transaction, key=history_of: transaction.history(key))  # type: ignore[misc]
            found.update(
                type(record).__name__ if isinstance(record, Late) else record.command.method.value for record in records
            )
    assert found >= {
        "RecordFill",
        "Late",
        "BustFill",
        "CorrectFill",
        "FillFee",
        "FeeRate",
        "Split",
        "SymbolChange",
        "SymbolArrival",
        "Expiry",
        "CashSettlement",
        "Exercise",
        "Delivery",
    }
