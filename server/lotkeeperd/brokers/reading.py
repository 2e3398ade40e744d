"""One statement out of what was read, which says of itself what is complete.

Problem: positions and executions come from different requests. A fill between the two is in one and not in the other, and looks
like a difference. Chosen: positions, executions, positions again; when nothing was traded between the two looks, all three belong
together, and the statement is of that moment. A busy account is looked at ROUNDS times; then its executions are told, but not as
complete.

What fails takes down what it was needed for and nothing else: without the last page of positions there are no complete positions,
without the last page of executions no complete executions. Only when nothing at all could be read, or the keys are refused, is
there no statement.
"""

from __future__ import annotations

import logging
from typing import NamedTuple, Protocol

from lotkeeperd.brokers.errors import KeysRefused, Unread
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import BrokerUnavailable

ROUNDS = 3

log = logging.getLogger(__name__)


class Held(NamedTuple):
    """What is held now. A list that was not read to its end is left out, and not complete; ``failures`` say why."""

    positions: tuple[HeldPosition, ...] = ()
    cash: tuple[HeldCash, ...] = ()
    positions_complete: bool = True
    cash_complete: bool = True
    failures: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether nothing at all was read."""
        return not (self.positions or self.cash or self.positions_complete or self.cash_complete)

    def quantities(self) -> list[tuple[str, int, str]]:
        """What a trade would change, whatever the order of the rows."""
        return sorted((row.symbol, int(row.side), str(row.quantity.normalize())) for row in self.positions)


class Past(NamedTuple):
    """Executions in any order, perhaps told twice; all there are from ``since`` on, None when that is not known.

    ``unclear`` is what a person has to look at, in words; with any of it executions are told, but not as complete.
    """

    executions: tuple[Execution, ...] = ()
    since: int | None = None
    unclear: tuple[str, ...] = ()


class Source(Protocol):
    """One account as an adapter reads it."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    def now(self) -> int:
        """Nanoseconds UTC by the broker's clock."""
        ...

    async def held(self) -> Held:
        """What is held now. Raises KeysRefused."""
        ...

    async def past(self, since: int, until: int) -> Past:
        """What was traded from ``since`` on, to the newest; ``until`` is what time it is. Raises Unread, and KeysRefused."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


class Account:
    """A broker as the service asks it (`service.reconciliation.Broker`)."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def statement(self, since: int | None) -> Statement:
        """What is held now, and the executions from ``since`` on. Raises BrokerUnavailable."""
        try:
            statement, quiet = await self._look(since)
            for _ in range(ROUNDS - 1):
                if quiet:
                    break
                statement, quiet = await self._look(since)
            if quiet:
                return statement
        except KeysRefused as refused:
            raise BrokerUnavailable(f"it refuses the keys: {refused}") from None
        log.warning(
            "%s: traded during each of %d looks; executions are not told as complete", self._source.name, ROUNDS
        )
        return statement._replace(executions_since=None)

    async def close(self) -> None:
        """Give connections back."""
        await self._source.close()

    async def _look(self, since: int | None) -> tuple[Statement, bool]:
        """One look, and whether nothing was traded meanwhile."""
        held, as_of = await self._source.held(), self._source.now()
        past, why = (Past(), "") if since is None else await self._past(since, as_of)
        for failure in held.failures:
            log.warning("%s: %s; nothing will be judged missing of what this was to tell", self._source.name, failure)
        if held.is_nothing and past is None:
            raise BrokerUnavailable("; ".join((*held.failures, why)))
        if held.is_nothing and since is None:
            raise BrokerUnavailable("; ".join(held.failures))
        quiet = since is None or not held.positions_complete
        if not quiet:
            quiet = (await self._source.held()).quantities() == held.quantities()
        return _statement(as_of, held, past or Past()), quiet

    async def _past(self, since: int, until: int) -> tuple[Past | None, str]:
        """The executions; None, and why, when they could not be read."""
        try:
            past = await self._source.past(since, until)
        except KeysRefused:
            raise
        except Unread as unread:
            log.warning("%s: %s; executions are not told", self._source.name, unread)
            return None, str(unread)
        for unclear in past.unclear:
            log.warning("%s: %s; executions are not told as complete", self._source.name, unclear)
        return past, ""


def _statement(as_of: int, held: Held, past: Past) -> Statement:
    """Executions oldest first, each once: pages and windows overlap, and brokers tell some of them twice."""
    # Clocks differ by less than can be corrected: what was traded before we asked was traded, whatever its time.
    as_of = max((as_of, *(each.time for each in past.executions)))
    once = {(each.symbol, each.fill_id): each for each in past.executions}
    return Statement(
        as_of=as_of,
        positions_complete=held.positions_complete,
        positions=held.positions,
        executions=tuple(sorted(once.values(), key=lambda each: (each.time, each.fill_id))),
        executions_since=None if past.unclear else past.since,
        cash=held.cash,
        cash_complete=held.cash_complete,
    )
