"""What is carried out without asking, and what stops until a person has looked.

A rule names a kind of difference and how large it may be. The first rule that fits decides. What no rule names is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from lotkeeperd.domain.reconciliation.findings import Difference, Kind, Resolution


class Action(Enum):
    """What becomes of a difference; the value is written in the configuration and stored."""

    AUTO = "auto"
    """Its proposal is carried out when the caller allows it (APPLY)."""
    ASK = "ask"
    """It is reported, and waits."""
    FREEZE = "freeze"
    """It waits, and new entries of its symbol are refused until it is resolved."""
    HALT = "halt"
    """It waits, and its portfolio takes no executions until it is resolved."""


RESTRAINTS = frozenset({Action.FREEZE, Action.HALT})
"""What stops something while a difference is open."""


class Rule(NamedTuple):
    """``action`` for differences of ``kind`` and ``resolution`` (None: of any) up to ``quantity`` (None: of any size).

    The size is |broker - ledger| in units of the instrument; for cash in units of the currency.
    """

    action: Action
    kind: Kind | None = None
    resolution: Resolution | None = None
    quantity: Decimal | None = None

    def fits(self, difference: Difference) -> bool:
        """Whether it is about ``difference``."""
        size = abs(difference.broker_quantity - difference.ledger_quantity)
        return (
            self.kind in (None, difference.kind)
            and self.resolution in (None, difference.resolution)
            and (self.quantity is None or size <= self.quantity)
        )


SAFE = (
    Rule(Action.AUTO, resolution=Resolution.BACKFILL_FILLS),
    Rule(Action.FREEZE, Kind.SIDE_MISMATCH),
    Rule(Action.FREEZE, Kind.QUANTITY_MISMATCH),
    Rule(Action.FREEZE, Kind.MISSING_AT_BROKER),
)
"""Unless the configuration says otherwise: the broker's own executions are recorded, a position that is not what it should be
grows no further, and everything else waits for a person."""


def action_for(difference: Difference, rules: Sequence[Rule]) -> Action:
    """What becomes of ``difference``. What has nothing to carry out is never AUTO."""
    nothing = difference.resolution in (Resolution.NONE, Resolution.UNSPECIFIED) or not difference.proposals
    for rule in rules:
        if rule.fits(difference) and not (nothing and rule.action is Action.AUTO):
            return rule.action
    return Action.ASK
