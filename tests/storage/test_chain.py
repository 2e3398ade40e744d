"""The chain over the journal: what was done to it by hand is found, though every other table was made to agree."""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from lotkeeperd.storage.backup import backup
from lotkeeperd.storage.chain import DIGEST_BYTES, START, Link, canonical, linked, newest_link
from lotkeeperd.storage.engines import CannotStart, inspector_engine
from lotkeeperd.storage.engines import database_url as url_of
from lotkeeperd.storage.journal_key import JournalKey
from lotkeeperd.storage.rows import JournalRow
from lotkeeperd.storage.tables import journal, ledger
from lotkeeperd.storage.verify import printed_head, verify
from tests.storage.forger import by_hand, chained_again, verified
from tests.storage.ledgers import BareLedger, bare_ledger, entry, exit_of
from tests.storage.older import RECORDS_0002, make_0002

KEY = JournalKey(b"a secret that nobody should read")
OTHER = JournalKey(b"another secret, which is as long")

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
NUMBER = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-(2**15), 2**15 - 1)
ROWS = st.builds(
    JournalRow,
    sequence=NUMBER,
    recorded_time=NUMBER,
    portfolio_id=TEXT,
    symbol=TEXT,
    method=TEXT,
    rules=SMALL,
    key_version=SMALL,
    roles=SMALL,
    request_key=st.none() | NUMBER,
    request_id=TEXT,
    fill_key=st.none() | NUMBER,
    fill_id=TEXT,
    trade_count=st.integers(0, 2**31 - 1),
    asked=TEXT,
    decided=TEXT,
)


def traded(url: str, key: JournalKey | None = KEY) -> None:
    """Three batches, of two records, one and two; the entries of the first differ in their ids alone."""
    with bare_ledger(url, key) as ledger:
        ledger.taken(entry(1, order_id="o-1"), entry(2, order_id="o-2"))
        ledger.taken(exit_of(3))
        ledger.taken(entry(4), exit_of(5))


def digests(url: str) -> dict[int, bytes]:
    """Which records carry one."""
    engine = inspector_engine(url_of(url))
    with engine.connect() as connection:
        query = select(journal.c.sequence, journal.c.chain).where(journal.c.chain.is_not(None))
        found = {row.sequence: bytes(row.chain) for row in connection.execute(query)}
    engine.dispose()
    return found


@given(ROWS, ROWS)
def test_two_records_never_have_the_same_bytes(one: JournalRow, other: JournalRow) -> None:
    """Whatever stands in them."""
    assert (canonical(one) == canonical(other)) == (one == other)


@given(ROWS, ROWS, st.integers(1, 5))
def test_a_text_cannot_flow_from_one_column_or_record_into_the_next(
    one: JournalRow, other: JournalRow, cut: int
) -> None:
    """Lengths stand before the texts."""
    names = ("portfolio_id", "symbol", "method", "request_id", "fill_id", "asked", "decided")
    for left, right in pairwise(names):
        texts = {left: getattr(one, left)[:cut], right: getattr(one, left)[cut:] + getattr(one, right)}
        moved = one._replace(**texts)
        assert (canonical(moved) == canonical(one)) == (moved == one)
    assert linked(b"", START, [one, other]) != linked(b"", START, [other._replace(sequence=one.sequence ^ 1)])


def test_the_last_record_of_each_batch_carries_a_digest(database_url: str) -> None:
    """Keyed, 32 bytes; the next server goes on where this one ended."""
    traded(database_url)
    before = digests(database_url)
    assert list(before) == [2, 3, 5]
    assert {len(digest) for digest in before.values()} == {DIGEST_BYTES}

    with bare_ledger(database_url, KEY) as ledger:
        ledger.taken(entry(6))
    found = verified(database_url, KEY)
    assert found.differences == []
    assert found.keyed
    assert found.head == str(Link(6, digests(database_url)[6])) == str(printed_head(url_of(database_url)))
    assert before.items() < digests(database_url).items()


def test_a_batch_that_was_not_committed_leaves_the_chain_where_it_was(database_url: str) -> None:
    """What is refused, and what fails half way, is not in it."""
    with bare_ledger(database_url, KEY) as ledger:
        ledger.taken(entry(1))
        batch = ledger.batch()

        def half(transaction: object) -> None:
            batch.decide([entry(2)], transaction)  # type: ignore[arg-type]
            transaction.write(1, batch.written())  # type: ignore[attr-defined]
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            ledger.store.transact(half)
        ledger.take(exit_of(3, "7"))
        ledger.taken(entry(4))
    assert verified(database_url, KEY).differences == []


TAMPERINGS = {
    "changed: another order id, in every table": (
        (
            "UPDATE journal SET asked = replace(asked, 'o-1', 'o-9') WHERE sequence = 1",
            "UPDATE position_entries SET entry_order_id = 'o-9' WHERE sequence = 1",
            "UPDATE completed_trades SET entry_order_id = 'o-9' WHERE entry_order_id = 'o-1'",
        ),
        ["1 to 2 are not those that were chained"],
    ),
    "changed: a time that nothing else tells": (
        ("UPDATE journal SET recorded_time = recorded_time + 1 WHERE sequence = 3",),
        ["3 to 3 are not those that were chained"],
    ),
    "swapped: the order ids of two entries, in every table": (
        (
            "UPDATE journal SET asked = replace(asked, 'o-1', 'o-X') WHERE sequence = 1",
            "UPDATE journal SET asked = replace(asked, 'o-2', 'o-1') WHERE sequence = 2",
            "UPDATE journal SET asked = replace(asked, 'o-X', 'o-2') WHERE sequence = 1",
            "UPDATE position_entries SET entry_order_id = 'o-2' WHERE sequence = 1",
            "UPDATE position_entries SET entry_order_id = 'o-1' WHERE sequence = 2",
            "UPDATE completed_trades SET entry_order_id = 'o-X' WHERE entry_id = 'E1'",
            "UPDATE completed_trades SET entry_order_id = 'o-1' WHERE entry_id = 'E2'",
            "UPDATE completed_trades SET entry_order_id = 'o-2' WHERE entry_id = 'E1'",
        ),
        ["1 to 2 are not those that were chained"],
    ),
    "removed: the digest of the last batch": (
        ("UPDATE journal SET chain = NULL WHERE sequence = 5",),
        ["4 to 5 have no digest"],
    ),
    "removed: a digest between two batches": (
        ("UPDATE journal SET chain = NULL WHERE sequence = 3",),
        ["3 to 5 are not those that were chained"],
    ),
    "removed: a digest moved to another record": (
        (
            "UPDATE journal SET chain = (SELECT chain FROM journal WHERE sequence = 2) WHERE sequence = 1",
            "UPDATE journal SET chain = NULL WHERE sequence = 2",
        ),
        ["1 to 1 are not those that were chained", "2 to 3 are not those that were chained"],
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_done_to_the_journal_by_hand_is_found(database_url: str, what: str) -> None:
    """Every other table agrees with it: the chain alone tells, and it tells where."""
    traded(database_url)
    statements, records = TAMPERINGS[what]
    by_hand(database_url, *statements)
    assert verified(database_url, KEY).differences == [f"journal: records {which}" for which in records]


def test_a_record_that_was_removed_with_all_it_did_is_found(database_url: str) -> None:
    """Its batch ends earlier now; the digest it had proves nothing there."""
    with bare_ledger(database_url, KEY) as ledger:
        ledger.taken(entry(1), entry(2, symbol="B"))
    by_hand(
        database_url,
        "UPDATE journal SET chain = (SELECT chain FROM journal WHERE sequence = 2) WHERE sequence = 1",
        "DELETE FROM journal WHERE sequence = 2",
        "DELETE FROM position_entries WHERE sequence = 2",
        "DELETE FROM books WHERE symbol = 'B'",
        "DELETE FROM instruments WHERE symbol = 'B'",
        "UPDATE ledger SET last_sequence = 1",
    )
    assert verified(database_url, KEY).differences == ["journal: records 1 to 1 are not those that were chained"]


def chain_key_of(url: str) -> str:
    """What the ledger stores of its key."""
    engine = inspector_engine(url_of(url))
    with engine.connect() as connection:
        stored = connection.execute(select(ledger.c.chain_key)).scalar_one()
    engine.dispose()
    return str(stored)


def test_a_record_that_was_appended_without_the_key_is_found(database_url: str) -> None:
    """The program itself wrote it, with all its tables, under another key: only the digest is wrong."""
    traded(database_url)
    stored = chain_key_of(database_url)
    by_hand(database_url, f"UPDATE ledger SET chain_key = '{OTHER.fingerprint}'")
    with bare_ledger(database_url, OTHER) as forged:
        forged.taken(entry(6, "1000"))
    by_hand(database_url, f"UPDATE ledger SET chain_key = '{stored}'")
    assert verified(database_url, KEY).differences == ["journal: records 6 to 6 are not those that were chained"]


def test_a_journal_that_was_chained_again_with_another_key_is_found(database_url: str) -> None:
    """The rows are right; every digest is not."""
    traded(database_url)
    chained_again(database_url, OTHER.fingerprint, OTHER)
    found = verified(database_url, KEY).differences
    assert [words.partition(" are")[0] for words in found] == [
        "journal: records 1 to 2",
        "journal: records 3 to 3",
        "journal: records 4 to 5",
    ]


def test_without_a_key_whoever_chains_again_is_found_by_a_head_that_was_kept_elsewhere(database_url: str) -> None:
    """The ledger's id is no secret: a forger's chain is as good as ours, but it is not the one that was printed."""
    traded(database_url, None)
    kept = printed_head(url_of(database_url))
    assert not verified(database_url).keyed
    by_hand(database_url, "UPDATE journal SET recorded_time = recorded_time + 1 WHERE sequence = 3")
    assert verified(database_url).differences == ["journal: records 3 to 3 are not those that were chained"]

    chained_again(database_url, chain_key_of(database_url))
    assert verified(database_url).differences == []
    found = verify(url_of(database_url), lambda _done, _all: None, None, kept)
    assert found.differences == ["journal: the digest at record 5 is not the expected one"]


def test_a_journal_that_was_cut_off_is_found_by_a_head_that_was_kept_elsewhere(database_url: str) -> None:
    """What is left is a whole chain; the record that was expected in it is gone."""
    with bare_ledger(database_url, KEY) as ledger:
        ledger.taken(entry(1))
        ledger.taken(entry(2, symbol="B"))
    kept = printed_head(url_of(database_url))
    assert verify(url_of(database_url), lambda _done, _all: None, KEY, kept).differences == []
    by_hand(
        database_url,
        "DELETE FROM journal WHERE sequence = 2",
        "DELETE FROM position_entries WHERE sequence = 2",
        "DELETE FROM books WHERE symbol = 'B'",
        "DELETE FROM instruments WHERE symbol = 'B'",
        "UPDATE ledger SET last_sequence = 1",
    )
    assert verified(database_url, KEY).differences == []
    found = verify(url_of(database_url), lambda _done, _all: None, KEY, kept)
    assert found.differences == ["journal: it ends at 1; record 2 was expected in it"]


@pytest.mark.parametrize(
    ("made_with", "given", "said"),
    [
        (KEY, OTHER, "chained with another key than journal_key names"),
        (KEY, None, "chained with a key; name it with journal_key"),
        (None, KEY, "chained without a key, so journal_key does not fit"),
    ],
)
def test_another_key_is_refused(
    database_url: str, made_with: JournalKey | None, given: JournalKey | None, said: str
) -> None:
    """Server and verify say so before anything else, and the ledger keeps its owner."""
    traded(database_url, made_with)
    with pytest.raises(CannotStart, match=said):
        BareLedger(database_url, given)
    with pytest.raises(CannotStart, match=said):
        verified(database_url, given)
    assert verified(database_url, made_with).differences == []


def test_records_without_a_digest_are_not_served(database_url: str) -> None:
    """A server would chain what nobody of us wrote."""
    traded(database_url)
    by_hand(database_url, "UPDATE journal SET chain = NULL WHERE sequence = 5")
    with pytest.raises(CannotStart, match="the journal's records 4 to 5 have no digest: no server wrote them"):
        BareLedger(database_url, KEY)


def test_digests_that_nobody_owns_are_not_served(database_url: str) -> None:
    """A ledger that says it was never chained, and was, is not chained again."""
    traded(database_url)
    by_hand(database_url, "UPDATE ledger SET chain_key = ''")
    with pytest.raises(CannotStart, match=r"has digests, and ledger\.chain_key does not say whose"):
        BareLedger(database_url, KEY)
    with pytest.raises(CannotStart, match="is '', no key of a chain"):
        verified(database_url, KEY)


def test_an_older_ledger_is_chained_as_it_is_opened(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """One digest over all its records, in the transaction that opens it; from then on it is as any other."""
    make_0002(database_url)
    with caplog.at_level(logging.INFO), bare_ledger(database_url, KEY) as ledger:
        assert f"chained the {RECORDS_0002} records of an older version" in caplog.text
        assert list(digests(database_url)) == [RECORDS_0002]
        ledger.taken(entry(20, symbol="NEW", time=None))
    assert list(digests(database_url)) == [RECORDS_0002, RECORDS_0002 + 1]
    assert verified(database_url, KEY).differences == []
    by_hand(database_url, "UPDATE journal SET recorded_time = recorded_time + 1 WHERE sequence = 7")
    assert verified(database_url, KEY).differences == ["journal: records 1 to 12 are not those that were chained"]


def test_backup_and_restore_keep_the_chain(sqlite_url: str, tmp_path: Path) -> None:
    """The copy has the same head, and a server goes on with it."""
    traded(sqlite_url)
    copy = tmp_path / "copy.db"
    backup(url_of(sqlite_url), copy, lambda _done, _all: None)
    with bare_ledger(str(copy), KEY) as restored:
        assert printed_head(url_of(str(copy))) == printed_head(url_of(sqlite_url))
        restored.taken(entry(6))
    assert verified(str(copy), KEY).differences == []


def test_a_ledger_without_records_has_a_chain_without_links(database_url: str) -> None:
    """Its head is the start."""
    with bare_ledger(database_url, KEY):
        pass
    engine = inspector_engine(url_of(database_url))
    with engine.connect() as connection:
        assert newest_link(connection) == Link(0, START)
    engine.dispose()
    assert verified(database_url, KEY).head == str(Link(0, START))


@pytest.mark.parametrize("text", ["", "5", "5:", "x:" + "0" * 64, "5:" + "g" * 64, "-1:" + "0" * 64, "5:" + "0" * 63])
def test_what_is_no_head_is_refused(text: str) -> None:
    """The error repeats it and says what prints one."""
    with pytest.raises(ValueError, match=r"SEQUENCE:DIGEST|hexadecimal"):
        Link.parsed(text)
    link = Link(7, bytes(range(32)))
    assert Link.parsed(str(link)) == link
