"""Portfolios whose executions wait for something outside the ledger, such as a broker that has not answered yet.

Nothing of it is journaled: a hold is what this server does not know, and the next one may know it.
"""

from __future__ import annotations

from collections.abc import Iterable

from lotkeeperd.domain.refusals import Refusal


class Holds:
    """Which portfolios wait, and what their callers are told."""

    def __init__(self) -> None:
        self._held: dict[str, Refusal] = {}

    def hold(self, portfolio_ids: Iterable[str], refusal: Refusal) -> None:
        """Refuse executions of these portfolios from now on."""
        self._held.update(dict.fromkeys(portfolio_ids, refusal))

    def release(self, portfolio_ids: Iterable[str]) -> None:
        """Take them again; those that do not wait are as they were."""
        for portfolio_id in portfolio_ids:
            self._held.pop(portfolio_id, None)

    def check(self, portfolio_ids: Iterable[str]) -> None:
        """Raises the refusal of the first that waits."""
        if not self._held:
            return
        for portfolio_id in portfolio_ids:
            if (refusal := self._held.get(portfolio_id)) is not None:
                raise refusal.again()
