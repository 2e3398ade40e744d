"""Every scenario holds on both databases, and together they say all that the contract promises."""

from __future__ import annotations

import dataclasses
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lotkeeper.conformance import shapes
from lotkeeper.conformance.scenarios import MEASURED, Scenario, loaded
from lotkeeperd.settings import Settings
from tests.conformance import harness
from tests.support.postgres import PostgresServer

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
LEAST = 60

NO_TOKENS = "this version has no tokens: whoever reaches the server may do everything"
NEEDS_A_FAULT = "needs a fault that no call makes; "
CANNOT: Mapping[str, str] = {
    "TOKEN_MISSING": NO_TOKENS,
    "TOKEN_INVALID": NO_TOKENS,
    "PORTFOLIO_FORBIDDEN": NO_TOKENS,
    "INSTRUMENT_NOT_FOUND": "no call of this version looks one instrument up by itself: ListInstruments leaves it out",
    "PORTFOLIO_HALTED": "needs a broker that answers, with a rule that halts; tests/storage/test_restraints.py",
    "WRITE_QUEUE_FULL": "needs a crowd that is faster than the disk; tests/contract/test_limits.py",
    "STORAGE_UNAVAILABLE": NEEDS_A_FAULT + "a database that is held; tests/contract/test_storage.py",
    "DISK_FULL": NEEDS_A_FAULT + "a disk without room; tests/simulation",
    "FENCED": NEEDS_A_FAULT + "a second server on the database; tests/contract/test_storage_ends.py",
    "LEDGER_CORRUPT": NEEDS_A_FAULT + "rows changed behind the server; tests/contract/test_storage_ends.py",
    "INTERNAL_ERROR": NEEDS_A_FAULT + "a bug; tests/contract/test_storage.py has one made",
}
"""Reasons that no scenario can bring about today, why, and where they are tested instead."""

ROWS = (
    "two lots bought 0.3 s apart, one sell closes both",
    "one lot closed by two sells within a second",
    "two fills with one venue timestamp",
    "the same sell delivered twice",
    "the same fill from two bot instances",
    "sell 5 with 1 open",
    "short opened at 100, covered at 90, 1 unit",
    "failure while closing the 2nd of 3 lots",
    "exit_time equal to entry_time",
    "partial close of a winning position",
    "buy 100 @ 150, sell 25 @ 155",
    "long 1, then sell 3 @ 110 in one fill",
    "broker holds 4 of our 10",
    "broker holds 10 short, we hold 10 long",
    "broker error delivered as an empty list",
    "state file torn by a crash",
)
"""What the systems that this one replaces got wrong, as it was measured."""

RUNNER = (sys.executable, "-m", "lotkeeperd", "conformance", "--scenarios", str(FOLDER))


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    """All of them; loading checks each field against the descriptors."""
    return loaded(FOLDER)


def calls_of(scenario: Scenario) -> set[str]:
    """The RPCs it really makes."""
    words = (step.get("call") or step.get("calls") or step.get("stream") for step in scenario.steps)
    return {str(word) for word in words if word}


def reasons_of(scenario: Scenario) -> set[str]:
    """The refusals it really expects: of calls, and of single fills of a batch."""
    calls = {step["refusal"]["reason"] for step in scenario.steps if "refusal" in step}
    fills = {
        result["refusal"].removeprefix("ERROR_REASON_")
        for step in scenario.steps
        for answer in step.get("answers", ())
        for result in answer.get("results", ())
        if isinstance(result, dict) and "refusal" in result
    }
    return calls | (fills - {"UNSPECIFIED"})


def test_there_are_many(scenarios: list[Scenario]) -> None:
    """Sixty at least."""
    assert len(scenarios) >= LEAST


def test_every_rpc_is_called(scenarios: list[Scenario]) -> None:
    """A method that is added to the contract needs a scenario."""
    assert set(shapes.METHODS) == set().union(*map(calls_of, scenarios))


def test_every_reason_is_expected_or_says_why_not(scenarios: list[Scenario]) -> None:
    """A reason that is added to the contract needs a scenario, or a line in the table; never both."""
    expected = set().union(*map(reasons_of, scenarios))
    assert shapes.REASONS - expected == set(CANNOT)


def test_every_measured_failure_is_shown_right(scenarios: list[Scenario]) -> None:
    """By the words of the table."""
    covered = {
        one.removeprefix(MEASURED) for scenario in scenarios for one in scenario.covers if one.startswith(MEASURED)
    }
    assert covered == set(ROWS)


def test_a_scenario_covers_what_it_says(scenarios: list[Scenario]) -> None:
    """Each RPC and each reason that it names stands in its steps."""
    for scenario in scenarios:
        named = {one for one in scenario.covers if not one.startswith(MEASURED)}
        assert named <= calls_of(scenario) | reasons_of(scenario), scenario.name


def test_settings_are_those_of_the_server(scenarios: list[Scenario]) -> None:
    """By their names."""
    known = {setting.name for setting in dataclasses.fields(Settings)}
    assert {name for scenario in scenarios for name in scenario.server} <= known


def test_the_wheel_has_them_all() -> None:
    """Each file and the page that describes them, listed one by one, so that no test is packaged."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    files = [*FOLDER.glob("*.yaml"), FOLDER / "README.md"]
    assert listed == {
        f"tests/conformance/{file.name}": f"lotkeeper/conformance/scenarios/{file.name}" for file in files
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> harness.Databases:
    """Makes empty databases of one kind."""
    if request.param == "sqlite":
        numbers: Iterator[int] = iter(range(1_000))
        return lambda: str(tmp_path / f"{next(numbers)}.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    made: Callable[[], str] = server.create_database
    return made


@pytest.mark.timeout(600)
def test_all_of_them_hold(databases: harness.Databases, tmp_path: Path, scenarios: list[Scenario]) -> None:
    """Through the command, as everybody runs them; none is skipped."""
    lines: list[str] = []
    with harness.Sidecars(databases, tmp_path) as sidecars:
        code = harness.run(RUNNER, sidecars, lines.append)
    summary: dict[str, Any] = json.loads(lines[-1])
    assert (summary["failures"], summary["skips"], summary["passed"]) == ([], [], len(scenarios))
    assert [line[:5] for line in lines[:-1]] == ["ok   "] * len(scenarios)
    assert code == 0
