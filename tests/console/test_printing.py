"""Lines on paper: in colour where there is a terminal, plain and whole where there is none."""

from __future__ import annotations

from io import StringIO

import pytest

from lotkeeperd.console.layout import Cell, Line, Tone
from lotkeeperd.console.printing import show


class Terminal(StringIO):
    """It is one."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def drawn(out: StringIO, widths: list[int | None]) -> str:
    """What is printed; ``widths`` are those that were asked for."""

    def build(width: int | None) -> list[Line]:
        widths.append(width)
        return [(Cell("orphaned [bold]1[/bold]", Tone.BAD),), (Cell("x" * 200),)]

    show(build, out)
    return out.getvalue()


def test_a_pipe_gets_plain_lines_of_any_length() -> None:
    """Nothing is cut, and nothing of it is a control character."""
    widths: list[int | None] = []

    assert drawn(StringIO(), widths) == "orphaned [bold]1[/bold]\n" + "x" * 200 + "\n"
    assert widths == [None]


def test_a_terminal_gets_colours_and_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in brackets is text of a venue, not markup."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    widths: list[int | None] = []
    shown = drawn(Terminal(), widths)

    assert "\x1b[31morphaned [bold]1[/bold]\x1b[0m" in shown
    assert widths == [100]


def test_a_terminal_that_knows_no_colours_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an editor's shell."""
    monkeypatch.setenv("TERM", "dumb")

    assert "\x1b" not in drawn(Terminal(), [])
