"""The check at the end of a demo: reads the ledger, has it compared with the bots' logs, says the outcome.

Problem: "nothing was lost or counted twice" is worth what stands behind it, and who doubts it wants to run it again.
Chosen: the ledger is read through the client library alone, every lot and every closed trade of every bot; the count
(``recount.py``) and the comparison (``compare.py``) import nothing of the server. The logs stay in the demo's folder,
so the check can be repeated on a server over the demo's database:

    python -m lotkeeperd.demo.check --address 127.0.0.1:50051 FOLDER/scale.jsonl FOLDER/swing.jsonl FOLDER/short.jsonl
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import lotkeeper
from lotkeeper import EntryStatus
from lotkeeper.errors import PortfolioNotFound
from lotkeeperd.demo.botlog import BotLog, LogError, read_log
from lotkeeperd.demo.compare import NOTHING, Difference, LedgerFigures, TotalsFigures, Valuation, differences, text
from lotkeeperd.demo.recount import BookFigures, LotFigures, PositionFigures, TradeFigures, recount

READ_SECONDS = 30.0
"""How long one read of the ledger may take."""
MAX_SHOWN = 30
"""Differences that are printed; the rest are counted."""

_ALL = (EntryStatus.OPEN, EntryStatus.PARTIALLY_CLOSED, EntryStatus.CLOSED)
_HEADER = ("bot", "symbol", "fills", "delivered", "entries", "closed trades", "open", "realized net", "realized fees")


class Verdict(NamedTuple):
    """The outcome: one row per book, how many fills and deliveries there were, and every difference."""

    rows: tuple[tuple[str, ...], ...]
    fills: int
    deliveries: int
    differences: tuple[Difference, ...]


def verdict(address: str, logs: Iterable[Path], mark: Fraction | None = None) -> Verdict:
    """Compare the ledger at ``address`` with the bots' ``logs``; ``mark`` is the last one they pushed, if known.

    Raises:
        LogError: a log cannot be counted.
        OSError: a log cannot be read.
        lotkeeper.LotkeeperError: the ledger cannot be read.
    """
    rows: list[tuple[str, ...]] = []
    found: list[Difference] = []
    fills = deliveries = 0
    for path in logs:
        log = read_log(path)
        for portfolio in sorted({fill.portfolio for fill in log.fills}):
            ledger = read_ledger(address, portfolio)
            found += differences(portfolio, log, ledger, mark)
            rows += _rows(portfolio, log, ledger)
        fills += len(log.fills)
        deliveries += len(log.answers)
    return Verdict(tuple(rows), fills, deliveries, tuple(found))


def report(outcome: Verdict) -> str:
    """The outcome as a table and a sentence, for a person."""
    lines = list(_table([_HEADER, *outcome.rows]))
    if not outcome.differences:
        lines.append(
            f"Nothing was lost or counted twice: {outcome.fills} fills, delivered {outcome.deliveries} times, are"
            " recorded once each, and every figure is what an independent count of the bots' logs gives."
        )
        return "\n".join(lines)
    lines.append(f"{len(outcome.differences)} figures DIFFER between the bots' logs and the ledger:")
    lines += _table([("bot", "symbol", "what", "logs say", "ledger says"), *outcome.differences[:MAX_SHOWN]])
    if len(outcome.differences) > MAX_SHOWN:
        lines.append(f"and {len(outcome.differences) - MAX_SHOWN} more")
    return "\n".join(lines)


def read_ledger(address: str, portfolio: str) -> LedgerFigures:
    """Everything the ledger at ``address`` holds for ``portfolio``; nothing when it does not know it.

    Raises:
        lotkeeper.LotkeeperError: the ledger cannot be read.
    """
    with lotkeeper.connect(address, portfolio=portfolio, timeout=READ_SECONDS) as client:
        try:
            summary = client.get_summary(include_flat=True)
            return ledger_of(summary, list(client.list_entries(statuses=_ALL)), list(client.list_closed_trades()))
        except PortfolioNotFound:
            return NOTHING


def ledger_of(
    summary: lotkeeper.Summary, entries: Sequence[lotkeeper.Entry], trades: Sequence[lotkeeper.ClosedTrade]
) -> LedgerFigures:
    """The client's values as plain figures: fractions, numbers and names."""
    positions = {position.symbol: position for position in summary.positions}
    symbols = {*positions, *(entry.symbol for entry in entries), *(trade.symbol for trade in trades)}
    books = {
        symbol: BookFigures(
            PositionFigures._make(_figures(positions[symbol], PositionFigures._fields))
            if symbol in positions
            else recount([]).position,
            tuple(LotFigures._make(_figures(lot, LotFigures._fields)) for lot in entries if lot.symbol == symbol),
            tuple(
                TradeFigures._make(_figures(trade, TradeFigures._fields)) for trade in trades if trade.symbol == symbol
            ),
        )
        for symbol in symbols
    }
    valuations = {
        symbol: Valuation._make(_figures(position, Valuation._fields)) for symbol, position in positions.items()
    }
    totals = [TotalsFigures._make(_figures(total, TotalsFigures._fields)) for total in summary.totals]
    return LedgerFigures(
        books, valuations, totals[0] if len(totals) == 1 else NOTHING.totals, _sequences(entries, trades)
    )


def _sequences(
    entries: Iterable[lotkeeper.Entry], trades: Iterable[lotkeeper.ClosedTrade]
) -> dict[str, frozenset[int]]:
    """Where each fill stands in the journal: one place, whether it opened, closed or did both."""
    found: dict[str, set[int]] = {}
    for entry in entries:
        found.setdefault(entry.entry_fill_id, set()).add(entry.sequence)
    for trade in trades:
        found.setdefault(trade.exit_fill_id, set()).add(trade.sequence)
    return {fill_id: frozenset(sequences) for fill_id, sequences in found.items()}


def _figures(answer: object, names: Iterable[str]) -> Iterator[Fraction | int | str | None]:
    for name in names:
        value = getattr(answer, name)
        if isinstance(value, Decimal):
            yield Fraction(value)
        elif isinstance(value, Enum):
            yield value.name
        else:
            yield value


def _rows(portfolio: str, log: BotLog, ledger: LedgerFigures) -> Iterator[tuple[str, ...]]:
    for symbol in sorted({fill.symbol for fill in log.fills}):
        ids = {fill.fill_id for fill in log.fills if fill.symbol == symbol}
        delivered = sum(answer.fill_id in ids for answer in log.answers)
        book = ledger.books.get(symbol) or recount([])
        counts = (len(ids), delivered, len(book.lots), len(book.trades))
        position = book.position
        held = f"{position.side} {text(position.total_quantity)}"
        sums = (text(position.net_realized_pnl), text(position.realized_fees))
        yield (portfolio, symbol, *map(str, counts), held, *sums)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def main() -> int:
    """Check logs against a ledger; 0 when they agree, 1 when they differ or one of them cannot be read."""
    parser = argparse.ArgumentParser(description="Check a ledger against the logs of the demo's bots.")
    parser.add_argument("--address", required=True, help="the server, like 127.0.0.1:50051")
    parser.add_argument("--mark", type=Fraction, help="the price the bots pushed last, if known")
    parser.add_argument("logs", type=Path, nargs="+", help="the bots' logs")
    said = parser.parse_args()
    try:
        outcome = verdict(said.address, said.logs, said.mark)
    except (LogError, OSError, lotkeeper.LotkeeperError) as error:
        sys.stderr.write(f"the check could not be made: {error}\n")
        return 1
    sys.stdout.write(report(outcome) + "\n")
    return 1 if outcome.differences else 0


if __name__ == "__main__":
    sys.exit(main())
