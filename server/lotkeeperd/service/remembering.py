"""A transaction that remembers what it was asked for: what is on disk does not change while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from lotkeeperd.domain.accounts import InstrumentDefined
from lotkeeperd.domain.commands import Decision
from lotkeeperd.domain.history import BookRecord, Correction, Late
from lotkeeperd.domain.reconciliation.records import Standing
from lotkeeperd.domain.trades import ClosedTrade, Restatement
from lotkeeperd.service.ports import AnyCommand, JournalRecord, Key, Transaction, Written


class Remembering:
    """Satisfies ``service.ports.Transaction``. Every repair is tried before it is made, and each asks for its book's history."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._histories: dict[Key, list[BookRecord]] = {}
        self._definitions: dict[str, list[InstrumentDefined]] = {}
        self._executed: dict[tuple[str, int, int], list[Decision | Late]] = {}
        self._corrections: dict[tuple[str, int], list[Correction]] = {}

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What any of this raises when the database fails."""
        return self._transaction.failures

    def recorded(self, commands: Sequence[AnyCommand]) -> list[JournalRecord]:
        """Every record that holds a request id or a fill id of ``commands``; others may be among them."""
        return self._transaction.recorded(commands)

    def history(self, key: Key) -> list[BookRecord]:
        """Every record of one book, in order."""
        if key not in self._histories:
            self._histories[key] = self._transaction.history(key)
        return self._histories[key]

    def definitions(self, symbol: str) -> list[InstrumentDefined]:
        """Every record of one instrument, in order."""
        if symbol not in self._definitions:
            self._definitions[symbol] = self._transaction.definitions(symbol)
        return self._definitions[symbol]

    def records(self, portfolio_id: str, first: int, last: int) -> list[JournalRecord]:
        """The records of one portfolio from one sequence to another, both included."""
        return self._transaction.records(portfolio_id, first, last)

    def executed(self, portfolio_id: str, since: int, limit: int) -> list[Decision | Late]:
        """The first executions of one portfolio that were recorded from ``since`` on, in order."""
        at = (portfolio_id, since, limit)
        if at not in self._executed:
            self._executed[at] = self._transaction.executed(*at)
        return self._executed[at]

    def corrections(self, portfolio_id: str, after: int) -> list[Correction]:
        """The corrections of one portfolio after a sequence, in order."""
        at = (portfolio_id, after)
        if at not in self._corrections:
            self._corrections[at] = self._transaction.corrections(portfolio_id, after)
        return self._corrections[at]

    def standing(self, discrepancy_id: str) -> Standing | None:
        """One difference, whatever became of it."""
        return self._transaction.standing(discrepancy_id)

    def settled(self, resolution_id: str) -> Standing | None:
        """The difference that a resolution settled, unless it was taken back."""
        return self._transaction.settled(resolution_id)

    def restated(self, portfolio_id: str, sequence: int, limit: int) -> list[Restatement]:
        """The first restatements of one journal record."""
        return self._transaction.restated(portfolio_id, sequence, limit)

    def trades(self, portfolio_id: str, sequence: int, limit: int) -> list[ClosedTrade]:
        """The first closed trades of one journal record."""
        return self._transaction.trades(portfolio_id, sequence, limit)

    def write(self, expected: int, written: Written) -> None:
        """Never asked of it: the batch writes."""
        raise AssertionError(f"a repair does not write {len(written.records)} records at {expected} by itself")
