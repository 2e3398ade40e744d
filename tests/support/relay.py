"""A wire between a client and its server that a test can cut: every byte passes through, until ``cut``.

Problem: a server that is killed is one way to lose a connection, and the rarest. Chosen: a TCP relay in the test's own event
loop; cutting it leaves both sides running, in the middle of whatever was on its way.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 1 << 16


class Relay:
    """Listens on ``address``, a free port of loopback, and carries everything to ``target`` and back."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.address = ""
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        while self._carrying:
            await asyncio.wait(self._carrying)

    def cut(self) -> None:
        """Drop every connection without a word; new ones are taken."""
        self.cuts += bool(self._open)
        for writer in self._open:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # the target may be gone: then so is this connection
            there, back = await asyncio.open_connection(self._host, int(self._port))
            self._open |= {writer, back}
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
            self._open -= {writer, back}
            back.close()
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either side is gone; then the other goes, too."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
