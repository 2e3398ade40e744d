"""The command ``lotkeeper``: serve, and what operators need beside it.

Exit codes: 0 all is well; 1 it could not be done, or what was checked is not right; 2 the command line is wrong; 130 interrupted.
Each command imports what it needs when it runs: a server holds no table in memory, and a table no database.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from lotkeeperd.settings import BadSetting, loaded

app = typer.Typer(
    name="lotkeeper",
    help="A position ledger as a service: exact FIFO lots and live P&L beside your trading bots.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]

LOCAL = "127.0.0.1:50051"


def main() -> None:
    """The entry point."""
    app()


def _fail(error: Exception) -> NoReturn:
    print(f"lotkeeper: {error}", file=sys.stderr)
    raise typer.Exit(1) from error


@app.command()
def serve(
    listen: Annotated[str | None, typer.Option(help="HOST:PORT or unix:/path.sock; port 0 takes a free one.")] = None,
    database: Database = None,
    currency: Annotated[str | None, typer.Option(help="Of every amount; fixed when the ledger is made.")] = None,
    config: Config = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Listen on other addresses than loopback, for anyone.")
    ] = None,
) -> None:
    """Run the sidecar until SIGTERM or Ctrl-C."""
    from lotkeeperd.app import CannotStart
    from lotkeeperd.app import serve as run

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    flags = {"listen": listen, "database": database, "currency": currency, "insecure": insecure}
    try:
        asyncio.run(run(loaded(flags, config=config), lambda line: print(line, flush=True)))
    except (BadSetting, CannotStart, OSError) as error:
        _fail(error)


@app.command()
def watch(
    address: Address = LOCAL,
    portfolio: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    symbol: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    sort: Annotated[
        Literal["symbol", "pnl", "age", "value"],
        typer.Option(help="What comes first: symbol, highest P&L, oldest mark or largest value."),
    ] = "symbol",
    lots: Annotated[bool, typer.Option("--lots", help="Also the open lots of every position.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per event, for scripts.")] = False,
) -> None:
    """Follow positions and P&L as they change, until q or Ctrl-C.

    In a terminal it is a table. Keys: l lots, s sort, / filter, arrows scroll,
    ? help, q quit. In a pipe it is plain lines every two seconds.

    With --json it is one object per line. "event" says what it is: snapshot
    (everything; first, and after a lost connection), update (what changed:
    positions, totals, closed_trades, opened_entries, conflated_count),
    heartbeat, or disconnected (with its cause). Each has sequence, ledger_id,
    emit_time, and lag in seconds. Fields are named as in the contract; decimals
    are strings, times RFC 3339 with nanoseconds, what is unknown is null.
    Fields may be added.
    """
    from lotkeeperd.console.choice import Choice, Sort
    from lotkeeperd.console.follow import Watched
    from lotkeeperd.console.watch import watch as follow

    if as_json and (lots or sort != "symbol"):
        raise typer.BadParameter("--lots and --sort shape the table; with --json leave them out", param_hint="--json")
    choice = Choice(sort=Sort(sort), lots=lots)
    watched = Watched(address, portfolio or (), symbol or ())
    _answered(lambda: follow(watched, sys.stdout, as_json, choice, sys.stdin))


@app.command()
def summary(
    address: Address = LOCAL,
    portfolio: Annotated[str, typer.Option(help="Which one.")] = "default",
    flat: Annotated[bool, typer.Option("--flat", help="Also symbols with nothing open.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the positions of a portfolio as they are now."""
    from lotkeeperd.console.watch import summary as print_summary

    _answered(lambda: print_summary(address, portfolio, flat, sys.stdout, as_json))


def _answered(work: Callable[[], int]) -> None:
    """Run a command that talks to a sidecar."""
    from lotkeeper import LotkeeperError

    try:
        code = work()
    except LotkeeperError as error:
        _fail(error)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, which is how `| head` ends
        code = 0
    raise typer.Exit(code)


@app.command()
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
        _fail(error)
    finally:
        progress.end()
    print(f"{to}: ledger {copied.ledger_id} up to record {copied.sequence}, {copied.size:,} bytes, every page checked")


@app.command()
def verify(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Rebuild every book from the journal and compare it with what is stored, to the digit."""
    import json

    from lotkeeperd.console.progress import Progress
    from lotkeeperd.storage.engines import CannotStart, database_url
    from lotkeeperd.storage.verify import verify as rebuild

    progress = Progress("replayed records", sys.stderr, time.monotonic)
    try:
        found = rebuild(database_url(loaded({"database": database}, config=config).database), progress)
    except (BadSetting, CannotStart) as error:
        _fail(error)
    finally:
        progress.end()
    if as_json:
        print(json.dumps(found._asdict(), indent=2))
    else:
        for difference in found.differences:
            print(difference)
        verdict = "DIFFERENT from its journal" if found.differences else "exactly what its journal says"
        print(
            f"ledger {found.ledger_id}: {found.sequence:,} records, {found.entries:,} entries, {found.trades:,} closed trades, "
            f"{found.positions:,} positions: {verdict}"
        )
    raise typer.Exit(1 if found.differences else 0)


@app.command()
def demo(
    seconds: Annotated[int, typer.Option(help="How long the bots trade.")] = 30,
    prices: Annotated[Path | None, typer.Option(help="A CSV file: timestamp,...,close or timestamp,bid,ask.")] = None,
) -> None:
    """Three bots trade through a sidecar that is killed half way; then every figure is checked."""
    from lotkeeperd.demo.run import main as run

    raise typer.Exit(run(seconds, prices))
