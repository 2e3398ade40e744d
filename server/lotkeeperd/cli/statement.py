"""The broker's side, as a command line gives it: an account that the sidecar asks, or a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lotkeeperd.cli.ending import fail

if TYPE_CHECKING:
    from lotkeeper import BrokerStatement

LARGEST_JSON = 16 << 20
"""Bytes of a JSON statement that is read; what is sent of it has to fit into 4 MiB."""

Account = Annotated[str, typer.Option(help="A broker account of the sidecar's configuration: it is asked.")]
StatementFile = Annotated[
    Path | None,
    typer.Option(
        "--statement",
        exists=True,
        dir_okay=False,
        help="In its place: protobuf JSON of BrokerStatement, or CSV symbol,side,quantity,average_price,cost_basis.",
    ),
]
Complete = Annotated[
    bool, typer.Option("--complete", help="The CSV file holds every open position: what is not in it is not there.")
]


def statement_of(account: str, path: Path | None, complete: bool) -> BrokerStatement | None:
    """The statement in the file; None where an account is asked.

    Raises:
        typer.BadParameter: neither or both were given, or what is not a table was said to be complete.
        typer.Exit: the file cannot be used; why is said.
    """
    if bool(account) == (path is not None):
        raise typer.BadParameter(
            "name an account, or a statement's file: one of them", param_hint="--account, --statement"
        )
    if path is None:
        if complete:
            raise typer.BadParameter("the sidecar says so itself of an account", param_hint="--complete")
        return None
    try:
        with path.open("rb") as file:
            is_json = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except OSError as error:
        fail(error)
    if is_json and complete:
        raise typer.BadParameter("a JSON statement says so itself: positionsComplete", param_hint="--complete")
    return _from_json(path) if is_json else _from_table(path, complete)


def _from_json(path: Path) -> BrokerStatement:
    from lotkeeper.statement_json import statement_of_json

    try:
        if (size := path.stat().st_size) > LARGEST_JSON:
            raise ValueError(f"it has {size:,} bytes, more than the {LARGEST_JSON:,} of a statement; give fewer fills")
        return statement_of_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        fail(ValueError(f"{path}: {error}"))


def _from_table(path: Path, complete: bool) -> BrokerStatement:
    """Positions of the time at which the file was written, which is as near to the asking as a table says."""
    from lotkeeper import BrokerPosition, BrokerStatement, PositionSide
    from lotkeeperd.intake.problems import UnreadableFile
    from lotkeeperd.intake.statement import read_positions

    try:
        rows, written = read_positions(path), path.stat().st_mtime_ns
    except (OSError, UnreadableFile) as error:
        fail(ValueError(f"{path}: {error}"))
    positions = tuple(
        BrokerPosition(
            symbol=row.symbol,
            side=PositionSide.LONG if row.long else PositionSide.SHORT,
            quantity=row.quantity,
            average_price=row.average_price,
            cost_basis=row.cost_basis,
        )
        for row in rows
    )
    return BrokerStatement(as_of=written, positions_complete=complete, positions=positions)


def costs_of(statement: BrokerStatement | None) -> Mapping[str, Decimal]:
    """The broker's own cost bases by symbol; not of a symbol that has several rows, or a figure that is none."""
    costs: dict[str, Decimal] = {}
    rows = statement.positions if statement is not None else ()
    symbols = Counter(row.symbol for row in rows)
    for row in rows:
        with suppress(InvalidOperation):  # the sidecar names it
            if row.cost_basis is not None and symbols[row.symbol] == 1:
                costs[row.symbol] = Decimal(row.cost_basis)
    return costs
