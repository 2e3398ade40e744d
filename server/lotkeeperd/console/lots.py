"""The open lots of the positions that are on the screen: which must be read, and what was read. Pure.

Problem: lots do not come with the stream, and a ledger may hold more of them than a screen shows. Chosen: they are read for
what is shown, and again only when a fill changed the position, which its journal sequence tells; a mark changes no lot.
"""

from __future__ import annotations

from collections.abc import Iterable

from lotkeeper import Entry, Position, PositionSide
from lotkeeperd.console.board import Key, key_of


class Lots:
    """What was read so far, of what is shown."""

    def __init__(self) -> None:
        self._held: dict[Key, Position] = {}

    def of(self, position: Position) -> tuple[Entry, ...] | None:
        """Its lots, oldest first, as they were last read; None before that."""
        held = self._held.get(key_of(position))
        return None if held is None else held.entries

    def wanted(self, shown: Iterable[Position]) -> dict[str, tuple[str, ...]]:
        """The symbols to read, by portfolio: shown, open, and changed since they were read."""
        found: dict[str, list[str]] = {}
        for position in shown:
            held = self._held.get(key_of(position))
            if position.side is not PositionSide.FLAT and (held is None or held.sequence < position.sequence):
                found.setdefault(position.portfolio_id, []).append(position.symbol)
        return {portfolio: tuple(dict.fromkeys(symbols)) for portfolio, symbols in found.items()}

    def take(self, read: Iterable[Position]) -> None:
        """Keep positions that were read with their lots."""
        self._held.update({key_of(position): position for position in read})

    def keep(self, shown: Iterable[Position]) -> None:
        """Forget what is not shown any more."""
        self._held = {key: self._held[key] for position in shown if (key := key_of(position)) in self._held}

    def clear(self) -> None:
        """Forget everything: it was of another ledger."""
        self._held.clear()
