"""Whose an execution is that nobody recorded.

Problem: several portfolios share one account, and the broker does not know them. Chosen: what was recorded before of the same order
says it; else an exit is of the only portfolio that has something to exit from, and what opens is of the one that adopts.
Anything else is a guess, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.reconciliation.findings import Proposal
from lotkeeperd.domain.reconciliation.holdings import Holding, Holdings
from lotkeeperd.domain.reconciliation.lines import Line
from lotkeeperd.domain.reconciliation.pairing import Replacement
from lotkeeperd.domain.reconciliation.statements import Execution


class Owners:
    """The portfolios of one account. ``adopter`` takes what is nobody's; empty when there are several and none was named."""

    def __init__(self, holdings: Holdings, adopt_into: str) -> None:
        self._holdings = holdings
        only = holdings.portfolios[0] if len(holdings.portfolios) == 1 else ""
        self.adopter = adopt_into or only
        self._only = only

    def proposed(
        self, line: Line, executions: Iterable[Execution], replaced: Sequence[Replacement] = ()
    ) -> tuple[Proposal, ...] | None:
        """``executions`` as proposals, in order of time; None when one of them may be anybody's.

        What replaces a recorded fill goes where that one is.
        """
        standing = {id(each): replacement for replacement in replaced for each in replacement.executions}
        first = {id(replacement.executions[0]): replacement.recorded.sequence for replacement in replaced}
        held = {holding.key[0]: holding.quantity for holding in line.holdings}
        found = []
        for each in sorted(executions, key=lambda execution: execution.time):
            replacement = standing.get(id(each))
            owner = self._of(each, held) if replacement is None else replacement.recorded.key[0]
            if not owner:
                return None
            if replacement is None:
                held[owner] = held.get(owner, ZERO) + each.signed
            sequence = first.get(id(each))
            found.append(Proposal(owner, each, replaces=() if sequence is None else (sequence,)))
        return tuple(found)

    def _of(self, execution: Execution, held: dict[str, Decimal]) -> str:
        if self._only:
            return self._only
        known = self._holdings.orders.get(execution.order_id, frozenset()) if execution.order_id else frozenset()
        if len(known) == 1:
            return next(iter(known))
        if known:
            return ""
        against = [name for name, quantity in held.items() if quantity * execution.signed < 0]
        if not against:
            return self.adopter
        owner = against[0]
        return owner if len(against) == 1 and abs(held[owner]) >= execution.quantity else ""

    def adopting(self, holdings: Sequence[Holding]) -> str:
        """Whose a synthetic opening is: of the only portfolio that holds some already, else of the adopter."""
        holders = {holding.key[0] for holding in holdings}
        return holders.pop() if len(holders) == 1 else self.adopter
