"""Notices, from a thread beside it, that a blocking read waits for too long.

A connection can die without a word: a cable, a suspended machine, a server whose loop hangs while its sockets answer
pings. gRPC's blocking read has no timeout of its own, and a deadline on the call would end healthy streams too.
Therefore one thread per stream looks at when the read began; a message costs two assignments.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

M = TypeVar("M")


class Watchdog:
    """Calls ``cancel`` once, when one read of ``watched`` waited for ``limit`` seconds; ``expired`` then says so.

    The time a consumer takes between two reads does not count. Leave the ``with`` block to send it away.

    Args:
        limit: seconds one read may take; noticed after at most twice as many.
        cancel: ends the read, from another thread.
        clock: seconds that only go forward.
    """

    def __init__(self, limit: float, cancel: Callable[[], object], clock: Callable[[], float]) -> None:
        self.expired = False
        self._limit = limit
        self._cancel = cancel
        self._clock = clock
        self._waiting_since: float | None = None
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="lotkeeper-watchdog", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Not joined: a forgotten generator may be closed by the garbage collector in any thread, also in this one.
        self._stop.set()

    def watched(self, messages: Iterator[M]) -> Iterator[M]:
        """``messages``, each read under watch."""
        while True:
            self._waiting_since = self._clock()
            try:
                message = next(messages)
            except StopIteration:
                return
            finally:
                self._waiting_since = None
            yield message

    def _watch(self) -> None:
        pause = self._limit
        while not self._stop.wait(pause):
            since = self._waiting_since
            waited = 0.0 if since is None else self._clock() - since
            if waited >= self._limit:
                self.expired = True
                self._cancel()
                return
            pause = self._limit - waited
