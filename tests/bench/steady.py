"""A broker that always says the same, as a plug-in: what a schedule costs the server, and nothing of what a broker costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from lotkeeperd.brokers.port import GROUP
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import HeldPosition, Statement

NAME = "steady"


class Steady:
    """Holds ``quantity`` of each of ``symbols``, long, and has executed nothing since anybody asked."""

    def __init__(self, options: Mapping[str, object]) -> None:
        quantity, symbols = Decimal(str(options["quantity"])), options["symbols"]
        assert isinstance(symbols, list)
        self._positions = tuple(HeldPosition(symbol, Direction.LONG, quantity) for symbol in symbols)

    async def statement(self, since: int | None) -> Statement:
        """All of it, complete."""
        return Statement(time.time_ns(), True, self._positions, (), since)

    async def close(self) -> None:
        """Nothing is open."""


def installed(folder: Path) -> Path:
    """What pip writes down of a plug-in, in ``folder``, which is for PYTHONPATH."""
    package = folder / f"{NAME}-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[{GROUP}]\n{NAME} = {__name__}:{Steady.__name__}\n")
    return folder
