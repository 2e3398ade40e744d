"""Rounds of SIGKILL under load, and the short look after each that tells in which round something went wrong."""

from __future__ import annotations

from random import Random
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import lotkeeper
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.simulation.floor import Floor
from tests.support.plain_sql import PlainSql
from tests.support.sidecar import DidNotStart, Sidecar

LOAD = range(2_000, 40_000)
"""Bytes that the traders log before a kill: a few commands to a few hundred."""

KILLED_AT_START = 0.15
"""How often a server is killed while it starts, too."""

SERVING = "SERVING"
CALL_SECONDS = 10.0


def survive(sidecar: Sidecar, floor: Floor, rounds: int, random: Random) -> None:
    """Kill the server ``rounds`` times at random moments, start it again, and look at it. Raises AssertionError."""
    for number in range(rounds):
        floor.await_progress(random.choice(LOAD))
        sidecar.kill()
        acknowledged = floor.newest_acknowledged()
        if random.random() < KILLED_AT_START:
            kill_while_starting(sidecar, random.uniform(0.05, 0.45))
        sidecar.restart()
        problem = glance(sidecar, acknowledged)
        assert not problem, f"round {number}: {problem}"


def kill_while_starting(sidecar: Sidecar, seconds: float) -> None:
    """Start a server on the same database and kill it after so long, ready or not. Raises DidNotStart if it fell by itself."""
    try:
        with Sidecar(sidecar.database, prefix=("timeout", "--foreground", "--signal=KILL", f"{seconds:.3f}")) as killed:
            killed.wait()
    except DidNotStart as error:
        if "Traceback" in error.stderr:
            raise


def glance(sidecar: Sidecar, acknowledged: int) -> str:
    """What is wrong at first sight with a server that was just started; nothing is empty."""
    with lotkeeper.connect(sidecar.address) as ledger:
        head = ledger.get_summary().sequence
    with PlainSql(sidecar.database) as sql:
        (row,) = sql.rows(
            "SELECT (SELECT count(*) FROM journal) AS records, (SELECT max(sequence) FROM journal) AS newest, "
            "last_sequence AS latest FROM ledger"
        )
    if head < acknowledged:
        return f"the ledger is at {head}, {acknowledged} was acknowledged"
    if len({row["records"], row["newest"] or 0, row["latest"]}) != 1:
        return f"the journal has gaps: {row}"
    serving = health(sidecar.address)
    return "" if serving == SERVING else f"health says {serving}"


def health(address: str) -> str:
    """What the standard health service says of the whole server."""
    with grpc.insecure_channel(address) as channel:
        check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        answer = check(health_pb2.HealthCheckRequest(), timeout=CALL_SECONDS, wait_for_ready=True)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def rebuilt_differently(database: str) -> list[str]:
    """Every difference between what is stored and what the journal gives (law 13)."""
    return verify(database_url(database), lambda _done, _of: None).differences
