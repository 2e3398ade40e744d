"""Marks grow stale when it is their time, whatever came before."""

from __future__ import annotations

from decimal import Decimal

from lotkeeperd.domain.book import Direction
from lotkeeperd.service.marks import SOURCES, Mark, MarkBoard, Policy

SECOND = 1_000_000_000


def mark(symbol: str, seconds: float, source: str = "feed") -> Mark:
    """A mark observed at a time."""
    return Mark(symbol, Decimal(1), int(seconds * SECOND), source)


def test_the_next_expiry_is_that_of_the_oldest_mark_however_late_it_came() -> None:
    """A mark that is already old when it arrives is due before one that came earlier."""
    board = MarkBoard(Policy(2 * SECOND))
    board.accept([mark("A", 10)], "feed", 10 * SECOND)
    board.accept([mark("B", 8.3)], "feed", 10 * SECOND)

    assert board.next_expiry() == int(10.3 * SECOND)
    assert board.expire(int(10.3 * SECOND)) == ["B"]
    assert [(held.symbol, stale) for held, stale in board.all(())] == [("A", False), ("B", True)]


def test_a_newer_mark_of_a_stale_symbol_is_fresh_again() -> None:
    """It heals by itself, and will grow stale again."""
    board = MarkBoard(Policy(2 * SECOND))
    board.accept([mark("A", 10)], "feed", 10 * SECOND)
    assert board.expire(12 * SECOND) == ["A"]

    assert board.accept([mark("A", 13)], "feed", 13 * SECOND) == ["A"]

    assert not board.is_stale("A")
    assert board.next_expiry() == 15 * SECOND


# Several sources of one symbol.


def counts(board: MarkBoard, symbol: str = "A") -> tuple[str, bool]:
    """The source whose mark counts, and whether it is stale."""
    held = board.newest(symbol)
    assert held is not None
    return held.source, board.is_stale(symbol)


def preferring(*sources: str, **ages: int) -> MarkBoard:
    """Marks are fresh for 2 s, or as long as ``ages`` says in seconds."""
    return MarkBoard(Policy(2 * SECOND, sources, {name: age * SECOND for name, age in ages.items()}))


def test_the_preferred_source_counts_however_old_it_is_beside_the_others() -> None:
    """As long as it is fresh; a source that is not named comes after all that are."""
    board = preferring("best", "next")
    board.accept([mark("A", 10, "best")], "best", 10 * SECOND)
    board.accept([mark("A", 11, "next")], "next", 11 * SECOND)
    board.accept([mark("A", 11.5, "other")], "other", int(11.5 * SECOND))
    assert counts(board) == ("best", False)


def test_a_preferred_source_that_grows_stale_is_replaced_and_comes_back() -> None:
    """By the next that is fresh, at the time it grows stale; and its next mark counts again."""
    board = preferring("best", "next")
    board.accept([mark("A", 10, "best")], "best", 10 * SECOND)
    board.accept([mark("A", 11, "next")], "next", 11 * SECOND)
    assert board.expire(12 * SECOND) == ["A"]
    assert counts(board) == ("next", False)

    board.accept([mark("A", 12.5, "best")], "best", int(12.5 * SECOND))
    assert counts(board) == ("best", False)


def test_of_stale_marks_the_newest_counts() -> None:
    """Whoever sent it: preference is for prices that can be believed."""
    board = preferring("best", "next")
    board.accept([mark("A", 10, "best")], "best", 10 * SECOND)
    board.accept([mark("A", 11, "next")], "next", 11 * SECOND)
    board.expire(13 * SECOND)
    assert counts(board) == ("next", True)


def test_each_source_has_an_age_of_its_own() -> None:
    """A fast feed is stale after a second, a slow one after ten."""
    board = preferring(fast=1, slow=10)
    board.accept([mark("A", 10, "fast")], "fast", 10 * SECOND)
    board.accept([mark("B", 10, "slow")], "slow", 10 * SECOND)
    assert board.next_expiry() == 11 * SECOND
    assert board.expire(11 * SECOND) == ["A"]
    assert board.next_expiry() == 20 * SECOND
    assert board.expire(20 * SECOND) == ["B"]


def test_a_source_that_is_lost_has_no_fresh_mark_until_it_sends_one() -> None:
    """Symbol by symbol: that one price has come again says nothing of the others."""
    board = preferring()
    board.accept([mark("A", 10), mark("B", 10)], "feed", 10 * SECOND)
    assert board.lost("feed", "reset by peer", dropped=True) == ["A", "B"]
    assert (counts(board, "A"), counts(board, "B")) == (("feed", True), ("feed", True))
    (state,) = board.sources()
    assert (state.connected, state.reconnect_count, state.last_error) == (False, 1, "reset by peer")

    board.accept([mark("A", 11)], "feed", 11 * SECOND)
    assert (counts(board, "A"), counts(board, "B")) == (("feed", False), ("feed", True))
    (state,) = board.sources()
    assert (state.connected, state.reconnect_count, state.last_error) == (True, 1, "")
    assert board.expire(13 * SECOND) == ["A"]


def test_a_source_that_is_lost_again_and_again_is_looked_at_once() -> None:
    """However often it heals, one symbol of one source has one expiry."""
    board = preferring()
    for second in range(10, 30):
        board.accept([mark("A", second)], "feed", second * SECOND)
        board.lost("feed", "cut", dropped=True)
    board.accept([mark("A", 30)], "feed", 30 * SECOND)
    assert board.expire(31 * SECOND) == []
    assert board.expire(32 * SECOND) == ["A"]
    assert board.next_expiry() is None


def test_a_source_that_never_connected_is_listed() -> None:
    """Not connected, without a time; attempts that fail are no lost connections."""
    board = preferring()
    board.expected("feed")
    assert board.lost("feed", "refused", dropped=False) == []
    (state,) = board.sources()
    assert (state.connected, state.message_count, state.reconnect_count, state.last_error) == (False, 0, 0, "refused")


def test_a_long_is_worth_its_bid_and_a_short_its_ask() -> None:
    """Where the source says so, as far as it has them; others are worth the price."""
    quoted = Mark("A", Decimal(10), SECOND, "feed", Decimal(9), Decimal(11), by_side=True)
    assert [quoted.price_for(side) for side in (Direction.LONG, Direction.SHORT, None)] == [9, 11, 10]
    assert quoted._replace(bid=None).price_for(Direction.LONG) == 10
    assert quoted._replace(by_side=False).price_for(Direction.LONG) == 10


def test_a_price_that_is_withdrawn_is_stale_until_the_next_one() -> None:
    """Its venue says that there is none; another source takes over, and of others nothing is said."""
    board = preferring("best")
    board.accept([mark("A", 10, "best"), mark("B", 10, "best")], "best", 10 * SECOND)
    assert board.withdrawn("A", "best") == ["A"]
    assert (counts(board, "A"), counts(board, "B")) == (("best", True), ("best", False))
    assert board.withdrawn("A", "best") == board.withdrawn("C", "best") == []

    board.accept([mark("A", 9.5, "next")], "next", 10 * SECOND)
    assert counts(board) == ("next", False)
    board.accept([mark("A", 10.5, "best")], "best", int(10.5 * SECOND))
    assert counts(board) == ("best", False)


def test_a_clock_that_is_ahead_does_not_win_over_the_others() -> None:
    """An observation from the future counts as no newer than its arrival."""
    board = preferring()
    board.accept([mark("A", 14, "ahead")], "ahead", 10 * SECOND)
    board.accept([mark("A", 11, "exact")], "exact", 11 * SECOND)
    assert counts(board) == ("exact", False)
    board.accept([mark("A", 15.5, "ahead")], "ahead", int(11.5 * SECOND))
    assert counts(board) == ("ahead", False)


def test_a_source_far_ahead_is_held_against_its_own_times() -> None:
    """Some of its times are within the tolerance and some are not: none of them is older than the one before."""
    board = preferring()
    sent = [(15.2, 10), (15.3, 10.4), (15.5, 10.45)]  # 5.2, 4.9 and 5.05 s ahead
    assert [board.accept([mark("A", ahead)], "feed", int(now * SECOND)) for ahead, now in sent] == [["A"]] * 3
    assert board.accept([mark("A", 15.4)], "feed", int(10.5 * SECOND)) == []


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    """What is held lies in the future: it drops nothing that comes now, is old, and heals with the next mark."""
    board = preferring()
    board.accept([mark("A", 4000), mark("B", 4000)], "feed", 4000 * SECOND)
    assert board.accept([mark("A", 400)], "feed", 400 * SECOND) == ["A"]
    assert board.set_back(400 * SECOND) == ["B"]
    assert (counts(board, "A"), counts(board, "B")) == (("feed", False), ("feed", True))
    assert board.expire(402 * SECOND) == ["A"]

    board.accept([mark("B", 403)], "feed", 403 * SECOND)
    assert counts(board, "B") == ("feed", False)
    assert board.expire(405 * SECOND) == ["B"]
    assert board.expire(5000 * SECOND) == []


def test_of_many_sources_the_one_that_was_silent_longest_is_forgotten() -> None:
    """With its marks; those of the configuration stay whatever they do."""
    board = preferring()
    board.expected("configured")
    for number in range(SOURCES):
        assert board.make_room(f"s{number}") == []
        board.accept(
            [mark(f"only {number}", number, f"s{number}"), mark("A", number, f"s{number}")],
            f"s{number}",
            number * SECOND,
        )
    board.accept([mark("A", SOURCES, "s0")], "s0", SOURCES * SECOND)

    assert board.make_room("s0") == []
    assert board.make_room("new") == ["only 1"]
    board.accept([mark("A", SOURCES, "new")], "new", SOURCES * SECOND)

    names = {source.name for source in board.sources()}
    assert len(names) == SOURCES + 1
    assert {"configured", "s0", "s2", "new"} <= names
    assert "s1" not in names
    assert board.newest("only 1") is None
    assert board.expire(1000 * SECOND)


def test_a_source_whose_mark_counted_is_forgotten_with_it() -> None:
    """The next best of its symbol counts then."""
    board = preferring("s0")
    for number in range(SOURCES):
        board.accept([mark("A", 10, f"s{number}")], f"s{number}", 10 * SECOND)
    assert counts(board) == ("s0", False)
    assert board.make_room("new") == ["A"]
    assert counts(board)[0] != "s0"
