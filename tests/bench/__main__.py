"""``python -m tests.bench``: measures how fast and how small, prints the table, writes JSON. Asserts nothing.

Every ratio is taken side by side in one run; a time by itself says as much about the machine as about the program. The exit
code is 0 unless a measurement could not be made.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.bench.machine import Machine, fsync_times, machine
from tests.bench.plan import Plan, say
from tests.bench.rows import book, bulk, closing, marks, reconciling, resident, stream, subscribers, summary, unary
from tests.bench.table import Line, Row, as_json, table, verdict

ROWS: tuple[Row, ...] = (
    *unary.ROWS,
    *bulk.ROWS,
    *book.ROWS,
    *closing.ROWS,
    *marks.ROWS,
    *stream.ROWS,
    *subscribers.ROWS,
    *resident.ROWS,
    *summary.ROWS,
    *reconciling.ROWS,
)
JSON = Path("var/bench.json")
QUICK_RUNS = 3
QUICK_SHARE = 0.2
QUICK_TRADES = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for."""
    options = _options(arguments)
    if options.rows:
        for row in ROWS:
            print(f"{row.name:12} {row.what}")
        return 0
    chosen = [row for row in ROWS if not options.only or row.name in options.only]
    with tempfile.TemporaryDirectory(prefix="lotkeeper-bench-", dir=options.folder) as folder:
        plan = _plan(options, Path(folder))
        where = machine(plan.folder)
        lines = [_tried(row, plan) for row in chosen]
        after = statistics.median(fsync_times(plan.folder))
    _report(options.json, where, after, plan, lines)
    return 1 if any(line.measured is None for line in lines) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, a ledger of a tenth")
    parser.add_argument("--rows", action="store_true", help="name the rows and stop")
    names = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", metavar="NAME", choices=names, help="only this row; may be repeated")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each measurement; the median counts")
    parser.add_argument("--json", type=Path, default=JSON, metavar="FILE", help=f"where to write it ({JSON})")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where databases are made")
    return parser.parse_args(arguments)


def _plan(options: argparse.Namespace, folder: Path) -> Plan:
    plan = Plan(folder, options.folder / "lotkeeper-bench")
    if options.quick:
        plan = plan._replace(runs=QUICK_RUNS, share=QUICK_SHARE, closed_trades=QUICK_TRADES)
    return plan._replace(runs=max(1, options.runs)) if options.runs is not None else plan


def _tried(row: Row, plan: Plan) -> Line:
    say(f"{row.name}: {row.what}")
    started = time.perf_counter()
    try:
        line = Line(row, row.measure(plan))
    except Exception as error:  # noqa: BLE001 - whatever it was, the other rows are still measured
        traceback.print_exc()
        line = Line(row, None, f"{type(error).__name__}: {error}".strip().splitlines()[-1])
    say(f"  {verdict(line)}, {time.perf_counter() - started:.0f} s")
    return line


def _report(path: Path, where: Machine, fsync_after: float, plan: Plan, lines: Sequence[Line]) -> None:
    """To the terminal and to the file; ``fsync_after`` in milliseconds tells whether the disk was as busy as before."""
    size = f"{plan.runs} runs each, medians; {plan.closed_trades:,} closed trades in the large ledger"
    found = {"machine": where._asdict() | {"fsync_p50_after": fsync_after, "busy": where.busy}}
    found |= {"plan": {"runs": plan.runs, "share": plan.share, "closed_trades": plan.closed_trades}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found | {"rows": [as_json(line) for line in lines]}, indent=2) + "\n")
    print(f"\n{where.text()}, after the last row p50 {fsync_after:.2f} ms\n{size}")
    if where.busy:
        print("THE MACHINE WAS BUSY before the first row: what is measured here is its other work as well")
    print(f"\n{table(lines)}\n\n{path}")


if __name__ == "__main__":
    sys.exit(main())
