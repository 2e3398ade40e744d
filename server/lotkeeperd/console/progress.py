"""Progress of long work on stderr: one line that changes in a terminal, a line every few seconds in a pipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

TERMINAL_SECONDS = 0.1
PIPE_SECONDS = 5.0


class Progress:
    """Told how much is done of how much; ``clock`` says seconds."""

    def __init__(self, what: str, out: TextIO, clock: Callable[[], float]) -> None:
        self._what = what
        self._out = out
        self._clock = clock
        self._terminal = out.isatty()
        self._due = clock() + (0.0 if self._terminal else PIPE_SECONDS)
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        """Show it, if it is time."""
        if self._clock() < self._due and not (self._open and done >= total):
            return
        self._due = self._clock() + (TERMINAL_SECONDS if self._terminal else PIPE_SECONDS)
        share = 100 * done // total if total else 100
        text = f"{self._what}: {done:,} of {total:,} ({share} %)"
        self._out.write(f"\r{text}\x1b[K" if self._terminal else f"{text}\n")
        self._out.flush()
        self._open = self._terminal

    def end(self) -> None:
        """Leave the terminal's line as it was."""
        if self._open:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._open = False
