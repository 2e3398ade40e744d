"""Both clients against a real sidecar: cash, corrections, explanations, terms, views and groups."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lotkeeper
from lotkeeper import (
    Charge,
    Deposit,
    Heartbeat,
    LatePolicy,
    Liquidation,
    LotMethod,
    Money,
    PositionMode,
    PositionSide,
    Side,
    Split,
    Update,
    Withdrawal,
    errors,
)
from tests.client.callers import CALLERS, Caller
from tests.support.sidecar import Sidecar

LONGEST_WAIT = 60
CORRECTED = 30
START = dt.datetime(2025, 3, 3, 15, tzinfo=dt.UTC)
COIN = "BTC-USD"

Ask = Callable[..., Any]
both = pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: type(caller).__name__)


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """An empty ledger on a socket that stays the same when it is started again."""
    with Sidecar(str(tmp_path / "ledger.db"), listen=f"unix:{tmp_path}/ledger.sock") as running:
        yield running


def asking(caller: Caller, sidecar: Sidecar) -> Ask:
    """Calls of one client to the sidecar, by name."""
    return lambda method, **arguments: caller.call(sidecar.address, method, **arguments)


def bought(ask: Ask, fill_id: str, price: int | str, quantity: int = 1, at: int = 0, **others: Any) -> Any:
    """A lot, ``at`` seconds after the start."""
    return ask(
        "create_entry",
        symbol=COIN,
        quantity=quantity,
        entry_price=price,
        entry_fill_id=fill_id,
        entry_time=START + dt.timedelta(seconds=at),
        **others,
    )


def sold(ask: Ask, fill_id: str, price: int | str, quantity: int = 1, at: int = 60, **others: Any) -> Any:
    """The oldest lots closed, ``at`` seconds after the start."""
    return ask(
        "close_fifo",
        symbol=COIN,
        quantity=quantity,
        exit_price=price,
        exit_fill_id=fill_id,
        exit_time=START + dt.timedelta(seconds=at),
        **others,
    )


@both
def test_cash_moves_once_however_often_it_is_told(caller: Caller, sidecar: Sidecar) -> None:
    """1,000 in, 200 out and a fee of 5 leave 795, in the answer, the totals and the list."""
    ask = asking(caller, sidecar)
    ask("deposit", currency="USD", amount=1000, event_id="d1")
    assert ask("deposit", currency="USD", amount="1000.00", event_id="d1").replayed
    ask("withdraw", currency="USD", amount=200, event_id="w1")
    last = ask("charge", currency="USD", amount=5, event_id="c1", note="market data")
    assert last.cash == (Money(currency="USD", amount=Decimal(795)),)
    (totals,) = ask("get_summary").totals
    assert (totals.cash, totals.charged_fees, totals.total_value) == (Decimal(795), Decimal(5), Decimal(795))
    assert [type(event.event) for event in ask("list_events")] == [Deposit, Withdrawal, Charge]
    with pytest.raises(errors.Conflict):
        ask("deposit", currency="USD", amount=1001, event_id="d1")


@both
def test_a_split_keeps_what_the_lots_cost(caller: Caller, sidecar: Sidecar) -> None:
    """2 at 300 become 6 at 100."""
    ask = asking(caller, sidecar)
    ask("create_entry", symbol="SPY", quantity=2, entry_price=300, entry_fill_id="f1")
    answer = ask("split", symbol="SPY", numerator=3, denominator=1, event_id="s1")
    (position,) = answer.positions
    assert (position.total_quantity, position.average_entry_price) == (Decimal(6), Decimal(100))
    assert position.cost_basis == Decimal(600)
    (event,) = ask("list_events", symbol="SPY")
    assert event.event == Split(symbol="SPY", numerator=3, denominator=1, cash_in_lieu=None)


@both
def test_what_is_received_and_paid_is_summed_by_its_kind(caller: Caller, sidecar: Sidecar) -> None:
    """Funding of a perpetual, interest and a dividend are no price P&L, and all of them are cash."""
    ask = asking(caller, sidecar)
    perpetual = lotkeeper.InstrumentKind.PERPETUAL
    ask("define_instrument", request_id="r1", symbol="BTC-PERP", kind=perpetual, multiplier=1)
    ask("funding", symbol="BTC-PERP", currency="USD", amount="-1.25", event_id="f1")
    ask("interest", currency="USD", amount="-0.5", event_id="i1")
    ask("dividend", symbol="SPY", currency="USD", amount="3.5", event_id="d1")
    (totals,) = ask("get_summary").totals
    assert (totals.funding, totals.interest, totals.dividends) == (Decimal("-1.25"), Decimal("-0.5"), Decimal("3.5"))
    assert (totals.cash, totals.gross_realized_pnl) == (Decimal("1.75"), Decimal(0))


@both
def test_a_fee_that_comes_later_restates_the_trades_it_belongs_to(caller: Caller, sidecar: Sidecar) -> None:
    """Until then they say that they are provisional."""
    ask = asking(caller, sidecar)
    ask("create_portfolio", request_id="r1", portfolio_id="f", fees_later=True)
    bought(ask, "f1", 100, portfolio_id="f", fee=0)
    assert sold(ask, "f2", 110, portfolio_id="f").closed_trades[0].provisional
    fee: dict[str, Any] = {"symbol": COIN, "fill_id": "f2", "fee": "0.3", "fee_currency": "USD"}
    ((was, now),) = [
        (each.before, each.after) for each in ask("fill_fee", event_id="b1", portfolio_id="f", **fee).restated_trades
    ]
    assert (was.net_pnl, now.net_pnl, now.exit_fee) == (Decimal(10), Decimal("9.7"), Decimal("0.3"))
    assert (was.provisional, now.provisional) == (True, False)


@both
def test_a_put_that_is_exercised_sells_the_underlying_at_its_strike(caller: Caller, sidecar: Sidecar) -> None:
    """Its own lots close at zero; what it cost is lost."""
    ask = asking(caller, sidecar)
    ask("create_entry", symbol="SPY", quantity=100, entry_price=390, entry_fill_id="f1")
    put: dict[str, Any] = {"symbol": "SPY251219P00400000"}
    ask("create_entry", quantity=1, entry_price=5, entry_fill_id="f2", **put)
    answer = ask("exercise", event_id="x1", **put)
    assert {trade.symbol: trade.gross_pnl for trade in answer.closed_trades} == {
        "SPY251219P00400000": Decimal(-500),
        "SPY": Decimal(1000),
    }
    assert all(position.side is PositionSide.FLAT for position in answer.positions)


@both
def test_a_liquidation_closes_the_book_it_names(caller: Caller, sidecar: Sidecar) -> None:
    """The long one of two; in a netting portfolio there is only one."""
    ask = asking(caller, sidecar)
    ask("create_portfolio", request_id="r1", portfolio_id="h", position_mode=PositionMode.HEDGING)
    forced: dict[str, Any] = {"symbol": COIN, "side": Side.SELL, "quantity": 1, "price": 90, "fill_id": "x1"}
    for portfolio, side in (("h", PositionSide.LONG), ("n", PositionSide.UNSPECIFIED)):
        bought(ask, "f1", 100, portfolio_id=portfolio)
        told = {"event_id": "l1", "portfolio_id": portfolio, "position_side": side}
        answer = ask("liquidation", event_time=START + dt.timedelta(seconds=1), **forced, **told)
        assert [trade.gross_pnl for trade in answer.closed_trades] == [Decimal(-10)]
        (event,) = ask("list_events", portfolio_id=portfolio)
        assert isinstance(event.event, Liquidation)
        assert (event.event.fill.fill_id, event.event.fill.price) == ("x1", Decimal(90))


@both
def test_a_bust_of_everything_is_flat_and_zero(caller: Caller, sidecar: Sidecar) -> None:
    """The exit first; the entry before it would leave the exit without a lot."""
    ask = asking(caller, sidecar)
    bought(ask, "f1", 100, quantity=2)
    (trade,) = sold(ask, "f2", 110).closed_trades
    with pytest.raises(errors.LaterCommandRefused) as refused:
        ask("bust_fill", request_id="r1", symbol=COIN, fill_id="f1")
    assert refused.value.metadata["fill_id"] == "f2"
    exit_gone = ask("bust_fill", request_id="r2", symbol=COIN, fill_id="f2", reason="cancelled")
    assert exit_gone.net_pnl_change == Decimal(-10)
    assert [(each.before.trade_id, each.after) for each in exit_gone.restated_trades] == [(trade.trade_id, None)]
    assert exit_gone.position.total_quantity == Decimal(2)
    assert ask("bust_fill", request_id="r2", symbol=COIN, fill_id="f2", reason="cancelled").replayed
    with pytest.raises(errors.FillBusted):
        ask("bust_fill", request_id="r3", symbol=COIN, fill_id="f2")
    flat = ask("bust_fill", request_id="r4", symbol=COIN, fill_id="f1").position
    assert (flat.side, flat.net_realized_pnl, flat.cost_basis) == (PositionSide.FLAT, 0, 0)
    with pytest.raises(errors.FillNotFound):
        ask("bust_fill", request_id="r5", symbol=COIN, fill_id="f9")


@both
def test_a_correction_restates_the_trades_it_touches(caller: Caller, sidecar: Sidecar) -> None:
    """Bought at 101 and not at 100: 2 units made 2 less; the old trade keeps its id and is listed when asked for."""
    ask = asking(caller, sidecar)
    bought(ask, "f1", 100, quantity=2)
    (before,) = sold(ask, "f2", 110, quantity=2).closed_trades
    answer = ask("correct_fill", request_id="r1", symbol=COIN, fill_id="f1", price=101)
    assert answer.net_pnl_change == Decimal(-2)
    ((was, now),) = [(each.before, each.after) for each in answer.restated_trades]
    assert (was.trade_id, was.superseded_by, now.gross_pnl) == (before.trade_id, now.trade_id, Decimal(18))
    assert [trade.trade_id for trade in ask("list_closed_trades")] == [now.trade_id]
    listed = ask("list_closed_trades", include_superseded=True)
    assert {trade.trade_id for trade in listed} == {before.trade_id, now.trade_id}


@both
def test_a_late_entry_in_time_order_is_what_it_would_have_been(caller: Caller, sidecar: Sidecar) -> None:
    """The sale at 130 took the lot at 100; it takes the one at 90 that was bought before it."""
    ask = asking(caller, sidecar)
    ask("create_portfolio", request_id="r1", portfolio_id="l")
    bought(ask, "f1", 100, at=10, portfolio_id="l")
    sold(ask, "f2", 130, portfolio_id="l")
    late = bought(ask, "f0", 90, at=0, portfolio_id="l", late_policy=LatePolicy.IN_TIME_ORDER)
    ((was, now),) = [(each.before, each.after) for each in late.restated_trades]
    assert (was.gross_pnl, now.gross_pnl, now.entry_fill_id) == (Decimal(30), Decimal(40), "f0")
    assert late.position.average_entry_price == Decimal(100)


@both
def test_a_figure_is_explained_to_the_digit(caller: Caller, sidecar: Sidecar) -> None:
    """The changes of all lines, over all pages, are the figures of the position, and of the trade."""
    ask = asking(caller, sidecar)
    for number in range(5):
        bought(ask, f"f{number}", 100 + number, at=number, fee="0.1")
    (trade,) = sold(ask, "x1", 110, fee="0.2").closed_trades
    ask("correct_fill", request_id="r1", symbol=COIN, fill_id="f0", price="99.5")
    lines = ask("explain_position", symbol=COIN, page_size=2)
    (position,) = ask("get_summary").positions
    assert sum(line.quantity_change for line in lines) == position.total_quantity
    assert sum(line.cost_change for line in lines) == position.cost_basis
    assert sum(line.gross_pnl_change for line in lines) == position.gross_realized_pnl == Decimal("10.5")
    assert sum(line.fees_change for line in lines) == position.realized_fees
    assert sum(line.open_fees_change for line in lines) == position.open_fees
    (now,) = ask("list_closed_trades")
    why = ask("explain_trade", trade_id=now.trade_id)
    assert why.trade == now
    assert sum(line.gross_pnl_change for line in why.lines) == now.gross_pnl
    assert [each.trade_id for each in why.superseded_trades] == [trade.trade_id]
    with pytest.raises(errors.TradeNotFound):
        ask("explain_trade", trade_id="nobody's")


@both
def test_a_hedging_portfolio_holds_both_sides(caller: Caller, sidecar: Sidecar) -> None:
    """It is agreed before the first record and not after it, and closed when nothing is open."""
    ask = asking(caller, sidecar)
    cash = {"USD": Decimal(1000)}
    terms: dict[str, Any] = {"portfolio_id": "h", "position_mode": PositionMode.HEDGING, "initial_cash": cash}
    made = ask("create_portfolio", request_id="r1", **terms)
    assert made.portfolio.initial_cash == (Money(currency="USD", amount=Decimal(1000)),)
    with pytest.raises(errors.PortfolioExists):
        ask("create_portfolio", request_id="r2", portfolio_id="h")
    bought(ask, "f1", 100, portfolio_id="h")
    bought(ask, "f2", 101, portfolio_id="h", side=PositionSide.SHORT)
    positions = ask("get_summary", portfolio_id="h").positions
    assert {position.book_side for position in positions} == {PositionSide.LONG, PositionSide.SHORT}
    with pytest.raises(errors.PortfolioInUse) as in_use:
        ask("update_portfolio", request_id="r3", portfolio_id="h", position_mode=PositionMode.NETTING)
    assert in_use.value.metadata["field"] == "position_mode"
    with pytest.raises(errors.PortfolioNotEmpty):
        ask("close_portfolio", request_id="r4", portfolio_id="h")
    ask("update_portfolio", request_id="r5", portfolio_id="h", description="both ways")
    ask("create_portfolio", request_id="r6", portfolio_id="e")
    assert ask("close_portfolio", request_id="r7", portfolio_id="e").portfolio.closed
    with pytest.raises(errors.PortfolioClosed):
        bought(ask, "f3", 100, portfolio_id="e")
    assert [each.description for each in ask("list_portfolios", portfolio_ids=["h", "e"])] == ["both ways"]
    assert len(ask("list_portfolios", portfolio_ids=["h", "e"], include_closed=True)) == 2


@both
def test_an_instrument_is_what_it_was_declared_to_be(caller: Caller, sidecar: Sidecar) -> None:
    """A multiplier of 50 makes a point worth 50, and stays while lots are open."""
    ask = asking(caller, sidecar)
    terms: dict[str, Any] = {"symbol": "ESZ5", "kind": lotkeeper.InstrumentKind.FUTURE, "expiry": dt.date(2025, 12, 19)}
    trade: dict[str, Any] = {"symbol": "ESZ5", "quantity": 1}
    made = ask("define_instrument", request_id="r1", multiplier=50, **terms)
    assert (made.instrument.multiplier, made.instrument.expiry) == (Decimal(50), dt.date(2025, 12, 19))
    ask("create_entry", entry_price=6000, entry_fill_id="f1", **trade)
    with pytest.raises(errors.InstrumentInUse):
        ask("define_instrument", request_id="r2", multiplier=5, **terms)
    assert ask("close_fifo", exit_price="6001.5", exit_fill_id="f2", **trade).net_pnl == Decimal(75)
    assert [each.symbol for each in ask("list_instruments", symbols=["ESZ5"])] == ["ESZ5"]


@both
def test_lots_are_chosen_one_by_one(caller: Caller, sidecar: Sidecar) -> None:
    """Where the portfolio's lot method says so."""
    ask = asking(caller, sidecar)
    ask("create_portfolio", request_id="r1", portfolio_id="c", lot_method=LotMethod.CHOSEN)
    lots = [bought(ask, f"f{price}", price, portfolio_id="c").entry for price in (100, 110, 120)]
    chosen = {lots[2].entry_id: 1, lots[0].entry_id: 1}
    closed = sold(ask, "x1", 130, quantity=2, portfolio_id="c", lots=chosen).closed_trades
    assert [trade.entry_id for trade in closed] == list(chosen)
    with pytest.raises(errors.LotNotOpen):
        sold(ask, "x2", 130, portfolio_id="c", lots={lots[0].entry_id: 1})


@both
def test_the_same_executions_are_seen_by_another_method_and_at_another_time(caller: Caller, sidecar: Sidecar) -> None:
    """LIFO beside FIFO, and the state before the sale at a mark of the caller's; nothing is written."""
    ask = asking(caller, sidecar)
    ask("create_portfolio", request_id="r1", portfolio_id="v")
    bought(ask, "f1", 100, portfolio_id="v")
    second = bought(ask, "f2", 120, portfolio_id="v", at=1)
    sold(ask, "f3", 130, portfolio_id="v")
    for method, realized in ((LotMethod.UNSPECIFIED, 30), (LotMethod.LIFO, 10), (LotMethod.AVERAGE, 20)):
        (position,) = ask("get_summary", portfolio_id="v", lot_method=method).positions
        assert position.gross_realized_pnl == Decimal(realized)
    past: dict[str, Any] = {"portfolio_id": "v", "as_of_sequence": second.sequence}
    (unpriced,) = ask("get_summary", **past).positions
    (priced,) = ask("get_summary", **past, marks={COIN: 125}).positions
    assert (unpriced.unrealized_pnl, priced.unrealized_pnl) == (None, Decimal(30))


@both
def test_the_legs_of_a_group_have_one_p_and_l(caller: Caller, sidecar: Sidecar) -> None:
    """A put bought at 13.20 and another sold at 21.00 are a credit of 780 a contract."""
    ask = asking(caller, sidecar)
    ask("create_portfolio", request_id="r1", portfolio_id="g")
    legs = (("SPY251219P00400000", PositionSide.LONG, "13.20"), ("SPY251219P00420000", PositionSide.SHORT, "21"))
    for symbol, side, price in legs:
        ask(
            "create_entry",
            symbol=symbol,
            side=side,
            quantity=1,
            entry_price=price,
            entry_fill_id=symbol,
            group_id="spread",
            portfolio_id="g",
        )
    (group,) = ask("get_summary", portfolio_id="g", include_groups=True).groups
    assert (group.entry_credit_per_contract, group.contracts) == (Decimal(780), Decimal(1))
    assert [leg.entry_credit for leg in group.legs] == [Decimal(-1320), Decimal(2100)]


def restatements(events: list[lotkeeper.PnLEvent]) -> list[tuple[str, str]]:
    """The restated trades of a stream: the id before and the id after."""
    updates = [event for event in events if isinstance(event, Update)]
    return [ids_of(told) for event in updates for told in event.restated_trades]


def ids_of(told: lotkeeper.RestatedTrade) -> tuple[str, str]:
    """Empty where there is none."""
    return told.before.trade_id if told.before else "", told.after.trade_id if told.after else ""


def corrected_and_busted(ledger: lotkeeper.Ledger, number: int) -> list[tuple[str, str]]:
    """A trade that is corrected and then taken back; the ids of what the answers say was restated."""
    trade: dict[str, Any] = {"symbol": COIN, "quantity": 1}
    ledger.create_entry(entry_price=100, entry_fill_id=f"e{number}", **trade)
    ledger.close_fifo(exit_price=110, exit_fill_id=f"x{number}", **trade)
    corrected = ledger.correct_fill(request_id=f"r{number}", symbol=COIN, fill_id=f"x{number}", price=109)
    busted = ledger.bust_fill(request_id=f"b{number}", symbol=COIN, fill_id=f"x{number}")
    return [ids_of(each) for answer in (corrected, busted) for each in answer.restated_trades]


@both
def test_every_restated_trade_comes_once_through_a_kill(caller: Caller, sidecar: Sidecar) -> None:
    """The bot goes on correcting, the stream goes on reading, and neither does anything about it."""
    started, over = threading.Event(), threading.Event()
    head = 0

    def told(event: lotkeeper.PnLEvent) -> bool:
        started.set()
        return over.is_set() and isinstance(event, Heartbeat) and event.sequence >= head

    with ThreadPoolExecutor() as pool, lotkeeper.connect(sidecar.address, timeout=LONGEST_WAIT) as ledger:
        following = pool.submit(caller.follow, sidecar.address, 10**6, told, heartbeat_interval=0.5)
        assert started.wait(LONGEST_WAIT)
        expected = []
        try:
            for number in range(CORRECTED):
                if number == CORRECTED // 2:
                    sidecar.kill()
                    sidecar.restart()
                expected += corrected_and_busted(ledger, number)
            head = ledger.get_summary().sequence
        finally:
            over.set()
        events = following.result(LONGEST_WAIT)
    assert restatements(events) == expected
    assert len(expected) == 2 * CORRECTED
