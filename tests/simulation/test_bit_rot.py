"""One bit of a ledger's file goes bad: the server refuses it, ``verify`` finds it, or it makes no difference to any answer.

Much of a page is free space, and a flip there changes nothing; what may never happen is an answer that is wrong while
nobody can tell. Answers are: every row that an RPC, the stream or plain SQL shows, and whether each execution is known (law 8),
which a flip in an index could make forgotten.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import grpc
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import lotkeeper
from lotkeeper.errors import BookRefused, InvalidRequest
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.ports import JournalRecord, StatementRefused, Transaction
from lotkeeperd.storage.engines import CannotStart, database_url, inspector_engine
from lotkeeperd.storage.rows import decision_of
from lotkeeperd.storage.store import SqlStore
from lotkeeperd.storage.tables import metadata
from lotkeeperd.storage.verify import verify
from tests.simulation.orders import Orders
from tests.simulation.script import sent_once
from tests.support.sidecar import Sidecar

FLIPS, MANY_FLIPS = 100, 600
COMMANDS = 120
NOT_ANSWERED = {
    "ledger": {"epoch", "created_time", "ledger_id"},
    "portfolios": {"created_time"},
    "journal": {"recorded_time"},
}
"""Columns that no answer shows and no decision depends on, and the ledger's name: whoever resumes a stream under another one is
told that the ledger was replaced, and starts anew."""

BROKEN = (CannotStart, Refusal, StatementRefused, DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a reader of a damaged file may meet instead of an answer."""


class Answers(NamedTuple):
    """Everything that a ledger can be asked: the shown columns of every row, and what each execution's keys find."""

    rows: dict[str, list[tuple[object, ...]]]
    known: dict[Command, list[JournalRecord]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Path:
    """A ledger of some pages per table, its server ended cleanly."""
    database = tmp_path_factory.mktemp("sound") / "lotkeeper.db"
    orders = Orders("A", str(seed))
    with Sidecar(str(database)) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        with lotkeeper.connect(sidecar.address, portfolio="alpha") as ledger:
            labels = {"strategy": "trend", "confidence": "0.7"}
            for number in range(10):
                name = f"x{number}"
                ledger.create_entry(
                    symbol="XRP-USD",
                    quantity=1,
                    entry_price=2,
                    entry_fill_id=name,
                    entry_order_id=name,
                    group_id=name,
                    labels=labels,
                )
        for _ in range(COMMANDS):
            with suppress(BookRefused, InvalidRequest):
                sent_once(channel, orders.next())
    return database


def rows_of(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """What anybody's SQL reads, column by column."""
    engine = inspector_engine(database_url(str(database)))
    try:
        with engine.connect() as connection:
            queries = {name: select(table) for name, table in metadata.tables.items()}
            found = {name: connection.execute(query).mappings().all() for name, query in queries.items()}
            found["current_positions"] = connection.execute(text("SELECT * FROM current_positions")).mappings().all()
            return {name: [_shown(row, NOT_ANSWERED.get(name, set())) for row in rows] for name, rows in found.items()}
    finally:
        engine.dispose()


def _shown(row: Mapping[Any, Any], hidden: set[str]) -> tuple[object, ...]:
    return tuple(value for column, value in row.items() if column not in hidden)


def commands_of(database: Path) -> list[Command]:
    """Every command that the journal holds."""
    engine = inspector_engine(database_url(str(database)))
    try:
        with engine.connect() as connection:
            query = select(metadata.tables["journal"])
            return [decision_of(row).command for row in connection.execute(query)]
    finally:
        engine.dispose()


def answers_of(database: Path, commands: list[Command]) -> Answers:
    """Open a ledger as a server does, and ask it everything. Raises one of ``BROKEN``."""
    store = SqlStore(database_url(str(database)))
    store.open(None, 0)
    try:
        known = {command: store.transact(partial(_recorded, command)) for command in commands}
    finally:
        store.close()
    return Answers(rows_of(database), known)


def _recorded(command: Command, transaction: Transaction) -> list[JournalRecord]:
    """The records found by a command's keys; when an execution was recorded is shown nowhere."""
    found = transaction.recorded([command])
    return [record._replace(recorded_time=0) if isinstance(record, Decision) else record for record in found]


def is_verified(database: Path) -> bool:
    """Whether ``lotkeeper verify`` finds nothing."""
    try:
        return not verify(database_url(str(database)), lambda _done, _of: None).differences
    except CannotStart:
        return False


def fate(database: Path, commands: list[Command], right: Answers) -> str:
    """What becomes of a file with a bad bit."""
    verified = is_verified(database)
    try:
        answers = answers_of(database, commands)
    except CannotStart:
        return "refused"
    except BROKEN:
        return "unreadable, but verified" if verified else "unreadable"
    if answers == right:
        return "harmless"
    return "wrong, but verified" if verified else "wrong, and verify says so"


def flip_bits(sound: Path, folder: Path, flips: int, random: Random) -> Counter[str]:
    """Turn one bit of a copy, many times; what became of each copy."""
    commands, content = commands_of(sound), sound.read_bytes()
    pristine = Path(shutil.copy(sound, folder / "pristine.db"))
    right = answers_of(pristine, commands)
    used = [place for place, byte in enumerate(content) if byte]
    fates: Counter[str] = Counter()
    for number in range(flips):
        place = random.choice(used) if random.random() < 0.8 else random.randrange(len(content))
        byte = content[place] ^ 1 << random.randrange(8)
        database = folder / f"{number}.db"
        database.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        became = fate(database, commands, right)
        fates[became] += 1
        assert not became.endswith("but verified"), f"byte {place} was {content[place]}, is {byte}: {became}"
        for file in folder.glob(f"{number}.db*"):
            file.unlink()
    return fates


def test_a_bad_bit_never_makes_a_wrong_answer_that_nobody_can_tell(sound: Path, folder: Path, random: Random) -> None:
    """100 single bits, most of them in bytes that are in use."""
    fates = flip_bits(sound, folder, FLIPS, random)
    print(f"{FLIPS} bad bits: {dict(fates)}")
    assert fates["refused"]
    assert fates["harmless"]
    assert fates["wrong, and verify says so"]


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_no_bad_bit_of_600_makes_a_wrong_answer_that_nobody_can_tell(sound: Path, folder: Path, random: Random) -> None:
    """The same, longer."""
    print(f"{MANY_FLIPS} bad bits: {dict(flip_bits(sound, folder, MANY_FLIPS, random))}")
