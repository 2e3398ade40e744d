"""Moving history: in from other programs' files and tables, and out as files that other programs read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lotkeeperd.cli.ending import fail
from lotkeeperd.cli.options import AsJson, Config, Database, KeyFrom
from lotkeeperd.settings import BadSetting, loaded


def import_(
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON lines or JSON.")] = None,
    from_table: Annotated[str, typer.Option(help="DATABASE#TABLE in place of a file; it is only read.")] = "",
    columns: Annotated[Path | None, typer.Option(help="A TOML file: which column holds which field.")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN; may be repeated.")] = None,
    constant: Annotated[list[str] | None, typer.Option(help="FIELD=VALUE for every row; may be repeated.")] = None,
    positions: Annotated[bool, typer.Option("--positions", help="Each row is an open lot, marked synthetic.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Record it; without this nothing is written.")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Record what is right, report the rest.")] = False,
    takeover: Annotated[bool, typer.Option("--takeover", help="PostgreSQL: fence a server that runs.")] = False,
    excess: Annotated[
        Literal["reverse", "reject"] | None,
        typer.Option(
            help="A fill beyond the open lots: flip, or refuse its line. Not given: flip, but refuse where nothing may go short."
        ),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="csv, jsonl or json; by the file's name if not given.")] = "",
    delimiter: Annotated[str, typer.Option(help="Of CSV: one character, or tab; found if not given.")] = "",
    encoding: Annotated[str, typer.Option(help="Of the file; utf-8 if not given.")] = "",
    time_: Annotated[str, typer.Option("--time", help="iso, unix_s, unix_ms, unix_us, unix_ns, or as strptime.")] = "",
    zone: Annotated[str, typer.Option(help="Of times that name none: Europe/Berlin.")] = "",
    order: Annotated[str, typer.Option(help="time (if not given) or file: what is recorded first.")] = "",
    database: Database = None,
    currency: Annotated[str | None, typer.Option(help="Of every amount; fixed when the ledger is made.")] = None,
    journal_key: KeyFrom = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Record fills, or open positions, of a file or a table, while no server runs.

    Without --apply it does all of it, says what would happen, and takes it back.
    All of it is one transaction. Another run finds what is there already.
    Exit code 3: lines were refused, and nothing is written but with --keep-going.
    """
    from lotkeeperd.intake.command import Flags, imported

    form = {
        "format": format_,
        "delimiter": delimiter,
        "encoding": encoding,
        "time": time_,
        "zone": zone,
        "order": order,
    }
    flags = Flags(
        file,
        from_table,
        columns,
        map_ or (),
        constant or (),
        form,
        positions,
        apply,
        keep_going,
        takeover,
        excess or "",
    )
    try:
        settings = loaded({"database": database, "currency": currency, "journal_key": journal_key}, config=config)
    except BadSetting as error:
        fail(error)
    raise typer.Exit(imported(flags, settings, as_json, sys.stdout, sys.stderr))


def export(
    what: Annotated[
        Literal["fills", "entries", "trades", "events"],
        typer.Argument(help="Executions, lots, closed trades, or all else that happened."),
    ],
    portfolio: Annotated[str, typer.Option(help="Only this one.")] = "",
    symbol: Annotated[str, typer.Option(help="Only this one.")] = "",
    since: Annotated[str, typer.Option(help="Executed at or after: 2024-01-01, or with a time and a zone.")] = "",
    until: Annotated[str, typer.Option(help="Executed before.")] = "",
    as_recorded: Annotated[
        bool,
        typer.Option("--as-recorded", help="The journal's own words: also what was busted, corrected or superseded."),
    ] = False,
    format_: Annotated[Literal["csv", "jsonl"], typer.Option("--format", help="How to write it.")] = "csv",
    output: Annotated[
        Path | None, typer.Option(help="A file, replaced when all is written; stdout if not given.")
    ] = None,
    database: Database = None,
    config: Config = None,
) -> None:
    """Write history as CSV or JSON lines, of one moment, while a server may run.

    It is what counts now: busted fills are left out, corrected ones are as
    corrected, late ones where their time put them; a symbol with any of these
    comes after the others. Events are everything else: cash, splits, ends of
    contracts, fees that came later, busts and corrections themselves.

    Columns are named as in the contract; decimals are exact, times are UTC with
    nanoseconds. What "export fills" writes, "import --order file" reads.
    """
    from lotkeeperd.domain.times import moment
    from lotkeeperd.export import export as write
    from lotkeeperd.storage.engines import CannotStart
    from lotkeeperd.storage.extracts import Wanted

    try:
        wanted = Wanted(portfolio, symbol, moment(since), moment(until), as_recorded)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since, --until") from error
    try:
        count = write(what, wanted, loaded({"database": database}, config=config).database, format_, output, sys.stdout)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, which is how `| head` ends
        raise typer.Exit(0) from None
    except (BadSetting, CannotStart, OSError) as error:
        fail(error)
    if output is not None:
        print(f"{output}: {count:,} {what}")
