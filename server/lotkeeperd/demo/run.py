"""The demo as a whole: a sidecar, three bots, a crash half way, and the check.

Problem: one command must show that the ledger survives being killed, must say so with its exit code, and must leave no
process behind whatever happens.
Seen: with threads and blocking waits, Ctrl-C arrived in the one moment nobody listened. A crash "after 15 seconds" came
before the bots had begun on a busy machine.
Chosen: one event loop; every wait is an ``await`` that a signal cancels, and every child belongs to ``Children``, which
ends them on the way out. Half way is counted in logged fills, not in seconds. The restarted sidecar listens where the
first did, and nobody tells the bots. The check runs as a process of its own, against the living server; its exit code
is ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TextIO

import lotkeeper
import lotkeeper.aio
from lotkeeperd.console.board import MAX_ROWS, Board, Screen, screen
from lotkeeperd.demo import prices as paths
from lotkeeperd.demo.botlog import Tally
from lotkeeperd.demo.bots import ROUNDS, TICKS_PER_TRADE
from lotkeeperd.demo.children import Child, Children

MIN_SECONDS, MAX_SECONDS = 4, 3600
"""Shorter, and the crash has no before and after; longer is no demo."""
PRICES_PER_SECOND = 20
"""Prices each bot walks through in a second; it trades at every second one."""
READY_SECONDS = 60.0
"""How long the sidecar may take to start."""
LATE_SECONDS = 120.0
"""How much longer than planned the bots may take."""
FRAME_SECONDS = 0.2
"""Time between two looks at the children, and two drawings of the table."""
PRICES_FILE = "prices.csv"
"""The path as the bots read it, in the demo's folder."""
MAX_SYMBOL = 64
"""Characters of a symbol, as the contract has it."""

_READY = re.compile(r"^lotkeeper ready: listening on (\S+), database .+, ledger \S+$", re.MULTILINE)
_SEED = 20_240_101  # of the built-in path: the same prices in every run


class DemoFailedError(Exception):
    """The demo could not be carried out; the text is for the person who ran it."""


def main(
    seconds: int = 30,
    prices: Path | None = None,
    *,
    folder: Path = Path("var"),
    out: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Run the demo for about ``seconds`` along the file ``prices``, or the built-in path; files go below ``folder``.

    Returns the exit code: 0 when nothing was lost or counted twice, 1 when a figure differs or the demo could not be
    carried out, 130 when it was interrupted.
    """
    out = out or sys.stdout
    try:
        path = _path(seconds, prices)
        run = folder / f"demo-{now():%Y%m%d-%H%M%S}-{os.getpid()}"
        run.mkdir(parents=True)
        paths.write(run / PRICES_FILE, path)
        demo = Demo(seconds, path, _symbol(prices), run, out, clock)
        return asyncio.run(_until_signalled(demo))
    except (DemoFailedError, paths.PriceFileError, lotkeeper.LotkeeperError, OSError) as error:
        out.write(f"The demo failed: {error}\n")
        return 1
    except asyncio.CancelledError:
        out.write("Stopped; no process is left behind.\n")
        return 130


class Demo:
    """One run: what it needs to know, and its steps."""

    def __init__(
        self,
        seconds: int,
        path: Sequence[paths.Price],
        symbol: str,
        folder: Path,
        out: TextIO,
        clock: Callable[[], float],
    ) -> None:
        """Trade ``symbol`` along ``path`` in ``seconds``; every file goes into ``folder``."""
        self._seconds = seconds
        self._path = path
        self._symbol = symbol
        self._folder = folder
        self._out = out
        self._clock = clock
        self._children = Children(folder, os.getpid())
        self._board = Board(symbols=False, max_rows=MAX_ROWS)
        self._screen: Screen = screen(self._board, out, clock)

    async def run(self) -> int:
        """Carry out the demo and return its exit code.

        Raises:
            DemoFailedError: a child failed, or something took too long.
            lotkeeper.LotkeeperError: the stream of P&L ended.
        """
        with self._children:
            with self._screen:
                sidecar, address = await self._serve("sidecar-1", "127.0.0.1:0")
                self._screen.say(f"A sidecar serves on {address}; database, logs and prices are in {self._folder}.")
                await self._declare(address)
                self._screen.say(f"Three bots trade {self._symbol} along {len(self._path)} prices.")
                async with _following(self._board, address):
                    sidecar = await self._trade(sidecar, address)
            code = await self._check(address)
            self._stop(sidecar)
        return code

    async def _declare(self, address: str) -> None:
        """Say what is traded, as a bot would: a file may be named like a contract, whose terms are never guessed."""
        async with lotkeeper.aio.connect(address) as ledger:
            await ledger.define_instrument(
                request_id="demo",
                symbol=self._symbol,
                kind=lotkeeper.InstrumentKind.PERPETUAL,
                multiplier=1,
            )

    async def _trade(self, sidecar: Child, address: str) -> Child:
        """Let the bots trade to the end, through the crash; returns the sidecar that serves then."""
        bots = [self._start_bot(name, address) for name in ROUNDS]
        late = self._clock() + self._seconds + LATE_SECONDS
        tallies = [Tally(self._log(name)) for name in ROUNDS]
        half = len(self._path) // TICKS_PER_TRADE * len(ROUNDS) // 2
        await self._until(lambda: sum(tally.fills() for tally in tallies) >= half, late, "the bots are not half way")
        sidecar = await self._crash(sidecar, address)
        await self._until(lambda: all(bot.ended() for bot in bots), late, "the bots are not at the end")
        return sidecar

    async def _crash(self, sidecar: Child, address: str) -> Child:
        """Kill the sidecar in the middle of its work and start it again at the same address."""
        killed = self._clock()
        self._children.kill(sidecar)
        self._screen.say(f"Half way: the sidecar, process {sidecar.process.pid}, was killed with SIGKILL.")
        sidecar, _ = await self._serve("sidecar-2", address)
        self._screen.say(f"The sidecar is back on {address} after {self._clock() - killed:.1f} s; the bots go on.")
        return sidecar

    async def _serve(self, name: str, listen: str) -> tuple[Child, str]:
        """Start a sidecar on the demo's database; returns when it is ready, with the address it says."""
        database = str(self._folder / "lotkeeper.db")
        child = self._children.start(name, "lotkeeperd", "serve", "--listen", listen, "--database", database)
        deadline = self._clock() + READY_SECONDS
        complaint = f"{name} is not ready, see {child.output}"
        await self._until(lambda: _ready_address(child) is not None, deadline, complaint)
        return child, _ready_address(child) or listen

    def _start_bot(self, name: str, address: str) -> Child:
        return self._children.start(
            name,
            "lotkeeperd.demo.bots",
            name,
            *("--address", address, "--symbol", self._symbol, "--seconds", str(self._seconds)),
            *("--prices", str(self._folder / PRICES_FILE), "--log", str(self._log(name))),
        )

    async def _check(self, address: str) -> int:
        """Have every figure counted again from the bots' logs; 0 when all agree."""
        logs = [str(self._log(name)) for name in ROUNDS]
        mark = f"{self._path[-1].mark:f}"
        child = self._children.start("check", "lotkeeperd.demo.check", "--address", address, "--mark", mark, *logs)
        await asyncio.to_thread(child.process.wait)
        self._out.write("\n" + child.output.read_text(encoding="utf-8"))
        return 0 if child.process.returncode == 0 else 1

    def _stop(self, sidecar: Child) -> None:
        """End the sidecar the way an operator would."""
        self._children.stop([sidecar])
        if sidecar.process.returncode:
            raise DemoFailedError(f"asked to end, {sidecar.failure()}")

    async def _until(self, reached: Callable[[], bool], deadline: float, complaint: str) -> None:
        """Draw frames until ``reached``; a child that failed, or the deadline, ends the demo."""
        while True:
            # Looked for first: bots that ended because one of them failed have ended, too.
            failed = self._children.failed()
            if failed is not None:
                raise DemoFailedError(failed.failure())
            if reached():
                return
            if self._clock() > deadline:
                raise DemoFailedError(f"it took too long: {complaint}")
            self._screen.draw()
            await asyncio.sleep(FRAME_SECONDS)

    def _log(self, bot: str) -> Path:
        return self._folder / f"{bot}.jsonl"


@contextlib.asynccontextmanager
async def _following(board: Board, address: str) -> AsyncIterator[None]:
    """Keep ``board`` up to date with every portfolio of the ledger at ``address``, over the restart."""

    async def follow() -> None:
        async with (
            lotkeeper.aio.connect(address) as ledger,
            contextlib.aclosing(ledger.stream_pnl(min_update_interval=FRAME_SECONDS, heartbeat_interval=1)) as events,
        ):
            async for event in events:
                board.take(event)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        # A stream that broke off is the demo's failure; one that is told to end is not.
        with contextlib.suppress(asyncio.CancelledError):
            await following


async def _until_signalled(demo: Demo) -> int:
    """Run ``demo``; a signal cancels it, and every child is ended on the way out."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await demo.run()


def _ready_address(sidecar: Child) -> str | None:
    """The address in the line that says the sidecar is ready, once it stands there."""
    said = _READY.search(sidecar.output.read_text(encoding="utf-8"))
    return said[1] if said else None


def _path(seconds: int, prices: Path | None) -> list[paths.Price]:
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise DemoFailedError(
            f"--seconds {seconds} is not between {MIN_SECONDS} and {MAX_SECONDS}; choose another number"
        )
    count = seconds * PRICES_PER_SECOND
    if prices is None:
        return paths.built_in(count, Random(_SEED))  # noqa: S311 - a repeatable path, not a secret
    return paths.spaced(paths.read(prices), count)


def _symbol(prices: Path | None) -> str:
    """The ledger's name for what is traded: the file's name in capitals."""
    name = re.sub("[^A-Z0-9]+", "-", prices.stem.upper()).strip("-") if prices else ""
    return name[:MAX_SYMBOL] or "DEMO"
