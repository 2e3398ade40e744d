"""Differences that are open or ignored, and what they stop.

Every execution asks whether its symbol is frozen and its portfolio halted. Therefore both are worked out once for each change of
what stands, not for each execution; and where nothing is stopped, one look at an empty value is all that it costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lotkeeperd.domain.reconciliation.policy import Action
from lotkeeperd.domain.reconciliation.records import Standing, State
from lotkeeperd.domain.refusals import PortfolioHalted, SymbolFrozen

WAITING = frozenset({State.OPEN, State.IGNORED})
"""States in which the next report may find a difference again."""


class Standings:
    """By id, in the order in which they were first seen. Never changed: ``over`` makes another."""

    __slots__ = ("_by_id", "_frozen", "_halted")

    def __init__(self, standings: Iterable[Standing] = ()) -> None:
        self._by_id = {one.discrepancy_id: one for one in standings if one.state in WAITING}
        self._frozen: dict[tuple[str, str], str] = {}
        self._halted: dict[str, str] = {}
        for one in self._by_id.values():
            if one.state is State.OPEN:
                self._stop(one)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Standings) and self._by_id == other._by_id

    def __hash__(self) -> int:
        return hash(tuple(self._by_id))

    def _stop(self, one: Standing) -> None:
        """In every portfolio of the account."""
        for portfolio_id in one.portfolio_ids:
            if one.action is Action.FREEZE:
                self._frozen.setdefault((portfolio_id, one.difference.symbol), one.discrepancy_id)
            elif one.action is Action.HALT:
                self._halted.setdefault(portfolio_id, one.discrepancy_id)

    def over(self, changed: Mapping[str, Standing]) -> Standings:
        """These, with what changed."""
        return Standings({**self._by_id, **changed}.values()) if changed else self

    def get(self, discrepancy_id: str) -> Standing | None:
        """One of them."""
        return self._by_id.get(discrepancy_id)

    def values(self) -> Iterable[Standing]:
        """All of them."""
        return self._by_id.values()

    @property
    def stops_something(self) -> bool:
        """Whether anything is frozen or halted."""
        return bool(self._frozen or self._halted)

    def stops(self, portfolio_id: str, symbol: str) -> bool:
        """Whether an execution of this symbol may be refused."""
        return portfolio_id in self._halted or (portfolio_id, symbol) in self._frozen

    def check(self, portfolio_id: str, symbol: str, opens: bool) -> None:
        """Raises PortfolioHalted, or SymbolFrozen for what ``opens`` anything."""
        halted = self._halted.get(portfolio_id)
        if halted is not None:
            raise PortfolioHalted(portfolio_id, halted)
        frozen = self._frozen.get((portfolio_id, symbol))
        if frozen is not None and opens:
            raise SymbolFrozen(portfolio_id, symbol, frozen)
