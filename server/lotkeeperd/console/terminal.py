"""The terminal of ``watch``: keys one by one, a screen that is written over, and everything as it was afterwards.

Problem: a program that changes the terminal and then dies leaves a shell without echo. Seen: a signal arrives between any
two lines; Ctrl-Z leaves the alternate screen on; a terminal that was closed answers EIO, also to the clean-up.
Chosen: one context manager takes the terminal and gives it back, in reverse, whatever happens inside; signals cancel the
task inside it and so pass through the same way. Ctrl-Z gives the terminal back before it stops, and takes it again after.
Keys are read only where the terminal is ours: in the foreground, with input that is a terminal.

This is the only module of ``watch`` that knows rich, and it is imported only in a terminal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from lotkeeperd.console.frame import Size
from lotkeeperd.console.layout import Line, Tone

READ_BYTES = 1024
"""Of keys, in one read."""
USUAL = Size(80, 24)
"""Of a terminal that does not say its size."""

_STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "red",
    Tone.DOUBTFUL: "yellow",
    Tone.DIM: "dim",
    Tone.HEAD: "bold",
}


class Screen:
    """The alternate screen of the terminal ``out``; what was there before comes back at the end."""

    def __init__(self, out: TextIO) -> None:
        """Nothing is written yet."""
        self._out = out
        self._console = Console(file=out, highlight=False)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Take the screen."""
        self._live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Give it back."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError):  # the terminal itself is gone
                live.stop()

    def size(self) -> Size:
        """Its size now."""
        try:
            width, height = os.get_terminal_size(self._out.fileno())
        except OSError:
            return USUAL
        return Size(width or USUAL.width, height or USUAL.height)

    def draw(self, lines: Sequence[Line], size: Size) -> None:
        """Write a frame over the one before, in one go."""
        if self._live is not None:
            self._console.size = size  # type: ignore[assignment] # a pair is what the setter takes apart
            self._live.update(painted(lines), refresh=True)


def painted(lines: Sequence[Line]) -> Text:
    """Lines in colour; nothing in them is taken for markup."""
    text = Text(no_wrap=True, overflow="crop", end="")
    for number, line in enumerate(lines):
        text.append("\n" if number else "")
        for cell in line:
            text.append(cell.text, _STYLES[cell.tone])
    return text


class Keyboard:
    """Keys of the terminal ``keys``, each as it is pressed and unseen; ``read`` is called with their bytes."""

    def __init__(self, keys: TextIO, read: Callable[[bytes], None]) -> None:
        """Nothing is changed yet."""
        self._descriptor = keys.fileno()
        self._read = read
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        """Take the keys."""
        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)
        asyncio.get_running_loop().add_reader(self._descriptor, self._readable)
        return self

    def __exit__(self, *error: object) -> None:
        """Give them back as they were; what was typed and not read is forgotten."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        with suppress(termios.error):  # the terminal itself is gone
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, self._before or [])

    def _readable(self) -> None:
        try:
            read = os.read(self._descriptor, READ_BYTES)
        except OSError:
            read = b""
        if read:
            self._read(read)
        else:  # its end: no key will come any more
            asyncio.get_running_loop().remove_reader(self._descriptor)


class Terminal:
    """Screen and keyboard together. ``read`` is called with the bytes of keys, ``changed`` when all must be drawn anew."""

    def __init__(
        self, out: TextIO, keys: TextIO | None, read: Callable[[bytes], None], changed: Callable[[], None]
    ) -> None:
        """Nothing is taken yet; without ``keys`` there is no keyboard."""
        self.screen = Screen(out)
        self._parts: tuple[Keyboard | Screen, ...] = (self.screen,)
        if keys is not None and ours(keys):
            self._parts = (Keyboard(keys, read), self.screen)
        self._changed = changed
        self._taken = ExitStack()

    def __enter__(self) -> Self:
        """Take the terminal."""
        loop = asyncio.get_running_loop()
        self._take()
        loop.add_signal_handler(signal.SIGWINCH, self._changed)
        loop.add_signal_handler(signal.SIGTSTP, self._pause)
        return self

    def __exit__(self, *error: object) -> None:
        """Give it back."""
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTSTP)
        loop.remove_signal_handler(signal.SIGWINCH)
        self._taken.close()

    def _take(self) -> None:
        with ExitStack() as taking:
            for part in self._parts:
                taking.enter_context(part)
            self._taken = taking.pop_all()

    def _pause(self) -> None:
        """Ctrl-Z: the shell gets its terminal and we stop, unless no shell is there to go on; ``fg`` brings us back here."""
        loop = asyncio.get_running_loop()
        self._taken.close()
        loop.remove_signal_handler(signal.SIGTSTP)
        signal.raise_signal(signal.SIGTSTP)
        loop.add_signal_handler(signal.SIGTSTP, self._pause)
        self._take()
        self._changed()


def ours(keys: TextIO) -> bool:
    """Whether keys may be read: from a terminal, in the foreground; reading in the background would stop the process."""
    try:
        return keys.isatty() and os.tcgetpgrp(keys.fileno()) == os.getpgrp()
    except (OSError, ValueError):  # closed, or another session's terminal
        return False
