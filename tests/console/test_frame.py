"""What stands on the screen, line by line, for a state, a choice, a time and a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeper import FeedStatus, Position, PositionSide, Time
from lotkeeperd.console.board import Board
from lotkeeperd.console.choice import Choice, Sort
from lotkeeperd.console.frame import LOTS_OF_A_POSITION, PLAIN_POSITIONS, SILENCE, Frame, Known, Size, frame
from lotkeeperd.console.layout import Tone, text_of, width_of
from lotkeeperd.console.link import Link, after
from lotkeeperd.console.lots import Lots
from tests.console.values import FLAT, LONG, SECOND, closed_trade, feed, group, lost, lot, snapshot, update

NOW = 10 * SECOND
SHORT = replace(
    LONG,
    symbol="ETH",
    side=PositionSide.SHORT,
    total_quantity=Decimal(2),
    unrealized_pnl=Decimal(30),
    mark_price=Decimal(3400),
    mark_time=Time(4 * SECOND),
    mark_stale=True,
)
PARTS = (
    "scale     BTC",
    "P-17",
    "scale     total USD",
    "scale USD: cash 8,200.00; total value 9,000.00",
    "closed scale BTC",
)
NAMES = ("scale", "swing", "third", "fourth")


def known(*positions: Position, feeds: Sequence[FeedStatus] = (), lots: Lots | None = None) -> Known:
    """A state after one snapshot that came 1 s ago."""
    board = Board()
    board.take(snapshot(*positions))
    link = after(Link(since=0), snapshot(*positions), NOW - SECOND)._replace(lag=4_000_000)
    return Known("127.0.0.1:50051", board, link, lots or Lots(), feeds)


def texts(made: Frame) -> list[str]:
    """The lines of a frame."""
    return [text_of(line) for line in made.lines]


def tone_of(made: Frame, text: str) -> Tone:
    """The tone of the first cell with this text."""
    return next(cell.tone for line in made.lines for cell in line if cell.text.strip() == text)


def many(count: int) -> list[Position]:
    """Positions of one portfolio, by number."""
    return [replace(LONG, symbol=f"S{number:04}") for number in range(count)]


def test_a_frame_of_80_columns() -> None:
    """The whole of it."""
    made = frame(known(LONG, SHORT, FLAT, feeds=[feed("bybit")]), Choice(), NOW, Size(80, 16))

    assert texts(made) == [
        "connected to 127.0.0.1:50051; lag 4 ms; journal 3; 0 trades closed",
        "portfolio symbol     quantity       mark   age source  unrealized net realized",
        "scale     BTC             1.5  45,992.00    9s scale       -12.34     1,230.07",
        "swing     BTC                                                         1,230.07",
        "scale     ETH              -2  3,400.000    6s scale        30.00     1,230.07",
        "(all)     total USD                                         17.66     2,460.13",
        "scale     total USD                                         30.00     1,230.07",
        "swing     total USD                                        -12.34     1,230.07",
        "feed bybit  connected  heard 9s ago  1,200 messages  0 reconnects",
        "",
        "",
        "",
        "",
        "",
        "",
        "3 positions, by symbol   s sort  l lots  / filter  ? help  q quit",
    ]


def test_a_wide_terminal_shows_more() -> None:
    """Side, average, value at the mark, fees and gross, where there is room."""
    head, row = texts(frame(known(LONG), Choice(), NOW, Size(160, 24)))[1:3]

    assert head.split("  ")[-1].strip() == "net realized"
    for name in ("side", "average", "value", "fees", "gross realized"):
        assert name in head
    for figure in ("LONG", "46,000.33", "68,988.16", "4.50", "1,234.57"):
        assert figure in row


def test_ages_grow_while_nothing_comes() -> None:
    """The same state a minute later."""
    state = known(LONG, feeds=[feed("bybit")])

    later = texts(frame(state, Choice(), NOW + 60 * SECOND, Size(120, 24)))

    assert " 69s " in later[2]
    assert "heard 69s ago" in "\n".join(later)
    assert "silent for 61s" in later[0]


@pytest.mark.parametrize(("waited", "silent"), [(SILENCE, False), (SILENCE + 1, True)])
def test_a_connection_without_heartbeats_is_said_to_be_silent(waited: int, silent: bool) -> None:
    """Before the client itself gives it up."""
    made = frame(known(LONG), Choice(), NOW - SECOND + waited, Size(120, 24))

    assert ("silent" in texts(made)[0]) is silent


def test_colour_says_gain_loss_stale_and_flat() -> None:
    """Green and red P&L, red age of a stale mark, dim flat."""
    made = frame(known(LONG, SHORT, FLAT), Choice(), NOW, Size(120, 24))

    assert tone_of(made, "30.00") is Tone.GOOD
    assert tone_of(made, "-12.34") is Tone.BAD
    assert (tone_of(made, "6s"), tone_of(made, "9s")) == (Tone.BAD, Tone.PLAIN)
    flat = next(line for line in made.lines if text_of(line).startswith("swing "))
    assert {cell.tone for cell in flat if cell.text.strip()} == {Tone.DIM}


def test_unknown_is_shown_as_unknown() -> None:
    """Law 12, in the row and in how many the total lacks."""
    unpriced = replace(LONG, unrealized_pnl=None, mark_price=None, mark_time=None, mark_source="")
    state = known(unpriced)
    totals = state.board.totals[0]
    counted = replace(totals, totals=(replace(totals.totals[0], unpriced_count=1, stale_count=2),))
    state.board.take(replace(snapshot(unpriced), totals=(counted,)))

    row, _, total = texts(frame(state, Choice(), NOW, Size(80, 24)))[2:5]

    assert row.split() == ["scale", "BTC", "1.5", "unknown", "1,230.07"]
    assert total.split() == ["scale", "total", "USD", "1", "unpriced", "2", "stale", "unknown", "1,230.07"]


def test_connecting_reconnecting_and_back_are_said() -> None:
    """For how long, and how old the figures are; nothing shines meanwhile."""
    state = known(LONG)
    gone = state._replace(link=after(state.link, lost(), NOW))
    made = frame(gone, Choice(), NOW + 5 * SECOND, Size(80, 24))

    assert texts(made)[0] == "reconnecting to 127.0.0.1:50051 for 5s; figures are 6s old; gone"
    assert {cell.tone for cell in made.lines[2] if cell.text.strip()} == {Tone.DIM}

    fresh = Known("127.0.0.1:50051", Board(), Link(since=NOW), Lots())
    assert texts(frame(fresh, Choice(), NOW + SECOND, Size(80, 24)))[0] == "connecting to 127.0.0.1:50051 for 1s"
    back = gone._replace(link=after(gone.link, snapshot(LONG), NOW))
    assert "lost 1 time" in texts(frame(back, Choice(), NOW, Size(120, 24)))[0]


def test_trouble_with_a_read_is_said() -> None:
    """Positions stay; the line says what is missing."""
    made = frame(known(LONG)._replace(trouble="lots cannot be read: why"), Choice(), NOW, Size(120, 24))

    assert texts(made)[0].endswith("lots cannot be read: why")


def test_lots_stand_below_their_position() -> None:
    """Once they are read; before that it is said that they are being read."""
    lots = Lots()
    lots.take([replace(LONG, entries=(lot(1), lot(2, remaining_quantity=Decimal(5), synthetic=True)))])

    lines = texts(frame(known(LONG, SHORT, FLAT, lots=lots), Choice(lots=True), NOW, Size(120, 24)))

    assert lines[2].startswith("scale     BTC")
    assert lines[3] == "    lot F-1              2 of 5  at 46,000.00  1970-01-01 00:00:01  fee 0.40"
    assert lines[4] == "    lot F-2 (synthetic)       5  at 46,000.00  1970-01-01 00:00:01  fee 0.40"
    assert lines[6].split()[:2] == ["scale", "ETH"]
    assert lines[7] == "    reading its lots"


def test_lots_beyond_the_screen_are_counted() -> None:
    """Of a position with more lots than lines, and of one with more than are shown at all."""
    position = replace(LONG, open_entry_count=1_500)
    lots = Lots()
    lots.take([replace(position, entries=tuple(lot(number) for number in range(1_000)))])
    state = known(position, lots=lots)

    small = texts(frame(state, Choice(lots=True), NOW, Size(80, 16)))
    assert "    and 1,490 more lots" in small
    assert len(small) == 16
    plain = texts(frame(state, Choice(lots=True), NOW, Size()))
    assert sum("lot F-" in line for line in plain) == LOTS_OF_A_POSITION
    assert "    and 1,450 more lots" in plain


def test_positions_scroll_and_never_beyond_the_last_page() -> None:
    """The head, totals and the line of keys stay."""
    state = known(*many(100))
    first = frame(state, Choice(), NOW, Size(80, 24))
    last = frame(state, Choice(offset=1 << 31), NOW, Size(80, 24))

    assert texts(first)[-1].startswith(f"1-{first.choice.page} of 100 positions")
    assert "S0099" in "\n".join(texts(last))
    assert last.choice.offset == 100 - last.choice.page
    assert texts(last)[1] == texts(first)[1]
    assert len(first.shown) == first.choice.page


def test_a_filter_and_an_order_are_said_at_the_bottom() -> None:
    """And the totals of portfolios without a match go."""
    state = known(LONG, SHORT, replace(FLAT, symbol="XRP"))
    made = frame(state, Choice(filter="eth", sort=Sort.PNL), NOW, Size(80, 24))

    assert texts(made)[-1].startswith("1 position of 3 with 'eth', by pnl")
    assert [line.split()[0] for line in texts(made)[2:-1] if line] == ["scale", "scale"]
    typing = frame(state, Choice(draft="et"), NOW, Size(80, 24))
    assert texts(typing)[-1].startswith("filter: et_")
    assert "ETH" in texts(typing)[2]


def test_broken_feeds_come_first_and_many_are_cut_short() -> None:
    """What needs a person is seen."""
    feeds = [feed(f"f{number}") for number in range(9)] + [feed("zzz", connected=False, error="no\nroute", heard=0)]
    made = frame(known(LONG, feeds=feeds), Choice(), NOW, Size(80, 24))
    lines = [line for line in texts(made) if "feed" in line]

    assert lines[0].split() == [
        "feed",
        "zzz",
        "LOST",
        "never",
        "heard",
        "1,200",
        "messages",
        "3",
        "reconnects",
        "no",
        "route",
    ]
    assert lines[-1] == "and 7 more feeds"
    assert tone_of(made, "LOST") is Tone.BAD


def test_both_books_of_a_hedging_portfolio_are_told_apart() -> None:
    """Also a flat one, and where there is no room for a column of sides."""
    long_, short = (replace(LONG, book_side=side) for side in (PositionSide.LONG, PositionSide.SHORT))
    flat = replace(FLAT, portfolio_id="scale", symbol="BTC", book_side=PositionSide.SHORT)

    lines = texts(frame(known(long_, flat), Choice(), NOW, Size(80, 24)))

    assert [line.split()[:3] for line in lines[2:4]] == [["scale", "BTC", "LONG"], ["scale", "BTC", "SHORT"]]
    assert len(known(long_, short).board.positions) == 2


def test_amounts_of_several_currencies_stand_beside_theirs() -> None:
    """In every row; and nothing is added up across them."""
    euro = replace(LONG, portfolio_id="euro", currency="EUR")
    head, first, second, _, *totals = texts(frame(known(LONG, euro), Choice(), NOW, Size(120, 24)))[1:9]

    assert head.split()[-1] == "currency"
    assert {first.split()[-1], second.split()[-1]} == {"EUR", "USD"}
    assert [line.split()[:3] for line in totals] == [
        ["(all)", "total", "EUR"],
        ["(all)", "total", "USD"],
        ["euro", "total", "EUR"],
        ["scale", "total", "USD"],
    ]


def test_a_net_that_lacks_a_fee_is_marked() -> None:
    """In the row; the help says what the mark means."""
    row = texts(frame(known(replace(LONG, provisional=True)), Choice(), NOW, Size(80, 24)))[2]

    assert row.endswith("1,230.07~")
    assert any(line.startswith("~ ") for line in texts(frame(known(LONG), Choice(help=True), NOW, Size(80, 24))))


def test_money_groups_and_trades_stand_below_the_positions() -> None:
    """Cash and value behind the totals, groups before them, the newest trades last; a low screen has none of these."""
    state = known(LONG)
    totals = state.board.totals[0]
    rich = replace(totals, totals=(replace(totals.totals[0], cash=Decimal(8200), total_value=Decimal(9000)),))
    gone = group(group_id="gone", open_entry_count=0)
    state.board.take(replace(update(LONG), totals=(rich,), groups=(group(), gone), closed_trades=(closed_trade(),)))

    lines = texts(frame(state, Choice(), NOW, Size(80, 24)))

    placed = [next(at for at, line in enumerate(lines) if line.startswith(text)) for text in PARTS]
    assert placed == sorted(placed)
    assert not any("gone" in line for line in lines)
    assert not any(line.startswith("closed") for line in texts(frame(state, Choice(), NOW, Size(80, 12))))


def test_help_takes_the_place_of_the_table() -> None:
    """Nothing of it is cut in 80 columns."""
    made = frame(known(LONG), Choice(help=True, lots=True), NOW, Size(80, 24))

    assert any(line.startswith("q        quit") for line in texts(made))
    assert not any(line.endswith("..") for line in texts(made))
    assert made.shown == ()


def test_without_limits_there_are_no_keys_and_a_bound_all_the_same() -> None:
    """A pipe gets every column, and at most so many positions."""
    lines = texts(frame(known(*many(PLAIN_POSITIONS + 5)), Choice(), NOW, Size()))

    assert sum(" S0" in line for line in lines) == PLAIN_POSITIONS
    assert lines[-1] == f"1-{PLAIN_POSITIONS} of {PLAIN_POSITIONS + 5} positions, by symbol"


@given(
    st.integers(1, 200),
    st.integers(1, 60),
    st.integers(0, 40),
    st.integers(0, 6),
    st.builds(
        Choice,
        sort=st.sampled_from(Sort),
        lots=st.booleans(),
        filter=st.sampled_from(["", "s0", "third", "nothing"]),
        help=st.booleans(),
        offset=st.integers(0, 100),
    ),
)
def test_a_frame_never_leaves_its_room(width: int, height: int, positions: int, feeds: int, choice: Choice) -> None:
    """Whatever is shown in whatever size: no line too many, none too wide, and the offset exists."""
    held = [replace(each, portfolio_id=NAMES[at % 4]) for at, each in enumerate(many(positions))]
    state = known(*held, feeds=[feed(f"f{number}") for number in range(feeds)])
    groups = tuple(group(group_id=f"G{number}") for number in range(feeds))
    state.board.take(replace(update(), groups=groups, closed_trades=(closed_trade(),)))

    made = frame(state, choice, NOW, Size(width, height))

    assert len(made.lines) <= height
    assert all(width_of("".join(cell.text for cell in line)) <= width for line in made.lines)
    assert 0 <= made.choice.offset <= max(0, positions - 1) or choice.help


def test_columns_stay_where_they_are_while_figures_change() -> None:
    """A minute later, with an amount ten times as large, the head of the table is the same."""
    before = frame(known(LONG), Choice(), NOW, Size(80, 24))
    larger = replace(LONG, unrealized_pnl=Decimal("-123.45"))
    later = frame(known(larger), Choice(), NOW + 60 * SECOND, Size(80, 24))

    assert texts(later)[1] == texts(before)[1]
