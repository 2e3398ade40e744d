"""Waiting for what no answer tells of."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_WAIT = 60.0
"""Seconds."""

LOOK = 0.01
"""Seconds between two looks."""


def eventually(true: Callable[[], object]) -> None:
    """Look until it is true."""
    end = time.monotonic() + LONGEST_WAIT
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(LOOK)
