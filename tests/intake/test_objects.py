"""JSON as bots write it: lines, arrays, objects of objects, rows further down."""

from __future__ import annotations

import io
import json

import pytest

from lotkeeperd.intake.objects import DOCUMENT_CHARACTERS, ELEMENT_CHARACTERS, DocumentFile, LinesFile
from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.rows import Broken, Row


def document(text: str | bytes, path: str = "") -> list[Row | Broken]:
    """The rows of a document of that text."""
    content = text.encode() if isinstance(text, str) else text
    return list(DocumentFile(io.BytesIO(content), "utf-8", path).rows())


def test_numbers_stay_the_text_that_the_file_has() -> None:
    """No float is made: not of a fraction, not of an exponent, not of more digits than one holds."""
    row = document('[{"price": 0.1000, "tiny": 1e-05, "long": 12345678901234567890.123456789}]')[0]

    assert row == Row("line 1", {"price": "0.1000", "tiny": "1e-05", "long": "12345678901234567890.123456789"})


def test_an_array_is_read_element_by_element_with_its_lines() -> None:
    """Each element is named by the line it begins in."""
    rows = document('[\n {"a": 1},\n\n {"a":\n 2}, 3, {"a": 4}]\n')

    assert [row.place for row in rows] == ["line 2", "line 4", "line 5", "line 5"]
    assert isinstance(rows[2], Broken)


def test_a_long_array_in_one_line_is_read_to_its_end() -> None:
    """Elements lie across the ends of what is read at once."""
    many = [{"number": str(number), "text": "é" * (number % 7)} for number in range(50_000)]

    rows = document(json.dumps(many, ensure_ascii=False))

    assert [row.cells["number"] for row in rows if isinstance(row, Row)] == [str(number) for number in range(50_000)]


@pytest.mark.parametrize(
    "torn", ['[{"a": 1}, {"a": 2', '[{"a": 1}', '[{"a": 1},', '[{"a": 1} {"a": 2}]', '[{"a": 1}, {]']
)
def test_a_torn_array_gives_what_is_whole_and_says_that_the_rest_is_lost(torn: str) -> None:
    """A bot that was killed while it wrote."""
    first, broken = document(torn)

    assert first == Row("line 1", {"a": "1"})
    assert isinstance(broken, Broken)
    assert "nothing after it can be read" in broken.why


def test_an_element_that_never_ends_is_given_up() -> None:
    """At a limit, so that no file is held whole."""
    rows = document('[{"a": "' + "x" * (2 * ELEMENT_CHARACTERS) + '"}]')

    assert isinstance(rows[0], Broken)
    assert "1,048,576 characters" in rows[0].why


def test_an_object_of_objects_gives_a_row_for_each_with_its_key() -> None:
    """positions.json: the symbol is the key."""
    rows = document('{"AAPL": {"quantity": 1}, "MSFT": {"quantity": 2}}')

    assert rows == [Row("AAPL", {"key": "AAPL", "quantity": "1"}), Row("MSFT", {"key": "MSFT", "quantity": "2"})]


def test_rows_further_down_see_what_they_lie_in() -> None:
    """The legs of orders; fields of inner objects have their names before a point."""
    text = '[{"id": "o1", "when": {"filled": "t"}, "legs": [{"symbol": "A", "fill": {"price": 1.5}}, {"symbol": "B"}]}]'

    first, second = document(text, "legs")

    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.place, second.place) == ("line 1.legs[0]", "line 1.legs[1]")
    assert (first.cells["symbol"], first.cells["fill.price"]) == ("A", "1.5")
    assert (second.cells["outer.id"], second.cells["outer.when.filled"]) == ("o1", "t")


@pytest.mark.parametrize(
    "text",
    [
        '{"state": {"orders": [{"legs": [{"a": "x"}]}]}}',
        '{"state": {"orders": {"o1": {"legs": [{"a": "x"}]}}}}',
    ],
)
def test_the_path_leads_through_arrays_and_objects_of_objects(text: str) -> None:
    """However a bot keeps its orders."""
    (row,) = document(text, "state.orders.legs")

    assert isinstance(row, Row)
    assert row.cells["a"] == "x"


def test_a_member_without_rows_is_broken() -> None:
    """It is named, and the others go on."""
    rows = document('[{"id": 1}, {"id": 2, "legs": [{"a": 1}]}]', "legs")

    assert rows[0] == Broken("line 1", "has no 'legs', where the rows should lie")
    assert isinstance(rows[1], Row)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with ''"),
        ("17", "begins with '1'"),
        ("\0\0", "begins with"),
        ('{"a": {"b": 1}', "line 1: not JSON"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1}\n{"a": 2}', "line 2: more follows"),
        ('{"a": "' + "x" * (DOCUMENT_CHARACTERS + 1_000_000) + '"}', "write JSON lines"),
        ("{" + '"a":{' * 100_000, "not JSON"),
        (b'[{"a": "caf\xe9"}]', "byte 11 of the file is 0xE9"),
        (b'\xef\xbb\xbf{\n"a": "caf\xe9"}', "line 2: byte 14 of the file is 0xE9"),
        (b"\xff\xfe[\0", "UTF-16"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(text: str | bytes, why: str) -> None:
    """Nothing of it can be used."""
    with pytest.raises(UnreadableFile, match=why):
        document(text)


def test_a_byte_order_mark_is_passed_over() -> None:
    """Windows writes it."""
    assert document(b'\xef\xbb\xbf[{"a": 1}]') == [Row("line 1", {"a": "1"})]


def test_json_lines_cost_themselves_alone() -> None:
    """Torn, not an object, nested without end, in another encoding: each is named by its line."""
    text = b'{"a": 1}\n\n{"a": \n[1]\n' + b"[" * 100_000 + b'\n{"a": "\xe9"}\r\n{"a": Infinity}\n{"a": 2}'

    rows = list(LinesFile(io.BytesIO(text), "utf-8").rows())

    assert [row.place for row in rows] == [f"line {number}" for number in (1, 3, 4, 5, 6, 7, 8)]
    assert [row for row in rows if isinstance(row, Row)] == [Row("line 1", {"a": "1"}), Row("line 8", {"a": "2"})]
