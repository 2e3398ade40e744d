"""The chain over the journal: a record that was changed, removed, swapped or slipped in shows.

The last record of every batch carries a digest: keyed BLAKE2b, 32 bytes, of the digest before it and of every record since. One
digest a batch instead of one a record costs a row nothing on disk, and proves the same: a batch is written whole or not at all.

    digest = BLAKE2b(key; previous digest, or 32 zero bytes, then the canonical bytes of each record since)

Canonical bytes of a record, so that two different ones never give the same: a version; its numbers, big-endian; the length of
each of its texts in characters; the texts in UTF-8. JSON of the same cost 3 microseconds a record, this costs 1.

What it cannot show is a journal cut off at the end of a batch, everything after it gone: that takes a digest that was kept
elsewhere (``lotkeeper verify --head`` and ``--expect``).
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select, update

from lotkeeperd.domain.refusals import LedgerCorrupt
from lotkeeperd.storage.rows import READ, JournalRow
from lotkeeperd.storage.tables import journal

log = logging.getLogger(__name__)

VERSION = 1
"""Of the canonical bytes; the first of them."""

DIGEST_BYTES = 32
START = bytes(DIGEST_BYTES)
"""What stands before the first digest."""

CHUNK = 1000
"""Records read at a time."""

TOLD_EVERY = 100_000
"""Records between two lines in the log while an older ledger is chained."""

_NUMBERS = struct.Struct(">BqqhhhBqqiIIIIIII").pack


def canonical(row: Sequence[Any]) -> bytes:
    """The bytes of a record, its columns in the order of ``JournalRow``. Raises struct.error for what is no such record."""
    (
        sequence,
        time,
        portfolio,
        symbol,
        method,
        rules,
        version,
        roles,
        request,
        request_id,
        fill,
        fill_id,
        trades,
        a,
        d,
    ) = row
    numbers = _NUMBERS(
        VERSION,
        sequence,
        time,
        rules,
        version,
        roles,
        (request is not None) | (fill is not None) << 1,
        request or 0,
        fill or 0,
        trades,
        len(portfolio),
        len(symbol),
        len(method),
        len(request_id),
        len(fill_id),
        len(a),
        len(d),
    )
    return numbers + f"{portfolio}{symbol}{method}{request_id}{fill_id}{a}{d}".encode()


def linked(key: bytes, before: bytes, rows: Sequence[Sequence[Any]]) -> bytes:
    """The digest of a batch of ``rows``; ``before`` is the one before it."""
    return blake2b(b"".join([before, *map(canonical, rows)]), digest_size=DIGEST_BYTES, key=key).digest()


class Link(NamedTuple):
    """The head of a chain: the record that carries it, 0 before the first, and its digest."""

    sequence: int
    digest: bytes

    def __str__(self) -> str:
        """As it is printed and kept."""
        return f"{self.sequence}:{self.digest.hex()}"

    @classmethod
    def parsed(cls, text: str) -> Link:
        """The link of such text. Raises ValueError."""
        sequence, _, digest = text.partition(":")
        if not sequence.isdecimal() or not sequence.isascii() or len(digest) != 2 * DIGEST_BYTES:
            raise ValueError(f"{text!r} is not SEQUENCE:DIGEST as `lotkeeper verify --head` prints it")
        return cls(int(sequence), bytes.fromhex(digest))


NO_LINK = Link(0, START)


class Walk:
    """Goes along a chain record by record."""

    def __init__(self, key: bytes, head: Link = NO_LINK) -> None:
        self._key = key
        self.head = head
        """The newest digest that was met."""
        self.newest = head.sequence
        """The newest record."""
        self._begin(head.digest)

    def _begin(self, digest: bytes) -> None:
        self._hash = blake2b(digest, digest_size=DIGEST_BYTES, key=self._key)

    def take(self, row: JournalRow, stored: bytes | None) -> Link | None:
        """The next record and the digest it carries: what it should carry, when that is something else.

        What follows is judged by what is stored, so that only the batch that was touched is found.
        """
        self._hash.update(canonical(row))
        self.newest = row.sequence
        if stored is None:
            return None
        right = Link(row.sequence, self._hash.digest())
        self.head = Link(row.sequence, bytes(stored))
        self._begin(self.head.digest)
        return None if self.head == right else right

    def end(self) -> Link:
        """The digest that would close the chain here."""
        return Link(self.newest, self._hash.digest())


def newest_link(connection: Connection) -> Link:
    """The newest digest that is stored."""
    query = select(journal.c.sequence, journal.c.chain).where(journal.c.chain.is_not(None))
    row = connection.execute(query.order_by(journal.c.sequence.desc()).limit(1)).one_or_none()
    return NO_LINK if row is None else Link(row.sequence, bytes(row.chain))


def head_of(connection: Connection, last_sequence: int) -> Link:
    """The head of a journal that ends at ``last_sequence``. Raises LedgerCorrupt when records after it have no digest."""
    head = newest_link(connection)
    if head.sequence != last_sequence:
        raise LedgerCorrupt(
            f"the journal's records {head.sequence + 1} to {last_sequence} have no digest: no server wrote them"
        )
    return head


def chained_anew(connection: Connection, key: bytes, last_sequence: int) -> Link:
    """Close the chain over the records of an older version, which wrote none: one digest, on the last of them."""
    if not last_sequence:
        return NO_LINK
    if newest_link(connection) != NO_LINK:
        raise LedgerCorrupt("the journal has digests, and ledger.chain_key does not say whose")
    walk = Walk(key)
    for row in records(connection, lambda done: _told(done, last_sequence)):
        walk.take(JournalRow._make(row[:-1]), None)
    head = walk.end()
    connection.execute(update(journal).where(journal.c.sequence == head.sequence).values(chain=head.digest))
    log.info("chained the %d records of an older version", head.sequence)
    return head


def _told(done: int, last_sequence: int) -> None:
    if done % TOLD_EVERY == 0:
        log.info("chaining the records of an older version: %d of %d", done, last_sequence)


def records(connection: Connection, progress: Callable[[int], None]) -> Iterator[Row[Any]]:
    """Every record with its digest, in order, some at a time; ``progress`` is told how many there were after each time."""
    done = 0
    for rows in chunks(connection):
        yield from rows
        done += len(rows)
        progress(done)


def chunks(connection: Connection, size: int = CHUNK) -> Iterator[Sequence[Row[Any]]]:
    """The journal with its digests, in order, ``size`` records at a time."""
    after = 0
    query: Select[Any] = select(*READ, journal.c.chain).order_by(journal.c.sequence).limit(size)
    while rows := connection.execute(query.where(journal.c.sequence > after)).all():
        yield rows
        after = rows[-1].sequence
