"""Several at once: clients that reconcile one account at the same moment, and two servers of one ledger. One effect."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest

import lotkeeper
from lotkeeper import PositionSide, ReconcileMode, Side
from lotkeeper.errors import Fenced
from tests.contract.asking import fresh
from tests.support.sidecar import Sidecar

HOUR = 3_600 * 10**9
CLIENTS = 8
SOLD = 5
"""Executions that nobody recorded."""


def bought(address: str, book: str, symbol: str, at: int) -> None:
    """Ten at 100, as a bot records it."""
    with lotkeeper.connect(address, portfolio=book) as ledger:
        ledger.record_fill(
            symbol=symbol, side=Side.BUY, quantity=10, price=100, fill_id=f"{book}-in", order_id="O-1", fill_time=at
        )


def sold_in_part(book: str, symbol: str, now: int) -> lotkeeper.BrokerStatement:
    """One was sold after the other at 110; the broker holds what is left."""
    fills = tuple(
        lotkeeper.Fill(
            symbol=symbol,
            side=Side.SELL,
            quantity=1,
            price=110,
            fill_id=f"{book}-out-{number}",
            order_id=f"O-{number + 2}",
            fill_time=now - HOUR // 2 + number,
        )
        for number in range(SOLD)
    )
    held = lotkeeper.BrokerPosition(symbol=symbol, side=PositionSide.LONG, quantity=10 - SOLD, average_price=100)
    return lotkeeper.BrokerStatement(
        as_of=now, positions_complete=True, positions=(held,), fills=fills, fills_complete_since=now - HOUR * 3 // 4
    )


def check_once(address: str, book: str) -> None:
    """Every sale is recorded, and none of them twice."""
    with lotkeeper.connect(address, portfolio=book) as ledger:
        trades = list(ledger.list_closed_trades())
        (position,) = ledger.get_summary().positions
    assert sorted(trade.exit_fill_id for trade in trades) == [f"{book}-out-{number}" for number in range(SOLD)]
    assert sum(trade.net_pnl for trade in trades) == 10 * SOLD
    assert position.total_quantity == Decimal(10 - SOLD)


def refused(address: str, book: str, statement: lotkeeper.BrokerStatement) -> None:
    """By a server that is fenced; the client asks it again until its time is over, since another may take its place."""
    with lotkeeper.connect(address, portfolio=book) as ledger, pytest.raises(Fenced):
        ledger.reconcile(statement=statement, mode=ReconcileMode.APPLY, request_id=fresh(), timeout=2)


def test_clients_that_apply_at_the_same_moment_have_one_effect(sidecar: Sidecar, symbol: str) -> None:
    """One report carries it out, the others find nothing left."""
    book, now = fresh("at-once-"), time.time_ns()
    bought(sidecar.address, book, symbol, now - HOUR)
    statement, together = sold_in_part(book, symbol, now), Barrier(CLIENTS)

    def apply(_: int) -> lotkeeper.ReconcileResponse:
        with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
            together.wait()
            return ledger.reconcile(statement=statement, mode=ReconcileMode.APPLY, request_id=fresh())

    with ThreadPoolExecutor(CLIENTS) as clients:
        reports = list(clients.map(apply, range(CLIENTS)))

    carried_out = [[one.applied for one in report.discrepancies] for report in reports]
    assert sorted(carried_out) == [[]] * (CLIENTS - 1) + [[True]]
    assert len({report.sequence for report in reports}) == CLIENTS
    check_once(sidecar.address, book)


def test_a_server_that_lost_the_ledger_repairs_nothing(postgres_url: str, symbol: str) -> None:
    """Two servers, one ledger: the first is fenced, and the second carries it out once."""
    book, now = fresh("at-once-"), time.time_ns()
    with Sidecar(postgres_url) as first:
        bought(first.address, book, symbol, now - HOUR)
        statement = sold_in_part(book, symbol, now)
        with Sidecar(postgres_url) as second:
            refused(first.address, book, statement)
            with lotkeeper.connect(second.address, portfolio=book) as ledger:
                report = ledger.reconcile(statement=statement, mode=ReconcileMode.APPLY, request_id=fresh())
            refused(first.address, book, statement)
            assert [one.applied for one in report.discrepancies] == [True]
            check_once(second.address, book)
