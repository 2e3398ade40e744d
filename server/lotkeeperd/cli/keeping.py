"""Keeping a ledger: a copy of it while a server writes, and the proof that it is what its journal says."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lotkeeperd.cli.ending import fail
from lotkeeperd.cli.options import AsJson, Config, Database, KeyFrom
from lotkeeperd.settings import BadSetting, loaded

if TYPE_CHECKING:
    from lotkeeperd.storage.verify import Verified


def backup(
    to: Annotated[Path, typer.Argument(help="The new file.")],
    database: Database = None,
    config: Config = None,
) -> None:
    """Copy a SQLite ledger right, while a server writes to it."""
    from lotkeeperd.console.progress import Progress
    from lotkeeperd.storage.backup import backup as copy
    from lotkeeperd.storage.engines import CannotStart, database_url

    progress = Progress("copied pages", sys.stderr, time.monotonic)
    try:
        url = database_url(loaded({"database": database}, config=config).database)
        copied = copy(url, to, progress)
    except (BadSetting, CannotStart) as error:
        fail(error)
    finally:
        progress.end()
    print(f"{to}: ledger {copied.ledger_id} up to record {copied.sequence}, {copied.size:,} bytes, every page checked")


def verify(
    database: Database = None,
    config: Config = None,
    journal_key: KeyFrom = None,
    head: Annotated[
        bool,
        typer.Option("--head", help="Only print where the journal's chain ends, SEQUENCE:DIGEST, to keep elsewhere."),
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(metavar="SEQUENCE:DIGEST", help="A head printed earlier: it must still be in the chain."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild everything from the journal and compare it with what is stored, to the digit.

    The journal's own records are proved by the chain of digests over them. A
    journal that was cut off at its end shows only against a head that was kept
    elsewhere: print one with --head, give it back with --expect.
    """
    from lotkeeperd.console.progress import Progress
    from lotkeeperd.storage.chain import Link
    from lotkeeperd.storage.engines import CannotStart, database_url
    from lotkeeperd.storage.journal_key import journal_key as key_from
    from lotkeeperd.storage.verify import printed_head
    from lotkeeperd.storage.verify import verify as rebuild

    try:
        expected = None if expect is None else Link.parsed(expect)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--expect") from error
    progress = Progress("replayed records", sys.stderr, time.monotonic)
    try:
        settings = loaded({"database": database, "journal_key": journal_key}, config=config)
        url = database_url(settings.database)
        if head:
            print(printed_head(url))
            raise typer.Exit(0)
        found = rebuild(url, progress, key_from(settings.journal_key), expected)
    except (BadSetting, CannotStart) as error:
        fail(error)
    finally:
        progress.end()
    _print_verified(found, as_json)
    raise typer.Exit(1 if found.differences else 0)


def _print_verified(found: Verified, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found._asdict(), indent=2))
        return
    for difference in found.differences:
        print(difference)
    verdict = "DIFFERENT from its journal" if found.differences else "exactly what its journal says"
    print(
        f"ledger {found.ledger_id}: {found.sequence:,} records, {found.entries:,} entries, {found.trades:,} closed trades, "
        f"{found.positions:,} positions: {verdict}"
    )
    keyed = "with a key" if found.keyed else "without a key: that shows damage, not a forger's hand; see journal_key"
    print(f"journal chained up to {found.head}, {keyed}")
