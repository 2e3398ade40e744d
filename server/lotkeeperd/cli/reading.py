"""Reading from a running sidecar: positions as they change, and a portfolio as it is, was, or would be."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

import typer

from lotkeeperd.cli.ending import answered
from lotkeeperd.cli.options import LOCAL, Address, AsJson


def watch(
    address: Address = LOCAL,
    portfolio: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    symbol: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    sort: Annotated[
        Literal["symbol", "pnl", "age", "value"],
        typer.Option(help="What comes first: symbol, highest P&L, oldest mark or largest value."),
    ] = "symbol",
    lots: Annotated[bool, typer.Option("--lots", help="Also the open lots of every position.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per event, for scripts.")] = False,
) -> None:
    """Follow positions and P&L as they change, until q or Ctrl-C.

    In a terminal it is a table. Keys: l lots, s sort, / filter, arrows scroll,
    ? help, q quit. In a pipe it is plain lines every two seconds.

    With --json it is one object per line. "event" says what it is: snapshot
    (everything; first, and after a lost connection), update (what changed:
    positions, totals, groups, closed_trades, opened_entries, restated_trades,
    conflated_count), heartbeat, or disconnected (with its cause). Each has
    sequence, ledger_id, emit_time, and lag in seconds. Fields are named as in the contract; decimals
    are strings, times RFC 3339 with nanoseconds, what is unknown is null.
    Fields may be added.
    """
    from lotkeeperd.console.choice import Choice, Sort
    from lotkeeperd.console.follow import Watched
    from lotkeeperd.console.watch import watch as follow

    if as_json and (lots or sort != "symbol"):
        raise typer.BadParameter("--lots and --sort shape the table; with --json leave them out", param_hint="--json")
    choice = Choice(sort=Sort(sort), lots=lots)
    watched = Watched(address, portfolio or (), symbol or ())
    answered(lambda: follow(watched, sys.stdout, as_json, choice, sys.stdin))


def summary(
    address: Address = LOCAL,
    portfolio: Annotated[str, typer.Option(help="Which one.")] = "default",
    flat: Annotated[bool, typer.Option("--flat", help="Also symbols with nothing open.")] = False,
    as_of: Annotated[
        str,
        typer.Option(metavar="SEQUENCE|TIME", help="As it was: at a journal sequence, or 2024-01-01T15:30:00Z."),
    ] = "",
    lot_method: Annotated[
        Literal["fifo", "lifo", "hifo", "average", "chosen"] | None,
        typer.Option(help="The same executions by another lot method: a view, nothing is written."),
    ] = None,
    mark: Annotated[
        list[str] | None,
        typer.Option(metavar="SYMBOL=PRICE", help="Value a past state or a view at this; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a portfolio: positions, cash and value, and groups.

    As it is now, or with --as-of as it was then, or with --lot-method as it would
    be by another method. Those two are valued at what --mark says and nothing else.
    """
    from lotkeeper import LotMethod
    from lotkeeperd.console.summary import Question
    from lotkeeperd.console.summary import summary as print_summary

    question = Question(
        portfolio,
        flat,
        *_moment_of(as_of),
        LotMethod[lot_method.upper()] if lot_method else LotMethod.UNSPECIFIED,
        dict(map(_priced, mark or ())),
    )
    if question.marks and question.live:
        raise typer.BadParameter(
            "what is now is valued at the live marks; for others say --as-of or --lot-method", param_hint="--mark"
        )
    answered(lambda: print_summary(address, question, sys.stdout, as_json))


def _moment_of(as_of: str) -> tuple[int | None, int | None]:
    """A sequence, or a time in nanoseconds UTC."""
    from lotkeeperd.domain.times import moment

    if as_of.isascii() and as_of.isdigit():
        return int(as_of), None
    try:
        return None, moment(as_of)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; or give a journal sequence", param_hint="--as-of") from error


def _priced(text: str) -> tuple[str, Decimal]:
    symbol, _, price = text.rpartition("=")
    try:
        if not symbol or not price.isascii() or "_" in price:
            raise InvalidOperation
        return symbol, Decimal(price)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text!r}: SYMBOL=PRICE is required", param_hint="--mark") from error
