"""What somebody can do who may write into the database: change rows, and make the digests again with a key he has."""

from __future__ import annotations

from sqlalchemy import update

from lotkeeperd.storage.chain import Walk, chunks
from lotkeeperd.storage.engines import database_url, writer_engine
from lotkeeperd.storage.journal_key import JournalKey, chain_bytes
from lotkeeperd.storage.rows import JournalRow
from lotkeeperd.storage.tables import journal
from lotkeeperd.storage.verify import Verified, verify


def by_hand(url: str, *statements: str) -> None:
    """Run SQL in one transaction, as nobody should."""
    engine = writer_engine(database_url(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def chained_again(url: str, chain_key: str, key: JournalKey | None = None) -> None:
    """Make every digest new: it is keyed by what ``chain_key`` and ``key`` give."""
    engine = writer_engine(database_url(url))
    with engine.begin() as connection:
        walk = Walk(chain_bytes(chain_key, key, url))
        for row in [row for rows in chunks(connection) for row in rows]:
            right = walk.take(JournalRow._make(row[:-1]), row.chain)
            if right is not None:
                where = journal.c.sequence == row.sequence
                connection.execute(update(journal).where(where).values(chain=right.digest))
                walk = Walk(chain_bytes(chain_key, key, url), right)
    engine.dispose()


def verified(url: str, key: JournalKey | None = None) -> Verified:
    """What ``lotkeeper verify`` finds."""
    return verify(database_url(url), lambda _done, _all: None, key)
