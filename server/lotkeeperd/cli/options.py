"""What several commands are told in the same words: where the sidecar is, which ledger, which settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LOCAL = "127.0.0.1:50051"
"""Where a sidecar listens if nobody says otherwise."""


def _an_address(address: str) -> str:
    """``address`` if it is one: a wrong one is a wrong command line."""
    from lotkeeper.channel import target

    try:
        return target(address)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Address = Annotated[
    str, typer.Option(envvar="LOTKEEPER_ADDRESS", help="Where the sidecar listens.", callback=_an_address)
]
Database = Annotated[str | None, typer.Option(help="A SQLite file, or a postgresql:// URL.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file with settings.")]
KeyFrom = Annotated[
    str | None, typer.Option(metavar="FROM", help="Where the key of the journal's chain is: env:NAME or file:PATH.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]
