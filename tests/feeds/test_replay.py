"""A file of prices is played like a feed."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from lotkeeperd.feeds import replay
from lotkeeperd.feeds.run import run
from lotkeeperd.feeds.spec import FeedSpec, read_spec
from tests.feeds.recorded import DATA, recorded
from tests.feeds.witness import NOW, Witness

CANDLES = "timestamp,open,high,low,close,volume\n"
QUOTES = "timestamp,bid,ask\n"


def replayed(folder: Path, text: str, **more: object) -> FeedSpec:
    """A feed that plays this text as fast as it goes."""
    file = folder / "prices.csv"
    file.write_text(text, encoding="utf-8")
    return read_spec("past", {"venue": "replay", "symbol": "X", "file": str(file), "speed": 0} | more, {})


async def played(spec: FeedSpec) -> Witness:
    """What a ledger has seen when the feed has ended."""
    witness = Witness()
    await run(spec, witness, witness.clock, Random(7))
    return witness


async def test_candles_are_played_at_their_close_and_at_todays_time(tmp_path: Path) -> None:
    """Prices of years ago would be stale at once."""
    witness = await played(
        replayed(tmp_path, CANDLES + "2021-12-31 23:01:00,1,2,0.5,46377.10,9\n2021-12-31 23:02:00,1,2,0.5,46411.0,9\n")
    )
    assert [str(mark.price) for mark in witness.accepted] == ["46377.10", "46411.0"]
    assert all(mark.time > NOW and mark.symbol == "X" and mark.source == "past" for mark in witness.accepted)


@pytest.mark.parametrize(("price", "by_side"), [("mid", False), ("side", True)])
async def test_quotes_are_played_at_their_middle_or_by_side(tmp_path: Path, price: str, by_side: bool) -> None:
    """Bid and ask come with them, digit for digit."""
    witness = await played(
        replayed(tmp_path, QUOTES + "2020-01-01 17:00:00.065+00:00,1.121200,1.121720\n", price=price)
    )
    (mark,) = witness.accepted
    assert (str(mark.price), str(mark.bid), str(mark.ask)) == ("1.1214600", "1.121200", "1.121720")
    assert mark.by_side is by_side


async def test_at_its_end_the_prices_are_stale_and_the_feed_says_so(tmp_path: Path) -> None:
    """Nobody watches that price any more."""
    witness = await played(replayed(tmp_path, CANDLES + "2021-12-31 23:01:00,1,2,0.5,4,9\n"))
    (loss,) = witness.losses
    assert (loss.words, loss.dropped) == ("prices.csv: all of its 1 rows were played", False)
    assert witness.board.is_stale("X")


@pytest.mark.parametrize(
    ("name", "price", "count", "last"),
    [
        ("btc-perp-1m.csv", "last", 45_031, "38544.0"),
        ("fx-quotes.csv", "mid", 9_500, "1.1213100"),
        ("usdjpy-ticks.csv", "side", 1_000, "86.8450"),
    ],
)
async def test_the_recorded_files_are_played_to_their_last_row(name: str, price: str, count: int, last: str) -> None:
    """31 days of minutes and two files of quotes."""
    recorded(f"market/{name}")
    table = {"venue": "replay", "symbol": "X", "file": str(DATA / "market" / name), "speed": 0, "price": price}
    witness = await played(read_spec("past", table, {}))
    assert (len(witness.accepted), str(witness.accepted[-1].price)) == (count, last)


async def test_the_loop_gets_its_turns_also_at_full_speed(tmp_path: Path) -> None:
    """Others run while a long file is played."""
    rows = "".join(f"2021-12-31 23:01:00,1,2,0.5,{number + 1},9\n" for number in range(replay.ROWS_A_TURN * 10))
    witness, seen = Witness(), []
    task = asyncio.create_task(run(replayed(tmp_path, CANDLES + rows), witness, witness.clock, Random(7)))
    while not task.done():
        seen.append(len(witness.accepted))
        await asyncio.sleep(0)
    assert max(later - earlier for earlier, later in pairwise(seen)) <= replay.ROWS_A_TURN
    await task


async def test_speed_divides_the_time_between_two_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for is looked at, not how long it took."""
    waited: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await real(0)

    monkeypatch.setattr("lotkeeperd.feeds.replay.asyncio.sleep", sleep)
    rows = "2021-12-31 23:01:00,1,2,0.5,1,9\n2021-12-31 23:02:00,1,2,0.5,2,9\n2021-12-31 23:03:30,1,2,0.5,3,9\n"
    await played(replayed(tmp_path, CANDLES + rows, speed=10))
    assert [round(seconds) for seconds in waited] == [0, 6, 15]


@pytest.mark.parametrize(
    ("text", "price", "words"),
    [
        ("", "last", "its header '' lacks close, timestamp"),
        (QUOTES, "last", "its header 'timestamp,bid,ask' lacks close; a file with close is played with price = 'last'"),
        (CANDLES, "mid", "lacks ask, bid"),
        (CANDLES + "2021-12-31 23:01:00,1,2,0.5,x,9\n", "last", "prices.csv row 2: 'x' is not a price; mend the row"),
        (CANDLES + "yesterday,1,2,0.5,1,9\n", "last", "row 2: 'yesterday' is not a time"),
        (
            CANDLES + "2021-12-31 23:01:00,1,2,0.5,1,9\n\n2021-12-31 23:00:59,1,2,0.5,1,9\n",
            "last",
            "row 4: its time is before the row above; sort the file by time",
        ),
    ],
)
async def test_a_file_that_cannot_be_played_says_where_and_why(
    tmp_path: Path, text: str, price: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the state of the feed and in the log."""
    witness = await played(replayed(tmp_path, text, price=price))
    assert words in witness.losses[-1].words
    assert words in caplog.records[-1].message


@pytest.mark.parametrize("content", [b"timestamp,close\n\xff\xfe,1\n", b'timestamp,close\n"' + b"x" * 200_000])
async def test_a_file_that_is_not_csv_is_refused(tmp_path: Path, content: bytes) -> None:
    """Not UTF-8, or a field without end."""
    spec = replayed(tmp_path, CANDLES)
    assert spec.file is not None
    spec.file.write_bytes(content)
    witness = await played(spec)
    assert "cannot be read as CSV in UTF-8" in witness.losses[-1].words


async def test_a_row_without_a_price_makes_no_mark(tmp_path: Path) -> None:
    """Unknown is not zero."""
    witness = await played(
        replayed(tmp_path, QUOTES + "2020-01-01 17:00:00,1.1,\n2020-01-01 17:00:01,1.1,1.3\n", price="mid")
    )
    assert [mark.price for mark in witness.accepted] == [Decimal("1.2")]
