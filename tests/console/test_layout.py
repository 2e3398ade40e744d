"""A table fits its width: columns that may go do, texts are cut, figures are not."""

from __future__ import annotations

from lotkeeperd.console.layout import Cell, Column, Tone, clipped, cut, grid, printable, text_of, width_of

COLUMNS = (
    Column("name", left=True, narrowest=4),
    Column("extra", rank=1),
    Column("more", rank=2),
    Column("figure"),
)
ROW = {"name": Cell("a long name"), "extra": Cell("11"), "more": Cell("22"), "figure": Cell("1,234.56", Tone.GOOD)}


def drawn(width: int | None) -> list[str]:
    """Head and row in this width."""
    columns = grid(COLUMNS, [ROW], width)
    return [text_of(columns.head()), text_of(columns.line(ROW))]


def test_without_a_limit_everything_is_shown() -> None:
    """Texts to the left, figures to the right."""
    assert drawn(None) == ["name         extra  more    figure", "a long name     11    22  1,234.56"]


def test_what_may_be_left_out_goes_first_the_highest_rank_before_all() -> None:
    """And gaps shrink before a column goes."""
    assert drawn(31) == ["name        extra more   figure", "a long name    11   22 1,234.56"]
    assert drawn(30) == ["name         extra    figure", "a long name     11  1,234.56"]
    assert drawn(21) == ["name           figure", "a long name  1,234.56"]


def test_then_texts_are_cut_but_never_a_figure() -> None:
    """Down to their narrowest; what then stands out is for the line to clip."""
    assert drawn(16) == ["name      figure", "a lon.. 1,234.56"]
    assert drawn(5)[1] == "a .. 1,234.56"


def test_a_row_may_lack_cells() -> None:
    """A column that it does not name stays blank."""
    columns = grid(COLUMNS, [ROW], None)

    assert text_of(columns.line({"figure": Cell("1")})) == "                                 1"


def test_tones_stay_with_their_cells() -> None:
    """Colour is decided cell by cell."""
    columns = grid(COLUMNS, [ROW], None)

    assert [cell.tone for cell in columns.line(ROW)] == [Tone.PLAIN, Tone.PLAIN, Tone.PLAIN, Tone.GOOD]


def test_wide_letters_take_two_places_and_marks_above_none() -> None:
    """A table with other scripts stays straight."""
    assert [width_of(text) for text in ("abc", "日本", "e\u0301")] == [3, 4, 1]
    assert cut("日本日本", 5) == "日.."
    assert width_of(cut("日本日本", 6)) == 6


def test_a_line_is_clipped_across_its_cells() -> None:
    """No line is longer than the terminal is wide."""
    line = (Cell("hello "), Cell("world", Tone.BAD), Cell("!"))

    assert text_of(clipped(line, 9)) == "hello w.."
    assert text_of(clipped(line, 1)) == "."
    assert clipped(line, None) == line


def test_control_characters_do_not_pass() -> None:
    """An error of a venue cannot paint the screen."""
    assert printable("a\x1b[31mb\nc") == "a [31mb c"
