"""StreamPnL: facts that are never dropped and values that are latest-wins, to any number of subscribers.

Problem: a queue per subscriber grows with the slowest of them, and building each message per subscriber costs more than the
ledger. Therefore nothing is queued: subscribers who want the same share a channel, and one that is ready is handed what came
since its cursor, as bytes that are built once for all that stand at the same place. One that fell so far behind that the
channel has dropped facts reads them from the journal in pages, on a read connection. The writer never waits for anyone.

A message's sequence is S only when every fact up to S was sent; facts are ordered (sequence, index). What was committed and what
marks changed is published in frames of a millisecond or more: facts and the positions they made become visible in the same one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import NamedTuple

from lotkeeperd.domain.refusals import LedgerReplaced, SequenceAhead, ServerDraining, StorageUnavailable, TooManyStreams
from lotkeeperd.service.channel import Changed, Channel, Cursor, Item, finish
from lotkeeperd.service.groups import FiguresOf, Groups
from lotkeeperd.service.pieces import Pieces
from lotkeeperd.service.ports import ALL_OF_IT, Encoder, Fact, FactFilter, GroupRef, Key, Position, Reader
from lotkeeperd.service.subscriber import Subscriber, Wanted
from lotkeeperd.service.valuation import Place, Valuation, Valued

log = logging.getLogger(__name__)

FRAME = 0.001
"""Seconds between two frames at least."""

REST = 3.0
LONGEST_FRAME = 0.1
"""The next frame begins ``REST`` times as much later as handing this one out took, in seconds, but no more than that later.

Seen with 100 subscribers to 10,000 marks a second and a frame every millisecond: gRPC takes one new call between two turns of
the loop, each turn wrote 100 messages, so 300 calls a second were taken of 500, and the newest mark that anyone saw was three
seconds old. With a rest of 1.5 that still happened now and then; with 2 to 4 the mark is 7 ms old, and 11 to 14 in one of 100."""

FACTS_PER_MESSAGE = 1000
POSITIONS_PER_MESSAGE = 500
BYTES_PER_MESSAGE = 1 << 16
"""Limits of one message, its envelope not counted; one piece is sent at least. Groups count as positions do.

A subscriber that never reads holds the message that it was handed last, and gRPC a copy of it. Seen with messages of up to 1 MiB:
1,000 of them that stopped in a snapshot of 4,000 positions held 1.9 GB. 64 KiB is what a stream's window takes to begin with."""


class _Shown(NamedTuple):
    """One portfolio in a snapshot. Lists of what exists anyway: a subscriber that stops reading holds on to them."""

    portfolio_id: str
    places: list[Place]
    valued: list[Valued]
    groups: list[tuple[GroupRef, FiguresOf]]
    totals: bytes


class Publisher:
    """Takes over what was committed and what marks changed, and serves subscribers. Lives in the event loop."""

    def __init__(
        self,
        ledger_id: str,
        valuation: Valuation,
        groups: Groups,
        reader: Reader,
        encoder: Encoder,
        max_streams: int,
        max_streams_per_caller: int,
    ) -> None:
        self._ledger_id = ledger_id
        self._valuation = valuation
        self._groups = groups
        self._reader = reader
        self._encoder = encoder
        self._max_streams = max_streams
        self._max_streams_per_caller = max_streams_per_caller
        self._committed = 0
        self._head = 0
        self._facts: list[tuple[Position, Fact]] = []  # committed, to be published in the next frame
        self._streams = 0
        self._streams_of: Counter[str] = Counter()  # by caller
        self.joined_or_left = 0  # goes up whenever ``named_symbols`` may have changed
        self._channels: dict[FactFilter, Channel] = {}
        self._routes: dict[Key, list[Channel]] = {}
        self._pieces = Pieces(valuation, encoder)
        self._frame: asyncio.Handle | None = None
        self._framed_at = 0.0
        self._took = 0.0
        self._touched: dict[int, Channel] = {}  # to be woken in the next frame
        self._draining = False
        self._sleepers: set[asyncio.Future[None]] = set()

    @property
    def head(self) -> int:
        """The newest committed sequence."""
        return self._committed

    def committed(self, head: int, facts: Iterable[tuple[Position, Fact]]) -> None:
        """Take over facts of a batch that was committed up to ``head``; the valuation has its books already."""
        self._committed = head
        if self._channels:
            self._facts += facts
        self.changed()

    def reloaded(self, head: int) -> None:
        """The books were read anew from disk: subscribers take what facts they miss from the journal."""
        self._committed = self._head = head
        self._facts.clear()
        self._pieces.clear()
        for channel in self._channels.values():
            channel.forget_facts(head)
            channel.wake()
        self.changed()

    def changed(self) -> None:
        """Books or marks changed: publish in the next frame."""
        if self._frame is None and self._channels:
            loop = asyncio.get_running_loop()
            wait = self._framed_at + max(FRAME, min(REST * self._took, LONGEST_FRAME)) - loop.time()
            self._frame = loop.call_later(wait, self._publish) if wait > 0 else loop.call_soon(self._publish)

    def _publish(self) -> None:
        if self._frame is not None:
            self._frame.cancel()
            self._frame = None
        self._framed_at = asyncio.get_running_loop().time()
        self.take_over()
        touched, self._touched = self._touched, {}
        for channel in touched.values():
            channel.wake()
        asyncio.get_running_loop().call_soon(self._handed_out, self._framed_at)

    def take_over(self) -> None:
        """Let the channels have everything committed and marked until now; the next frame wakes who waits for it.

        Whoever builds a message between two frames does this first: positions are valued when they are looked at, so they would
        be newer than the message's sequence and its totals.
        """
        self._head = self._committed
        facts, self._facts = self._facts, []
        for at, fact in facts:
            item = Item(at, fact)
            for channel in self._route((fact.portfolio_id, fact.symbol, "")):
                channel.add_fact(item)
        for key, mark_changes in self._valuation.take_changes().items():
            self._pieces.position_changed(key)
            for channel in self._route(key):
                channel.add_change(key, mark_changes)
                self._touched[id(channel)] = channel
        for ref in self._groups.take_changes():
            self._pieces.group_changed(ref)
            for channel in self._channels.values():
                if self._wants(channel.wanted, ref):
                    channel.add_change(ref, 0)
                    self._touched[id(channel)] = channel

    def _wants(self, wanted: FactFilter, ref: GroupRef) -> bool:
        """Whether a group is of interest: one of its legs is."""
        if wanted.portfolios is not None and ref[0] not in wanted.portfolios:
            return False
        return wanted.symbols is None or not wanted.symbols.isdisjoint(self._groups.symbols(ref))

    def _handed_out(self, framed_at: float) -> None:
        self._took = asyncio.get_running_loop().time() - framed_at

    def _route(self, key: Key) -> list[Channel]:
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = [
                channel for channel in self._channels.values() if channel.wanted.takes(key[0], key[1])
            ]
        return route

    def named_symbols(self) -> frozenset[str]:
        """Every symbol that a stream asked for by name."""
        return frozenset().union(*(wanted.symbols or () for wanted in self._channels))

    def drain(self) -> None:
        """End every stream with ServerDraining, now."""
        self._draining = True
        for channel in self._channels.values():
            channel.wake()
        for sleeper in self._sleepers:
            finish(sleeper)

    async def follow(self, wanted: Wanted, caller: str = "") -> AsyncGenerator[bytes]:
        """Messages for one subscriber, until it goes away or the server drains; ``caller`` is "" when it is not known.

        Raises LedgerReplaced, SequenceAhead, TooManyStreams or ServerDraining.
        """
        self._check(wanted, caller)
        channel = self._joined(wanted.filter, caller)
        try:
            async with aclosing(Subscriber(self, channel, wanted).messages()) as messages:
                async for message in messages:
                    yield message
        finally:
            self._leave(channel, caller)

    def _check(self, wanted: Wanted, caller: str) -> None:
        if self._draining:
            raise ServerDraining
        if wanted.after is not None:
            if wanted.ledger_id != self._ledger_id:
                raise LedgerReplaced(wanted.ledger_id, self._ledger_id)
            if wanted.after > self._committed:
                raise SequenceAhead("after_sequence", wanted.after, self._committed)
        if self._streams >= self._max_streams:
            raise TooManyStreams(self._max_streams)
        if caller and self._streams_of[caller] >= self._max_streams_per_caller:
            raise TooManyStreams(self._max_streams_per_caller, of_caller=True)

    def _joined(self, wanted: FactFilter, caller: str) -> Channel:
        self._publish()
        channel = self._channels.get(wanted)
        if channel is None:
            channel = self._channels[wanted] = Channel(wanted, self._head)
            self._routes.clear()
            self.joined_or_left += 1
        channel.subscribers += 1
        self._groups.follow(True)
        self._streams += 1
        self._streams_of[caller] += 1
        return channel

    def _leave(self, channel: Channel, caller: str) -> None:
        self._streams -= 1
        self._streams_of[caller] -= 1
        if not self._streams_of[caller]:
            del self._streams_of[caller]
        channel.subscribers -= 1
        if not channel.subscribers:
            del self._channels[channel.wanted]
            self._routes.clear()
            self.joined_or_left += 1
        if not self._channels:
            self._pieces.clear()  # nobody looks any more, so nothing is kept up to date
            self._groups.follow(False)

    # What subscribers ask for.

    def place_of(self, channel: Channel, at: Position) -> int | None:
        """Where in the channel's log the facts after ``at`` begin, everything committed included; None: too far back."""
        self._publish()
        return channel.place_of(at)

    @property
    def draining(self) -> bool:
        """Whether streams are to end."""
        return self._draining

    async def page(self, wanted: FactFilter, after: Position) -> tuple[list[Item], Position]:
        """Facts after a position from the journal, and how far they reach."""
        page = await self._reader.facts(wanted, after, self._head, FACTS_PER_MESSAGE)
        return [Item(at, fact) for at, fact in page.facts], page.until

    async def groups_read(self, wanted: FactFilter) -> None:
        """Until the groups of a snapshot are known; those that cannot be read now come in updates, once they can."""
        portfolios = self._portfolios(wanted)
        try:
            await self._groups.ready(portfolios)
        except StorageUnavailable as refusal:
            log.warning("a subscriber begins without groups that cannot be read: %s", refusal.message)
            self._groups.want(self._groups.open_groups(portfolios))

    def opening(self, channel: Channel, at: Position | None) -> tuple[Cursor, list[Item], AsyncGenerator[bytes]]:
        """The facts still owed after ``at`` (None: none) and the snapshot, both of this moment."""
        self._publish()
        place = channel.next_fact if at is None else channel.place_of(at)
        assert place is not None
        cursor = Cursor(self.reached, channel.next_fact, channel.change, channel.marks)
        owed = channel.facts_from(place, channel.next_fact - place)
        shown = [self._shown(channel.wanted, portfolio_id) for portfolio_id in self._portfolios(channel.wanted)]
        return cursor, owed, self._snapshot(shown, self._head)

    def _shown(self, wanted: FactFilter, portfolio_id: str) -> _Shown:
        """Every open position, and flat ones that were named; groups with something open."""
        positions = self._valuation.positions(portfolio_id)
        places = [
            place
            for place, valued in positions.items()
            if (place[0] in wanted.symbols if wanted.symbols is not None else valued.book.direction is not None)
        ]
        groups = [
            (ref, figures)
            for ref in self._groups.open_groups([portfolio_id])
            if self._wants(wanted, ref) and (figures := self._groups.figures(ref)) is not None
        ]
        valued = [positions[place] for place in places]
        return _Shown(portfolio_id, places, valued, groups, self._pieces.totals(portfolio_id))

    def _portfolios(self, wanted: FactFilter) -> list[str]:
        known = self._valuation.portfolios()
        return known if wanted.portfolios is None else [name for name in known if name in wanted.portfolios]

    async def _snapshot(self, shown: Sequence[_Shown], head: int) -> AsyncGenerator[bytes]:
        pieces: list[bytes] = []
        size = 0
        for number, piece in enumerate(self._pieces_of(shown)):
            if pieces and size + len(piece) > BYTES_PER_MESSAGE:
                yield self._encoder.snapshot(head, pieces, more=True)
                pieces, size = [], 0
            pieces.append(piece)
            size += len(piece)
            if number % POSITIONS_PER_MESSAGE == 0:
                await asyncio.sleep(0)
        yield self._encoder.snapshot(head, pieces, more=False)

    def _pieces_of(self, shown: Sequence[_Shown]) -> Iterator[bytes]:
        for portfolio in shown:
            for place, valued in zip(portfolio.places, portfolio.valued, strict=True):
                yield self._pieces.position((portfolio.portfolio_id, *place), valued)
            for ref, figures in portfolio.groups:
                yield self._pieces.group(ref, figures).snapshot
        for portfolio in shown:
            yield portfolio.totals

    def facts_messages(self, items: Sequence[Item], until: Position) -> Iterator[tuple[Position, bytes]]:
        """Updates with ``items`` alone, which reach to ``until``, each with the position it brings its reader to."""
        start = 0
        while start < len(items):
            chunk = self._chunk(items, start)
            start += len(chunk)
            at = chunk[-1].at if start < len(items) else until
            sequence = items[start].at[0] - 1 if start < len(items) else _sequence_of(until)
            yield at, self._encoder.update(sequence, [item.encoded(self._encoder) for item in chunk], 0)

    def _chunk(self, items: Sequence[Item], start: int) -> list[Item]:
        """As many as fit into one message, one at least."""
        room, end = BYTES_PER_MESSAGE, start
        while end < len(items) and end - start < FACTS_PER_MESSAGE:
            room -= len(items[end].encoded(self._encoder))
            if room < 0 and end > start:
                break
            end += 1
        return list(items[start:end])

    @property
    def reached(self) -> Position:
        """Everything up to here is published."""
        return self._head, ALL_OF_IT

    def heartbeat(self) -> bytes:
        """That nothing changed."""
        return self._encoder.heartbeat(self._head)

    def next_message(self, channel: Channel, cursor: Cursor) -> tuple[bytes, Cursor]:
        """What came after ``cursor``, built once for all that stand there, and where it leads."""
        place = (cursor.fact, cursor.change, cursor.marks)
        built = channel.built.get(place)
        if built is None:
            built = channel.built[place] = self._built(channel, cursor)
        return built

    def _built(self, channel: Channel, cursor: Cursor) -> tuple[bytes, Cursor]:
        owed = channel.facts_from(cursor.fact, FACTS_PER_MESSAGE + 1)
        chunk = self._chunk(owed, 0)
        pieces = [item.encoded(self._encoder) for item in chunk]
        if len(chunk) < len(owed):  # facts first: positions would show what their facts have not told yet
            sequence = owed[len(chunk)].at[0] - 1
            return self._encoder.update(sequence, pieces, 0), cursor._replace(
                at=chunk[-1].at, fact=cursor.fact + len(chunk)
            )
        return self._with_values(channel, cursor, pieces)

    def _with_values(self, channel: Channel, cursor: Cursor, pieces: list[bytes]) -> tuple[bytes, Cursor]:
        changes = channel.changes_since(cursor.change)
        room = BYTES_PER_MESSAGE - sum(map(len, pieces))
        totals: dict[str, bytes] = {}
        sent, shown_marks = cursor.change, 0
        for change in changes[:POSITIONS_PER_MESSAGE]:
            piece, total = self._changed_pieces(change.key)
            portfolio_id = change.key[0]
            room -= len(piece) if portfolio_id in totals else len(piece) + len(total)
            if room < 0 and pieces:
                break
            if piece:
                pieces.append(piece)
            if total:
                totals[portfolio_id] = total
            sent = change.number
            shown_marks += change.mark > cursor.change
        pieces += totals.values()
        marks, folded = cursor.marks + shown_marks, 0
        if sent == channel.change:
            marks, folded = channel.marks, channel.marks - marks
        message = self._encoder.update(self._head, pieces, folded) if pieces else self.heartbeat()
        return message, Cursor(self.reached, channel.next_fact, sent, marks)

    def _changed_pieces(self, key: Changed) -> tuple[bytes, bytes]:
        """A position and its portfolio's totals; a group, with none."""
        if len(key) == 3:
            return self._pieces.position(key, self._valuation.positions(key[0])[key[1:]]), self._pieces.totals(key[0])
        figures = self._groups.figures(key)
        if figures is None:  # it closed so long ago that it is to be read first
            self._groups.want([key])
            return b"", b""
        return self._pieces.group(key, figures).update, b""

    async def sleep(self, seconds: float) -> None:
        """``seconds``, or until the server drains."""
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[None] = loop.create_future()
        self._sleepers.add(sleeper)
        timer = loop.call_later(seconds, finish, sleeper)
        try:
            await sleeper
        finally:
            timer.cancel()
            self._sleepers.discard(sleeper)


def _sequence_of(at: Position) -> int:
    """The sequence up to which every fact was sent once ``at`` was."""
    return at[0] if at[1] == ALL_OF_IT else at[0] - 1
