"""Running a sidecar: for bots, or for a demonstration that kills it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from lotkeeperd.cli.ending import fail
from lotkeeperd.cli.options import Config, Database, KeyFrom
from lotkeeperd.settings import BadSetting, loaded


def serve(
    listen: Annotated[str | None, typer.Option(help="HOST:PORT or unix:/path.sock; port 0 takes a free one.")] = None,
    database: Database = None,
    currency: Annotated[str | None, typer.Option(help="Of every amount; fixed when the ledger is made.")] = None,
    config: Config = None,
    journal_key: KeyFrom = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Listen on other addresses than loopback, for anyone.")
    ] = None,
) -> None:
    """Run the sidecar until SIGTERM or Ctrl-C."""
    import asyncio  # here, because with ssl it is 6 MB that no other command needs

    from lotkeeperd.app import CannotStart
    from lotkeeperd.app import serve as run

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    flags = {
        "listen": listen,
        "database": database,
        "currency": currency,
        "journal_key": journal_key,
        "insecure": insecure,
    }
    try:
        asyncio.run(run(loaded(flags, config=config), lambda line: print(line, flush=True)))
    except (BadSetting, CannotStart, OSError) as error:
        fail(error)


def demo(
    seconds: Annotated[int, typer.Option(help="How long the bots trade.")] = 30,
    prices: Annotated[Path | None, typer.Option(help="A CSV file: timestamp,...,close or timestamp,bid,ask.")] = None,
) -> None:
    """Three bots trade through a sidecar that is killed half way; then every figure is checked."""
    from lotkeeperd.demo.run import main as run

    raise typer.Exit(run(seconds, prices))
