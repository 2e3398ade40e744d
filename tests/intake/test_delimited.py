"""CSV as programs write it."""

from __future__ import annotations

import io

import pytest

from lotkeeperd.intake.delimited import DelimitedFile
from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.rows import Broken, Row


def opened(text: str, delimiter: str = "", header: bool = True) -> DelimitedFile:
    """A file of that text."""
    return DelimitedFile(io.BytesIO(text.encode()), "utf-8", delimiter, header)


def found(text: str) -> list[tuple[str, list[object]]]:
    """Place and cells of every row; a broken one has its reason for a cell."""
    return [
        (each.place, list(each.cells.values()) if isinstance(each, Row) else [each.why]) for each in opened(text).rows()
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_the_header_holds_most_of(delimiter: str) -> None:
    """Whatever the notes below it are full of."""
    text = f"symbol{delimiter}note\nA{delimiter}" + "x" * 50 + " " * 50 + "\n"

    assert opened(text).names == ("symbol", "note")


def test_mixed_line_ends_and_blank_lines_are_all_the_same() -> None:
    """LF, CR and CRLF in one file; the numbers are those of an editor."""
    text = "a,b\r\n1,2\n3,4\r\r\n5,6"

    assert found(text) == [("line 2", ["1", "2"]), ("line 3", ["3", "4"]), ("line 5", ["5", "6"])]


def test_quotes_hold_delimiters_quotes_and_line_ends() -> None:
    """A record over several lines is named by all of them."""
    text = 'a,b\n"x, ""y""\nz",2\n 3 ,"4"\n'

    assert found(text) == [("lines 2 to 3", ['x, "y"\nz', "2"]), ("line 4", ["3", "4"])]


def test_a_record_with_too_many_or_too_few_fields_costs_itself_alone() -> None:
    """A number with a decimal comma and no quotes is the usual reason."""
    rows = found("a,b\n1,2\n1,5,2\n3\n4,5\n")

    assert [place for place, cells in rows if len(cells) == 2] == ["line 2", "line 5"]
    assert rows[1] == ("line 3", ["has 3 fields, the header 2; is a delimiter in a field without quotes?"])


def test_a_quote_that_is_never_closed_ends_at_the_limit_of_a_field() -> None:
    """What it swallowed is named, and the lines behind it are read."""
    text = 'a,b\n"1,2\n' + "3,4\n" * 50_000 + "5,6\n"

    rows = list(opened(text).rows())

    assert isinstance(rows[0], Broken)
    assert rows[0].place.startswith("lines 2 to ")
    assert "131072" in rows[0].why
    assert isinstance(rows[-1], Row)


@pytest.mark.parametrize("text", ['a,b\n1,"2" x\n3,4\n', 'a,b\n1,2\n3,"4\n'])
def test_a_record_that_is_no_csv_is_broken(text: str) -> None:
    """Text behind a closing quote; a file that ends within quotes."""
    assert any(isinstance(row, Broken) for row in opened(text).rows())


def test_without_a_header_columns_are_numbered() -> None:
    """The first line is a row like the others."""
    file = opened("A,1\nB,2\n", header=False)

    assert file.names == ("1", "2")
    assert list(file.rows()) == [Row("line 1", {"1": "A", "2": "1"}), Row("line 2", {"1": "B", "2": "2"})]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "first line is empty"),
        ("\n1,2\n", "first line is empty"),
        ("a,a\n", "more than once"),
        ('"a', "header cannot"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(text: str, why: str) -> None:
    """Nothing below it could be told apart."""
    with pytest.raises(UnreadableFile, match=why):
        opened(text)
