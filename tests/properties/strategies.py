"""What Hypothesis draws fills from: long numbers for the laws, small ones for the oracle that counts units."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hypothesis import strategies as st

from lotkeeperd.domain.book import Direction, Fill

LONGEST = "99999999999999999999.999999999999999999"
LEAST = "0.000000000000000001"

quantities = st.decimals(min_value=LEAST, max_value=LONGEST, places=18)
prices = st.decimals(min_value=0, max_value=LONGEST, places=18)
fees = st.decimals(min_value=f"-{LONGEST}", max_value=LONGEST, places=18)
times = st.integers(0, 5)
"""Few enough that many fills are late and many times are equal."""

long_fills = st.builds(Fill, st.sampled_from(Direction), quantities, prices, fees, times)
"""Anything that the contract takes."""

STEP = Decimal("0.25")
"""A unit of the small fills."""

small_units = st.integers(1, 6)
small_prices = st.decimals(min_value=0, max_value=3, places=2)
small_fees = st.one_of(
    st.just(Decimal(0)),
    st.sampled_from([Decimal(1), Decimal("-0.5"), Decimal("0.1"), Decimal(LEAST), Decimal("-0.000000000000000005")]),
    st.decimals(min_value=-2, max_value=2, places=18),
)


def small_fill(direction: Direction, units: int, price: Decimal, fee: Decimal, time: int) -> Fill:
    """So many units."""
    return Fill(direction, units * STEP, price, fee, time)


small_fills = st.builds(small_fill, st.sampled_from(Direction), small_units, small_prices, small_fees, times)
"""Fills that can be counted unit by unit."""


class Play(NamedTuple):
    """One batch and what becomes of it: with the next ones it waits, until one is flushed or all of them are dropped."""

    fills: list[Fill]
    fate: str


FATES = ("flushed", "waiting", "dropped")

plays = st.lists(st.builds(Play, st.lists(small_fills, min_size=1, max_size=4), st.sampled_from(FATES)), max_size=12)
