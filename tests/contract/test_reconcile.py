"""Reconcile with a statement that the caller brings, and what becomes of the differences, against a running server."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import grpc
import pytest

import lotkeeper
from lotkeeper import DiscrepancyKind, DiscrepancyState, PositionSide, ReconcileMode, Side
from lotkeeper.errors import (
    BrokerAccountNotFound,
    DiscrepancyNotFound,
    PortfolioNotFound,
    ReconciliationNotFound,
    RequestIdReused,
    ResolutionNotFound,
    TradingModeMismatch,
)
from tests.contract.asking import fresh
from tests.support.sidecar import Sidecar

HOUR = 3_600 * 10**9


@pytest.fixture
def now() -> int:
    """Nanoseconds UTC."""
    return time.time_ns()


@pytest.fixture
def book() -> str:
    """A portfolio that no other test has."""
    return fresh("reconciled-")


def bought(sidecar: Sidecar, book: str, symbol: str, at: int) -> None:
    """One BTC at 60000, an hour ago."""
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        ledger.record_fill(
            symbol=symbol, side=Side.BUY, quantity=1, price=60000, fill_id=f"{book}-in", order_id="O-1", fill_time=at
        )


def sold_at_the_broker(book: str, symbol: str, now: int) -> lotkeeper.BrokerStatement:
    """The broker holds nothing: it sold at 61000 while nobody looked, and says so."""
    fills = tuple(
        lotkeeper.Fill(
            symbol=symbol, side=side, quantity=1, price=price, fill_id=f"{book}-{name}", order_id=order, fill_time=at
        )
        for side, price, name, order, at in (
            (Side.BUY, 60000, "in", "O-1", now - HOUR),
            (Side.SELL, 61000, "out", "O-2", now - HOUR // 2),
        )
    )
    return lotkeeper.BrokerStatement(
        as_of=now, positions_complete=True, fills=fills, fills_complete_since=now - 2 * HOUR
    )


def test_a_position_that_was_closed_while_the_bot_was_down_is_found_and_repaired_once(
    sidecar: Sidecar, book: str, symbol: str, now: int
) -> None:
    """A dry run shows the P&L and changes nothing; APPLY records the broker's execution; a rerun finds nothing left."""
    bought(sidecar, book, symbol, now - HOUR)
    statement = sold_at_the_broker(book, symbol, now)
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        dry = ledger.reconcile(statement=statement)
        (position,) = ledger.get_summary().positions
        apply: dict[str, Any] = {"statement": statement, "mode": ReconcileMode.APPLY, "request_id": fresh()}
        done = ledger.reconcile(**apply)
        again = ledger.reconcile(**apply)
        rerun = ledger.reconcile_on_startup(statement=statement, require_agreement=True)
        (trade,) = ledger.list_closed_trades()

    (found,) = dry.outstanding
    assert found.kind is DiscrepancyKind.MISSING_AT_BROKER
    assert (found.ledger_quantity, found.broker_quantity) == (Decimal(1), Decimal(0))
    assert [one.fill and one.fill.price for one in found.proposed_fills] == [61000]
    assert (found.pnl_effect, position.total_quantity) == (Decimal(1000), Decimal(1))
    assert [one.applied for one in done.discrepancies] == [True]
    assert (again.replayed, again.reconciliation_id) == (True, done.reconciliation_id)
    assert rerun.agreed
    assert (trade.net_pnl, trade.exit_fill_id) == (Decimal(1000), f"{book}-out")


def test_an_empty_list_that_is_not_declared_complete_closes_nothing(
    sidecar: Sidecar, book: str, symbol: str, now: int
) -> None:
    """A broker's error looks like that."""
    bought(sidecar, book, symbol, now - HOUR)
    empty = lotkeeper.BrokerStatement(as_of=now)
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        report = ledger.reconcile(statement=empty, mode=ReconcileMode.APPLY, request_id=fresh())
        (position,) = ledger.get_summary().positions
    assert (report.complete, report.agreed) == (False, False)
    assert position.total_quantity == 1


def test_a_report_and_its_differences_are_found_again(sidecar: Sidecar, book: str, symbol: str, now: int) -> None:
    """By book, as they were answered; the difference keeps its id from run to run."""
    bought(sidecar, book, symbol, now - HOUR)
    nothing = lotkeeper.BrokerStatement(as_of=now, positions_complete=True)
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        first, second = (ledger.reconcile(statement=nothing) for _ in range(2))
        reports = list(ledger.list_reconciliations(portfolio_id=book))
        read = ledger.get_reconciliation(reconciliation_id=first.reconciliation_id)
        (standing,) = ledger.list_discrepancies(portfolio_id=book)
    assert [one.reconciliation_id for one in reports] == [second.reconciliation_id, first.reconciliation_id]
    assert read.report == first
    assert (read.reconciliation.mode, read.reconciliation.as_of) == (ReconcileMode.DRY_RUN, now)
    assert read.reconciliation.asked_by
    assert standing.discrepancy.discrepancy_id == first.discrepancies[0].discrepancy_id
    assert standing.reconciliation_id == second.reconciliation_id
    assert standing.first_seen <= standing.last_seen


def test_a_person_closes_what_is_gone_and_takes_it_back(sidecar: Sidecar, book: str, symbol: str, now: int) -> None:
    """The effect is shown first; undone, the position is there again and the difference open."""
    bought(sidecar, book, symbol, now - HOUR)
    nothing = lotkeeper.BrokerStatement(as_of=now, positions_complete=True)
    action = lotkeeper.CloseAtPrice(exit_price=59000)
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        (found,) = ledger.reconcile(statement=nothing).discrepancies
        resolving: dict[str, Any] = {"discrepancy_id": found.discrepancy_id, "action": action}
        tried = ledger.resolve_discrepancy(request_id=fresh(), validate_only=True, **resolving)
        done = ledger.resolve_discrepancy(request_id=fresh(), **resolving)
        assert list(ledger.list_discrepancies(portfolio_id=book)) == []
        assert done.discrepancy.resolution is not None
        undone = ledger.undo_resolution(
            request_id=fresh(), resolution_id=done.discrepancy.resolution.resolution_id, reason="it is there after all"
        )
        (position,) = ledger.get_summary().positions
    assert tried.sequence == 0
    assert [one.pnl_effect for one in (tried, done, undone)] == [-1000, -1000, 1000]
    assert (done.discrepancy.state, undone.discrepancy.state) == (DiscrepancyState.RESOLVED, DiscrepancyState.OPEN)
    assert position.total_quantity == 1


def test_what_a_person_ignored_keeps_no_bot_from_starting(sidecar: Sidecar, book: str, symbol: str, now: int) -> None:
    """Until its quantities change."""
    bought(sidecar, book, symbol, now - HOUR)
    held = tuple(
        lotkeeper.BrokerStatement(
            as_of=now,
            positions_complete=True,
            positions=(lotkeeper.BrokerPosition(symbol=symbol, side=PositionSide.LONG, quantity=quantity),),
        )
        for quantity in (3, 4)
    )
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        (found,) = ledger.reconcile(statement=held[0]).discrepancies
        ledger.resolve_discrepancy(
            request_id=fresh(), discrepancy_id=found.discrepancy_id, action=lotkeeper.IgnoreDiscrepancy(reason="a gift")
        )
        same = ledger.reconcile_on_startup(statement=held[0], require_agreement=True)
        other = ledger.reconcile_on_startup(statement=held[1])
    assert [one.ignored for one in same.discrepancies] == [True]
    assert [one.ignored for one in other.discrepancies] == [False]


def test_what_is_not_there_is_refused_by_name(sidecar: Sidecar, book: str, symbol: str, now: int) -> None:
    """Accounts, reports, differences, resolutions, portfolios."""
    bought(sidecar, book, symbol, now - HOUR)
    statement = lotkeeper.BrokerStatement(as_of=now)
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        with pytest.raises(BrokerAccountNotFound, match="'nobody'"):
            ledger.reconcile(broker_account="nobody")
        with pytest.raises(ReconciliationNotFound, match="'R999999999'"):
            ledger.get_reconciliation(reconciliation_id="R999999999")
        with pytest.raises(DiscrepancyNotFound, match=r"'D1\.99'"):
            ledger.resolve_discrepancy(request_id=fresh(), discrepancy_id="D1.99", action=lotkeeper.AcceptProposal())
        with pytest.raises(ResolutionNotFound, match=r"'S1\.99'"):
            ledger.undo_resolution(request_id=fresh(), resolution_id="S1.99", reason="none")
        with pytest.raises(PortfolioNotFound, match="never-made"):
            ledger.reconcile(statement=statement, portfolio_ids=["never-made"])
        with pytest.raises(TradingModeMismatch) as refused:
            ledger.reconcile(statement=statement, trading_mode=lotkeeper.TradingMode.PAPER)
    assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.metadata == {"portfolio_id": book}


def test_one_request_id_is_one_comparison(sidecar: Sidecar, book: str, symbol: str, now: int) -> None:
    """Of another statement it is another request."""
    bought(sidecar, book, symbol, now - HOUR)
    request_id = fresh()
    with lotkeeper.connect(sidecar.address, portfolio=book) as ledger:
        ledger.reconcile(statement=lotkeeper.BrokerStatement(as_of=now), request_id=request_id)
        with pytest.raises(RequestIdReused):
            ledger.reconcile(statement=lotkeeper.BrokerStatement(as_of=now + 1), request_id=request_id)
