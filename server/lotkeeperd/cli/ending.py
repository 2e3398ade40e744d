"""How a command ends that could not be done, or that asked a sidecar: one line on stderr, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import typer


def fail(error: Exception) -> NoReturn:
    """Say why it could not be done.

    Raises:
        typer.Exit: always, with 1.
    """
    print(f"lotkeeper: {error}", file=sys.stderr)
    raise typer.Exit(1) from error


def answered(work: Callable[[], int]) -> None:
    """Run ``work``, which talks to a sidecar and returns its exit code.

    Raises:
        typer.Exit: always; with 1 where the sidecar refused or is not there.
    """
    from lotkeeper import LotkeeperError

    try:
        code = work()
    except LotkeeperError as error:
        fail(error)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, which is how `| head` ends
        code = 0
    raise typer.Exit(code)
