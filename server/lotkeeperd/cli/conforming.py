"""Whether a server, this one or another, keeps the contract: the scenarios that every client is held to as well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lotkeeperd.cli.options import LOCAL, Address


def conformance(
    address: Address = LOCAL,
    only: Annotated[
        str, typer.Option(metavar="WORDS", help="Scenarios with this text in their or their file's name.")
    ] = "",
    scenarios: Annotated[
        Path | None, typer.Option(help="Folder of scenarios; those of this version unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary alone.")] = False,
    harness: Annotated[
        bool, typer.Option("--harness", help="Ask on stdout for servers, read their addresses on stdin.")
    ] = False,
) -> None:
    """Run the conformance scenarios against a server; it keeps what they record, in portfolios of their own."""
    from lotkeeper.conformance.reporting import main

    raise typer.Exit(main(address=address, folder=scenarios, only=only, as_json=as_json, harness=harness))
