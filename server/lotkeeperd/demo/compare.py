"""What the bots' logs say against what the ledger says, figure by figure.

Problem: sums can agree while two mistakes cancel, and a check of sums alone would not see a trade counted under the
wrong lot.
Chosen: every lot and every closed trade is compared field by field, by the fills it came from; the position is compared
with the count; the ledger's own sums are compared with money in less money out, which needs no FIFO (law 6); totals are
compared with the positions; and every answer a bot got is compared with what is recorded now, so that a fill
acknowledged before a crash must still stand under the same sequence. Nothing is rounded before it is compared. Pure: no
ledger, no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar

from lotkeeperd.demo.botlog import LONG, BotLog, LoggedFill
from lotkeeperd.demo.recount import (
    FLAT,
    BookFigures,
    LotFigures,
    PositionFigures,
    TradeFigures,
    cash,
    net_quantity,
    recount,
)

_Listed = TypeVar("_Listed", LotFigures, TradeFigures)


class Difference(NamedTuple):
    """One figure on which logs and ledger do not agree."""

    portfolio: str
    symbol: str
    what: str
    logs_say: str
    ledger_says: str


class Valuation(NamedTuple):
    """What the ledger values one position at; both are None without a mark."""

    mark_price: Fraction | None
    unrealized_pnl: Fraction | None


class TotalsFigures(NamedTuple):
    """The ledger's sums over one portfolio."""

    gross_realized_pnl: Fraction
    realized_fees: Fraction
    net_realized_pnl: Fraction
    unrealized_pnl: Fraction | None


class LedgerFigures(NamedTuple):
    """What the ledger says about one portfolio: books and valuations by symbol, sequences by fill id."""

    books: Mapping[str, BookFigures]
    valuations: Mapping[str, Valuation]
    totals: TotalsFigures
    sequences: Mapping[str, frozenset[int]]


NOTHING = LedgerFigures({}, {}, TotalsFigures(Fraction(), Fraction(), Fraction(), Fraction()), {})
"""A ledger that does not know the portfolio."""


def differences(portfolio: str, log: BotLog, ledger: LedgerFigures, mark: Fraction | None) -> list[Difference]:
    """Everything on which one bot's log and the ledger differ; ``mark`` is the last one the bots pushed, if known."""
    found: list[Difference] = []
    for symbol in sorted({fill.symbol for fill in log.fills} | set(ledger.books)):
        fills = [fill for fill in log.fills if fill.symbol == symbol]
        book = ledger.books.get(symbol) or recount([])
        valuation = ledger.valuations.get(symbol) or Valuation(None, None)
        rows = (*_book(recount(fills), book), *_valuation(fills, book, valuation, mark))
        found += [Difference(portfolio, symbol, *row) for row in rows]
    found += [Difference(portfolio, "", *row) for row in (*_totals(ledger), *_answers(log, ledger.sequences))]
    return found


_Row = tuple[str, str, str]


def _book(counted: BookFigures, book: BookFigures) -> Iterator[_Row]:
    yield from _fields("position", counted.position, book.position)
    yield from _listed("lot", counted.lots, book.lots, lambda lot: lot.entry_fill_id)
    yield from _listed(
        "trade", counted.trades, book.trades, lambda trade: f"{trade.entry_fill_id} x {trade.exit_fill_id}"
    )


def _listed(
    kind: str, counted: Sequence[_Listed], recorded: Sequence[_Listed], name: Callable[[_Listed], str]
) -> Iterator[_Row]:
    """Each is there as often as it should, says the same, and stands in the same order."""
    wanted, there = ([name(item) for item in items] for items in (counted, recorded))
    often, found = Counter(wanted), Counter(there)
    for key in sorted(often.keys() | found.keys()):
        if often[key] != found[key]:
            yield f"{kind} {key}", f"{often[key]} of it", f"{found[key]} of it"
    by_name = {name(item): item for item in recorded}
    for key, item in zip(wanted, counted, strict=True):
        if often[key] == found[key]:
            yield from _fields(f"{kind} {key}", item, by_name[key])
    if often == found and wanted != there:
        yield f"order of every {kind}", " ".join(wanted), " ".join(there)


def _fields(
    what: str,
    counted: PositionFigures | LotFigures | TradeFigures,
    recorded: PositionFigures | LotFigures | TradeFigures,
) -> Iterator[_Row]:
    for name, here, there in zip(counted._fields, counted, recorded, strict=True):
        if here != there:
            yield f"{what}: {name}", text(here), text(there)


def _valuation(
    fills: Iterable[LoggedFill], book: BookFigures, valuation: Valuation, mark: Fraction | None
) -> Iterator[_Row]:
    """Unrealized P&L is that of the open lots at the mark; with the realized it is cash and what is held (law 6)."""
    price, position = valuation.mark_price, book.position
    if position.side != FLAT and mark is not None and price != mark:
        yield "mark_price", text(mark), text(price)
    unrealized = None if price is None else _unrealized(book.lots, price)
    if position.side != FLAT and valuation.unrealized_pnl != unrealized:
        yield "unrealized_pnl", text(unrealized), text(valuation.unrealized_pnl)
    if price is not None and valuation.unrealized_pnl is not None:
        expected = cash(fills) + price * net_quantity(fills)
        made = position.gross_realized_pnl + valuation.unrealized_pnl
        if made != expected:
            yield "gross realized + unrealized = cash + mark x quantity", text(expected), text(made)


def _unrealized(lots: Iterable[LotFigures], price: Fraction) -> Fraction:
    return sum(
        ((price - lot.entry_price) * lot.remaining_quantity * (1 if lot.side == LONG else -1) for lot in lots),
        Fraction(),
    )


def _totals(ledger: LedgerFigures) -> Iterator[_Row]:
    positions = [book.position for book in ledger.books.values()]
    for name in ("gross_realized_pnl", "realized_fees", "net_realized_pnl"):
        summed = sum((getattr(position, name) for position in positions), Fraction())
        if summed != getattr(ledger.totals, name):
            yield f"totals: {name} (against the positions)", text(summed), text(getattr(ledger.totals, name))
    priced = [value.unrealized_pnl for value in ledger.valuations.values() if value.unrealized_pnl is not None]
    unpriced = any(position.side != FLAT for position in positions) and not priced
    unrealized = None if unpriced else sum(priced, Fraction())
    if unrealized != ledger.totals.unrealized_pnl:
        yield "totals: unrealized_pnl (against the positions)", text(unrealized), text(ledger.totals.unrealized_pnl)


def _answers(log: BotLog, recorded: Mapping[str, frozenset[int]]) -> Iterator[_Row]:
    """Every delivery was answered with the sequence under which the fill is recorded; all but the first as replays."""
    answered: dict[str, set[int]] = {fill.fill_id: set() for fill in log.fills}
    for answer in log.answers:
        if answered.setdefault(answer.fill_id, set()) and not answer.replayed:
            yield f"fill {answer.fill_id} delivered again", "replayed", f"recorded anew as {answer.sequence}"
        answered[answer.fill_id].add(answer.sequence)
    for fill_id, sequences in answered.items():
        if recorded.get(fill_id, frozenset()) != sequences or len(sequences) != 1:
            yield f"fill {fill_id}: sequence", _numbers(sequences), _numbers(recorded.get(fill_id, ()))


def text(figure: Fraction | int | str | None) -> str:
    """A figure for a person; a fraction in digits when it has an end."""
    if figure is None:
        return "unset"
    if not isinstance(figure, Fraction):
        return str(figure)
    digits = 0
    while figure.denominator > 1 and 10**digits % figure.denominator and digits < 80:
        digits += 1
    whole, rest = divmod(abs(round(figure * 10**digits)), 10**digits)
    return f"{'-' if figure < 0 else ''}{whole}" + (f".{rest:0{digits}}" if digits else "")


def _numbers(sequences: Iterable[int]) -> str:
    return " ".join(str(sequence) for sequence in sorted(sequences)) or "none"
