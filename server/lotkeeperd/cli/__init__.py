"""The command ``lotkeeper``: serve, and what operators need beside it. Here it is put together.

Exit codes: 0 all is well; 1 it could not be done, or what was checked is not right; 2 the command line is wrong; 3 lines of an
import were refused, or ledger and broker differ; 4 whether they do is not known; 130 interrupted.

Problem: whoever looks for what a command asks of a person should not read nine others. Therefore a module is what a command is
for: serving, reading a sidecar, explaining a figure, reconciling with a broker, deciding what differs, reporting a day, keeping a
ledger, moving history in and out, testing a server. What they share is in ``options``, ``statement`` and ``ending``. The order
below is the order of the help.

Each command imports what it needs when it runs: a server holds no table in memory, and a table no database.
"""

from __future__ import annotations

import typer

from lotkeeperd.cli.conforming import conformance
from lotkeeperd.cli.deciding import discrepancies, resolve, undo
from lotkeeperd.cli.explaining import explain_position, explain_trade
from lotkeeperd.cli.keeping import backup, verify
from lotkeeperd.cli.moving import export, import_
from lotkeeperd.cli.reading import summary, watch
from lotkeeperd.cli.reconciling import reconcile, recover
from lotkeeperd.cli.reporting import report
from lotkeeperd.cli.serving import demo, serve

app = typer.Typer(
    name="lotkeeper",
    help="A position ledger as a service: exact FIFO lots and live P&L beside your trading bots.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(watch)
app.command()(summary)
app.command()(reconcile)
app.command()(recover)
app.command()(discrepancies)
app.command()(resolve)
app.command()(undo)
app.command()(report)
app.command()(backup)
app.command()(verify)
app.command(name="import")(import_)
app.command()(export)
app.command()(demo)
app.command()(conformance)

explain = typer.Typer(no_args_is_help=True, help="The records that make a figure, summing to it exactly.")
explain.command(name="trade")(explain_trade)
explain.command(name="position")(explain_position)
app.add_typer(explain, name="explain")


def main() -> None:
    """The entry point."""
    app()
