"""Which orphaned option legs look as if they were opened together.

Problem: a spread is one trade at one credit, and the broker reports its legs as positions of their own. Seen: a recovery that
adopts legs one by one, so that a credit is seen nowhere; and one that merges legs of two trades because they expire
together. Chosen: legs are grouped by underlying and expiry and suggested, never merged: somebody confirms each group.

    entry credit per contract = -sum of the cost bases / contracts
    adopted price of a leg    = |cost basis| / (quantity x multiplier)

A cost basis is signed: +1,320 was paid for the long put, -2,100 was received for the short one; one contract each give a credit
of 780. Legs of unequal quantity are shown together and not grouped: there is no such contract.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from lotkeeperd.domain import occ
from lotkeeperd.domain.decimals import ONE, ZERO, average
from lotkeeperd.domain.reconciliation.findings import Difference, Kind
from lotkeeperd.domain.reconciliation.statements import HeldPosition

LEAST_LEGS = 2
"""A leg by itself is no group."""


class OrphanedLeg(NamedTuple):
    """One option that nobody watches; ``quantity`` and ``cost_basis`` are signed, the latter None where the broker gives none."""

    symbol: str
    quantity: Decimal
    cost_basis: Decimal | None

    @property
    def multiplier(self) -> Decimal:
        """Shares that a contract delivers; 1 where its symbol does not say it."""
        option = occ.parsed(self.symbol)
        return occ.STANDARD_MULTIPLIER if option is not None and option.is_standard else ONE

    @property
    def price(self) -> Decimal | None:
        """What it would be adopted at, half-even at 18 digits; run under ``localcontext(EXACT)``."""
        if self.cost_basis is None:
            return None
        return average(abs(self.cost_basis), abs(self.quantity) * self.multiplier)


class Suggestion(NamedTuple):
    """Legs of one underlying and expiry, in the order of their symbols; ``expiry`` is an ISO date.

    ``contracts`` is None when the legs have unequal quantities: they are shown, and cannot be grouped.
    """

    underlying: str
    expiry: str
    legs: tuple[OrphanedLeg, ...]
    contracts: Decimal | None
    entry_credit: Decimal | None

    @property
    def group_id(self) -> str:
        """What the legs are adopted under, and what a caller confirms."""
        return f"{self.underlying}:{self.expiry}"

    @property
    def entry_credit_per_contract(self) -> Decimal | None:
        """Received for one of each leg, negative when it was paid; half-even at 18 digits. None when it is not known."""
        if self.contracts is None or self.entry_credit is None:
            return None
        return average(self.entry_credit, self.contracts)


def leg_of_row(row: HeldPosition) -> OrphanedLeg:
    """A leg as the broker reports it; without a cost basis it is worked out from the average price."""
    if row.cost_basis is not None:
        return OrphanedLeg(row.symbol, row.signed, row.cost_basis)
    return leg_at(row.symbol, row.signed, row.average_price)


def leg_at(symbol: str, quantity: Decimal, price: Decimal | None) -> OrphanedLeg:
    """A leg of ``quantity`` (signed) at an average ``price``; run under ``localcontext(EXACT)``."""
    leg = OrphanedLeg(symbol, quantity, None)
    return leg if price is None else leg._replace(cost_basis=quantity * price * leg.multiplier)


def orphaned_legs(differences: Iterable[Difference]) -> tuple[OrphanedLeg, ...]:
    """The options among positions that nobody watches; run under ``localcontext(EXACT)``."""
    return tuple(
        leg_at(difference.symbol, difference.broker_quantity, difference.broker_price)
        for difference in differences
        if difference.kind is Kind.ORPHANED_POSITION and occ.parsed(difference.symbol) is not None
    )


def suggested(legs: Iterable[OrphanedLeg]) -> tuple[Suggestion, ...]:
    """What may belong together, by underlying and expiry; run under ``localcontext(EXACT)``. What is no option is left out."""
    together: defaultdict[tuple[str, str], list[OrphanedLeg]] = defaultdict(list)
    for leg in sorted(legs, key=lambda each: each.symbol):
        option = occ.parsed(leg.symbol)
        if option is not None:
            together[option.root, option.expiry].append(leg)
    return tuple(
        _suggestion(underlying, expiry, tuple(found))
        for (underlying, expiry), found in sorted(together.items())
        if len(found) >= LEAST_LEGS
    )


def _suggestion(underlying: str, expiry: str, legs: tuple[OrphanedLeg, ...]) -> Suggestion:
    quantities = {abs(leg.quantity) for leg in legs}
    costs = [leg.cost_basis for leg in legs if leg.cost_basis is not None]
    credit = -sum(costs, ZERO) if len(costs) == len(legs) else None
    return Suggestion(underlying, expiry, legs, quantities.pop() if len(quantities) == 1 else None, credit)
