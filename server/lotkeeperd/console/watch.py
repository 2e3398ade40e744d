"""``lotkeeper watch``: positions and P&L as they change, until q or Ctrl-C.

Three ways out, by what is behind ``out``: a screen with keys in a terminal, blocks of plain lines in a pipe, and a line of
JSON per event on request. The first two draw the same frames (``frame``) out of the same state (``follow``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TextIO

import lotkeeper.aio
from lotkeeperd.console import output
from lotkeeperd.console.board import PLAIN_INTERVAL_SECONDS
from lotkeeperd.console.choice import Choice
from lotkeeperd.console.figures import SECOND
from lotkeeperd.console.follow import FRAME_SECONDS, Following, Watched, until_one_ends
from lotkeeperd.console.frame import Frame, Size, frame
from lotkeeperd.console.keys import Decoder, pressed
from lotkeeperd.console.layout import text_of
from lotkeeperd.console.link import State

IDLE_SECONDS = 1.0
"""Time between two drawings when nothing comes: ages grow by themselves."""

INTERRUPTED = 130

Clock = Callable[[], int]
"""Says nanoseconds UTC."""


def watch(watched: Watched, out: TextIO, as_json: bool, choice: Choice = Choice(), keys: TextIO | None = None) -> int:  # noqa: B008 - a Choice is frozen
    """Follow until ``q`` (0) or a signal (130); ``keys`` is the terminal to read keys from.

    Raises:
        LotkeeperError: the ledger refused; for JSON also: it was replaced.
    """
    if as_json:
        work = _lines(watched, out)
    elif out.isatty() and os.environ.get("TERM") != "dumb":
        work = _terminal(watched, out, choice, keys, time.time_ns)
    else:
        work = _plain(watched, out, choice, time.time_ns)
    try:
        asyncio.run(_interruptible(work))
    except asyncio.CancelledError:
        return INTERRUPTED
    return 0


async def _interruptible(work: Awaitable[None]) -> None:
    """Let the signals that end a program cancel ``work``, so that it leaves everything as it was."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await work


async def _lines(watched: Watched, out: TextIO) -> None:
    """Every event as a line of JSON."""
    async with lotkeeper.aio.connect(watched.address) as ledger:
        stream = ledger.stream_pnl(portfolio_ids=watched.portfolios, symbols=watched.symbols)
        async with aclosing(stream) as events:
            async for event in events:
                out.write(output.line(type(event).__name__.lower(), event) + "\n")
                out.flush()


# In a terminal.


class Table:
    """The view settings, changed by keys, and the frames they make."""

    def __init__(self, following: Following, choice: Choice, clock: Clock) -> None:
        """Begin with ``choice``."""
        self._following = following
        self._clock = clock
        self._decoder = Decoder()
        self.choice = choice

    def read(self, keys: bytes) -> None:
        """Keys were pressed."""
        for key in self._decoder.keys(keys):
            self.choice = pressed(self.choice, key)
        self._following.changed.set()

    def frame(self, size: Size) -> Frame:
        """The frame now; asks for the lots that it lacks."""
        made = frame(self._following.known(), self.choice, self._clock(), size)
        self.choice = made.choice
        if self.choice.lots and not self.choice.help:
            self._following.want_lots(made.shown)
        return made


async def _terminal(watched: Watched, out: TextIO, choice: Choice, keys: TextIO | None, clock: Clock) -> None:
    """A table that is drawn anew a few times a second, however much comes."""
    from lotkeeperd.console.terminal import Terminal

    following = Following(watched, clock)
    table = Table(following, choice, clock)
    async with lotkeeper.aio.connect(watched.address) as ledger:
        with Terminal(out, keys, table.read, following.changed.set) as terminal:

            def draw() -> None:
                size = terminal.screen.size()
                terminal.screen.draw(table.frame(size).lines, size)

            await until_one_ends(
                drawing(draw, following.changed, lambda: table.choice.quitting),
                following.stream(ledger),
                following.poll_feeds(ledger),
                following.read_lots(ledger),
            )


async def drawing(
    draw: Callable[[], None],
    changed: asyncio.Event,
    ended: Callable[[], bool],
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Draw when something changed, never twice within FRAME_SECONDS, and once in IDLE_SECONDS anyway, until ``ended``."""
    while not ended():
        changed.clear()
        draw()
        await pause(FRAME_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await changed.wait()


# In a pipe.


async def _plain(watched: Watched, out: TextIO, choice: Choice, clock: Clock) -> None:
    """Blocks of plain lines: every few seconds while connected, and whenever the connection comes or goes."""
    following = Following(watched, clock)
    table = Table(following, choice, clock)
    async with lotkeeper.aio.connect(watched.address) as ledger:
        await until_one_ends(
            _blocks(table, following, out, clock),
            following.stream(ledger),
            following.poll_feeds(ledger),
            following.read_lots(ledger),
        )


async def _blocks(table: Table, following: Following, out: TextIO, clock: Clock) -> None:
    while True:
        state = following.link.state
        lines = [text_of(line) for line in table.frame(Size()).lines]
        moment = datetime.fromtimestamp(clock() // SECOND, UTC)
        shown = lines if state is State.CONNECTED else lines[:1]
        out.write(f"{moment:%Y-%m-%dT%H:%M:%SZ} " + "\n".join([*shown, ""]))
        out.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(PLAIN_INTERVAL_SECONDS if state is State.CONNECTED else None):
                while following.link.state is state:
                    following.changed.clear()
                    await following.changed.wait()
