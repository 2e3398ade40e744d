"""Cash, value, one currency for all, groups: what stands beside the positions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lotkeeper import BaseTotals, ConversionRate, Money, PortfolioTotals, Time
from lotkeeperd.console.account import GROUP_COLUMNS, group_rows, money_lines, wrapped
from lotkeeperd.console.layout import grid, text_of, width_of
from tests.console.values import LONG, SECOND, group, totals_of

NOW = 10 * SECOND
BASE = BaseTotals(
    currency="EUR",
    gross_realized_pnl=Decimal("1000.5"),
    fees=Decimal(3),
    unrealized_pnl=None,
    funding=Decimal("-1.5"),
    interest=Decimal(),
    dividends=Decimal(),
    currency_pnl=None,
    total_value=Decimal(9000),
    rates=(
        ConversionRate(
            from_currency="USD",
            to_currency="EUR",
            rate=Decimal("0.9"),
            rate_time=Time(4 * SECOND),
            source="coinbase",
            stale=True,
        ),
    ),
    unconverted_currencies=("BNB",),
)


def told(portfolio: PortfolioTotals, width: int | None = None) -> list[str]:
    """Its lines."""
    return [text_of(line) for line in money_lines([portfolio], NOW, width)]


def with_money(**changes: object) -> PortfolioTotals:
    """The totals of one portfolio in one currency."""
    portfolio = totals_of(LONG)
    return replace(portfolio, totals=(replace(portfolio.totals[0], **changes),))  # type: ignore[arg-type]


def test_p_and_l_alone_has_no_line_of_money() -> None:
    """No cash ever moved, and no value is told."""
    assert told(totals_of(LONG)) == []


def test_cash_value_flows_and_fees_without_a_rate_are_told() -> None:
    """Each amount of the line is in the line's currency; a fee has its own."""
    fees = (Money(currency="BNB", amount=Decimal("0.50")),)
    portfolio = with_money(
        cash=Decimal(8200), total_value=None, funding=Decimal("-1.5"), dividends=Decimal(3), unconverted_fees=fees
    )

    assert told(portfolio) == [
        "scale USD: cash 8,200.00; total value unknown; funding -1.50; dividends 3.00; fees without a rate 0.5 BNB"
    ]


def test_several_currencies_are_told_together_with_their_rates() -> None:
    """In the base currency: at which rate, from where, how old; and what has none."""
    portfolio = replace(totals_of(LONG), base_totals=BASE)

    (line,) = told(portfolio)
    assert line == (
        "scale in EUR: gross realized 1,000.50; fees 3.00; unrealized unknown; funding -1.50; currency P&L unknown; "
        "total value 9,000.00; USD at 0.900000 (coinbase, 6s old, stale); without a rate BNB"
    )


def test_one_currency_needs_no_line_in_the_base_currency() -> None:
    """It is the same money."""
    base = replace(BASE, currency="USD", rates=(), unconverted_currencies=())

    assert told(replace(totals_of(LONG), base_totals=base)) == []


@given(
    st.lists(st.text("abc 1,.;", min_size=1, max_size=20).map(str.strip).filter(bool), max_size=12), st.integers(22, 60)
)
def test_a_part_is_never_torn_between_lines(parts: list[str], width: int) -> None:
    """A line that has no room goes on in the next one; a figure that is cut would be another figure."""
    lines = wrapped("n: ", parts, width)

    assert [cell.text.removesuffix("; ").strip() for line in lines for cell in line[1:]] == [
        part.removesuffix("; ") for part in parts
    ]
    assert all(width_of(text_of(line)) <= width + 1 for line in lines)


def test_a_group_is_one_line() -> None:
    """Credit, what it made and makes, per contract, in its currency."""
    rows = group_rows(
        [group(), group(group_id="P-18", unrealized_pnl=None, contracts=None, pnl_per_contract=None)], True
    )
    columns = grid(GROUP_COLUMNS, rows, None)

    assert [text_of(line) for line in (columns.head(), *map(columns.line, rows))] == [
        "group  portfolio  legs    contracts  credit  unrealized  net realized  per contract  currency",
        "P-17   scale      4 legs          1  780.00      120.00         -2.00        118.00  USD",
        "P-18   scale      4 legs             780.00     unknown         -2.00                USD",
    ]
