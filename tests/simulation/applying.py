"""One process that carries a repair out and ends: what a SIGKILL may interrupt. ``python -m tests.simulation.applying DATABASE``.

The ledger holds ten symbols; the broker sold a part of each, and bought an eleventh that nobody watches.
"""

from __future__ import annotations

import sys
from decimal import Decimal

from lotkeeperd.domain.reconciliation.records import Reported
from tests.storage.broker_says import AUTO_ALL, BEFORE, Desk, bought, holds, positions, said
from tests.storage.ledgers import BareLedger, bare_ledger, entry

SYMBOLS = "ABCDEFGHIJ"
HELD = {("p", symbol): Decimal(10) for symbol in SYMBOLS}
REPAIRED = {("p", symbol): Decimal(4) for symbol in SYMBOLS} | {("p", "Z"): Decimal(2)}

STATEMENT = said(
    *(holds("4", symbol=symbol) for symbol in SYMBOLS),
    holds("2", symbol="Z"),
    *(bought(f"x{symbol}", "-6", "110", symbol=symbol) for symbol in SYMBOLS),
)


def make(database: str) -> None:
    """The ledger before."""
    with bare_ledger(database) as ledger:
        ledger.taken(*(entry(n, "10", symbol=symbol, time=BEFORE) for n, symbol in enumerate(SYMBOLS)))


def applied(ledger: BareLedger) -> Reported:
    """The report of the one request, made now or before."""
    desk = Desk(ledger, account=AUTO_ALL)
    (answer,) = ledger.all_taken(desk.asked(STATEMENT, True))
    report = answer.report  # type: ignore[union-attr]
    assert isinstance(report, Reported)
    return report


def state(ledger: BareLedger) -> tuple[dict[tuple[str, str], Decimal], int]:
    """What is open, and where the journal stands."""
    return positions(ledger), ledger.sequence


if __name__ == "__main__":
    with bare_ledger(sys.argv[1]) as there:
        applied(there)
