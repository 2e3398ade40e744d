"""What earlier versions wrote is read by this one: their ledgers to the digit, their messages to the field."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from lotkeeperd import __version__
from tests.golden.answers import answers
from tests.golden.samples import message_types
from tests.storage.forger import verified
from tests.storage.older import make
from tests.support.sidecar import Sidecar

FOLDER = Path(__file__).parent
LEDGERS = sorted(FOLDER.glob("ledger-*.sql"))
MESSAGES = sorted(FOLDER.glob("messages-*.json"))


def named(path: Path) -> str:
    """A file's version."""
    return path.stem.partition("-")[2]


def test_this_version_has_its_own() -> None:
    """Before it is released: `python -m tests.golden.writing`."""
    assert __version__ in [named(path) for path in LEDGERS]
    assert __version__ in [named(path) for path in MESSAGES]
    kept = json.loads((FOLDER / f"messages-{__version__}.json").read_text(encoding="utf-8"))
    assert list(kept) == list(message_types()), "the contract has grown: python -m tests.golden.writing"


@pytest.mark.parametrize("rows", LEDGERS, ids=named)
def test_a_ledger_of_then_is_rebuilt_to_the_digit_and_answers_as_it_did(rows: Path, database_url: str) -> None:
    """Migrated, verified from its journal, served; on both databases."""
    revision = rows.read_text(encoding="utf-8").removeprefix("-- ").partition(":")[0]
    make(database_url, revision, rows)
    expected = json.loads(rows.with_suffix(".json").read_text(encoding="utf-8"))
    with Sidecar(database_url) as sidecar:
        assert answers(sidecar.address) == expected
    assert verified(database_url).differences == []


@pytest.mark.parametrize("kept", MESSAGES, ids=named)
def test_messages_of_then_say_what_they_said(kept: Path) -> None:
    """No field of theirs is unknown, and each has the value that it had."""
    types = message_types()
    content: dict[str, list[dict[str, Any]]] = json.loads(kept.read_text(encoding="utf-8"))
    for name, each in content.items():
        for one in each:
            message = types[name].FromString(base64.b64decode(one["binary"]))
            assert MessageToDict(message, preserving_proto_field_name=True) == one["json"], name
            assert ParseDict(one["json"], types[name]()) == message, name
