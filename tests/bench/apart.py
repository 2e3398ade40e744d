"""Functions run in fresh processes: client, server and echo never share an interpreter, and no run inherits another's heap.

``spawn`` and not ``fork``: gRPC does not survive a fork.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LIMIT = 600.0
"""Seconds that one function may take."""

END_SECONDS = 10.0
"""How long a process may take to end once its pipe is closed."""

_context = multiprocessing.get_context("spawn")


class Failed(Exception):
    """The function raised, or its process ended; carries the trace from there."""


class Apart(Generic[T]):
    """A function at work in a process of its own."""

    def __init__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        self._name = function.__name__
        self._answers, theirs = _context.Pipe()
        self._process = _context.Process(target=_run, args=(theirs, function, args, kwargs), daemon=True)
        self._process.start()
        theirs.close()

    def result(self) -> T:
        """What it returned. Raises Failed."""
        try:
            if not self._answers.poll(LIMIT):
                raise Failed(f"{self._name} did not answer within {LIMIT:g} s")
            done, value = self._answers.recv()
        except EOFError:
            raise Failed(f"the process of {self._name} ended without an answer") from None
        finally:
            self.close()
        if not done:
            raise Failed(value)
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process."""
        self._answers.close()
        self._process.join(END_SECONDS if self._process.exitcode is None else 0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a process of its own and wait for it. Raises Failed."""
    return Apart(function, *args, **kwargs).result()


def _run(answers: Connection, function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    try:
        answer: tuple[bool, object] = (True, function(*args, **kwargs))
    except Exception:
        answer = (False, traceback.format_exc())
    answers.send(answer)
    answers.close()
