"""The runner itself: what it refuses to load, what it fails, what it skips, what it says."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lotkeeper.conformance import matching, names, servers
from lotkeeper.conformance.reporting import main
from lotkeeper.conformance.scenarios import BadScenario, loaded
from tests.support.sidecar import Sidecar

CALL = "- name: n\n  steps:\n    - "
GOOD = CALL + "call: LedgerService.ListEntries\n      request: {portfolio_id: $portfolio}\n"


def written(folder: Path, text: str) -> Path:
    """A folder with one file of scenarios."""
    (folder / "theme.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: b", "a list of scenarios"),
        ("- name: n", "steps are required"),
        ("- name: n\n  step: []", "there is no key 'step'"),
        (CALL + "call: LedgerService.Nothing\n      answer: {}", "there is no RPC 'LedgerService.Nothing'"),
        (CALL + "call: LedgerService.StreamPnL\n      answer: {}", "is a stream"),
        (CALL + "dance: now", "begins with none of"),
        (GOOD, "one of answer and refusal"),
        (GOOD + "      answer: {entry: []}", "answer.entry: ListEntriesResponse has no such field"),
        (GOOD + "      answer: {entries: [{quantity: 1}]}", "a string in quotes is required"),
        (GOOD + "      answer: {entries: [{quantity: 1.5}]}", "put decimals and times in quotes"),
        (GOOD + "      answer: {entries: [{status: OPEN}]}", "'OPEN' is none of ENTRY_STATUS_UNSPECIFIED"),
        (GOOD + "      answer: {next_page_token: $unknown}", "$unknown: no step before this one has saved it"),
        (GOOD + "      refusal: {code: OOPS}", "'OOPS' is no status code"),
        (GOOD + "      refusal: {code: NOT_FOUND, reason: OOPS}", "'OOPS' is none of"),
        (GOOD + "      answer: &a {}", "anchors, aliases and tags"),
        (CALL + "restart: softly", "kill or stop"),
        (CALL + "expect: s\n      snapshot: {}\n      heartbeat: true", "one of snapshot"),
        ("- {name: n, covers: [Nothing], steps: [{close: s}]}", "covers 'Nothing'"),
        ("- {name: n, steps: [{close: s}]}\n- {name: n, steps: [{close: s}]}", "two scenarios are named 'n'"),
        ("- [", "not YAML"),
    ],
)
def test_what_is_not_well_formed_is_not_run(tmp_path: Path, text: str, why: str) -> None:
    """With the file, the place and the rule."""
    with pytest.raises(BadScenario) as bad:
        loaded(written(tmp_path, text))
    assert "theme.yaml" in str(bad.value)
    assert why in str(bad.value)


def test_a_folder_without_scenarios_is_no_success(tmp_path: Path) -> None:
    """It is said instead."""
    with pytest.raises(BadScenario, match=r"there is no \*\.yaml file"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}, None),
        ({"a": "1.0"}, {"a": "1"}, 'w.a: expected "1.0", got "1"'),
        ({"a": 5}, {"a": "5"}, None),
        ({"a": 1}, {"a": True}, "w.a: expected 1, got True"),
        ({"a": None}, {}, None),
        ({"a": None}, {"a": ""}, 'w.a: expected it not to be set, got ""'),
        ({"a": False}, {}, "w.a: expected False, got nothing"),
        ({"a": {}}, {}, "w.a: expected {}, got nothing"),
        ([1, "..."], [1, 2], None),
        ([1], [1, 2], "w: expected 1 items, got 2: [1, 2]"),
        ([1, 2, "..."], [1], "w: expected at least 2 items, got 1: [1]"),
        ({"save": "x"}, "v", None),
        ({"save": "x"}, "", 'w: expected a value, got ""'),
        ({"greater": 9}, "10", None),
        ({"greater": "10"}, "10", 'w: expected more than 10, got "10"'),
        ({"contains": "b"}, "abc", None),
        ({"contains": "d"}, "abc", 'w: expected "d" in "abc"'),
    ],
)
def test_what_equals_what(expected: Any, actual: Any, found: str | None) -> None:
    """As README.md says."""
    saved: dict[str, Any] = {}
    assert matching.difference(expected, actual, "w", saved) == found
    assert saved == ({"x": "v"} if actual == "v" else {})


def test_names_stand_for_values() -> None:
    """Alone with their type, inside text as text; ``$$`` is a dollar."""
    known = {"n": 5, "run": "bcd"}
    assert names.filled({"$run": ["$n", "$run-1", "${run}X", "$$n", "$$"]}, known) == {
        "bcd": [5, "bcd-1", "bcdX", "$n", "$"]
    }
    with pytest.raises(names.UnknownName, match=r"\$other"):
        names.filled("$other", known)
    assert names.fresh() != names.fresh()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that nobody here may restart."""
    with Sidecar(str(tmp_path_factory.mktemp("ledger") / "l.db")) as sidecar:
        yield sidecar.address


WRITE = """
- name: right
  steps:
    - call: LedgerService.CreateEntry
      request: {request_id: r, portfolio_id: $portfolio, symbol: $A, quantity: "1", entry_price: "2"}
      answer: {position: {cost_basis: "2"}}
"""
ENDS = {
    "a wrong figure": (WRITE.replace('cost_basis: "2"', 'cost_basis: "3"'), 'answer.position.cost_basis: expected "3"'),
    "a refusal that does not come": (
        WRITE.replace('answer: {position: {cost_basis: "2"}}', "refusal: {code: NOT_FOUND}"),
        "refusal: expected",
    ),
    "a refusal that nobody expects": (
        WRITE.replace('quantity: "1"', 'quantity: "0"'),
        "expected an answer, was refused",
    ),
    "a fact that should not have come": (
        """
- name: right
  steps:
    - open: s
      stream: LedgerService.StreamPnL
      request: {portfolio_ids: [$portfolio]}
    - expect: s
      snapshot: {positions: []}
    - call: LedgerService.CreateEntry
      request: {request_id: r, portfolio_id: $portfolio, symbol: $A, quantity: "1", entry_price: "2"}
      answer: {}
    - expect: s
      position: {symbol: $A}
    - expect: s
      facts: {opened_entries: []}
""",
        "opened_entries: not expected, but came",
    ),
}


@pytest.mark.parametrize("text", [WRITE])
def test_what_holds_is_ok_however_often(tmp_path: Path, address: str, text: str) -> None:
    """Names are fresh each time; exit code 0."""
    for _ in range(2):
        said = io.StringIO()
        assert main(address=address, folder=written(tmp_path, text), output=said) == 0
        assert said.getvalue().splitlines()[0] == "ok   right"


@pytest.mark.parametrize("case", ENDS)
def test_what_does_not_hold_fails(tmp_path: Path, address: str, case: str) -> None:
    """With the place, what was expected and what came; exit code 1."""
    text, why = ENDS[case]
    said = io.StringIO()
    assert main(address=address, folder=written(tmp_path, text), output=said) == 1
    assert why in said.getvalue()
    summary = json.loads(said.getvalue().splitlines()[-1])
    assert (summary["failed"], summary["failures"][0]["name"]) == (1, "right")


def test_given_an_address_alone_restarts_and_settings_are_skipped_with_a_reason(tmp_path: Path, address: str) -> None:
    """Nothing ran, so it is no success either."""
    text = "- {name: a, steps: [{restart: kill}]}\n- {name: b, server: {max_streams: 1}, steps: [{close: s}]}\n"
    said = io.StringIO()
    assert main(address=address, folder=written(tmp_path, text), output=said) == 1
    summary = json.loads(said.getvalue().splitlines()[-1])
    assert [one["reason"].split(":")[0] for one in summary["skips"]] == [
        "needs a server that can be restarted (restart)",
        "needs a server started with max_streams=1",
    ]


def test_the_command_takes_an_address(address: str) -> None:
    """``--only`` chooses by name or theme, ``--json`` prints the summary alone."""
    command = [sys.executable, "-m", "lotkeeperd", "conformance", "--address", address, "--only", "marks", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["passed"] > 0


def test_a_server_that_is_not_there_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not by every call of every scenario after its own deadline."""
    monkeypatch.setattr(servers, "SECONDS", 0.2)
    assert main(address="127.0.0.1:1") == 1
    assert capsys.readouterr().err == "lotkeeper: no server answers at 127.0.0.1:1; start one with lotkeeper serve\n"
