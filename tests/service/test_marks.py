"""Marks grow stale when it is their time, whatever came before."""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.service.marks import Mark, MarkBoard

SECOND = 1_000_000_000


def mark(symbol: str, seconds: float, source: str = "feed") -> Mark:
    """A mark observed at a time."""
    return Mark(symbol, Decimal(1), int(seconds * SECOND), source)


def test_the_next_expiry_is_that_of_the_oldest_mark_however_late_it_came() -> None:
    """A mark that is already old when it arrives is due before one that came earlier."""
    board = MarkBoard(2 * SECOND)
    board.accept([mark("A", 10)], "feed", 10 * SECOND)
    board.accept([mark("B", 8.3)], "feed", 10 * SECOND)

    assert board.next_expiry() == int(10.3 * SECOND)
    assert board.expire(int(10.3 * SECOND)) == ["B"]
    assert [(held.symbol, stale) for held, stale in board.all(())] == [("A", False), ("B", True)]


def test_a_newer_mark_of_a_stale_symbol_is_fresh_again() -> None:
    """It heals by itself, and will grow stale again."""
    board = MarkBoard(2 * SECOND)
    board.accept([mark("A", 10)], "feed", 10 * SECOND)
    assert board.expire(12 * SECOND) == ["A"]

    assert board.accept([mark("A", 13)], "feed", 13 * SECOND) == ["A"]

    assert not board.is_stale("A")
    assert board.next_expiry() == 15 * SECOND
