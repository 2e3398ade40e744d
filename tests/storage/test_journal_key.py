"""Where the key of the journal's chain comes from, and that it is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotkeeperd.storage.engines import CannotStart
from lotkeeperd.storage.journal_key import JournalKey, chain_bytes, journal_key, new_chain_key

SECRET = "0123456789abcdef-of-nobody"


def test_a_key_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    """Line ends at the end of a file are not part of it; without a setting there is none."""
    (tmp_path / "key").write_text(SECRET + "\r\n")
    key = JournalKey(SECRET.encode())
    assert journal_key("env:LEDGER_KEY", {"LEDGER_KEY": SECRET}) == key
    assert journal_key(f"file:{tmp_path}/key", {}) == key
    assert journal_key("", {"LEDGER_KEY": SECRET}) is None


def test_a_key_of_any_length_is_taken() -> None:
    """What BLAKE2b takes is derived from it."""
    long = JournalKey(SECRET.encode() * 100)
    assert len(long.chain) == 32
    assert long.chain != JournalKey(SECRET.encode()).chain


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("env:LEDGER_KEY", "journal_key env:LEDGER_KEY: 5 bytes are there, 16 or more are required"),
        ("env:NOTHING", "journal_key env:NOTHING: 0 bytes are there"),
        ("file:/no/such/file", "journal_key: file:/no/such/file: No such file"),
        (SECRET, "say env:NAME or file:PATH"),
        (f"key:{SECRET}", "say env:NAME or file:PATH"),
        ("env:", "say env:NAME or file:PATH"),
    ],
)
def test_what_gives_no_key_is_refused(setting: str, said: str) -> None:
    """The message names the place; a secret that was given in its stead is not repeated."""
    with pytest.raises(CannotStart, match=said) as refused:
        journal_key(setting, {"LEDGER_KEY": "short"})
    assert SECRET not in str(refused.value)


def test_a_key_is_never_shown() -> None:
    """Neither by itself nor in what is stored of it, from which the chain's own key cannot be told."""
    key = JournalKey(SECRET.encode())
    stored = new_chain_key(key, "an-id")
    assert SECRET not in repr(key) + str(key) + stored
    assert key.chain.hex() not in stored
    assert chain_bytes(stored, key, "the ledger") == key.chain


def test_without_a_key_the_chain_is_keyed_by_the_id_that_the_ledger_was_made_with() -> None:
    """A copy that gets a name of its own keeps its chain."""
    assert new_chain_key(None, "an-id") == "id:an-id"
    assert chain_bytes("id:an-id", None, "the ledger") != chain_bytes("id:another-id", None, "the ledger")
