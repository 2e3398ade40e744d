"""How a command ends that could not be done, or that asked a sidecar: one line on stderr, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import typer

NOT_KNOWN = 4
"""The exit code where a broker would have to answer."""


def fail(error: Exception, code: int = 1) -> NoReturn:
    """Say why it could not be done.

    Raises:
        typer.Exit: always, with ``code``.
    """
    print(f"lotkeeper: {error}", file=sys.stderr)
    raise typer.Exit(code) from error


def answered(work: Callable[[], int]) -> None:
    """Run ``work``, which talks to a sidecar and returns its exit code.

    Raises:
        typer.Exit: always; with 1 where the sidecar refused or is not there, with 4 where a broker is not there.
    """
    from lotkeeper import LotkeeperError
    from lotkeeper.errors import BrokerUnavailable

    try:
        code = work()
    except BrokerUnavailable as error:
        fail(error, NOT_KNOWN)
    except LotkeeperError as error:
        fail(error)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, which is how `| head` ends
        code = 0
    raise typer.Exit(code)
