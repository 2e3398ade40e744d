"""One order: which of its executions a recorded fill is.

Problem: bots record an order as it was reported to them, in one piece or in several, with an average that was rounded. Seen: one
fill for five executions; a fill for each; both at once, from two instances. Chosen: a fill equals executions that follow each
other, sum to its quantity and agree with its price within a step. The largest fill looks first, so that of an order recorded
in one piece and in several the piece is the summary, and the others are one too many.

An order may have thousands of executions, and as many fills. Where every fill is an execution to the digit, each its own, they are
found by their figures and nothing is summed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.reconciliation.holdings import Counted
from lotkeeperd.domain.reconciliation.statements import Execution


class Found(NamedTuple):
    """A fill, and the executions that it is, oldest first."""

    recorded: Counted
    executions: tuple[Execution, ...]


def found_in(fills: Sequence[Counted], executions: Sequence[Execution], within: Decimal) -> Iterator[Found]:
    """Fills and executions of one order and side, oldest first; ``within`` is by how much prices may differ.

    Run under ``localcontext(EXACT)``.
    """
    alike = _alike(fills, executions)
    if len(alike) == len(fills):
        yield from alike
        return
    rest = list(executions)
    for fill in sorted(fills, key=lambda fill: -fill.quantity):
        run = _run(fill, rest, within)
        if run is not None:
            yield Found(fill, tuple(rest[run]))
            del rest[run]


def _alike(fills: Sequence[Counted], executions: Sequence[Execution]) -> list[Found]:
    """One to one, to the digit."""
    figures: defaultdict[tuple[Decimal, Decimal], list[Execution]] = defaultdict(list)
    for each in reversed(executions):
        figures[each.quantity, each.price].append(each)
    found = []
    for fill in fills:
        same = figures.get((fill.quantity, fill.price))
        if same:
            found.append(Found(fill, (same.pop(),)))
    return found


def _run(fill: Counted, executions: Sequence[Execution], within: Decimal) -> slice | None:
    """The shortest run of them that is ``fill``; quantities are above 0, so of one end there is one beginning."""
    starts: dict[Decimal, int] = {}
    best: slice | None = None
    for at, total in enumerate(accumulate((each.quantity for each in executions), initial=ZERO)):
        start = starts.get(total - fill.quantity)
        starts[total] = at
        if start is None or (best is not None and at - start >= best.stop - best.start):
            continue
        worth = sum((each.quantity * each.price for each in executions[start:at]), ZERO)
        if abs(worth - fill.quantity * fill.price) <= within * fill.quantity:
            best = slice(start, at)
    return best
