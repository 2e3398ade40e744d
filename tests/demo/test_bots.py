"""What the bots trade is a plan: the same for the same prices, and rich enough to try every law."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from lotkeeperd.demo import prices as paths
from lotkeeperd.demo.bots import ROUNDS, TICKS_PER_TRADE, Price, Step, paced, plan

SEED = 11


def path_of(count: int) -> list[Price]:
    """The built-in path as the bots read it."""
    return [Price(price.time, price.bid, price.ask, price.mark) for price in paths.built_in(count, Random(SEED))]


@pytest.mark.parametrize("name", ROUNDS)
def test_a_plan_is_the_same_for_the_same_prices(name: str) -> None:
    """Two runs along one path trade the same fills with the same ids; along another they do not."""
    assert plan(name, path_of(200)) == plan(name, path_of(200))
    assert plan(name, path_of(200)) != plan(name, path_of(199))


@pytest.mark.parametrize("name", ROUNDS)
@pytest.mark.parametrize("count", [paths.MIN_PRICES, 119, 120, 600, 601])
def test_every_fill_has_an_id_of_its_own_and_comes_in_time_order(name: str, count: int) -> None:
    """An id stands for one execution, however often it is delivered."""
    deliveries = [fill for step in plan(name, path_of(count)) for fill in step.deliveries]
    first = list({fill.fill_id: fill for fill in deliveries}.values())

    assert len(set(deliveries)) == len(first)
    assert [fill.fill_id for fill in first] == [f"{name}-{number:05}" for number in range(len(first))]
    assert [fill.time for fill in first] == sorted(fill.time for fill in first)
    assert count // TICKS_PER_TRADE - 1 <= len(first) <= count // TICKS_PER_TRADE + 1


@pytest.mark.parametrize("name", ROUNDS)
def test_some_fills_are_delivered_twice_at_once_and_some_much_later(name: str) -> None:
    """Redelivery comes at once and after the side has turned."""
    deliveries = [fill.fill_id for step in plan(name, path_of(200)) for fill in step.deliveries]
    gaps = {
        place - deliveries.index(fill_id)
        for place, fill_id in enumerate(deliveries)
        if deliveries.index(fill_id) < place
    }

    assert 1 in gaps
    assert any(gap > 5 for gap in gaps)


@pytest.mark.parametrize("name", ROUNDS)
@pytest.mark.parametrize("count", range(paths.MIN_PRICES, 110))
def test_a_bot_never_closes_more_than_it_holds_and_ends_with_something_open(name: str, count: int) -> None:
    """The bot that scales is never short, the one that sells short never long; the check sees open lots at the end."""
    fills = list(dict.fromkeys(fill for step in plan(name, path_of(count)) for fill in step.deliveries))
    held = [sum((fill.signed for fill in fills[: number + 1]), Decimal()) for number in range(len(fills))]

    if name == "scale":
        assert min(held) >= 0
    if name == "short":
        assert max(held) <= 0
    if name == "swing":
        assert min(held) < 0 < max(held)
    else:
        assert held[-1] != 0
    before = [Decimal(), *held]
    assert all(fill.opens is (fill.signed * was >= 0) for fill, was in zip(fills, before, strict=False))


@pytest.mark.parametrize("name", ROUNDS)
def test_fees_are_exact_and_some_are_rebates(name: str) -> None:
    """Every fee has at most eight digits after the point; some are negative."""
    fees = {fill.fee for step in plan(name, path_of(100)) for fill in step.deliveries}

    assert all(fee == fee.quantize(Decimal("0.00000001")) for fee in fees)
    assert any(fee < 0 for fee in fees)
    assert any(fee > 0 for fee in fees)


@pytest.mark.parametrize("price", ["0.00000000000000001", "1.12", "86.655", "46377.0", "99999999999999999999"])
def test_quantities_fit_the_ledger_at_any_price(price: str) -> None:
    """A unit is a power of ten that the contract's 20 integer and 18 fraction digits hold."""
    path = [Price(number, Decimal(price), Decimal(price), Decimal(price)) for number in range(50)]

    for fill in (fill for name in ROUNDS for step in plan(name, path) for fill in step.deliveries):
        whole, _, fraction = f"{abs(fill.signed):f}".partition(".")
        assert len(whole) <= 20
        assert len(fraction) <= 18
        assert fill.signed


def test_a_bot_keeps_its_pace_and_catches_up_after_a_delay() -> None:
    """Steps come at even distances; those overdue after an outage come at once."""
    now, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    steps = [Step(price, ()) for price in path_of(5)]
    for number, _ in enumerate(paced(steps, 10.0, lambda: now[0], sleep)):
        if number == 1:
            now[0] += 5.0  # the ledger was away

    assert slept == [2.0, 1.0]
