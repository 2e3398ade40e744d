"""What was dealt with the legs of groups, read from the database while batches go on being committed.

A reading holds what records up to the newest committed one say, and collects what is committed after that until it ends. A group
whose history is rewritten meanwhile is spoiled, and has to be read again: its rows may have been seen before or after that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from decimal import localcontext

from lotkeeperd.domain.book import Contract
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.groups import NOTHING_DEALT, Dealt, LegKey, opening
from lotkeeperd.service.group import Dealing
from lotkeeperd.service.ports import GroupEntry, GroupRef, GroupTrade, Reader

GROUPS_PER_READ = 500
"""Groups whose history one query reads."""


class Reading:
    """The history of some groups of one portfolio; ``later`` is what was committed since it began."""

    def __init__(self, refs: Sequence[GroupRef]) -> None:
        self.refs = frozenset(refs)
        self.spoiled: set[GroupRef] = set()
        self.later: list[Dealing] = []
        self.legs: dict[GroupRef, dict[LegKey, Dealt]] = {}
        self.sequences: dict[GroupRef, int] = {}

    def take(self, ref: GroupRef, row: GroupEntry | GroupTrade, contract: Contract) -> None:
        """Take a row in; ``contract`` is of its symbol. Run under ``localcontext(EXACT)``."""
        if isinstance(row, GroupEntry):
            key = LegKey(row.symbol, row.side, contract.currency)
            dealt = opening(row.side, row.quantity, row.price, contract)
        else:
            key = LegKey(row.symbol, row.side, row.currency or contract.currency)
            dealt = Dealt(gross=row.gross, fees=row.fees)
        legs = self.legs.setdefault(ref, {})
        legs[key] = legs.get(key, NOTHING_DEALT).plus(dealt)
        self.sequences[ref] = max(self.sequences.get(ref, 0), row.sequence)

    def sound(self) -> Iterator[GroupRef]:
        """The groups whose history is what it seems."""
        return (ref for ref in self.refs if ref not in self.spoiled)


class Histories:
    """Readings, and those that are under way. ``contract_of`` tells what a symbol is worth now."""

    def __init__(self, reader: Reader, contract_of: Callable[[str], Contract]) -> None:
        self._reader = reader
        self._contract_of = contract_of
        self._under_way: list[Reading] = []

    def add(self, dealing: Dealing) -> None:
        """Something was committed."""
        for reading in self._under_way:
            if dealing.ref in reading.refs:
                reading.later.append(dealing)

    def spoil(self, refs: Collection[GroupRef]) -> None:
        """The history of these was rewritten."""
        for reading in self._under_way:
            reading.spoiled.update(refs)

    def spoil_all(self) -> None:
        """Everything may be otherwise."""
        for reading in self._under_way:
            reading.spoiled |= reading.refs

    async def read(self, refs: Sequence[GroupRef], until: int) -> AsyncGenerator[Reading]:
        """Read these in parts; each part is to be used before the next await. ``until`` is the newest committed sequence.

        Raises StorageUnavailable.
        """
        by_portfolio: dict[str, list[GroupRef]] = {}
        for ref in refs:
            by_portfolio.setdefault(ref[0], []).append(ref)
        parts = [
            Reading(of_one[start : start + GROUPS_PER_READ])
            for of_one in by_portfolio.values()
            for start in range(0, len(of_one), GROUPS_PER_READ)
        ]
        self._under_way += parts  # all of them from now on: ``until`` is of now
        try:
            for reading in parts:
                await self._read(reading, until)
                yield reading
                self._under_way.remove(reading)
        finally:
            self._under_way = [reading for reading in self._under_way if reading not in parts]

    async def _read(self, reading: Reading, until: int) -> None:
        portfolio_id = next(iter(reading.refs))[0]
        group_ids = sorted(group_id for _, group_id in reading.refs)
        async with aclosing(self._reader.groups(portfolio_id, group_ids, until)) as parts:
            async for part in parts:
                with localcontext(EXACT):
                    for row in part:
                        reading.take((portfolio_id, row.group_id), row, self._contract_of(row.symbol))
