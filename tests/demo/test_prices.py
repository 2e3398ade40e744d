"""Price files become exact prices, or a refusal that names file, line, value and rule."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from lotkeeperd.demo.prices import MIN_PRICES, Price, PriceFileError, built_in, read, spaced, write

MARKET = Path(__file__).resolve().parents[3] / "shared" / "data" / "market"
REAL_FILES = {
    # name: (rows, first price, last price)
    "btc-perp-1m.csv": (45_031, ("46377.0", "46377.0"), ("38544.0", "38544.0")),
    "fx-quotes.csv": (9_500, ("1.121200", "1.121720"), ("1.121300", "1.121320")),
    "usdjpy-ticks.csv": (1_000, ("86.655", "86.728"), ("86.836", "86.854")),
}
QUOTES = "timestamp,bid,ask"
CANDLES = "timestamp,open,high,low,close,volume"


def file_of(folder: Path, header: str, *rows: str) -> Path:
    """A price file with the given rows, filled up with good ones to the least length."""
    good = "2024-01-01 00:00:00,10,11" if header == QUOTES else "2024-01-01 00:00:00,9,12,8,10,1"
    path = folder / "prices.csv"
    path.write_text("\n".join([header, *rows, *[good] * (MIN_PRICES - len(rows))]) + "\n", encoding="utf-8")
    return path


def test_a_candle_file_gives_its_close_as_bid_ask_and_mark(tmp_path: Path) -> None:
    """A file with a close has one price per row, digit for digit."""
    first = read(file_of(tmp_path, CANDLES, "2021-12-31 23:01:00.000000,46319.0,46385.0,46319.0,46377.10,2.5"))[0]

    assert (str(first.bid), str(first.ask)) == ("46377.10", "46377.10")
    assert first.mark == Decimal("46377.1")
    assert first.time == 1_640_991_660_000_000_000


def test_a_quote_file_gives_bid_ask_and_the_exact_middle(tmp_path: Path) -> None:
    """The mark has the one digit more that the middle of bid and ask needs."""
    first = read(file_of(tmp_path, QUOTES, "2013-01-01 22:00:00.295000+00:00,86.65500000000000001,86.728"))[0]

    assert first == Price(1_357_077_600_295_000_000, Decimal("86.65500000000000001"), Decimal("86.728"))
    assert str(first.mark) == "86.691500000000000005"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:00.000000001", 1),
        ("1970-01-01 00:00:01.5", 1_500_000_000),
        ("1970-01-01 02:00:00+02:00", 0),
        ("1969-12-31 19:00:00.25-05:00", 250_000_000),
        ("2024-02-29 23:59:59.999999999", 1_709_251_199_999_999_999),
    ],
)
def test_times_keep_their_nanoseconds_and_become_utc(tmp_path: Path, text: str, time: int) -> None:
    """A time is read to the nanosecond, with or without a zone."""
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["timestamp,close", *[f"{text},1"] * MIN_PRICES]))

    assert read(path)[0].time == time


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2024-01-01 00:00:00,ten,11", "line 3: bid 'ten' is not a price above 0"),
        ("2024-01-01 00:00:00,10,1e5", "line 3: ask '1e5' is not a price above 0"),
        ("2024-01-01 00:00:00,10,1_000", "line 3: ask '1_000' is not a price above 0"),
        ("2024-01-01 00:00:00,10,١٠", "line 3: ask '١٠' is not a price above 0"),
        ("2024-01-01 00:00:00,10,NaN", "line 3: ask 'NaN' is not a price above 0"),
        ("2024-01-01 00:00:00,10,", "line 3: ask '' is not a price above 0"),
        ("2024-01-01 00:00:00,-10,11", "line 3: bid '-10' is not a price above 0"),
        ("2024-01-01 00:00:00,0.00,11", "line 3: bid '0.00' is not a price above 0"),
        ("2024-01-01 00:00:00,10,1.123456789012345678", "17 fraction digits"),
        ("2024-01-01 00:00:00,10", "line 3: 2 values under 3 column names"),
        ("2024-13-01 00:00:00,10,11", "line 3: timestamp '2024-13-01 00:00:00' is not a time like"),
        ("yesterday,10,11", "line 3: timestamp 'yesterday' is not a time like"),
        ("1969-12-31 23:59:59,10,11", "line 3: timestamp '1969-12-31 23:59:59' is before 1970"),
        ("2023-12-31 23:59:59,10,11", "line 3: timestamp '2023-12-31 23:59:59' is before the row above"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_with_file_line_value_and_rule(tmp_path: Path, row: str, said: str) -> None:
    """One bad row refuses the file and is named."""
    path = file_of(tmp_path, QUOTES, "2024-01-01 00:00:00,10,11", row)

    with pytest.raises(PriceFileError) as refusal:
        read(path)

    assert str(path) in str(refusal.value)
    assert said in str(refusal.value)


@pytest.mark.parametrize("header", ["", "time,close", "timestamp,bid", "timestamp,price"])
def test_a_header_without_the_columns_is_refused(tmp_path: Path, header: str) -> None:
    """The refusal says which columns a price file needs."""
    with pytest.raises(PriceFileError, match="line 1: header '.*' needs 'timestamp' and either 'close' or"):
        read(file_of(tmp_path, header))


def test_a_byte_order_mark_spaces_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    """What spreadsheets add is not part of the prices."""
    path = tmp_path / "prices.csv"
    rows = "2024-01-01 00:00:00, 10 , 11 \n\n" * MIN_PRICES
    path.write_text("timestamp, bid, ask\n" + rows, encoding="utf-8-sig")

    assert read(path) == [Price(1_704_067_200_000_000_000, Decimal(10), Decimal(11))] * MIN_PRICES


def test_a_missing_a_short_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    """Each refusal names the file and the way out."""
    short, binary = tmp_path / "short.csv", tmp_path / "binary.csv"
    short.write_text("timestamp,close\n2024-01-01 00:00:00,10\n")
    binary.write_bytes(b"timestamp,close\n\xff\xfe")

    with pytest.raises(PriceFileError, match="missing.csv: cannot be read"):
        read(tmp_path / "missing.csv")
    with pytest.raises(PriceFileError, match=f"short.csv: 1 prices; the bots need at least {MIN_PRICES}"):
        read(short)
    with pytest.raises(PriceFileError, match=r"binary\.csv: is not UTF-8 text"):
        read(binary)


@pytest.mark.parametrize("name", REAL_FILES)
def test_the_real_price_files_are_read_whole(name: str) -> None:
    """Every row of a real file becomes a price, in time order."""
    if not (MARKET / name).exists():
        pytest.skip(f"{name} is not beside the repository in shared/data/market")
    rows, first, last = REAL_FILES[name]

    prices = read(MARKET / name)

    assert len(prices) == rows
    assert [(str(price.bid), str(price.ask)) for price in (prices[0], prices[-1])] == [first, last]
    assert [price.time for price in prices] == sorted(price.time for price in prices)


def test_the_built_in_path_is_the_same_for_the_same_seed() -> None:
    """Two runs trade along one path; another seed gives another."""
    assert built_in(100, Random(7)) == built_in(100, Random(7))
    assert built_in(100, Random(7)) != built_in(100, Random(8))
    assert all(0 < price.bid < price.ask for price in built_in(5_000, Random(7)))


@pytest.mark.parametrize(("rows", "count", "left"), [(20, 30, 20), (45_031, 600, 600), (100, 2, 2), (30, 30, 30)])
def test_a_long_path_is_thinned_from_its_first_to_its_last_price(rows: int, count: int, left: int) -> None:
    """A run of any length sees the whole path, in order and no price twice."""
    path = [Price(number, Decimal(1), Decimal(1)) for number in range(rows)]

    thinned = spaced(path, count)

    assert (len(thinned), thinned[0], thinned[-1]) == (left, path[0], path[-1])
    assert len(set(thinned)) == left
    assert thinned == sorted(thinned)


def test_the_path_reaches_the_bots_digit_for_digit(tmp_path: Path) -> None:
    """What is written for the bots has neither exponents nor rounded digits."""
    write(tmp_path / "path.csv", [Price(5, Decimal("1E+3"), Decimal("1000.00000000000000001"))])

    with (tmp_path / "path.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"time": "5", "bid": "1000", "ask": "1000.00000000000000001", "mark": "1000.000000000000000005"}
        ]
