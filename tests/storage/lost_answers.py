"""A wire to PostgreSQL that is cut at the worst moment: the commit is carried out, and the answer to it never comes.

Nothing else makes this outcome for certain, and it is the one that counts a fill twice where a retry is not recognized. The
proxy forwards bytes both ways; once it is told to, it waits for a COMMIT, lets the server carry it out, and hangs up.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from sqlalchemy import make_url

CHUNK = 65_536
COMMIT = b"COMMIT\0"
"""As it goes over the wire; READ COMMITTED does not end there."""

HOST = "127.0.0.1"
JOIN_SECONDS = 30.0


class LostAnswers:
    """Stands before the PostgreSQL server that ``url`` names; clients connect to its own ``url`` instead."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url)
        self._listener = socket.create_server((HOST, 0))
        self._sockets = [self._listener]
        self._threads: list[threading.Thread] = []
        self._armed = threading.Event()
        self.url = self._server.set(port=self._listener.getsockname()[1]).render_as_string(hide_password=False)

    def lose_next_commit(self) -> None:
        """The next commit is carried out, and nobody is told."""
        self._armed.set()

    def __enter__(self) -> Self:
        self._start(threading.Thread(target=self._accept))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._sockets:
            _hang_up(one)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        for one in self._sockets:
            one.close()

    def _start(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was hung up
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._server.host or HOST, self._server.port or 0))
                self._sockets += [client, server]
                committed = threading.Event()
                self._start(threading.Thread(target=self._forward, args=(client, server, committed)))
                self._start(threading.Thread(target=_answer, args=(server, client, committed)))

    def _forward(self, client: socket.socket, server: socket.socket, committed: threading.Event) -> None:
        with contextlib.suppress(OSError):  # either side hung up
            while data := client.recv(CHUNK):
                if COMMIT in data and self._armed.is_set():
                    self._armed.clear()
                    committed.set()
                server.sendall(data)
        _hang_up(server)


def _answer(server: socket.socket, client: socket.socket, committed: threading.Event) -> None:
    with contextlib.suppress(OSError):  # either side hung up
        while (data := server.recv(CHUNK)) and not committed.is_set():
            client.sendall(data)
    _hang_up(client)


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was hung up already
        one.shutdown(socket.SHUT_RDWR)
