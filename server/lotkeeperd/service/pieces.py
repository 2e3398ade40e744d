"""Values of the stream as bytes, each built once for everybody who is told of it.

A piece stands for the very value that it was built of: while a snapshot of an earlier moment is sent, there is another one. A
piece of a position is kept as long as anybody follows; of a group while it is open, since the number of groups never ends.
"""

from __future__ import annotations

from decimal import localcontext

from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.groups import GroupPnL
from lotkeeperd.service.ports import Encoder, GroupPiece, GroupRef, Key
from lotkeeperd.service.valuation import Valuation, Valued


class Pieces:
    """Positions, groups and totals, encoded."""

    def __init__(self, valuation: Valuation, encoder: Encoder) -> None:
        self._valuation = valuation
        self._encoder = encoder
        self._positions: dict[Key, tuple[Valued, bytes]] = {}
        self._groups: dict[GroupRef, tuple[tuple[GroupPnL, ...], GroupPiece]] = {}
        self._totals: dict[str, bytes] = {}

    def clear(self) -> None:
        """Forget everything: nobody looks, or nothing is as it was."""
        self._positions.clear()
        self._groups.clear()
        self._totals.clear()

    def position_changed(self, key: Key) -> None:
        """What was built of it is of no use any more, nor are its portfolio's totals."""
        self._positions.pop(key, None)
        self._totals.pop(key[0], None)

    def group_changed(self, ref: GroupRef) -> None:
        """What was built of it is of no use any more."""
        self._groups.pop(ref, None)

    def position(self, key: Key, valued: Valued) -> bytes:
        """Of a position as it is valued."""
        held = self._positions.get(key)
        if held is None or held[0] is not valued:
            held = self._positions[key] = valued, self._encoder.position(key, valued)
        return held[1]

    def group(self, ref: GroupRef, figures: tuple[GroupPnL, ...]) -> GroupPiece:
        """Of a group with these figures."""
        held = self._groups.get(ref)
        if held is not None and held[0] is figures:
            return held[1]
        with localcontext(EXACT):
            piece = self._encoder.group(figures)
        if any(one.open_entry_count for one in figures):
            self._groups[ref] = figures, piece
        return piece

    def totals(self, portfolio_id: str) -> bytes:
        """Of a portfolio as it is now."""
        piece = self._totals.get(portfolio_id)
        if piece is None:
            with localcontext(EXACT):
                piece = self._encoder.totals(portfolio_id, self._valuation.totals(portfolio_id))
            self._totals[portfolio_id] = piece
        return piece
