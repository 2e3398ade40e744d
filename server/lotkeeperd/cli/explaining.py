"""Explaining a figure: the records that make it, as a running sidecar tells them."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from lotkeeperd.cli.ending import answered
from lotkeeperd.cli.options import LOCAL, Address

Portfolio = Annotated[str, typer.Option(help="Which one.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="A line of JSON per record, for scripts.")]


def explain_trade(
    trade_id: Annotated[str, typer.Argument(metavar="ID", help="Of a closed trade, such as T17.0.")],
    address: Address = LOCAL,
    portfolio: Portfolio = "default",
    as_json: AsJsonLines = False,
) -> None:
    """Print what makes a closed trade: both executions, and what corrected them."""
    from lotkeeperd.console.explain import explain_trade as print_trade

    answered(lambda: print_trade(address, portfolio, trade_id, sys.stdout, as_json))


def explain_position(
    symbol: Annotated[str, typer.Argument(help="Instrument.")],
    address: Address = LOCAL,
    portfolio: Portfolio = "default",
    book_side: Annotated[
        Literal["long", "short"] | None, typer.Option(help="Of a hedging portfolio: which of the two books.")
    ] = None,
    as_json: AsJsonLines = False,
) -> None:
    """Print what makes a position: every record of its book."""
    from lotkeeper import PositionSide
    from lotkeeperd.console.explain import explain_position as print_position

    side = PositionSide[book_side.upper()] if book_side else PositionSide.UNSPECIFIED
    answered(lambda: print_position(address, portfolio, symbol, side, sys.stdout, as_json))
