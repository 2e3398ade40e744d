"""The real ``lotkeeper watch`` in a pseudo terminal: press keys, read the frame that stands on the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import lotkeeper

PATIENCE_SECONDS = 60
"""How long a frame may be waited for before the test fails."""
HOME = "\x1b[H"
ALTERNATE, MAIN = "\x1b[?1049h", "\x1b[?1049l"
SHOW_CURSOR = "\x1b[?25h"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b\[\?[0-9]+[hl]")
# A session of its own, whose controlling terminal is stdin: what a shell in a terminal window gives.
_OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Watching:
    """One ``lotkeeper watch`` with these ``words``; a context manager that ends it, whatever happens."""

    def __init__(
        self, *words: str, columns: int = 80, lines: int = 24, keyboard: bool = True, term: str = "xterm-256color"
    ) -> None:
        """Nothing runs yet."""
        self._words = words
        self._keyboard = keyboard
        self._term = term
        self._controller, self._terminal = pty.openpty()
        self._size = (columns, lines)
        self.resize(columns, lines)
        self.before = self.settings()
        self.written = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        # A shell may export the size that the window had once; what counts is the window.
        settings = {"TERM": self._term, "COLUMNS": "20", "LINES": "5"}
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | settings
        owned = [sys.executable, "-c", _OWN_TERMINAL] if self._keyboard else []
        command = [*owned, sys.executable, "-m", "lotkeeperd", "watch", *self._words]
        self._process = subprocess.Popen(
            command,
            stdin=self._terminal if self._keyboard else subprocess.DEVNULL,
            stdout=self._terminal,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=environment,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, if it has not ended by itself."""
        process = self._running()
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE_SECONDS)
        assert process.stderr is not None
        process.stderr.close()
        os.close(self._terminal)
        self.hang_up()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def settings(self) -> list[Any]:
        """How the terminal is set: echo, lines or keys, and the rest."""
        return termios.tcgetattr(self._terminal)

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size; the kernel tells the program."""
        self._size = (columns, lines)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def hang_up(self) -> None:
        """Close the window: the kernel tells the program, and what it writes then goes nowhere."""
        if self._controller >= 0:
            os.close(self._controller)
            self._controller = -1

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._controller, keys.encode())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it."""
        os.kill(self._running().pid, number)

    def frames(self) -> list[list[str]]:
        """Every whole frame that was drawn in the size of now, as lines without colour."""
        drawn = [_plain(piece).split("\n") for piece in self.written.split(HOME)[1:]]
        return [frame for frame in drawn if (len(frame[-1]), len(frame)) == self._size]

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """Read until a frame is as wanted, and return it. Raises AssertionError with the last frame otherwise."""
        begun = len(self.frames())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for frame in self.frames()[max(0, begun - 1) :]:
                if seen(frame):
                    return frame
            if not self._read(0.2) and self._running().poll() is not None:
                break
        last = "\n".join(self.frames()[-1]) if self.frames() else "nothing"
        raise AssertionError(f"no such frame; exit code {self._running().poll()}; the last one was:\n{last}")

    def until_shown(self, *texts: str) -> list[str]:
        """Read until a frame holds all ``texts``."""
        return self.until(lambda frame: all(any(text in line for line in frame) for text in texts))

    def until_written(self, text: str) -> None:
        """Read until ``text`` came, where there are no frames. Raises AssertionError otherwise."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.written and time.monotonic() < deadline:
            self._read(0.2)
        assert text in self.written

    def _read(self, seconds: float) -> bool:
        if self._controller < 0:
            time.sleep(seconds)  # nothing to read: only its end is waited for
            return False
        ready, _, _ = select.select([self._controller], [], [], seconds)
        if ready:
            self.written += os.read(self._controller, 65_536).decode(errors="replace")
        return bool(ready)

    def ended(self) -> tuple[int, str]:
        """Wait for its end; its exit code and what it wrote to stderr."""
        process = self._running()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            self._read(0.2)
        while self._read(0):
            pass
        assert process.stderr is not None
        code = process.wait(1)
        return code, process.stderr.read().decode()


def _plain(piece: str) -> str:
    return _CONTROL.sub("", _STYLE.sub("", piece)).replace("\r", "")


def trade(address: str) -> None:
    """Two portfolios with three open positions, two of them marked."""
    with lotkeeper.connect(address) as ledger:
        ledger.create_entry(
            portfolio_id="scalper", symbol="BTC", quantity="2", entry_price="100", entry_fill_id="F-1", fee="0.5"
        )
        ledger.close_fifo(portfolio_id="scalper", symbol="BTC", quantity="1", exit_price="130", exit_fill_id="F-2")
        ledger.create_entry(portfolio_id="scalper", symbol="BTC", quantity="3", entry_price="110", entry_fill_id="F-3")
        ledger.create_entry(portfolio_id="swing", symbol="ADA", quantity="10", entry_price="5", entry_fill_id="F-4")
        ledger.create_entry(portfolio_id="swing", symbol="XRP", quantity="7", entry_price="1", entry_fill_id="F-5")
        ledger.set_marks(marks={"BTC": "150", "ADA": "4"}, source="test")
