"""What an account has beside its positions: cash and total value, what everything is worth in one currency, groups of legs. Pure.

Figures of different currencies are never added up here; what the ledger converted is shown with its rates, and what it could not
convert is named (law 12). A line that has no room goes on in the next one: a figure is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from lotkeeper import BaseTotals, ConversionRate, GroupPnL, Money, PortfolioTotals, Totals
from lotkeeperd.console.figures import age, amount, count, price, quantity
from lotkeeperd.console.layout import Cell, Column, Line, Row, Tone, printable, width_of

GROUP_COLUMNS = (
    Column("group", left=True, narrowest=7),
    Column("portfolio", left=True, rank=2, narrowest=5),
    Column("legs", left=True),
    Column("contracts", rank=3),
    Column("credit"),
    Column("unrealized"),
    Column("net realized"),
    Column("per contract", rank=1),
    Column("currency", left=True),
)
_INDENT = "  "
_FLOWS = ("funding", "interest", "dividends", "charged_fees")


def money_lines(totals: Iterable[PortfolioTotals], now: int, width: int | None) -> list[Line]:
    """Cash and value of portfolios, currency by currency and together, at ``now`` in nanoseconds UTC."""
    lines: list[Line] = []
    for each in totals:
        name = printable(each.portfolio_id)
        for total in each.totals:
            if parts := list(_money(total)):
                lines += wrapped(f"{name} {total.currency}: ", parts, width)
        base = each.base_totals
        if base is not None and (len(each.totals) > 1 or base.rates or base.unconverted_currencies):
            lines += wrapped(f"{name} in {base.currency}: ", list(_together(base, now)), width)
    return lines


def _money(total: Totals) -> Iterator[str]:
    """What there is of one currency; nothing where there is only P&L."""
    if total.cash or total.total_value is not None:
        yield f"cash {amount(total.cash)}"
        yield f"total value {amount(total.total_value)}"
    for name in _FLOWS:
        if figure := getattr(total, name):
            yield f"{name.replace('_', ' ')} {amount(figure)}"
    if total.unconverted_fees:
        yield f"fees without a rate {monies(total.unconverted_fees)}"


def monies(amounts: Sequence[Money]) -> str:
    """Amounts, each with its currency."""
    return ", ".join(f"{quantity(each.amount)} {printable(each.currency)}" for each in amounts)


def _together(base: BaseTotals, now: int) -> Iterator[str]:
    yield f"gross realized {amount(base.gross_realized_pnl)}"
    yield f"fees {amount(base.fees)}"
    yield f"unrealized {amount(base.unrealized_pnl)}"
    for name in _FLOWS[:3]:
        if figure := getattr(base, name):
            yield f"{name} {amount(figure)}"
    if base.currency_pnl != 0:
        yield f"currency P&L {amount(base.currency_pnl)}"
    yield f"total value {amount(base.total_value)}"
    for rate in base.rates:
        yield _rate(rate, now)
    if base.unconverted_currencies:
        yield f"without a rate {', '.join(map(printable, base.unconverted_currencies))}"


def _rate(rate: ConversionRate, now: int) -> str:
    old = "" if rate.rate_time is None else f", {age(now - rate.rate_time)} old"
    stale = ", stale" if rate.stale else ""
    return f"{printable(rate.from_currency)} at {price(rate.rate)} ({printable(rate.source)}{old}{stale})"


def wrapped(name: str, parts: Sequence[str], width: int | None) -> list[Line]:
    """``parts`` behind a name, separated, in as many lines as they need; a part stays whole where a line can hold it."""
    lines = [[Cell(name, Tone.HEAD)]]
    room = 0 if width is None else width - width_of(name)
    for place, part in enumerate(parts):
        text = part if place == len(parts) - 1 else f"{part}; "
        if width is not None and width_of(text.rstrip()) > room and len(lines[-1]) > 1:
            lines.append([Cell(_INDENT)])
            room = width - len(_INDENT)
        room -= width_of(text)
        lines[-1].append(Cell(text, Tone.DOUBTFUL if part.startswith("fees without") else Tone.PLAIN))
    return [tuple(line) for line in lines]


def group_rows(groups: Iterable[GroupPnL], current: bool) -> list[Row]:
    """Groups with something open, as rows of ``GROUP_COLUMNS``; not ``current``: the connection is gone."""
    return [_group_row(group, current) for group in groups]


def _group_row(group: GroupPnL, current: bool) -> Row:
    net = group.gross_realized_pnl - group.realized_fees
    row = {
        "group": Cell(printable(group.group_id), Tone.HEAD),
        "portfolio": Cell(printable(group.portfolio_id)),
        "legs": Cell(count(group.leg_count, "leg", "legs")),
        "contracts": Cell("" if group.contracts is None else quantity(group.contracts)),
        "credit": Cell(amount(group.entry_credit)),
        "unrealized": _pnl(group.unrealized_pnl),
        "net realized": _pnl(net),
        "per contract": Cell("" if group.pnl_per_contract is None else amount(group.pnl_per_contract)),
        "currency": Cell(printable(group.currency)),
    }
    return row if current else {name: cell._replace(tone=Tone.DIM) for name, cell in row.items()}


def _pnl(figure: Decimal | None) -> Cell:
    if figure is None:
        return Cell(amount(None), Tone.DOUBTFUL)
    return Cell(amount(figure), Tone.GOOD if figure > 0 else Tone.BAD if figure < 0 else Tone.PLAIN)
