"""One bit of a ledger's file goes bad: the server refuses it, ``verify`` finds it, or it makes no difference to any answer.

Much of a page is free space, and a flip there changes nothing; what may never happen is an answer that is wrong while
nobody can tell. Answers are: every row that an RPC, the stream or plain SQL shows, and whether each execution is known (law 8),
which a flip in an index could make forgotten.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from random import Random
from typing import NamedTuple

import grpc
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

import lotkeeper
from lotkeeperd.domain.commands import Command, Decision
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.ports import StatementRefused, Transaction
from lotkeeperd.storage.engines import CannotStart, database_url, inspector_engine
from lotkeeperd.storage.rows import decision_of
from lotkeeperd.storage.store import SqlStore
from lotkeeperd.storage.tables import metadata
from lotkeeperd.storage.verify import verify
from tests.simulation.orders import Orders
from tests.simulation.script import sent_once
from tests.support.sidecar import Sidecar

FLIPS, MANY_FLIPS = 150, 1_500
COMMANDS = 120
NOT_ANSWERED = {"ledger": {"epoch", "created_time"}, "portfolios": {"created_time"}, "journal": {"recorded_time"}}
"""Columns that no answer shows and no decision depends on."""

BROKEN = (CannotStart, Refusal, StatementRefused, DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a reader of a damaged file may meet instead of an answer."""


class Answers(NamedTuple):
    """Everything that a ledger can be asked: the shown columns of every row, and what each execution's keys find."""

    rows: dict[str, list[tuple[object, ...]]]
    known: dict[Command, list[Decision]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Path:
    """A ledger of some pages per table, its server ended cleanly."""
    database = tmp_path_factory.mktemp("sound") / "lotkeeper.db"
    orders = Orders("A", str(seed))
    with Sidecar(str(database)) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        with lotkeeper.connect(sidecar.address, portfolio="alpha") as ledger:
            labels = {"strategy": "trend", "confidence": "0.7"}
            for number in range(10):
                ids = {"entry_fill_id": f"x{number}", "entry_order_id": f"o{number}", "group_id": f"g{number}"}
                ledger.create_entry(symbol="XRP-PERP", quantity=1, entry_price=2, labels=labels, **ids)
        for _ in range(COMMANDS):
            try:
                sent_once(channel, orders.next())
            except lotkeeper.LotkeeperError as refusal:
                assert refusal.reason, refusal
    return database


def rows_of(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """What anybody's SQL reads, column by column."""
    engine = inspector_engine(database_url(str(database)))
    try:
        with engine.connect() as connection:
            return {
                name: sorted(
                    (
                        tuple(value for column, value in row._mapping.items() if column not in NOT_ANSWERED.get(name, ()))
                        for row in connection.execute(select(table))
                    ),
                    key=repr,
                )
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()


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
        known = {command: store.transact(lambda tx, one=command: _recorded(tx, one)) for command in commands}
    finally:
        store.close()
    return Answers(rows_of(database), known)


def _recorded(transaction: Transaction, command: Command) -> list[Decision]:
    """The decisions found by a command's keys; when they were recorded is shown nowhere."""
    return [decision._replace(recorded_time=0) for decision in transaction.recorded([command])]


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
    """150 single bits, most of them in bytes that are in use."""
    fates = flip_bits(sound, folder, FLIPS, random)
    print(f"{FLIPS} bad bits: {dict(fates)}")
    assert fates["refused"]
    assert fates["harmless"]
    assert fates["wrong, and verify says so"]


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_no_bad_bit_of_1500_makes_a_wrong_answer_that_nobody_can_tell(
    sound: Path, folder: Path, random: Random
) -> None:
    """The same, longer."""
    print(f"{MANY_FLIPS} bad bits: {dict(flip_bits(sound, folder, MANY_FLIPS, random))}")
