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


def cause(error: Exception) -> BaseException:
    """The driver's own error, whether it came through SQLAlchemy or not."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def words(error: Exception) -> str:
    """The first line of what the driver says."""
    own = cause(error)
    return str(own).strip().partition("\n")[0] or type(own).__name__


def meaning(error: Exception) -> Meaning:
    """What ``error`` asks for; whatever is not known leaves the database unavailable, and a retry is safe."""
    own = cause(error)
    code = getattr(own, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF, Meaning.UNAVAILABLE)
    state = getattr(own, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL_STATES.get(state) or _POSTGRESQL_CLASSES.get(state[:2], Meaning.UNAVAILABLE)
    # Raised by the driver itself: a connection that is gone, or else a value it cannot send.
    gone = type(own).__name__ in ("OperationalError", "InterfaceError") or isinstance(own, OSError)
    return Meaning.UNAVAILABLE if gone else Meaning.STATEMENT


def refusal(error: Exception) -> Refusal:
    """The answer to a caller whose command met ``error``."""
    what = meaning(error)
    if what is Meaning.DISK_FULL:
        return DiskFull()
    return LedgerCorrupt(words(error)) if what is Meaning.CORRUPT else StorageUnavailable(words(error))
