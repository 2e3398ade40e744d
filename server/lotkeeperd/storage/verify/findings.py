"""The differences that were found, each in words that name the table, the id, and what differs."""

from __future__ import annotations

DIFFERENCES = 100
"""Differences listed; the search ends when so many were found."""


class Enough(Exception):
    """So many differences that more would not help."""


class Findings:
    """What was found so far."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def differs(self, what: str) -> None:
        """Note a difference. Raises Enough with the last one that is listed."""
        self.found.append(what)
        if len(self.found) >= DIFFERENCES:
            raise Enough
