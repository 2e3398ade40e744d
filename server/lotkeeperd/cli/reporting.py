"""Reporting a day: what was realized, what is open, and whether it was compared with the broker."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Literal

import typer

from lotkeeperd.cli.ending import answered
from lotkeeperd.cli.options import LOCAL, Address


def report(
    day: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="In the portfolio's time zone; or today, yesterday.")
    ] = "today",
    portfolio: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be repeated. All if not given.")
    ] = None,
    format_: Annotated[
        Literal["text", "json", "csv"], typer.Option("--format", help="For people, programs, or a spreadsheet.")
    ] = "text",
    address: Address = LOCAL,
) -> None:
    """Print a day: realized P&L and fees, what is open, and what differs.

    Realized are trades closed on it, by symbol and currency; what differs from the
    broker is what differs now, with the time of the last comparison. Of a day that is over, positions are those at its end.
    """
    from lotkeeperd.console.daily import Asked
    from lotkeeperd.console.daily import report as print_report
    from lotkeeperd.console.day import span_of

    now = time.time_ns()
    try:
        span_of(day, "", now)
    except ValueError as error:
        raise typer.BadParameter(f"{day!r} is no day: 2026-01-05, today or yesterday", param_hint="--day") from error
    answered(lambda: print_report(address, Asked(day, tuple(portfolio or ()), format_), now, sys.stdout))
