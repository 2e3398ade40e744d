"""Many fills over one stream, from both clients, against a real sidecar."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lotkeeper
from lotkeeper import errors
from lotkeeper.bulk import AHEAD, FILLS
from lotkeeper.enums import ExcessPolicy, PositionSide, Side
from tests.support.sidecar import Sidecar

WAIT = 60.0
Told = Callable[[lotkeeper.FillResult], object]


def blocking(
    address: str, fills: Iterable[lotkeeper.Fill], told: Told = id, **others: Any
) -> list[lotkeeper.FillResult]:
    """All results of the blocking client; ``told`` hears each as it comes."""
    with lotkeeper.connect(address, timeout=WAIT) as ledger:
        results = []
        for result in ledger.record_fills(fills=fills, **others):
            told(result)
            results.append(result)
        return results


def asyncio_(
    address: str, fills: Iterable[lotkeeper.Fill], told: Told = id, **others: Any
) -> list[lotkeeper.FillResult]:
    """The same of the asyncio client."""

    async def run() -> list[lotkeeper.FillResult]:
        async with lotkeeper.aio.connect(address, timeout=WAIT) as ledger:
            results = []
            async for result in ledger.record_fills(fills=fills, **others):
                told(result)
                results.append(result)
            return results

    return asyncio.run(run())


both = pytest.mark.parametrize("record", [blocking, asyncio_], ids=["blocking", "asyncio"])
Record = Any


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """An empty ledger."""
    with Sidecar(str(tmp_path / "ledger.db")) as running:
        yield running


def fill(number: int, **others: Any) -> lotkeeper.Fill:
    """Fill ``number``: one bought at 100, or, if it is odd, sold at 101."""
    given: dict[str, Any] = {"symbol": "A", "quantity": 1, "fill_id": f"f{number}"}
    given |= {"side": Side.SELL, "price": Decimal("101.0")} if number % 2 else {"side": Side.BUY, "price": "100"}
    return lotkeeper.Fill(**given | others)


@both
def test_each_fill_has_its_result_in_order(record: Record, sidecar: Sidecar) -> None:
    """More than may wait at once, from a generator; refused ones say why, and the others go on."""
    count = FILLS * (AHEAD + 2) + 7
    fills = (fill(number, quantity=0 if number == 11 else 1) for number in range(count))
    results = record(sidecar.address, fills)
    assert [result.fill_id for result in results] == [f"f{number}" for number in range(count)]
    assert results[0] == lotkeeper.FillResult(
        fill_id="f0", sequence=1, replayed=False, net_pnl=Decimal(0), refusal="", message=""
    )
    assert (results[1].net_pnl, results[11].sequence, results[11].refusal) == (1, 0, "FIELD_VIOLATION")
    assert "quantity: 0 is not greater than 0" in results[11].message
    assert not any(result.refusal for result in results[12:])
    assert results[-1].sequence == count - 1


@both
def test_no_fills_are_no_results(record: Record, sidecar: Sidecar) -> None:
    """And no portfolio."""
    assert record(sidecar.address, [], portfolio_id="p") == []
    with lotkeeper.connect(sidecar.address) as ledger, pytest.raises(errors.PortfolioNotFound):
        ledger.get_summary(portfolio_id="p")


@both
def test_late_fills_are_put_in_time_order_when_asked_to_be(record: Record, sidecar: Sidecar) -> None:
    """The sale at 101 took the lot at 100; it takes the one at 90 that was bought before it."""
    record(sidecar.address, [fill(0, fill_time=10), fill(1, fill_time=20)])
    (late,) = record(sidecar.address, [fill(2, price=90, fill_time=5)], late_policy=lotkeeper.LatePolicy.IN_TIME_ORDER)
    assert late.refusal == ""
    with lotkeeper.connect(sidecar.address) as ledger:
        assert [trade.gross_pnl for trade in ledger.list_closed_trades()] == [11]


@both
def test_what_is_said_once_is_for_every_fill(record: Record, sidecar: Sidecar) -> None:
    """The portfolio, and what becomes of quantity beyond the open lots."""
    results = record(
        sidecar.address,
        [fill(0, fee="0.5", order_id="o", fill_time=5), fill(1, quantity=2)],
        portfolio_id="p",
        excess_policy=ExcessPolicy.REJECT,
    )
    assert [result.refusal for result in results] == ["", "INSUFFICIENT_QUANTITY"]
    with lotkeeper.connect(sidecar.address, portfolio="p") as ledger:
        (lot,) = ledger.list_entries()
    assert (lot.side, lot.fee, lot.entry_order_id, lot.entry_time) == (PositionSide.LONG, Decimal("0.5"), "o", 5)


@both
def test_a_fill_that_cannot_be_sent_is_refused_by_name(record: Record, sidecar: Sidecar) -> None:
    """Without an id it could count twice; a float was rounded already."""
    with pytest.raises(ValueError, match="no fill_id"):
        record(sidecar.address, [fill(0, fill_id="")])
    with pytest.raises(TypeError, match="price: 1.5 is a float"):
        record(sidecar.address, [fill(0, price=1.5)])


@both
def test_a_message_that_the_ledger_refuses_is_raised(record: Record, sidecar: Sidecar) -> None:
    """What is wrong with all of it, and not with one fill."""
    with pytest.raises(errors.InvalidRequest) as refused:
        record(sidecar.address, map(fill, range(FILLS * 8)), portfolio_id="p" * 65)
    assert [violation.field for violation in refused.value.violations] == ["portfolio_id"]


@both
def test_a_server_that_dies_and_comes_back_has_every_fill_once(record: Record, sidecar: Sidecar) -> None:
    """It is killed after the first answer, and started again: what was not answered is sent again, and goes on in order."""
    count = FILLS * (AHEAD + 4)

    def killed(result: lotkeeper.FillResult) -> None:
        if result.sequence == FILLS:
            sidecar.kill()
            sidecar.restart()

    results = record(sidecar.address, map(fill, range(count)), killed)
    assert [result.sequence for result in results] == list(range(1, count + 1))
    assert [result.net_pnl for result in results] == [number % 2 for number in range(count)]


@both
def test_a_server_that_shuts_down_and_comes_back_has_every_fill_once(record: Record, sidecar: Sidecar) -> None:
    """It ends the stream, after the answers that it owes."""
    count = FILLS * (AHEAD + 4)

    def stopped(result: lotkeeper.FillResult) -> None:
        if result.sequence == FILLS:
            assert sidecar.stop() == 0
            sidecar.restart()

    results = record(sidecar.address, map(fill, range(count)), stopped)
    assert [result.sequence for result in results] == list(range(1, count + 1))


def test_a_server_that_hangs_is_given_up(sidecar: Sidecar) -> None:
    """After the timeout, with the advice to send it again; and then every fill is there once."""
    fills = list(map(fill, range(10)))
    with lotkeeper.connect(sidecar.address, timeout=WAIT) as ledger:
        assert len(list(ledger.record_fills(fills=fills[:1]))) == 1
        sidecar.signal(signal.SIGSTOP)
        with pytest.raises(errors.DeadlineExceeded, match="send it again with the same fill ids"):
            list(ledger.record_fills(fills=fills, timeout=0.2))
        sidecar.signal(signal.SIGCONT)
        assert [result.sequence for result in ledger.record_fills(fills=fills)] == list(range(1, 11))


async def test_a_server_that_hangs_is_given_up_by_asyncio_too(sidecar: Sidecar) -> None:
    """In the same words."""
    async with lotkeeper.aio.connect(sidecar.address, timeout=WAIT) as ledger:
        assert len([result async for result in ledger.record_fills(fills=[fill(0)])]) == 1
        sidecar.signal(signal.SIGSTOP)
        with pytest.raises(errors.DeadlineExceeded, match="send it again with the same fill ids"):
            _ = [result async for result in ledger.record_fills(fills=[fill(1)], timeout=0.2)]
        sidecar.signal(signal.SIGCONT)


def test_who_leaves_in_the_middle_leaves_a_beginning(sidecar: Sidecar) -> None:
    """The stream ends; what was recorded are the first of the fills, and the same call goes on from there."""
    fills = list(map(fill, range(FILLS * (AHEAD + 4))))
    with lotkeeper.connect(sidecar.address, timeout=WAIT) as ledger:
        results = ledger.record_fills(fills=fills)
        next(results)
        results.close()
        assert [result.sequence for result in ledger.record_fills(fills=fills)] == list(range(1, len(fills) + 1))
