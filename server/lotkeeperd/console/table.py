"""Rows of the table of ``watch``: a position, its lots, the totals of a portfolio, a price source. Pure.

Figures are what the ledger says; nothing is valued here. The value of a position is its cost and its unrealized P&L put
together, so that a contract's multiplier needs no second formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from lotkeeper import Entry, FeedStatus, PortfolioTotals, Position, PositionSide, Totals
from lotkeeperd.console.board import PROVISIONAL, Sums, book_of
from lotkeeperd.console.figures import age, amount, count, price, quantity
from lotkeeperd.console.layout import Cell, Column, Row, Tone, printable

COLUMNS = (
    Column("portfolio", left=True, narrowest=5),
    Column("symbol", left=True, narrowest=9),
    Column("side", left=True, rank=3),
    Column("quantity", least=9),
    Column("average", rank=1, least=10),
    Column("mark", least=10),
    Column("age", least=5),
    Column("source", left=True, narrowest=4),
    Column("value", rank=2, least=11),
    Column("unrealized", least=11),
    Column("fees", rank=4, least=8),
    Column("gross realized", rank=5),
    Column("net realized"),
)
CURRENCY = Column("currency", left=True)
"""Stands beside the amounts where they are not all of one."""
LOT_COLUMNS = (
    Column("lot", left=True, narrowest=8),
    Column("open"),
    Column("price"),
    Column("opened", left=True, rank=2),
    Column("fee", rank=1),
)
FEED_COLUMNS = (
    Column("source", left=True, narrowest=4),
    Column("state", left=True),
    Column("heard", left=True),
    Column("messages", left=True, rank=1),
    Column("losses", left=True),
    Column("error", left=True, narrowest=2),
)
ALL = "(all)"
"""In place of a portfolio, for sums over several."""


def columns_for(currencies: int) -> tuple[Column, ...]:
    """The columns of a table whose amounts are in so many currencies."""
    return (*COLUMNS, CURRENCY) if currencies > 1 else COLUMNS


def position_row(position: Position, now: int, current: bool) -> Row:
    """A position at ``now`` (nanoseconds UTC); not ``current``: the connection is gone, and nothing shines."""
    open_ = {} if position.side is PositionSide.FLAT else _open_cells(position, now)
    row = {
        "portfolio": Cell(printable(position.portfolio_id)),
        "symbol": Cell(book_of(position)),
        "side": Cell(position.side.name),
        **open_,
        "fees": Cell(amount(position.realized_fees)),
        "gross realized": _pnl(position.gross_realized_pnl),
        "net realized": _net(position.net_realized_pnl, position.provisional),
        "currency": Cell(printable(position.currency)),
    }
    return row if current and open_ else _dimmed(row)


def _open_cells(position: Position, now: int) -> dict[str, Cell]:
    sign = -1 if position.side is PositionSide.SHORT else 1
    stale = Tone.BAD if position.mark_stale else Tone.PLAIN
    value = value_of(position)
    return {
        "quantity": Cell(quantity(sign * position.total_quantity)),
        "average": Cell(price(position.average_entry_price)),
        "mark": Cell(price(position.mark_price), stale),
        "age": Cell("" if position.mark_time is None else age(now - position.mark_time), stale),
        "source": Cell(printable(position.mark_source)),
        "value": Cell("" if value is None else amount(value)),
        "unrealized": _pnl(position.unrealized_pnl),
    }


def value_of(position: Position) -> Decimal | None:
    """What the lots are worth at the mark, without a sign; None without a mark."""
    if position.unrealized_pnl is None:
        return None
    gained = -position.unrealized_pnl if position.side is PositionSide.SHORT else position.unrealized_pnl
    return abs(position.cost_basis + gained)


def lot_rows(entries: Iterable[Entry]) -> list[Row]:
    """The lots of a position, as rows of ``LOT_COLUMNS``."""
    return [_lot_row(entry) for entry in entries]


def _lot_row(entry: Entry) -> Row:
    name = entry.entry_fill_id or entry.entry_id
    left = quantity(entry.remaining_quantity)
    return {
        "lot": Cell(f"lot {printable(name)}" + (" (synthetic)" if entry.synthetic else "")),
        "open": Cell(left if entry.remaining_quantity == entry.quantity else f"{left} of {quantity(entry.quantity)}"),
        "price": Cell(f"at {price(entry.entry_price)}"),
        "opened": Cell(f"{entry.entry_time.datetime:%Y-%m-%d %H:%M:%S}", Tone.DIM),
        "fee": Cell(f"fee {amount(entry.open_fee)}", Tone.DIM),
    }


def total_rows(totals: Iterable[PortfolioTotals], current: bool) -> list[Row]:
    """The totals of portfolios, one row per currency, as rows of ``COLUMNS``."""
    rows = [_total_row(each.portfolio_id, total) for each in totals for total in each.totals]
    return rows if current else [_dimmed(row) for row in rows]


def _total_row(portfolio_id: str, total: Totals) -> Row:
    sums = Sums(
        total.unrealized_pnl,
        total.gross_realized_pnl,
        total.realized_fees,
        total.net_realized_pnl,
        total.unpriced_count,
        total.stale_count,
        total.provisional,
    )
    return _sums_row(printable(portfolio_id), total.currency, sums)


def all_rows(sums: Iterable[tuple[str, Sums]], current: bool) -> list[Row]:
    """Sums over several portfolios, one row per currency, as rows of ``COLUMNS``."""
    rows = [_sums_row(ALL, currency, each) for currency, each in sums]
    return rows if current else [_dimmed(row) for row in rows]


def _sums_row(name: str, currency: str, sums: Sums) -> Row:
    return {
        "portfolio": Cell(name, Tone.HEAD),
        "symbol": Cell(f"total {currency}", Tone.HEAD),
        "mark": Cell(f"{sums.unpriced:,} unpriced" if sums.unpriced else "", Tone.DOUBTFUL),
        "age": Cell(f"{sums.stale:,} stale" if sums.stale else "", Tone.BAD),
        "unrealized": _pnl(sums.unrealized),
        "fees": Cell(amount(sums.fees)),
        "gross realized": _pnl(sums.gross),
        "net realized": _net(sums.net, sums.provisional),
    }


def feed_rows(feeds: Sequence[FeedStatus], now: int, current: bool) -> list[Row]:
    """Price sources, those that are not connected first, as rows of ``FEED_COLUMNS``."""
    rows = [_feed_row(feed, now) for feed in sorted(feeds, key=lambda feed: (feed.connected, feed.source))]
    return rows if current else [_dimmed(row) for row in rows]


def _feed_row(feed: FeedStatus, now: int) -> Row:
    heard = feed.last_message_time
    return {
        "source": Cell(f"feed {printable(feed.source)}"),
        "state": Cell("connected", Tone.GOOD) if feed.connected else Cell("LOST", Tone.BAD),
        "heard": Cell(f"heard {age(now - heard)} ago" if heard else "never heard"),
        "messages": Cell(count(feed.message_count, "message", "messages"), Tone.DIM),
        "losses": Cell(count(feed.reconnect_count, "reconnect", "reconnects"), Tone.DIM),
        "error": Cell(printable(feed.last_error), Tone.BAD),
    }


def _pnl(figure: Decimal | None) -> Cell:
    if figure is None:
        return Cell(amount(None), Tone.DOUBTFUL)
    return Cell(amount(figure), Tone.GOOD if figure > 0 else Tone.BAD if figure < 0 else Tone.PLAIN)


def _net(figure: Decimal, provisional: bool) -> Cell:
    cell = _pnl(figure)
    return cell._replace(text=cell.text + PROVISIONAL) if provisional else cell


def _dimmed(row: Row) -> Row:
    return {name: cell._replace(tone=Tone.DIM) for name, cell in row.items()}
