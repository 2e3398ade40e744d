"""The ledger against the broker: what differs, how bad it is, and what would remove it.

Laws kept here:
 11. History is never edited: what is proposed are executions, and busts of recorded ones.
 12. Unknown is not zero: what the broker did not say completely proves nothing missing. An incomplete statement closes
     and reduces nothing; an empty one finds nothing.

One problem is one difference. Executions that the ledger lacks and that explain a difference of quantity are what is proposed for
it, not differences of their own. Quantities decide, averages only inform: brokers put commissions, settlement prices and
average cost into theirs, and ours are of lots.

The statement is older than the comparison. What it says is compared with what the ledger holds now, and where that differs with
what the ledger held when the broker was asked: a fill recorded since then is no difference.

Everything is looked up in dictionaries: 10,000 positions against 10,000 rows take tenths of a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.reconciliation import differences
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Kind, Severity
from lotkeeperd.domain.reconciliation.holdings import Counted, Holdings
from lotkeeperd.domain.reconciliation.lines import Line, LineKey, Spelling, line_of, lines_of, measure_of, side_of
from lotkeeperd.domain.reconciliation.owners import Owners
from lotkeeperd.domain.reconciliation.pairing import Pair, Pairing, Replacement, Wanted, pair, wanted
from lotkeeperd.domain.reconciliation.records import Account
from lotkeeperd.domain.reconciliation.solving import Loose, solved
from lotkeeperd.domain.reconciliation.statements import Execution, Statement

__all__ = ["Wanted", "compare", "wanted"]


def compare(account: Account, holdings: Holdings, statement: Statement, adopt_into: str = "") -> Comparison:
    """What differs between ``holdings`` and ``statement``, worst first; run under ``localcontext(EXACT)``.

    ``holdings`` has what ``wanted(statement)`` names. ``adopt_into`` is the portfolio for what is nobody's; it is needed when there
    are several.
    """
    desk = _Desk(account, holdings, statement, Owners(holdings, adopt_into))
    found = sorted([*desk.differences(), *differences.of_cash(account, holdings, statement)], key=_rank)
    return Comparison(
        tuple(found),
        desk.matched,
        statement.positions_complete and (statement.cash_complete or not statement.cash),
        len(statement.positions),
        len(holdings.open),
        sum(difference.kind is Kind.ORPHANED_POSITION for difference in found),
    )


def _rank(difference: Difference) -> tuple[int, str, str, str, str]:
    return (-difference.severity, difference.symbol, difference.side, difference.kind.value, difference.fill_id)


@dataclass(slots=True)
class _Unpaired:
    """What is unpaired on one line, and its ``history``: every execution that the broker reports."""

    missing: list[Execution] = field(default_factory=list)
    unknown: list[Counted] = field(default_factory=list)
    unseen: list[Counted] = field(default_factory=list)
    replaced: list[Replacement] = field(default_factory=list)
    conflicting: list[Pair] = field(default_factory=list)
    older: list[Counted] = field(default_factory=list)
    history: list[Execution] = field(default_factory=list)


class _Desk:
    """Both sides laid out by line."""

    def __init__(self, account: Account, holdings: Holdings, statement: Statement, owners: Owners) -> None:
        self.matched = 0
        self._account = account
        self._holdings = holdings
        self._statement = statement
        self._owners = owners
        self._lines = lines_of(account, holdings, statement)
        self._unpaired: defaultdict[LineKey, _Unpaired] = defaultdict(_Unpaired)
        self._steps = {line.symbol: line.measure.price_step for line in self._lines.values()}
        self._step_back()
        executions = self._sided(Spelling(account).executions(statement))
        self._lay_out(pair(executions, holdings.counted, statement, self._price_tolerance))

    def _step_back(self) -> None:
        """To what the ledger held when the broker was asked, where what it holds now differs."""
        since: defaultdict[LineKey, Decimal] = defaultdict(Decimal)
        for fill in self._holdings.counted:
            if fill.time > self._statement.as_of:
                since[fill.key[1:]] += self._line(fill.key[1:]).measure.moved(fill)
        for key, moved in since.items():
            line = self._lines[key]
            if not line.nothing(line.gap):
                self._lines[key] = line._replace(ours=line.ours - moved, moved_since=True)

    def _price_tolerance(self, symbol: str, price: Decimal) -> Decimal:
        """One step, and where nobody has said what a step is, the account's."""
        step = self._steps.get(symbol)
        if step is None:
            step = measure_of(symbol, self._holdings.instruments).price_step
        return step or abs(price) * self._account.price_tolerance

    def _sided(self, executions: list[Execution]) -> list[Execution]:
        """With the side of the book in a hedging account, where the broker leaves it out and it can be told."""
        if not self._holdings.hedging:
            return executions
        known = {fill.order_id: Direction[fill.key[2]] for fill in self._holdings.counted if fill.order_id}
        return [
            each._replace(book_side=each.book_side or known.get(each.order_id) or self._side(each))
            for each in executions
        ]

    def _side(self, execution: Execution) -> Direction | None:
        """The only side of the symbol on which the two differ the way it was traded."""
        lines = {side: self._lines.get((execution.symbol, side.name)) for side in Direction}
        found = [side for side, line in lines.items() if line is not None and line.gap * execution.signed > 0]
        return found[0] if len(found) == 1 else None

    def _key(self, execution: Execution) -> LineKey:
        return execution.symbol, side_of(execution.book_side, self._holdings.hedging)

    def _line(self, key: LineKey) -> Line:
        found = self._lines.get(key)
        if found is None:
            complete = self._statement.positions_complete and bool(key[1] or not self._holdings.hedging)
            found = self._lines[key] = line_of(key, self._account, self._holdings, (), (), complete)
        return found

    def _lay_out(self, pairing: Pairing) -> None:
        for each in pairing.missing:
            self._at(each).missing.append(each)
        for fill in pairing.unknown:
            self._unpaired[fill.key[1:]].unknown.append(fill)
        for fill in pairing.unseen:
            self._unpaired[fill.key[1:]].unseen.append(fill)
        orders = {each.order_id for each in pairing.missing}
        for fill in pairing.older:
            if fill.order_id in orders:
                self._unpaired[fill.key[1:]].older.append(fill)
        for replacement in pairing.replaced:
            self._unpaired[replacement.recorded.key[1:]].replaced.append(replacement)
        for conflicting in pairing.conflicting:
            self._unpaired[conflicting.recorded[0].key[1:]].conflicting.append(conflicting)
        for each in pairing.executions():
            self._at(each).history.append(each)

    def _at(self, execution: Execution) -> _Unpaired:
        return self._unpaired[self._key(execution)]

    def differences(self) -> Iterator[Difference]:
        """Of positions and executions; ``matched`` is right when all were taken."""
        for key in (*self._lines, *(key for key in self._unpaired if key not in self._lines)):
            line, unpaired = self._line(key), self._unpaired.get(key)
            if unpaired is None and line.nothing(line.gap):  # nearly all of them
                found = list(differences.of_averages(line, self._account.price_tolerance, self._statement.as_of))
            else:
                found = list(self._of(line, unpaired or _Unpaired()))
            yield from found
            compared = line.theirs is not None and bool(line.holdings or line.rows)
            self.matched += compared and all(each.severity is Severity.INFO for each in found)

    def _of(self, line: Line, unpaired: _Unpaired) -> Iterator[Difference]:
        as_of, uneven = self._statement.as_of, []
        for replacement in unpaired.replaced:
            if replacement.evens_out(line.measure.moved):
                yield differences.of_summary(line, replacement, as_of)
            else:
                uneven.append(replacement)
        for conflicting in unpaired.conflicting:
            yield differences.of_conflict(line, conflicting, as_of)
        yield from self._quantities(line, self._loose(unpaired, uneven))

    def _loose(self, unpaired: _Unpaired, uneven: Iterable[Replacement]) -> Loose:
        return Loose(
            tuple(unpaired.missing),
            tuple(unpaired.unknown),
            tuple(unpaired.unseen),
            tuple(uneven),
            tuple(sorted(unpaired.history, key=lambda each: each.time)),
            self._statement.executions_since,
            self._statement.as_of,
            disputed=bool(unpaired.conflicting),
            hedging=self._holdings.hedging,
            older=tuple(unpaired.older),
        )

    def _quantities(self, line: Line, loose: Loose) -> Iterator[Difference]:
        as_of = self._statement.as_of
        differs = not line.nothing(line.gap)
        if not (differs or loose.missing or loose.replaced or loose.unknown):
            yield from differences.of_averages(line, self._account.price_tolerance, as_of)
            return
        repair = solved(line, loose, self._owners)
        yield from (differences.of_unknown(line, fill, as_of) for fill in repair.unknown)
        if differs or repair.proposals or repair.unplaced:
            yield differences.of_quantities(line, repair, as_of)
