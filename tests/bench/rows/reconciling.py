"""Reconciliation: the comparison alone, what one call does to writes, and what a hundred accounts on a schedule do to them."""

from __future__ import annotations

import os
import statistics
import time
from decimal import Decimal, localcontext
from itertools import count
from pathlib import Path

import psutil

from lotkeeper.v1 import ledger_pb2, ledger_service_pb2, reconciliation_pb2
from lotkeeperd.domain.decimals import EXACT
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.comparison import compare
from lotkeeperd.domain.reconciliation.holdings import Counted, Holding, Holdings
from lotkeeperd.domain.reconciliation.records import UNNAMED
from lotkeeperd.domain.reconciliation.statements import Execution, HeldPosition, Statement
from tests.bench import calls, load, steady
from tests.bench.apart import Apart, apart
from tests.bench.plan import Plan, say
from tests.bench.table import Measured, Row, Target
from tests.support.sidecar import Sidecar

RECONCILE = "/lotkeeper.v1.LedgerService/Reconcile"

POSITIONS = 10_000
DIFFERING = 10
"""Of so many positions one differs, by an execution that the ledger does not have."""

MONTH = 30 * 86_400 * 10**9
"""Nanoseconds: how long ago the positions were opened, before the history that a broker is asked for."""

ACCOUNTS, IN_ACCOUNT = 100, 10
EVERY = (300, 60)
"""Seconds between two runs of an account: the configuration's own, and five times as often."""

SITE = "site"
"""The folder of the plug-in, beside the database."""

IN_TURN = 10_000
"""Calls of one run, one caller: some ten seconds, in which the schedule comes round to several accounts."""

BESIDE = 4_000
"""Calls of one run beside a Reconcile: more than are answered until that is."""

LEAD = 1.5
"""Seconds of calls, the warm-up among them, before a Reconcile is sent into the middle of them."""

NAME, QUANTITY = "everything", "1.5"


# The comparison alone.


def compared(positions: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor that one comparison takes; every execution is looked at as well."""
    holdings, statement = _both_sides(positions)
    with localcontext(EXACT):
        began, worked = time.perf_counter(), time.process_time()
        found = compare(UNNAMED, holdings, statement)
        taken = time.perf_counter() - began, time.process_time() - worked
    if (len(found.differences), found.matched) != (positions // DIFFERING, positions - positions // DIFFERING):
        raise RuntimeError(f"{len(found.differences)} differences and {found.matched} matches were found")
    return taken


def _both_sides(positions: int) -> tuple[Holdings, Statement]:
    quantity, sold = Decimal(QUANTITY), Decimal("0.5")
    open_, rows, counted, executions = [], [], [], []
    for number in range(positions):
        name, price = calls.symbol_name(number), Decimal(calls.price_of(number))
        entry = Execution(name, Direction.LONG, quantity, price, 2 * number, f"in-{number}", f"order-{number}")
        differs = number % DIFFERING == 0
        open_.append(Holding((NAME, name, ""), quantity, price))
        rows.append(HeldPosition(name, Direction.LONG, quantity - sold if differs else quantity, price))
        counted.append(Counted((NAME, name, ""), number + 1, *entry[1:7]))
        executions.append(entry)
        if differs:
            executions.append(Execution(name, Direction.SHORT, sold, price, 2 * number + 1, f"out-{number}"))
    holdings = Holdings((NAME,), tuple(open_), counted=tuple(counted))
    return holdings, Statement(2 * positions, True, tuple(rows), tuple(executions), 0)


def comparison(plan: Plan) -> Measured:
    """Median time of one, each in a process of its own."""
    taken = [apart(compared, POSITIONS) for _ in range(plan.runs)]
    wall, worked = [each[0] for each in taken], [each[1] for each in taken]
    detail = (
        f"{statistics.median(worked):.2f} s of the processor; {POSITIONS:,} executions are paired as well, and one in "
        f"{DIFFERING} positions differs"
    )
    return Measured(statistics.median(wall), detail, {"wall_s": wall, "cpu_s": worked})


# One call.


def _opening(portfolio: str, symbol: int) -> bytes:
    """CreateEntry of a position that is older than any history."""
    request = ledger_service_pb2.CreateEntryRequest(
        portfolio_id=portfolio,
        symbol=calls.symbol_name(symbol),
        quantity=QUANTITY,
        entry_price=calls.price_of(symbol),
        entry_fill_id=f"old-{symbol:09d}",
    )
    request.entry_time.FromNanoseconds(time.time_ns() - MONTH)
    return request.SerializeToString()


def _agreeing() -> bytes:
    """Reconcile of every position as the ledger has it."""
    request = reconciliation_pb2.ReconcileRequest(portfolio_ids=[NAME])
    request.statement.positions_complete = True
    request.statement.as_of.FromNanoseconds(time.time_ns())
    for symbol in range(POSITIONS):
        request.statement.positions.add(
            symbol=calls.symbol_name(symbol), side=ledger_pb2.POSITION_SIDE_LONG, quantity=QUANTITY
        )
    return request.SerializeToString()


def timed_call(address: str, method: str, request: bytes) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    load.one_answer(address, method, request)
    return time.perf_counter() - began


def one_call(plan: Plan) -> Measured:
    """The longest that a CreateEntry waited while a Reconcile ran beside it; median of the runs, in milliseconds."""
    longest: list[float] = []
    taken: list[float] = []
    worked: list[float] = []
    numbers = count(1, BESIDE)
    with Sidecar(str(plan.new_database())) as sidecar, Apart() as writing, Apart() as asking:
        opened = [_opening(NAME, symbol) for symbol in range(POSITIONS)]
        writing.run(load.sent, sidecar.address, calls.CREATE_ENTRY, opened, 64)
        asking.run(timed_call, sidecar.address, RECONCILE, _agreeing())  # warm
        for run in range(plan.runs):
            requests = calls.entries(next(numbers), BESIDE)
            writing.begin(load.latencies, sidecar.address, calls.CREATE_ENTRY, requests)
            time.sleep(LEAD)
            before = _worked(sidecar)
            taken.append(asking.run(timed_call, sidecar.address, RECONCILE, _agreeing()))
            worked.append(_worked(sidecar) - before)
            longest.append(max(writing.result()))
            say(f"  run {run + 1}: {taken[-1]:.2f} s, a CreateEntry beside it waited up to {longest[-1]:.0f} ms")
    detail = (
        f"the whole call took {statistics.median(taken):.2f} s, and the server {statistics.median(worked):.2f} s of the "
        "processor meanwhile"
    )
    return Measured(statistics.median(longest), detail, {"longest_ms": longest, "call_s": taken, "cpu_s": worked})


def _worked(sidecar: Sidecar) -> float:
    """Seconds of the processor that the server has used."""
    times = psutil.Process(sidecar.pid).cpu_times()
    return float(times.user + times.system)


# A schedule.


def _configured(database: Path, every: int) -> Sidecar:
    """A sidecar with accounts on a schedule of ``every`` seconds, none when that is 0."""
    path = database.parent / f"every-{every}.toml"
    path.write_text("".join(_table(number, every) for number in range(ACCOUNTS)))
    paths = os.pathsep.join(filter(None, (str(database.parent / SITE), os.environ.get("PYTHONPATH"))))
    return Sidecar(str(database), "--config", str(path), prefix=("env", f"PYTHONPATH={paths}"))


def _table(account: int, every: int) -> str:
    symbols = [calls.symbol_name(symbol) for symbol in _symbols(account)]
    return (
        f'[accounts.account-{account}]\nbroker = "{steady.NAME}"\nportfolios = ["account-{account}"]\n'
        f'every = {every}\nat_start = false\nquantity = "{QUANTITY}"\nsymbols = {symbols}\n'
    )


def _symbols(account: int) -> range:
    return range(account * IN_ACCOUNT, (account + 1) * IN_ACCOUNT)


def _opened(plan: Plan) -> Path:
    """A ledger with every account's positions in it, and the plug-in beside it."""
    database = plan.new_database()
    steady.installed(database.parent / SITE)
    opened = [_opening(f"account-{account}", symbol) for account in range(ACCOUNTS) for symbol in _symbols(account)]
    with Sidecar(str(database)) as sidecar:
        apart(load.sent, sidecar.address, calls.CREATE_ENTRY, opened, 64)
    return database


def schedule(plan: Plan) -> Measured:
    """p99 of one caller's CreateEntry with the schedule over p99 without it, on one ledger, in turns."""
    p99s: dict[int, list[float]] = {every: [] for every in (0, *EVERY)}
    worked: dict[int, list[float]] = {every: [] for every in p99s}
    many, database = plan.calls(IN_TURN), _opened(plan)
    numbers = count(1, many)
    with Apart() as client:
        for run in range(plan.runs):
            for every in sorted(p99s, reverse=run % 2 == 1):  # whoever is last finds another machine
                with _configured(database, every) as sidecar:
                    before, requests = _worked(sidecar), calls.entries(next(numbers), many)
                    taken = client.run(load.latencies, sidecar.address, calls.CREATE_ENTRY, requests)
                    worked[every].append((_worked(sidecar) - before) / many * 1e6)
                p99s[every].append(statistics.quantiles(taken, n=100)[98])
            say(
                f"  run {run + 1}: "
                + ", ".join(f"{p99s[every][-1]:.2f} ms, {worked[every][-1]:.0f} µs every {every} s" for every in p99s)
            )
    p99 = {every: statistics.median(values) for every, values in p99s.items()}
    cost = {every: statistics.median(values) for every, values in worked.items()}
    told = [f"{p99[every]:.2f} ms and {cost[every]:.0f} µs of the server's processor a call" for every in p99s]
    detail = (
        f"{told[0]} without; with {ACCOUNTS} accounts of {IN_ACCOUNT} positions every {EVERY[0]} s {told[1]}, every "
        f"{EVERY[1]} s {told[2]}"
    )
    figures = {f"every_{every}_ms": values for every, values in p99s.items()}
    figures |= {f"every_{every}_cpu_us": values for every, values in worked.items()}
    # A p99 of one run moves by a third by itself; those of one run stand next to each other in time.
    pairs = [mine / without for mine, without in zip(p99s[EVERY[0]], p99s[0], strict=True)]
    return Measured(statistics.median(pairs), f"{detail}; run by run {min(pairs):.2f} to {max(pairs):.2f} ×", figures)


ROWS = (
    Row(
        "reconcile",
        f"{POSITIONS:,} positions compared with {POSITIONS:,} rows of a broker",
        Target("s", 1.0),
        comparison,
    ),
    Row(
        "reconcile-call",
        f"longest CreateEntry beside one Reconcile of {POSITIONS:,} positions",
        Target("ms"),
        one_call,
    ),
    Row(
        "schedule",
        f"CreateEntry p99, {ACCOUNTS} accounts reconciled every {EVERY[0]} s, against none",
        Target("×", 1.1),
        schedule,
    ),
)
