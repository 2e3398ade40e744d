"""Law 13: what the journal holds, read back as text and replayed, is the live book to the digit."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.domain.book import Book, Direction, LotReduced
from lotkeeperd.domain.commands import Command, Decision, Excess, Method
from lotkeeperd.domain.deciding import decide, decided
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.domain.replaying import replayed
from lotkeeperd.domain.trades import closed_trades
from lotkeeperd.storage.rows import JournalRow, decision_of, journal_row
from tests.domain.asking import TERMS
from tests.properties.strategies import fees, prices, quantities, times

NOW = 3
"""The server's clock: some fills come late, some are ahead of it."""

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
labels = st.dictionaries(texts, texts, max_size=3).map(lambda labels: tuple(sorted(labels.items())))
small = st.integers(1, 6).map(Decimal)

commands = st.builds(
    Command,
    method=st.sampled_from(Method),
    portfolio_id=st.just("p"),
    symbol=st.just("X"),
    side=st.sampled_from(Direction),
    quantity=st.one_of(small, quantities),
    price=prices,
    fee=st.one_of(st.none(), fees),
    fee_currency=st.sampled_from(["", "USD"]),
    time=st.one_of(st.none(), times),
    order_id=texts,
    fill_id=texts,
    request_id=texts,
    close_all=st.just(False),
    excess=st.sampled_from(Excess),
    reason=texts,
    group_id=texts,
    labels=labels,
    validate_only=st.just(False),  # what is only validated never reaches the journal
    synthetic=st.booleans(),
    book_side=st.sampled_from([None, *Direction]),
    chosen=st.just(()),  # lots are chosen among those of a book: test_corrections does
    late=st.just(False),
    details=st.dictionaries(texts, texts, max_size=2).map(lambda details: tuple(sorted(details.items()))),
    brief=st.just(False),
)
closes = commands.map(lambda command: command._replace(method=Method.CLOSE_FIFO, side=None))
close_alls = closes.map(lambda command: command._replace(quantity=None, close_all=True))
conversations = st.lists(st.one_of(commands, commands, closes, close_alls), max_size=20)

VISIBLE = [name for name in Book.__slots__ if not name.startswith("_")]


def read_back(decision: Decision) -> Decision:
    """The record out of its own journal row."""
    return decision_of(JournalRow(*journal_row(decision)))


def shown(book: Book) -> list[object]:
    """Everything that can be seen of a book."""
    return [list(book.lots()), *(getattr(book, name) for name in VISIBLE)]


@given(conversations)
def test_replaying_the_journal_gives_the_live_book(asked: list[Command]) -> None:
    """Lots and sums after every record, though the record went through the journal's text."""
    live, rebuilt = Book(), Book()
    with localcontext(EXACT):
        for sequence, command in enumerate(asked, 1):
            before = shown(live)
            try:
                what = decide(command, live, sequence, NOW, TERMS)
            except Refusal:
                assert shown(live) == before
                continue
            decision = decided(command, what, sequence, NOW)
            trades = list(closed_trades(command, what.fill, what.records, live.contract))
            live.evolve(what.records, sequence, what.fill.time)

            again = read_back(decision)
            assert again == decision
            repeated = tuple(replayed(again, rebuilt))
            assert repeated == what.records
            assert list(closed_trades(again.command, again.fill, repeated, rebuilt.contract)) == trades
            rebuilt.evolve(repeated, sequence, again.fill.time)
            assert shown(rebuilt) == shown(live)


@given(conversations)
def test_a_trade_says_what_its_record_says(asked: list[Command]) -> None:
    """Laws 4 and 5: net is gross without both fees, and a closed trade belongs to an entry of its own side."""
    book = Book()
    with localcontext(EXACT):
        for sequence, command in enumerate(asked, 1):
            try:
                fill, _, records = decide(command, book, sequence, NOW, TERMS)
            except Refusal:
                continue
            reduced = [record for record in records if isinstance(record, LotReduced)]
            trades = list(closed_trades(command, fill, records, book.contract))
            assert [trade.trade_index for trade in trades] == list(range(len(reduced)))
            for trade, record in zip(trades, reduced, strict=True):
                assert trade.net_pnl == record.gross - record.entry_fee - record.exit_fee
                assert trade.gross_pnl == (fill.price - record.lot.price) * record.quantity * trade.side
                assert trade.side is fill.direction.opposite
            book.evolve(records, sequence, fill.time)
