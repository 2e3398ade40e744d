"""What a runner prints: a line per scenario, a summary in JSON, and which exit code they make."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from lotkeeper.conformance import scenarios
from lotkeeper.conformance.running import Outcome, Verdict, run
from lotkeeper.conformance.servers import Harness, NotHere, OneAddress, Servers

WRONG = 2
"""The exit code of a file or an argument that cannot be used."""


def line(outcome: Outcome) -> str:
    """One outcome for a person."""
    why = f": step {outcome.step}, {outcome.message}" if outcome.step else f": {outcome.message}"
    return f"{outcome.verdict.value} {outcome.scenario.name}{why if outcome.message else ''}"


def summary(outcomes: Iterable[Outcome]) -> str:
    """All outcomes for a program: one line of JSON."""
    by: dict[Verdict, list[Outcome]] = {verdict: [] for verdict in Verdict}
    for outcome in outcomes:
        by[outcome.verdict].append(outcome)
    return json.dumps(
        {
            "passed": len(by[Verdict.PASSED]),
            "failed": len(by[Verdict.FAILED]),
            "skipped": len(by[Verdict.SKIPPED]),
            "failures": [
                {"name": one.scenario.name, "step": one.step, "message": one.message} for one in by[Verdict.FAILED]
            ],
            "skips": [{"name": one.scenario.name, "reason": one.message} for one in by[Verdict.SKIPPED]],
        },
        ensure_ascii=False,
    )


def main(
    *,
    address: str = "",
    folder: Path | None = None,
    only: str = "",
    as_json: bool = False,
    harness: bool = False,
    output: TextIO = sys.stdout,
    answers: TextIO = sys.stdin,
) -> int:
    """Run the scenarios against ``address``, or as a harness says, print, and return the exit code.

    0 when nothing failed, 1 when something did or nothing passed, 2 when a scenario is not well formed.
    """
    try:
        chosen = _chosen(scenarios.loaded(folder or scenarios.packaged()), only)
    except scenarios.BadScenario as error:
        print(f"lotkeeper: {error}", file=sys.stderr)  # noqa: T201 - a command speaks on stderr
        return WRONG
    try:
        servers: Servers = Harness(output, answers) if harness else OneAddress(address)
    except NotHere as reason:
        print(f"lotkeeper: {reason}", file=sys.stderr)  # noqa: T201 - a command speaks on stderr
        return 1
    outcomes = []
    for scenario in chosen:
        outcomes.append(run(scenario, servers))
        if not as_json:
            print(line(outcomes[-1]), file=output, flush=True)
    print(summary(outcomes), file=output, flush=True)
    verdicts = {outcome.verdict for outcome in outcomes}
    return 1 if Verdict.FAILED in verdicts or Verdict.PASSED not in verdicts else 0


def _chosen(found: list[scenarios.Scenario], only: str) -> list[scenarios.Scenario]:
    if not only:
        return found
    return [one for one in found if only in one.name or only in one.theme]
