"""A broker that fails, seen from the ledger: nothing is closed, nothing is invented, and the next good answer repairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lotkeeper import DiscrepancyKind, PositionMode, PositionSide, ResolutionKind, Side
from lotkeeper.errors import BrokerUnavailable
from tests.contract.asking import fresh
from tests.contract.broker_scripts import DAY, MINUTE, Operated, Trade, operated
from tests.support.brokers import Empty, ExpiredKey, FakeBrokers, Fault, Status, Then, TooMany, WrongSignature

SECOND = 10**9

IN = Trade("in", "buy", "10", "150", 60 * MINUTE, symbol="BTCUSDT")
OUT = Trade("out", "sell", "10", "160", 30 * MINUTE, symbol="BTCUSDT")

POSITIONS, EXECUTIONS = "/v5/position/list", "/v5/execution/list"


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBrokers]:
    """The brokers, and their keys in the environment of the sidecar."""
    with FakeBrokers() as running:
        running.bybit.cash = {"USDT": "1000"}
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def desk(tmp_path: Path, fakes: FakeBrokers) -> Iterator[Operated]:
    """At Bybit; verified in the end."""
    with operated(tmp_path, fakes, "bybit") as desk:
        yield desk
        assert desk.verified()


def agreed(desk: Operated) -> None:
    """Both hold the same, and nothing is open."""
    rerun = desk.applied()
    assert (rerun.discrepancies, rerun.complete) == ((), True)
    assert list(desk.ledger.list_discrepancies()) == []


@pytest.mark.parametrize(
    "fault", [ExpiredKey(), WrongSignature(), TooMany(3_600), Status(401)], ids=lambda fault: type(fault).__name__
)
def test_a_broker_that_does_not_let_us_in_changes_nothing(desk: Operated, fault: Fault) -> None:
    """No report either: nothing was seen. The next answer is acted on."""
    desk.both(IN)
    desk.executed(OUT)
    desk.broker.script(fault)
    with pytest.raises(BrokerUnavailable):
        desk.applied()
    assert (list(desk.ledger.list_reconciliations()), desk.held()) == ([], {"BTCUSDT": Decimal(10)})
    desk.broker.heal()
    assert [one.applied for one in desk.applied().discrepancies] == [True]
    assert (desk.held(), desk.realized()) == ({}, Decimal(100))
    agreed(desk)


@pytest.mark.parametrize(
    "fault",
    [Status(500, path=POSITIONS), Status(200, path=POSITIONS), Empty(path=POSITIONS), Empty(path="/v5/account")],
    ids=["500", "an error inside", "no positions", "no wallet"],
)
def test_positions_that_fail_look_flat_and_close_nothing(desk: Operated, fault: Fault) -> None:
    """Not with an execution in sight that would close it all: it may be of another position."""
    desk.both(IN)
    desk.executed(replace(OUT, quantity="4"))
    desk.broker.hold("BTCUSDT", "6", "150")
    desk.broker.script(fault)
    if fault.path == "/v5/account":
        desk.broker.hold("BTCUSDT", "0")
    report = desk.applied()
    assert not report.complete
    assert [one.applied for one in report.discrepancies] in ([], [False])
    assert (desk.held(), desk.realized()) == ({"BTCUSDT": Decimal(10)}, Decimal(0))
    desk.broker.heal()
    desk.broker.hold("BTCUSDT", "6", "150")
    desk.applied()
    assert (desk.held(), desk.realized()) == ({"BTCUSDT": Decimal(6)}, Decimal(40))
    agreed(desk)


def test_executions_that_fail_invent_none(desk: Operated) -> None:
    """The position is missing and nobody knows how it was closed: a person, or the next answer."""
    desk.both(IN)
    desk.executed(OUT)
    desk.broker.script(Status(500, path=EXECUTIONS))
    (found,) = desk.applied().discrepancies
    assert (found.kind, found.resolution, found.applied) == (
        DiscrepancyKind.MISSING_AT_BROKER,
        ResolutionKind.UNSPECIFIED,
        False,
    )
    desk.broker.heal()
    (same,) = desk.applied().discrepancies
    assert (same.discrepancy_id, same.applied, desk.realized()) == (found.discrepancy_id, True, Decimal(100))
    agreed(desk)


@pytest.mark.parametrize("count", [21, 201])
def test_a_position_behind_a_page_boundary_is_neither_missing_nor_orphaned(desk: Operated, count: int) -> None:
    """And when the page behind it fails, nothing of either page is judged."""
    trades = [Trade(f"t{place}", "buy", "1", "100", 9 * DAY, symbol=f"C{place:03}USDT") for place in range(count)]
    desk.recorded(*trades)
    for trade in trades:
        desk.broker.hold(trade.symbol, "1", "100")
    report = desk.applied()
    assert (report.discrepancies, report.matched_count, report.orphaned_count) == ((), count, 0)
    desk.broker.script(Status(500, path=POSITIONS, page=2 if count > 200 else 1))
    report = desk.applied()
    assert (report.discrepancies, report.complete) == ((), False)
    assert len(desk.held()) == count


def test_a_rate_limit_is_waited_for_and_the_report_is_whole(desk: Operated) -> None:
    """Twice too many, then the answer."""
    desk.both(IN)
    desk.broker.hold("BTCUSDT", "10", "150")
    desk.broker.script(TooMany(0, path=EXECUTIONS, times=2))
    agreed(desk)


def test_a_fill_between_the_two_reads_is_in_both_or_in_none(desk: Operated) -> None:
    """Sold while positions were read: they are read again, and the sale is found whole."""
    desk.both(IN)
    desk.broker.hold("BTCUSDT", "10", "150")

    def sell() -> None:
        desk.broker.fill("quick", "BTCUSDT", "sell", "4", "155")
        desk.broker.hold("BTCUSDT", "6", "150")

    desk.broker.script(Then(path=EXECUTIONS, times=1, do=sell))
    assert [one.applied for one in desk.applied().discrepancies] == [True]
    assert (desk.held(), desk.realized()) == ({"BTCUSDT": Decimal(6)}, Decimal(20))
    agreed(desk)


def test_a_fill_that_is_on_its_way_to_the_ledger_is_no_difference_once_it_is_there(desk: Operated) -> None:
    """Seen at the broker in the first look, recorded by the bot before the second: nothing is reported."""
    desk.both(IN)
    desk.executed(replace(OUT, quantity="4"))
    desk.broker.hold("BTCUSDT", "6", "150")
    asked = [0]

    def record() -> None:
        asked[0] += 1
        if asked[0] == 3:  # positions, positions again, and the first of the second look
            desk.recorded(replace(OUT, quantity="4"))

    desk.broker.script(Then(path=POSITIONS, do=record))
    report = desk.applied()
    assert (report.discrepancies, report.complete) == ((), True)
    assert desk.realized() == Decimal(40)


@pytest.mark.parametrize("offset", [40 * SECOND, -40 * SECOND], ids=["ahead", "behind"])
def test_a_clock_that_is_40_seconds_off_loses_no_execution_of_the_last_minute(desk: Operated, offset: int) -> None:
    """The broker's time counts on both sides: what was sold a moment ago is neither too new nor unknown."""
    desk.broker.offset = offset
    desk.both(IN)
    desk.broker.fill("now", "BTCUSDT", "sell", "4", "155", order_id="o-now")
    desk.broker.hold("BTCUSDT", "6", "150")
    (done,) = desk.applied().discrepancies
    assert (done.kind, done.resolution, done.applied) == (
        DiscrepancyKind.QUANTITY_MISMATCH,
        ResolutionKind.BACKFILL_FILLS,
        True,
    )
    assert (desk.held(), desk.realized()) == ({"BTCUSDT": Decimal(6)}, Decimal(20))
    desk.broker.fill("next", "BTCUSDT", "sell", "1", "150", order_id="o-next")
    desk.broker.hold("BTCUSDT", "5", "150")
    desk.ledger.record_fill(
        symbol="BTCUSDT",
        side=Side.SELL,
        quantity=1,
        price=150,
        fill_id="next",
        order_id="o-next",
        fill_time=desk.broker.fills[-1].time,
    )
    agreed(desk)


def test_hedge_mode_is_compared_leg_by_leg(tmp_path: Path, fakes: FakeBrokers) -> None:
    """The long leg was sold, the short one stands: netted, they would have looked like a flip."""
    with operated(tmp_path, fakes, "bybit", "hedge = true\n") as desk:
        desk.ledger.create_portfolio(request_id="hedge", position_mode=PositionMode.HEDGING)
        for name, side, leg in (("long", Side.BUY, PositionSide.LONG), ("short", Side.SELL, PositionSide.SHORT)):
            desk.ledger.record_fill(
                symbol="BTCUSDT",
                side=side,
                quantity=2,
                price=100,
                fill_id=name,
                fill_time=desk.at(60 * MINUTE),
                position_side=leg,
            )
        desk.executed(
            Trade("long", "buy", "2", "100", 60 * MINUTE, symbol="BTCUSDT"),
            Trade("short", "sell", "2", "100", 60 * MINUTE, symbol="BTCUSDT"),
        )
        desk.broker.fill("out", "BTCUSDT", "sell", "2", "107", time=desk.at(5 * MINUTE), order_id="o-out", closed="2")
        desk.broker.hold("BTCUSDT", "-2", "100", leg=2)
        (found,) = desk.looked().outstanding
        assert (found.kind, found.side, found.pnl_effect) == (
            DiscrepancyKind.MISSING_AT_BROKER,
            PositionSide.LONG,
            Decimal(14),
        )
        assert [one.applied for one in desk.applied().discrepancies] == [True]
        assert (desk.held(), desk.realized()) == ({"BTCUSDT": Decimal(-2)}, Decimal(14))
        agreed(desk)
        assert desk.verified()


def test_a_spot_pair_and_a_perpetual_that_are_spelled_alike_stay_two_positions(
    tmp_path: Path, fakes: FakeBrokers
) -> None:
    """The coin was sold, the contract stands; the table of spellings says what each is called here."""
    more = 'categories = ["linear", "spot"]\nspellings = { BTCUSDT-SPOT = "BTC/USDT", BTCUSDT = "XBT" }\n'
    with operated(tmp_path, fakes, "bybit", more) as desk:
        desk.recorded(
            Trade("coin", "buy", "2", "50000", 60 * MINUTE, symbol="BTC/USDT"),
            Trade("contract", "sell", "1", "50010", 60 * MINUTE, symbol="XBT"),
        )
        desk.executed(Trade("coin", "buy", "2", "50000", 60 * MINUTE, symbol="BTCUSDT"), part="spot")
        desk.executed(Trade("contract", "sell", "1", "50010", 60 * MINUTE, symbol="BTCUSDT"))
        desk.executed(Trade("coin-out", "sell", "2", "50100", 5 * MINUTE, symbol="BTCUSDT"), part="spot")
        desk.broker.hold("BTCUSDT", "-1", "50010")
        (found,) = desk.looked().outstanding
        assert (found.kind, found.symbol, found.pnl_effect) == (
            DiscrepancyKind.MISSING_AT_BROKER,
            "BTC/USDT",
            Decimal(200),
        )
        assert [one.applied for one in desk.applied().discrepancies] == [True]
        assert (desk.held(), desk.realized()) == ({"XBT": Decimal(-1)}, Decimal(200))
        agreed(desk)
        assert desk.verified()


def test_fees_that_the_broker_tells_are_recorded_with_its_executions(desk: Operated) -> None:
    """To the cent of the fee, a rebate included."""
    desk.both(IN)
    desk.executed(replace(OUT, quantity="4"), fee="0.36", fee_currency="USD")
    desk.executed(replace(OUT, name="out2", quantity="6", ago=29 * MINUTE), fee="-0.11", fee_currency="USD")
    dry = desk.looked()
    done = desk.applied()
    assert {one.pnl_effect for report in (dry, done) for one in report.discrepancies} == {Decimal("99.75")}
    assert desk.realized() == Decimal("99.75")
    agreed(desk)


def test_a_deposit_that_is_recorded_makes_cash_a_matter_of_this_account(desk: Operated) -> None:
    """Before that nothing is said of it; after it the broker's balance has to be ours."""
    desk.both(IN)
    desk.broker.hold("BTCUSDT", "10", "150")
    agreed(desk)
    desk.ledger.deposit(request_id=fresh(), currency="USDT", amount=900)
    (found,) = desk.applied().discrepancies
    assert (found.kind, found.symbol, found.applied) == (DiscrepancyKind.CASH_MISMATCH, "USDT", False)
    assert (found.ledger_quantity, found.broker_quantity) == (Decimal(900), Decimal(1000))
    desk.ledger.deposit(request_id=fresh(), currency="USDT", amount=100)
    agreed(desk)
