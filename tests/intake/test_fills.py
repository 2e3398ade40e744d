"""Fills move in: lots before, rows, what they opened and closed, lots after. On both databases."""

from __future__ import annotations

import json

import pytest

from lotkeeperd.domain.commands import Excess
from lotkeeperd.intake.problems import BadMap, UnreadableFile
from lotkeeperd.intake.report import Counts, Refused
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.intake.moving import FILLS, House

LOTS = "SELECT entry_fill_id, side, quantity, remaining_quantity FROM position_entries ORDER BY sequence"
POSITIONS = "SELECT symbol, side, total_quantity, net_realized_pnl FROM current_positions ORDER BY symbol"


def texts(rows: list[tuple[object, ...]]) -> list[tuple[str, ...]]:
    """Rows of either database alike."""
    return [tuple(map(str, row)) for row in rows]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(either_house: House) -> None:
    """Then --apply does exactly that; another run finds all of it."""
    dry = either_house.fills(FILLS, apply=False)
    done = either_house.fills(FILLS)
    again = either_house.fills(FILLS)

    assert dry.counts == done.counts == Counts(read=4, opened=2, closed=1, flipped=1)
    assert dry.positions == done.positions == again.positions
    assert (dry.written, done.written, again.written) == (False, True, False)
    assert again.counts == Counts(read=4, already_there=4)
    assert either_house.records() == 4


def test_a_dry_run_on_a_ledger_that_is_there_leaves_it_as_it_was(either_house: House) -> None:
    """The transaction is rolled back: no record, no portfolio."""
    either_house.fills(FILLS)

    dry = either_house.fills(FILLS.replace("F-", "G-").replace(",p,", ",q,"), apply=False)

    assert dry.counts.opened == 2
    assert either_house.records() == 4
    assert either_house.rows("SELECT portfolio_id FROM portfolios WHERE portfolio_id = 'q'") == []


def test_what_is_recorded_is_what_a_server_would_have_recorded(either_house: House) -> None:
    """Lots, trades, fees and the flip; and the journal rebuilds to it (law 13)."""
    report = either_house.fills(FILLS)

    (after,) = report.positions
    assert (after.side, str(after.quantity), str(after.average)) == ("SHORT", "-2", "90.000000000000000000")
    assert (str(after.gross_realized_pnl), str(after.realized_fees)) == ("160", "4.000000000000000000")
    assert texts(either_house.rows(LOTS)) == [
        ("F-1", "LONG", "10", "0"),
        ("F-2", "LONG", "5", "0"),
        ("F-4", "SHORT", "2", "2"),
    ]
    assert verify(database_url(either_house.database), lambda _done, _of: None).differences == []


def test_one_refused_line_keeps_everything_out(either_house: House) -> None:
    """Unless told otherwise; the report says what and where either way."""
    text = FILLS + "F-5,p,AAPL,sell,-1,80,,2024-01-05T15:34:00Z\nF-6,p,MSFT,buy,1,10,,2024-01-05T15:35:00Z\n"

    strict = either_house.fills(text)
    keeping_on = either_house.fills(text, keep_going=True)

    assert strict.refused == keeping_on.refused == [Refused("line 6", "quantity: -1 is not greater than 0")]
    assert not strict.written
    assert keeping_on.written
    assert keeping_on.counts == Counts(read=6, opened=3, closed=1, flipped=1, refused=1)
    assert either_house.records() == 5


def test_every_broken_field_of_a_line_is_named_at_once(house: House) -> None:
    """With the column where it is called otherwise."""
    text = "fill_id,sym,side,quantity,px,fill_time\nF-1,,hold,1e3,1_000,2024-01-05\n"

    (refused,) = house.fills(text, columns=["symbol=sym", "price=px"]).refused

    assert refused.place == "line 2"
    for what in (
        "symbol (column 'sym'): is empty",
        "'hold' is neither",
        "'1e3' has an exponent",
        "'1_000' is not",
        "no zone",
    ):
        assert what in refused.why


def test_a_fill_that_was_recorded_with_other_content_is_refused_and_named(either_house: House) -> None:
    """Law 8, across runs and within a file; an equal row is counted as repeated."""
    either_house.fills(FILLS)
    text = FILLS.splitlines()[0] + (
        "\nF-1,p,AAPL,buy,11,100,1,2024-01-05T15:30:00Z"
        "\nF-7,p,AAPL,buy,1,100,1,2024-01-05T15:36:00Z"
        "\nF-7,p,AAPL,buy,1.0,100,1,2024-01-05T15:36:00Z"
        "\nF-7,p,AAPL,buy,1,101,1,2024-01-05T15:36:00Z\n"
    )

    report = either_house.fills(text, apply=False)

    assert report.counts == Counts(read=4, opened=0, closed=1, repeated=1, refused=2)
    assert [each.place for each in report.refused] == ["line 2", "line 5"]
    assert "quantity 10, not 11" in report.refused[0].why
    assert "price 100, not 101" in report.refused[1].why


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3)])
def test_the_order_of_time_counts_and_not_that_of_the_file(order: tuple[int, ...], house: House) -> None:
    """Exports run from newest to oldest as often as not."""
    lines = FILLS.splitlines()

    report = house.fills("\n".join([lines[0], *(lines[number] for number in order)]))

    assert report.counts == Counts(read=4, opened=2, closed=1, flipped=1)


def test_of_one_time_the_file_s_own_direction_counts(house: House) -> None:
    """Newest first: bought and sold within one second stand there as sold, bought."""
    newest_first = (
        "fill_id,symbol,side,quantity,price,fill_time\n"
        "3,A,buy,1,12,2024-01-05T15:31:00Z\n2,A,sell,1,11,2024-01-05T15:30:00Z\n1,A,buy,2,10,2024-01-05T15:30:00Z\n"
    )

    report = house.fills(newest_first, excess=Excess.REJECT)

    assert report.counts == Counts(read=3, opened=2, closed=1)
    assert "from newest to oldest" in " ".join(report.notes)


def test_the_order_of_the_file_counts_when_told(house: House) -> None:
    """A ledger's own journal is in the order of its records, late ones among them."""
    late = (
        "fill_id,symbol,side,quantity,price,fill_time\n"
        "1,A,buy,1,10,2024-01-05T15:30:00Z\n2,A,sell,1,11,2024-01-05T15:32:00Z\n3,A,buy,1,9,2024-01-05T15:29:00Z\n"
    )

    report = house.fills(late, form={"order": "file"})

    assert str(report.positions[0].gross_realized_pnl) == "1"


def test_rows_without_an_id_are_found_again(either_house: House) -> None:
    """Equal rows are as many fills, also when the file has grown."""
    head = "symbol,side,quantity,price,fill_time\n"
    row = "A,buy,1,10,2024-01-05T15:30:00Z\n"

    first = either_house.fills(head + row * 3)
    grown = either_house.fills(head + row * 3 + "B,buy,1,10,2024-01-05T15:31:00Z\n" + row)

    assert first.counts == Counts(read=3, opened=3)
    assert grown.counts == Counts(read=5, opened=2, already_there=3)
    assert "have no fill_id" in " ".join(grown.notes)


def test_more_is_sold_than_is_open(house: House) -> None:
    """The venue executed it, so it flips; unless a line is rather to be refused."""
    text = "fill_id,symbol,side,quantity,price,fill_time\n1,A,buy,1,10,2024-01-05T15:30:00Z\n2,A,sell,3,11,2024-01-05T15:31:00Z\n"

    rejected = house.fills(text, excess=Excess.REJECT, apply=False)
    flipped = house.fills(text, apply=False)

    assert rejected.refused[0].place == "line 3"
    assert "fewer than the 3" in rejected.refused[0].why
    assert flipped.counts.flipped == 1


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("symbol,side,quantity,price", "one for fill_time"),
        ("symbol,quantity,price,fill_time", "one for side"),
        ("pair,side,quantity,price,fill_time", "one for symbol"),
    ],
)
def test_a_missing_column_is_named_before_anything_is_read(header: str, missing: str, house: House) -> None:
    """With the columns that are there, and the way out. A side is never taken for granted."""
    with pytest.raises(UnreadableFile) as refused:
        house.fills(f"{header}\n")

    assert missing in str(refused.value)
    assert "'quantity'" in str(refused.value)
    assert "--map FIELD=COLUMN" in str(refused.value)


def test_a_mapped_column_that_is_not_there_is_named(house: House) -> None:
    """Also one of [only]."""
    with pytest.raises(UnreadableFile, match=r"no column 'px' \(for price\), 'status' \(of \[only\]\)"):
        house.fills(FILLS, columns=["price=px"], toml='[only]\nstatus = ["filled"]')


def test_the_map_chooses_translates_and_fills_in(house: House) -> None:
    """Rows by a column, values by a table, constants, labels, fees that were paid with a minus, unread columns."""
    text = (
        "status,sym,qty,px,commission,when,bot,note\n"
        "filled,XBT,2,100.5,-0.25,1704468600000,alpha,x\n"
        "cancelled,XBT,2,100.5,0,1704468600000,alpha,x\n"
        "filled,XBT,-1,101.5,,1704468601000,alpha,x\n"
    )
    toml = """
    [columns]
    symbol = "sym"
    quantity = "qty"
    price = "px"
    fee = "commission"
    fill_time = "when"
    labels.bot = "bot"
    [constants]
    portfolio_id = "p"
    group_id = "g"
    [values.symbol]
    XBT = "BTC"
    [only]
    status = ["filled"]
    [time]
    format = "unix_ms"
    [numbers]
    signed = true
    negate_fee = true
    """

    report = house.fills(text, toml=toml)

    assert report.counts == Counts(read=3, opened=1, closed=1, skipped=1)
    assert report.notes[0] == "columns that were not read: note"
    query = (
        "SELECT portfolio_id, symbol, side, quantity, remaining_quantity, fee, group_id, labels FROM position_entries"
    )
    (entry,) = texts(house.rows(query))
    assert entry[:-1] == ("p", "BTC", "LONG", "2", "1", "0.25", "g")
    assert json.loads(entry[-1]) == {"bot": "alpha"}


@pytest.mark.parametrize("name", ["fills.json", "fills.jsonl"])
def test_json_is_read_by_the_same_map(name: str, house: House) -> None:
    """Numbers are their text, labels an object."""
    row = (
        '{"fill_id": 7, "symbol": "A", "side": "BUY", "quantity": 0.10, "price": 12345.678901234567890,'
        ' "fill_time": "2024-01-05T15:30:00.123456789Z", "labels": {"confidence": 0.70, "none": null}}'
    )

    report = house.imported(house.file(name, f"[{row}]" if name.endswith(".json") else row))

    assert report.counts == Counts(read=1, opened=1)
    query = "SELECT entry_fill_id, quantity, entry_price, entry_time, labels FROM position_entries"
    assert texts(house.rows(query)) == [
        ("7", "0.1", "12345.67890123456789", "1704468600123456789", '{"confidence":"0.70"}')
    ]


def test_a_column_of_the_map_that_no_json_row_has_is_named(house: House) -> None:
    """A misspelled fee would be no fee at all."""
    row = '{"symbol": "A", "side": "buy", "quantity": 1, "price": 1, "fill_time": "2024-01-05T15:30:00Z", "fee": 2}'

    with pytest.raises(UnreadableFile, match=r"x\.jsonl: there is no 'comission', 'status' in any of its 1 rows"):
        house.imported(house.file("x.jsonl", row), columns=["fee=comission"], toml='[only]\nstatus = ["filled"]')


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ('"symbol": "\\ud800"', "half of a character"),
        ('"symbol": ["A"]', "one text or number is required"),
        ('"symbol": "A\\u0000"', "control character"),
        ('"labels": {"a": "\\udfff"}', "half of a character"),
        ('"labels": {"a": ["b"]}', "one text or number is required"),
        ('"labels": "nonsense"', "not a JSON object"),
        ('"synthetic": "perhaps"', "neither true nor false"),
        ('"role": "leader"', "neither entry, exit nor both"),
        ('"position_side": "up"', "neither long nor short"),
        ('"fill_time": "1969-12-31T23:59:59Z"', "before 1970"),
        ('"fill_time": "2057-02-01T00:00:00Z"', "ahead of the clock"),
        ('"fill_time": null', "the time of the execution is required"),
        ('"side": ""', "is empty"),
        ('"price": -1', "is negative"),
    ],
)
def test_what_no_field_can_hold_is_refused_by_its_line(cell: str, why: str, house: House) -> None:
    """And nothing else: the row beside it is recorded."""
    row = '{"symbol": "A", "side": "buy", "quantity": 1, "price": 1, "fill_time": "2024-01-05T15:30:00Z", '

    report = house.imported(house.file("x.jsonl", f'{row}{cell}}}\n{row}"fill_id": "1"}}\n'), keep_going=True)

    assert (report.counts.opened, report.counts.refused) == (1, 1)
    assert report.refused[0].place == "line 1"
    assert why in report.refused[0].why


def test_refused_and_repeated_rows_do_not_disturb_the_chunks_behind_them(either_house: House) -> None:
    """Three thousand rows are decided in several goes, each on the books that those before it left."""
    sides = ("buy", "sell")
    rows = [f"F-{n},A,{sides[n % 2]},1,{100 + n % 7},{1_704_468_600 + n}" for n in range(3_000)]
    text = "\n".join(
        ["fill_id,symbol,side,quantity,price,fill_time", *rows, *rows[:10], rows[0].replace("buy,1", "buy,9")]
    )

    realized = sum(n % 7 if n % 2 else -(n % 7) for n in range(3_000))

    report = either_house.fills(text, form={"time": "unix_s"}, keep_going=True)

    assert report.counts == Counts(read=3_011, opened=1_500, closed=1_500, repeated=10, refused=1)
    assert [(after.side, str(after.gross_realized_pnl)) for after in report.positions] == [("FLAT", str(realized))]
    assert verify(database_url(either_house.database), lambda _done, _of: None).differences == []


def test_so_many_refused_lines_are_listed_and_the_others_counted(house: House) -> None:
    """A thousand, whoever refused them."""
    text = FILLS + "F-9,p,AAPL,buy,x,1,,2024-01-05T15:34:00Z\n" * 1_500

    report = house.fills(text)

    assert (len(report.refused), report.counts.refused) == (1_000, 1_500)
    assert any("and 500 more lines were refused" in cell.text for line in report.lines(80) for cell in line)


def test_postgresql_is_taken_over_only_when_told(postgres_url: str, house: House) -> None:
    """A running server would be fenced by it, so it is asked for."""
    with pytest.raises(BadMap, match="--takeover"):
        house._replace(database=postgres_url).fills(FILLS, takeover=False, apply=False)
