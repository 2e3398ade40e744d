"""The read model of groups while the world goes on: what is committed, corrected or lost in the middle of a read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command
from lotkeeperd.domain.groups import GroupPnL
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.rates import Pairs
from lotkeeperd.domain.refusals import StorageUnavailable
from lotkeeperd.service import groups as groups_module
from lotkeeperd.service.conversion import Converter
from lotkeeperd.service.groups import Groups
from lotkeeperd.service.marks import Mark, MarkBoard, Policy
from lotkeeperd.service.ports import AnyCommand, GroupEntry, GroupRef, GroupTrade, Written
from lotkeeperd.service.valuation import Valuation
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.engines import reader_engine
from lotkeeperd.storage.reader import SqlReader
from tests.storage.ledgers import CURRENCY, NOW, BareLedger, entry, exit_of

HOUR = 3_600_000_000_000
G: GroupRef = ("p", "g")


class Reading(SqlReader):
    """The reader of a server; ``between`` is called after each part that it has read, ``before`` each time it begins."""

    def __init__(self, url: str) -> None:
        super().__init__(reader_engine(url_of(url)))
        self.between: Callable[[], None] = lambda: None
        self.before: Callable[[], None] = lambda: None
        self.reads = 0

    async def groups(
        self, portfolio_id: str, group_ids: Sequence[str], until: int
    ) -> AsyncGenerator[Sequence[GroupEntry | GroupTrade]]:
        """As it is read."""
        self.reads += 1
        self.before()
        async with aclosing(super().groups(portfolio_id, group_ids, until)) as parts:
            async for part in parts:
                self.between()
                yield part


class Desk(BareLedger):
    """A ledger whose commits a valuation and its groups take over, as a server's event loop does."""

    def __init__(self, url: str) -> None:
        self.reader = Reading(url)
        self.told = 0
        self.board = MarkBoard(Policy(HOUR))
        self.valuation = Valuation(self.board, Converter(self.board, Pairs()), CURRENCY)
        self.groups = Groups(self.valuation, self.reader, self._count)
        super().__init__(url)
        self.valuation.load(self.state)
        self.groups.load(self.state)

    def _count(self) -> None:
        self.told += 1

    def committed(self, done: Written) -> None:
        """Books first, then groups."""
        super().committed(done)
        self.valuation.commit(done)
        self.groups.commit(done)

    def do(self, *commands: AnyCommand) -> None:
        """Decide and commit as one batch, where nothing may be refused."""
        self.all_taken(*commands)

    def mark(self, symbol: str, price: str) -> None:
        """Let this be the newest mark."""
        self.board.accept([Mark(symbol, Decimal(price), NOW, "bot")], "bot", NOW)
        self.valuation.marked([symbol])

    async def figures(self, ref: GroupRef = G) -> GroupPnL:
        """Of a group in its one currency, as GetSummary asks."""
        await self.groups.ready((), [ref], open_too=False)
        self.groups.settle()
        (figures,) = self.groups.figures(ref) or ()
        return figures

    async def afresh(self, ref: GroupRef = G) -> GroupPnL:
        """The same by a read model that has seen nothing of what happened, but for the sequence."""
        fresh = Groups(self.valuation, self.reader, lambda: None)
        fresh.load(self.state._replace(books=self.books, last_sequence=self.sequence))
        await fresh.ready((), [ref], open_too=False)
        fresh.settle()
        (figures,) = fresh.figures(ref) or ()
        self.valuation.watch(self.groups._holding)
        return figures._replace(sequence=(await self.figures(ref)).sequence)

    async def changes(self) -> list[GroupRef]:
        """What subscribers are told next, once everything that has to be read for them is."""
        found = self.groups.take_changes()
        while (task := self.groups._task) is not None:
            await task
            found += self.groups.take_changes()
        return found


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """An empty one, on each database."""
    desk = Desk(database_url)
    try:
        yield desk
    finally:
        desk.store.close()


@pytest.fixture(autouse=True)
async def reader_closed(desk: Desk) -> AsyncGenerator[None]:
    """In the loop that used it."""
    yield
    await desk.groups.close()
    await desk.reader.close()


def leg(number: int, symbol: str = "A", group_id: str = "g", **others: object) -> Command:
    """CreateEntry of a group."""
    return entry(number)._replace(symbol=symbol, group_id=group_id, **others)  # type: ignore[arg-type]


def corrected(number: int, price: str, symbol: str = "A") -> Amendment:
    """CorrectFill of entry ``number``."""
    return Amendment(Amend.CORRECT, "p", symbol, f"c{number}.{price}", f"f{number}", price=Decimal(price))


async def test_what_is_committed_while_history_is_read_counts_once(desk: Desk) -> None:
    """Another leg, and a close of the first: neither is lost, neither counts twice."""
    desk.mark("A", "104")
    desk.mark("B", "99")
    desk.taken(leg(1, quantity=Decimal(2)), exit_of(2))
    later = iter([(leg(3, "B", side=Direction.SHORT), exit_of(4, price="108"))])
    desk.reader.between = lambda: desk.do(*next(later, ()))
    figures = await desk.figures()
    assert [figures.entry_credit, figures.gross_realized, figures.unrealized] == [-100, 18, 1]
    assert figures == await desk.afresh()
    desk.taken(leg(5, quantity=Decimal(3), price=Decimal(101)))
    desk.mark("A", "103")
    assert await desk.figures() == await desk.afresh()


async def test_what_is_corrected_while_history_is_read_is_read_again(desk: Desk) -> None:
    """The first reading is thrown away."""
    desk.taken(leg(1, quantity=Decimal(2)), exit_of(2))
    later = iter([[corrected(1, "95")]])
    desk.reader.between = lambda: desk.do(*next(later, ()))
    figures = await desk.figures()
    assert [figures.entry_credit, figures.gross_realized, desk.reader.reads] == [-190, 15, 2]
    assert figures == await desk.afresh()


async def test_groups_that_never_hold_still_are_not_waited_for_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corrected in every reading: the read is refused, as something that may be tried again."""
    monkeypatch.setattr(groups_module, "READINGS", 3)
    desk.taken(leg(1))
    prices = iter(range(90, 99))
    desk.reader.before = lambda: desk.do(corrected(1, str(next(prices))))
    with pytest.raises(StorageUnavailable):
        await desk.figures()
    assert desk.reader.reads == 3


async def test_a_batch_without_groups_reads_nothing_and_tells_nothing(desk: Desk) -> None:
    """Neither does one with groups, while nobody asks."""
    desk.groups.follow(True)
    desk.taken(entry(1), exit_of(2))
    desk.mark("A", "1")
    assert await desk.changes() == []
    desk.groups.follow(False)
    desk.taken(leg(3), leg(4, "B"), exit_of(5, symbol="B"))
    desk.mark("A", "2")
    assert (await desk.changes(), desk.reader.reads) == ([], 0)


async def test_a_mark_tells_the_groups_that_hold_its_symbol(desk: Desk) -> None:
    """And no others; a mark that changes no figure tells none."""
    desk.taken(leg(1), leg(2, "B", "h"), leg(3, "A", "h"))
    desk.groups.follow(True)
    await desk.groups.ready(["p"])
    assert sorted(await desk.changes()) == [("p", "g"), ("p", "h")]
    for symbol, price, told in (("B", "1", ["h"]), ("A", "1", ["g", "h"]), ("A", "1", []), ("C", "1", [])):
        desk.mark(symbol, price)
        assert sorted(await desk.changes()) == [("p", name) for name in told]


async def test_a_group_that_subscribers_do_not_know_yet_is_read_for_them(desk: Desk) -> None:
    """New ones together; the publisher hears when they are there. Later changes come at once."""
    desk.groups.follow(True)
    desk.taken(leg(1), leg(2, "B", "h"))
    assert desk.groups.take_changes() == []
    assert sorted(await desk.changes()) == [("p", "g"), ("p", "h")]
    assert (desk.reader.reads, desk.told) == (1, 1)
    desk.taken(exit_of(3))
    assert desk.groups.take_changes() == [("p", "g")]
    assert desk.reader.reads == 1


async def test_a_read_for_subscribers_that_fails_is_made_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away for a moment: the group comes as soon as it is back."""
    monkeypatch.setattr(groups_module, "RETRY", 0.01)
    failures = iter([StorageUnavailable("it is away")])

    def fail_once() -> None:
        for failure in failures:
            raise failure

    desk.reader.before = fail_once
    desk.groups.follow(True)
    desk.taken(leg(1))
    assert await desk.changes() == [G]
    assert desk.reader.reads == 2


async def test_groups_that_closed_are_kept_for_a_while_and_then_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many close, what is kept of them is bounded; what they made is told all the same."""
    monkeypatch.setattr(groups_module, "CLOSED_KEPT", 2)
    names = [("p", f"g{number}") for number in range(4)]
    desk.taken(*(leg(number + 1, group_id=name) for number, (_, name) in enumerate(names)))
    await desk.groups.ready(["p"])
    for number in range(4):
        desk.taken(exit_of(number + 11, price=str(101 + number)))
    known = [ref for ref in names if desk.groups.figures(ref) is not None]
    assert known == names[2:]
    assert [(await desk.figures(ref)).gross_realized for ref in names] == [1, 2, 3, 4]


async def test_everything_is_read_again_after_a_reload(desk: Desk) -> None:
    """The books were read anew from disk: groups are, too, and subscribers are told those that were or are open."""
    desk.taken(leg(1, quantity=Decimal(2)), leg(2, "B", "h"), exit_of(3))
    desk.groups.follow(True)
    await desk.groups.ready(["p"])
    before = [await desk.figures(("p", name)) for name in "gh"]
    await desk.changes()
    state = desk.store.load()
    desk.valuation.load(state)
    desk.groups.load(state)
    assert desk.groups.figures(G) is None
    assert sorted(await desk.changes()) == [("p", "g"), ("p", "h")]
    assert [await desk.figures(("p", name)) for name in "gh"] == before


async def test_a_group_that_nothing_was_opened_with_is_none(desk: Desk) -> None:
    """It is looked for once, and is no group."""
    desk.taken(leg(1))
    await desk.groups.ready(["p"], [("p", "never"), ("q", "g")])
    assert (desk.groups.figures(("p", "never")), desk.groups.figures(("q", "g"))) == (None, None)
    assert desk.groups.open_groups(["p", "q"]) == [G]
    assert desk.groups.symbols(("p", "never")) == frozenset()
