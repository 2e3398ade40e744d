"""Running an SDK in its own environment, and reading what it prints."""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-certify/bin/python"
CLIENTS = Path(__file__).parent / "clients"
SAID_SECONDS = 30.0
LAST_LINES = 20
# A proxy, or this project's own packages, must not come between the SDK and loopback.
KEPT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and "proxy" not in name.lower()}

Line = dict[str, Any]


class SaidNothing(Exception):
    """The client ended, or time ran out, before it printed what was waited for; says its last lines."""


class Client:
    """A running client; lines are read in order and each only once."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    async def until(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line that is wanted. Raises SaidNothing."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(SAID_SECONDS):
                while text := await self._process.stdout.readline():
                    self._last.append(text.decode().rstrip())
                    line: Line = json.loads(text)
                    if wanted(line):
                        return line
        except TimeoutError:
            raise SaidNothing(f"{SAID_SECONDS} s without it; last lines: {list(self._last)}") from None
        raise SaidNothing(f"it ended with {await self._process.wait()}; last lines: {list(self._last)}")

    async def kind(self, kind: str) -> Line:
        """The next line of that kind. Raises SaidNothing."""
        return await self.until(lambda line: line["kind"] == kind)

    async def log(self, part: str) -> Line:
        """The next log line that holds this. Raises SaidNothing."""
        return await self.until(lambda line: line["kind"] == "log" and part in line["said"] + line.get("error", ""))

    def word(self) -> None:
        """Give the client its cue to unsubscribe."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"unsubscribe\n")


@asynccontextmanager
async def running(script: str, *arguments: str) -> AsyncIterator[Client]:
    """The client of that name, killed at the end: none of the SDKs stops at once when asked."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        PYTHON, CLIENTS / script, *arguments, stdin=pipe, stdout=pipe, limit=2**20, env=KEPT
    )
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
