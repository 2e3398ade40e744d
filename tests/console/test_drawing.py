"""However much comes, little is drawn; and what is drawn is the newest."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from operator import length_hint
from pathlib import Path

import pytest

import lotkeeper
import lotkeeper.aio
from lotkeeperd.console.board import Board
from lotkeeperd.console.choice import Choice
from lotkeeperd.console.follow import Following, Watched
from lotkeeperd.console.frame import Known, frame
from lotkeeperd.console.link import Link, after
from lotkeeperd.console.lots import Lots
from lotkeeperd.console.terminal import USUAL, Screen
from lotkeeperd.console.watch import drawing
from tests.console.values import LONG, snapshot, update
from tests.console.watching import HOME
from tests.support.sidecar import Sidecar

EVENTS, FRAMES = 500, 10


class Paper(StringIO):
    """A terminal that counts what is written to it."""

    writes = 0

    def isatty(self) -> bool:
        """It is one."""
        return True

    def write(self, text: str) -> int:
        """Take a piece of text."""
        self.writes += 1
        return super().write(text)


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    """A terminal that a program can write colours to."""
    monkeypatch.setenv("TERM", "xterm-256color")
    return Paper()


async def test_five_hundred_events_are_ten_frames_of_one_write_each(paper: Paper) -> None:
    """Fifty events come while a frame stands; each frame shows the newest of them."""
    board, changed, link = Board(), asyncio.Event(), Link(since=0)
    board.take(snapshot(LONG))
    left = iter(range(EVENTS))

    def draw() -> None:
        known = Known("here", board, after(link, snapshot(LONG), 1), Lots())
        screen.draw(frame(known, Choice(), 1, USUAL).lines, USUAL)

    async def fifty_events(_: float) -> None:
        for _ in range(EVENTS // FRAMES):
            board.take(update(replace(LONG, unrealized_pnl=Decimal(next(left))), sequence=4))
            changed.set()

    with Screen(paper) as screen:
        begun = paper.writes
        await drawing(draw, changed, lambda: length_hint(left) == 0, fifty_events)
        assert paper.writes - begun == FRAMES

    frames = paper.getvalue().split(HOME)[-FRAMES:]
    assert ["449.00" in shown for shown in frames] == [False] * (FRAMES - 1) + [True]


async def test_nothing_is_drawn_while_nothing_comes() -> None:
    """A hundred turns of the loop without a change are one frame; ages alone wait for the idle interval."""
    drawn: list[int] = []
    changed = asyncio.Event()

    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    task = asyncio.create_task(drawing(lambda: drawn.append(1), changed, lambda: False, no_pause))
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(drawn) == 1
    changed.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(drawn) == 2

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_marks_of_a_real_sidecar_are_folded(paper: Paper, tmp_path: Path) -> None:
    """Five hundred marks through SetMarks and StreamPnL: one write per frame, and the last one is on the screen."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as sidecar:
        async with lotkeeper.aio.connect(sidecar.address, portfolio="scalper") as ledger:
            await ledger.create_entry(symbol="BTC", quantity="1", entry_price="1", entry_fill_id="F-1")
            following = Following(Watched(sidecar.address), lambda: 1)
            streaming = asyncio.create_task(following.stream(ledger))
            newest = 0

            def draw() -> None:
                screen.draw(frame(following.known(), Choice(), 1, USUAL).lines, USUAL)

            async def fifty_marks(_: float) -> None:
                nonlocal newest
                wanted = newest + EVENTS // FRAMES
                while newest < wanted:
                    newest += 1
                    await ledger.set_marks(marks={"BTC": newest})
                while [each.mark_price for each in following.board.positions] != [newest]:
                    following.changed.clear()
                    await following.changed.wait()
                following.changed.set()

            with Screen(paper) as screen:
                begun = paper.writes
                await drawing(draw, following.changed, lambda: newest == EVENTS, fifty_marks)
                draw()
                assert paper.writes - begun == FRAMES + 1
            streaming.cancel()
            await asyncio.gather(streaming, return_exceptions=True)

    assert "500.0000" in paper.getvalue().split(HOME)[-1]
