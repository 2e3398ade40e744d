"""Which recorded execution is which of the broker's.

Problem: what bots record and what brokers report is not the same row for row. Seen: one order recorded as one fill, of which the
broker reports five executions; two rows with one id (a flip split between entry and exit, an order shared by two portfolios); one
execution recorded in two portfolios; ids that differ between a broker's stream and its history; bots that give no ids. Chosen:

 1. by fill id, within a symbol: whatever was recorded under it together is the execution, or one of several portfolios has it
    and the others repeat it, or its content is another;
 2. by order (``orders``): a fill is one execution of its order, or a summary of several, which replace it;
 3. by side, quantity and price, one to one, of the same moment first and then the oldest, where the ledger has no id.

Fills from before the history begins are paired by order last: what is in it is rather what was recorded then.

What is left is missing on one side, or unknown on the other. Synthetic fills stand for executions that nobody had: which ones
those are is only known when the quantities are compared, see ``standing_for``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.decimals import ZERO, portion
from lotkeeperd.domain.reconciliation.holdings import Counted
from lotkeeperd.domain.reconciliation.orders import Found, found_in
from lotkeeperd.domain.reconciliation.statements import Execution, Statement

Tolerance = Callable[[str, Decimal], Decimal]
"""By how much two prices of a symbol may differ and be one; (symbol, price)."""

Moved = Callable[[Execution | Counted], Decimal]
"""By how much one changes the open quantity."""

_Order = tuple[str, Direction, str]
_Figures = tuple[str, Direction, Decimal, Decimal, int]


class Pair(NamedTuple):
    """One execution and what was recorded of it."""

    execution: Execution
    recorded: tuple[Counted, ...]


class Replacement(NamedTuple):
    """A recorded fill that stands for ``executions``, oldest first."""

    recorded: Counted
    executions: tuple[Execution, ...]

    def evens_out(self, moved: Moved) -> bool:
        """Whether they move the position as much as it did: fees taken in the coin may be in one and not in the other."""
        return sum(map(moved, self.executions), ZERO) == moved(self.recorded)


class Pairing(NamedTuple):
    """What is what; all in order of time.

    ``conflicting`` have one id and different content. ``missing`` are in no portfolio. ``unknown`` are in no statement although
    its history reaches there; ``unseen`` are synthetic. ``older`` are of orders and before the history, so nothing is judged of
    them: an order may have begun before it, and some of its executions be in it.
    """

    matched: tuple[Pair, ...]
    replaced: tuple[Replacement, ...]
    conflicting: tuple[Pair, ...]
    missing: tuple[Execution, ...]
    unknown: tuple[Counted, ...]
    unseen: tuple[Counted, ...]
    older: tuple[Counted, ...] = ()

    def executions(self) -> Iterator[Execution]:
        """All of the history that the ledger has, or should have."""
        yield from self.missing
        yield from (pair.execution for pair in (*self.matched, *self.conflicting))
        yield from (each for replacement in self.replaced for each in replacement.executions)


class Wanted(NamedTuple):
    """What has to be looked up before a statement can be compared.

    Executions with one of the ids or of one of the orders, whenever they were, and all from ``since`` on.
    """

    fill_ids: frozenset[str]
    order_ids: frozenset[str]
    since: int


def wanted(statement: Statement) -> Wanted:
    """What ``statement`` asks of the ledger."""
    return Wanted(
        frozenset(each.fill_id for each in statement.executions if each.fill_id),
        frozenset(each.order_id for each in statement.executions if each.order_id),
        statement.as_of if statement.executions_since is None else min(statement.executions_since, statement.as_of),
    )


def pair(
    executions: Iterable[Execution], counted: Iterable[Counted], statement: Statement, within: Tolerance
) -> Pairing:
    """``executions`` in the ledger's spelling; run under ``localcontext(EXACT)``.

    Those after the statement was asked for are looked at, but never missing: the positions may be older than they are.
    """
    recorded = sorted(counted, key=lambda fill: (fill.time, fill.sequence))
    desk = _Desk(
        _once(executions), [fill for fill in recorded if not fill.synthetic], within, statement.executions_since
    )
    desk.by_id()
    since = statement.executions_since or 0
    desk.by_order(lambda fill: fill.time >= since)
    desk.by_figures()
    desk.by_order(lambda fill: fill.time < since)
    return Pairing(
        tuple(desk.matched),
        tuple(sorted(desk.replaced, key=lambda replacement: replacement.executions[0].time)),
        tuple(desk.conflicting),
        tuple(each for each in desk.executions if each.time <= statement.as_of),
        tuple(fill for fill in desk.recorded.values() if _judged(fill, statement) or fill.sequence in desk.repeated),
        tuple(fill for fill in recorded if fill.synthetic),
        tuple(fill for fill in desk.recorded.values() if fill.order_id and not _begun(fill, statement)),
    )


def _judged(fill: Counted, statement: Statement) -> bool:
    return _begun(fill, statement) and fill.time < statement.as_of


def _begun(fill: Counted, statement: Statement) -> bool:
    """Whether the history reaches back to it."""
    since = statement.executions_since
    return since is not None and since <= fill.time


def _once(executions: Iterable[Execution]) -> list[Execution]:
    """In order of time; one that is reported twice counts once."""
    seen: set[tuple[str, str]] = set()
    found = []
    for each in sorted(executions, key=lambda execution: execution.time):
        key = (each.symbol, each.fill_id)
        if each.fill_id and key in seen:
            continue
        seen.add(key)
        found.append(each)
    return found


class _Desk:
    """What lies there still unpaired: ``executions``, and ``recorded`` by sequence."""

    def __init__(
        self, executions: list[Execution], recorded: list[Counted], within: Tolerance, since: int | None
    ) -> None:
        self.executions = executions
        self.recorded = {fill.sequence: fill for fill in recorded}
        self.repeated: set[int] = set()
        self.matched: list[Pair] = []
        self.replaced: list[Replacement] = []
        self.conflicting: list[Pair] = []
        self._within = within
        self._since = since

    def by_id(self) -> None:
        """One id, one execution."""
        known: defaultdict[tuple[str, str], list[Counted]] = defaultdict(list)
        for fill in self.recorded.values():
            if fill.fill_id:
                known[fill.key[1], fill.fill_id].append(fill)
        rest = []
        for each in self.executions:
            fills = known.get((each.symbol, each.fill_id))
            if fills:
                self._same_id(each, fills)
            else:
                rest.append(each)
        self.executions = rest

    def _same_id(self, execution: Execution, fills: list[Counted]) -> None:
        owners: defaultdict[str, list[Counted]] = defaultdict(list)
        for fill in fills:
            owners[fill.key[0]].append(fill)
        for some in (fills, *owners.values()):
            if _is(execution, some):
                self.repeated.update(fill.sequence for fill in fills if fill not in some)
                self.matched.append(self._taken(execution, some))
                return
        self.conflicting.append(self._taken(execution, fills))

    def _taken(self, execution: Execution, fills: Sequence[Counted]) -> Pair:
        for fill in fills:
            del self.recorded[fill.sequence]
        return Pair(execution, tuple(fills))

    def by_order(self, among: Callable[[Counted], bool]) -> None:
        """Of the fills that are ``among`` them."""
        fills: defaultdict[_Order, list[Counted]] = defaultdict(list)
        executions: defaultdict[_Order, list[Execution]] = defaultdict(list)
        for fill in self.recorded.values():
            if fill.order_id and among(fill):
                fills[fill.key[1], fill.side, fill.order_id].append(fill)
        for each in self.executions:
            executions[each.symbol, each.side, each.order_id].append(each)
        gone: set[int] = set()
        for order, some in fills.items():
            for found in found_in(some, executions.get(order, ()), self._within(order[0], some[0].price)):
                if len(found.executions) == 1 and self._is_of_before(found.recorded):
                    continue
                self._found(found)
                gone.update(map(id, found.executions))
        self.executions = [each for each in self.executions if id(each) not in gone]

    def _found(self, found: Found) -> None:
        if len(found.executions) == 1:
            self.matched.append(self._taken(found.executions[0], [found.recorded]))
            return
        del self.recorded[found.recorded.sequence]
        self.replaced.append(Replacement(found.recorded, _with_fee(found.recorded, found.executions)))

    def _is_of_before(self, fill: Counted) -> bool:
        """Whether it has an id that nobody reports because the history begins later: another part of the order may look like it."""
        return bool(fill.fill_id) and self._since is not None and fill.time < self._since

    def by_figures(self) -> None:
        """For bots that give no ids: what happened at the same moment first, then the oldest."""
        self._by_figures(timed=True)
        self._by_figures(timed=False)

    def _by_figures(self, timed: bool) -> None:
        alike: defaultdict[_Figures, list[Counted]] = defaultdict(list)
        for fill in reversed(self.recorded.values()):
            if not fill.fill_id:
                alike[fill.key[1], fill.side, fill.quantity, fill.price, fill.time if timed else 0].append(fill)
        rest = []
        for each in self.executions:
            fills = alike.get((each.symbol, each.side, each.quantity, each.price, each.time if timed else 0))
            if fills and (not each.order_id or fills[-1].order_id in ("", each.order_id)):
                self.matched.append(self._taken(each, [fills.pop()]))
            else:
                rest.append(each)
        self.executions = rest


def _is(execution: Execution, fills: Sequence[Counted]) -> bool:
    """Whether ``fills`` together are ``execution``."""
    quantity = sum((fill.quantity for fill in fills), ZERO)
    return quantity == execution.quantity and all(
        fill.side is execution.side and fill.price == execution.price for fill in fills
    )


def _with_fee(fill: Counted, executions: Sequence[Execution]) -> tuple[Execution, ...]:
    """``executions`` with the fee of ``fill`` shared out by quantity (law 4), where the broker does not tell one.

    Brokers charge some fees days later, and their executions have none; what the ledger knows is not lost for that.
    """
    if fill.fee is None or any(each.fee is not None for each in executions):
        return tuple(executions)
    fee, quantity, found = fill.fee, fill.quantity, []
    for each in executions:
        part = portion(fee, each.quantity, quantity)
        found.append(each._replace(fee=part, fee_currency=fill.fee_currency))
        fee, quantity = fee - part, quantity - each.quantity
    return tuple(found)


def standing_for(
    synthetic: Sequence[Counted], missing: Sequence[Execution], excess: Decimal, moved: Moved
) -> list[Replacement] | None:
    """Which of ``missing`` the fills of ``synthetic`` stand for, so that ``excess`` goes; None when it does not work out.

    ``excess`` is what the missing executions of one book would add beyond what is needed. A synthetic fill stands for a run of
    them that moves as much as it did; of several runs for the one that ends nearest to it in time. Prices may differ. It was made
    when something was seen to have happened, so all that have such a run before them are tried first.
    """
    fills = sorted(synthetic, key=lambda each: (each.time, each.sequence))
    before = _standing(fills, missing, None, moved)
    if sum((moved(each.recorded) for each in before), ZERO) == excess:
        return before
    found = _standing(fills, missing, excess, moved)
    return found if sum((moved(each.recorded) for each in found), ZERO) == excess else None


def _standing(
    fills: list[Counted], missing: Sequence[Execution], excess: Decimal | None, moved: Moved
) -> list[Replacement]:
    """Each with its run: as far as ``excess`` goes, or if that is None each whose run was before it."""
    rest, found = list(missing), []
    for fill in fills:
        share = moved(fill)
        if excess is not None and (share * excess <= 0 or abs(share) > abs(excess)):
            continue
        run = _nearest(fill.time, share, rest, moved)
        if run is None or (excess is None and rest[run.stop - 1].time > fill.time):
            continue
        found.append(Replacement(fill, tuple(rest[run])))
        del rest[run]
        excess = None if excess is None else excess - share
    return found


def _nearest(time: int, share: Decimal, executions: list[Execution], moved: Moved) -> slice | None:
    """The run of them that moves ``share`` and ends nearest to ``time``."""
    starts: dict[Decimal, int] = {}
    best: slice | None = None
    for at, total in enumerate(accumulate(map(moved, executions), initial=ZERO)):
        start = starts.get(total - share)
        starts[total] = at
        if start is not None and (
            best is None or abs(executions[at - 1].time - time) < abs(executions[best.stop - 1].time - time)
        ):
            best = slice(start, at)
    return best
