"""The command ``lotkeeper``."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from lotkeeperd.settings import BadSetting, loaded

app = typer.Typer(name="lotkeeper", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    listen: Annotated[Optional[str], typer.Option(help="HOST:PORT or unix:/path.sock")] = None,
    database: Annotated[Optional[str], typer.Option(help="a SQLite file or a postgresql:// URL")] = None,
    currency: Annotated[Optional[str], typer.Option()] = None,
    config: Annotated[Optional[Path], typer.Option()] = None,
    insecure: Annotated[Optional[bool], typer.Option("--insecure")] = None,
) -> None:
    """Run the sidecar."""
    from lotkeeperd.app import serve as run
    from lotkeeperd.storage.engines import CannotStart

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = loaded({"listen": listen, "database": database, "currency": currency, "insecure": insecure}, config=config)
        asyncio.run(run(settings, lambda line: print(line, flush=True)))
    except (BadSetting, CannotStart, RuntimeError) as error:
        print(f"lotkeeper: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def main() -> None:
    """The entry point."""
    app()


@app.command()
def placeholder() -> None:
    """To be replaced."""
