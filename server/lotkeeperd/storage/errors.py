"""What a database's error means: nothing was written, the statement itself was at fault, try again, or stop.

SQLite's result codes: https://www.sqlite.org/rescode.html. PostgreSQL's SQLSTATEs: appendix A of its manual.
"""

from __future__ import annotations

import sqlite3
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError

from lotkeeperd.domain.refusals import DiskFull, LedgerCorrupt, Refusal, StorageUnavailable


class Meaning(Enum):
    """What to do about an error."""

    RETRY = auto()  # the whole transaction, at once
    UNAVAILABLE = auto()
    DISK_FULL = auto()
    CORRUPT = auto()
    STATEMENT = auto()  # the statement is at fault: retrying changes nothing


_SQLITE = {
    sqlite3.SQLITE_FULL: Meaning.DISK_FULL,
    sqlite3.SQLITE_CORRUPT: Meaning.CORRUPT,
    sqlite3.SQLITE_NOTADB: Meaning.CORRUPT,
    sqlite3.SQLITE_CONSTRAINT: Meaning.STATEMENT,
    sqlite3.SQLITE_MISMATCH: Meaning.STATEMENT,
    sqlite3.SQLITE_TOOBIG: Meaning.STATEMENT,
    sqlite3.SQLITE_RANGE: Meaning.STATEMENT,
    sqlite3.SQLITE_ERROR: Meaning.STATEMENT,
}

_POSTGRESQL_STATES = {
    "40001": Meaning.RETRY,  # serialization_failure
    "40P01": Meaning.RETRY,  # deadlock_detected
    "53100": Meaning.DISK_FULL,
    "XX001": Meaning.CORRUPT,
    "XX002": Meaning.CORRUPT,
}

_POSTGRESQL_CLASSES = {
    "22": Meaning.STATEMENT,  # data exception
    "23": Meaning.STATEMENT,  # integrity constraint violation
    "42": Meaning.STATEMENT,  # syntax error or access rule violation
    "54": Meaning.STATEMENT,  # program limit exceeded
    "P0": Meaning.STATEMENT,  # raised by a trigger
}


def meaning(error: DBAPIError) -> Meaning:
    """What ``error`` asks for; whatever is not known leaves the database unavailable, and a retry is safe."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF, Meaning.UNAVAILABLE)
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return (
            Meaning.UNAVAILABLE if isinstance(error.orig, OSError) or error.connection_invalidated else _unstated(error)
        )
    return _POSTGRESQL_STATES.get(state) or _POSTGRESQL_CLASSES.get(state[:2], Meaning.UNAVAILABLE)


def _unstated(error: DBAPIError) -> Meaning:
    """An error that the driver raised by itself: a value it cannot send, or a connection that is gone."""
    name = type(error.orig).__name__
    return Meaning.UNAVAILABLE if name in ("OperationalError", "InterfaceError") else Meaning.STATEMENT


def refusal(error: DBAPIError) -> Refusal:
    """The answer to a caller whose command met ``error``."""
    what = meaning(error)
    if what is Meaning.DISK_FULL:
        return DiskFull()
    cause = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    return LedgerCorrupt(cause) if what is Meaning.CORRUPT else StorageUnavailable(cause)
