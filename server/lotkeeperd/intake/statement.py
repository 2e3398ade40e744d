"""A statement as a table: the open positions at a broker, one row each, as an operator exports or types them.

    symbol,side,quantity,average_price,cost_basis
    AAPL,long,10,187.21,1872.10

Problem: what is wrong in such a file must not look like a position that is not there. Chosen: one wrong row refuses the file, every
wrong row is named with its line, and a column that nobody knows is refused, since it may be one of ours spelled otherwise. Prices
may be left out, empty or with their column. The table cannot say of itself that it is complete: whoever hands it over does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from lotkeeperd.domain.refusals import shown
from lotkeeperd.intake.cells import text_of
from lotkeeperd.intake.delimited import DelimitedFile
from lotkeeperd.intake.problems import UnreadableFile, WrongCell
from lotkeeperd.intake.rows import Broken, Cells, Row

REQUIRED = ("symbol", "side", "quantity")
COLUMNS = (*REQUIRED, "average_price", "cost_basis")
LONGEST = 20_000
"""Rows of one file; a statement travels as one message of at most 4 MiB."""
NAMED = 20
"""Wrong rows that are named; the others are counted."""

_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,18})?").fullmatch


class HeldRow(NamedTuple):
    """One position: ``long``, an unsigned quantity greater than 0, and the broker's figures where it gives them."""

    symbol: str
    long: bool
    quantity: Decimal
    average_price: Decimal | None
    cost_basis: Decimal | None


def read_positions(path: Path, encoding: str = "utf-8") -> tuple[HeldRow, ...]:
    """The positions in the file.

    Raises:
        UnreadableFile: a row or the header is wrong; the message names every line that is, up to ``NAMED``.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        table = DelimitedFile(file, encoding)
        _check_names(table.names)
        return tuple(_all_right(table.rows()))


def _check_names(names: tuple[str, ...]) -> None:
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown:
        wrong = [f"has no {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(map(shown, unknown))}"] * bool(
            unknown
        )
        raise UnreadableFile(f"line 1: the header {' and '.join(wrong)}; the columns are {','.join(COLUMNS)}")


def _all_right(rows: Iterable[Row | Broken]) -> Iterator[HeldRow]:
    """The rows; at the end UnreadableFile if any was wrong."""
    wrong: list[str] = []
    for number, row in enumerate(rows):
        if number == LONGEST:
            raise UnreadableFile(
                f"it has more than {LONGEST:,} rows, the most of one statement; is it one of positions?"
            )
        try:
            yield _held(row)
        except WrongCell as error:
            wrong.append(f"{row.place}: {error}")
    if wrong:
        more = [f"and {len(wrong) - NAMED:,} more"] * (len(wrong) > NAMED)
        raise UnreadableFile("\n  ".join(["nothing of it was used", *wrong[:NAMED], *more]))


def _held(row: Row | Broken) -> HeldRow:
    if isinstance(row, Broken):
        raise WrongCell(row.why)
    symbol = text_of(row.cells["symbol"])
    if not symbol:
        raise WrongCell("has no symbol")
    quantity = _number(row.cells, "quantity")
    if quantity is None or quantity <= 0:
        raise WrongCell(
            f"quantity {shown(text_of(row.cells['quantity']))} must be greater than 0; the side says which way it is held"
        )
    average = _number(row.cells, "average_price")
    return HeldRow(symbol, _is_long(text_of(row.cells["side"])), quantity, average, _number(row.cells, "cost_basis"))


def _is_long(text: str) -> bool:
    if text.lower() not in ("long", "short"):
        raise WrongCell(f"side {shown(text)} is neither long nor short")
    return text.lower() == "long"


def _number(cells: Cells, name: str) -> Decimal | None:
    text = text_of(cells.get(name))
    if not text:
        return None
    if not _NUMBER(text):
        raise WrongCell(
            f"{name} {shown(text)} is not a decimal of at most 20 digits before and 18 after the point, with no exponent"
        )
    return Decimal(text)
