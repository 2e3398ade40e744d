"""Lots are read for what is shown, and only when a fill changed it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from lotkeeper import PositionSide
from lotkeeperd.console.lots import Lots
from tests.console.values import FLAT, LONG, lot

OTHER = replace(LONG, symbol="ETH")


def test_what_is_shown_and_open_is_wanted_by_portfolio() -> None:
    """One read per portfolio, each symbol once; flat positions have no lots."""
    hedged = [replace(LONG, portfolio_id="hedge", book_side=side) for side in (PositionSide.LONG, PositionSide.SHORT)]

    assert Lots().wanted([LONG, OTHER, FLAT, *hedged]) == {"scale": ("BTC", "ETH"), "hedge": ("BTC",)}


def test_a_mark_wants_no_lots_and_a_fill_does() -> None:
    """The position's sequence tells them apart."""
    lots = Lots()
    lots.take([replace(LONG, entries=(lot(1),))])

    assert lots.wanted([replace(LONG, mark_price=Decimal(1))]) == {}
    assert lots.wanted([replace(LONG, sequence=LONG.sequence + 1)]) == {"scale": ("BTC",)}
    assert lots.of(LONG) == (lot(1),)
    assert lots.of(OTHER) is None


def test_lots_that_are_newer_than_the_stream_are_kept() -> None:
    """A read may overtake the update that asks for it."""
    lots = Lots()
    lots.take([replace(LONG, sequence=99)])

    assert lots.wanted([LONG]) == {}


def test_what_is_not_shown_is_forgotten() -> None:
    """Memory holds a screen, not a ledger."""
    lots = Lots()
    lots.take([LONG, OTHER])

    lots.keep([LONG])
    assert lots.of(LONG) is not None
    assert lots.of(OTHER) is None

    lots.clear()
    assert lots.of(LONG) is None
