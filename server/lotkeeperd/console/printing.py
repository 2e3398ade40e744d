"""Lines on paper: in colour and as wide as the terminal, or plain and whole in a pipe."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Sequence
from typing import TextIO

from lotkeeperd.console.layout import Cell, Line, Tone, text_of

_INDENT = "  "
_NARROWEST = 40

Building = Callable[[int | None], Sequence[Line]]
"""Makes the lines for so many places; None: as many as they need."""


def show(build: Building, out: TextIO) -> None:
    """Print what ``build`` makes."""
    if out.isatty() and os.environ.get("TERM") != "dumb":
        from rich.console import Console

        from lotkeeperd.console.terminal import painted

        terminal = Console(file=out, highlight=False)
        terminal.print(painted(build(terminal.width)), soft_wrap=True)
    else:
        out.writelines(f"{text_of(line)}\n" for line in build(None))


def paragraph(text: str, width: int | None, tone: Tone = Tone.PLAIN) -> list[Line]:
    """A text in as many lines as it needs, those after the first further in; one line in a pipe."""
    if width is None:
        return [(Cell(text, tone),)]
    indent = _INDENT + text[: len(text) - len(text.lstrip())]
    return [(Cell(line, tone),) for line in textwrap.wrap(text, max(_NARROWEST, width), subsequent_indent=indent)]
