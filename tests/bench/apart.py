"""Functions run in other processes: client, server, echo and raw never share an interpreter.

``spawn`` and not ``fork``: gRPC does not survive a fork.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LIMIT = 900.0
"""Seconds that one function may take: building the large ledger is the longest."""

END_SECONDS = 10.0
"""How long a process may take to end once nothing more is asked of it."""

_context = multiprocessing.get_context("spawn")


class Failed(Exception):
    """The function raised, or its process ended; carries the trace from there."""


class Apart:
    """A process that runs functions, one after the other; they and what they take and return are pickled."""

    def __init__(self) -> None:
        self._pipe, theirs = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let it run a function; ``result`` waits for it."""
        self._pipe.send((function, args, kwargs))

    def result(self) -> Any:
        """What the function that was begun returned. Raises Failed."""
        try:
            if not self._pipe.poll(LIMIT):
                raise Failed(f"no answer within {LIMIT:g} s")
            done, value = self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise Failed("the process ended without an answer") from error
        if not done:
            raise Failed(value)
        return value

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function and wait for it. Raises Failed."""
        self.begin(function, *args, **kwargs)
        return self.result()  # type: ignore[no-any-return]

    def kill(self) -> None:
        """End it in the middle of what it runs."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        if kind is not None:
            self._process.kill()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one function in a fresh process. Raises Failed."""
    with Apart() as process:
        return process.run(function, *args, **kwargs)


def _serve(pipe: Connection) -> None:
    while True:
        try:
            function, args, kwargs = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(function, args, kwargs))


def _answer(
    function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[bool, object]:
    try:
        return True, function(*args, **kwargs)
    except Exception:  # noqa: BLE001 - it is raised again where it was asked for
        return False, traceback.format_exc()
