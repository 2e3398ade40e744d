"""Everything the README shows is run here, or compared with what the program says of itself."""

from __future__ import annotations

import inspect
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.cli.serving import serve
from lotkeeperd.feeds.spec import read_spec
from lotkeeperd.service.account_spec import read_account
from lotkeeperd.settings import PREFIX, Settings, loaded
from tests.support.sidecar import Sidecar

ASKING = ("discrepancies", "explain", "report", "summary", "conformance")
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def settings_table() -> str:
    """The table of settings as the README has to show it."""
    flags = inspect.signature(serve).parameters
    rows = ["| key | environment | flag | default | what |", "|---|---|---|---|---|"]
    for setting in fields(Settings):
        name = setting.name
        flag = f"`--{name.replace('_', '-')}`" if name in flags else ""
        default = str(setting.default).lower() if isinstance(setting.default, bool) else setting.default
        shown = f"`{default}`" if default not in ("", ()) else "unset"
        variable = f"`{PREFIX}{name.upper()}`" if name not in ("feeds", "accounts") else ""
        rows.append(f"| `{name}` | {variable} | {flag} | {shown} | {setting.metadata['text']} |")
    return "\n".join(rows)


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar for the README's bots."""
    with Sidecar(str(tmp_path_factory.mktemp("readme") / "lotkeeper.db")) as running:
        yield running


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_bot_prints_what_the_readme_says_however_often_it_runs(sidecar: Sidecar) -> None:
    """The bot in ten lines is run twice against a real sidecar: the same lines, nothing counted twice."""
    bot = blocks("python")[0].replace("127.0.0.1:50051", sidecar.address)
    said = next(block for block in blocks("text") if block.startswith("100 bought"))

    for _ in range(2):
        done = run(sys.executable, "-W", "error", "-c", bot)
        assert (done.stdout, done.stderr) == (said, "")


def test_the_bot_has_ten_lines() -> None:
    """Ten lines are promised."""
    assert len(blocks("python")[0].splitlines()) == 10


def test_the_stream_is_followed_as_shown(sidecar: Sidecar) -> None:
    """The second example prints the position at its mark."""
    run(sys.executable, "-c", blocks("python")[0].replace("127.0.0.1:50051", sidecar.address))

    done = run(sys.executable, "-W", "error", "-c", blocks("python")[1].replace("127.0.0.1:50051", sidecar.address))

    assert (done.stdout, done.stderr) == ("BTC-USD 30 54000 90000\n", "")


def test_the_account_lives_as_shown(tmp_path: Path) -> None:
    """The third example, on a ledger of its own, since ids count its records: terms, a fee in the coin, a correction, a view."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as running:
        done = run(sys.executable, "-W", "error", "-c", blocks("python")[2].replace("127.0.0.1:50051", running.address))
    said = next(block for block in blocks("text") if block.startswith("arrived"))

    assert (done.stdout, done.stderr) == (said, "")


def test_the_queries_work_on_the_ledger(sidecar: Sidecar) -> None:
    """Each SELECT finds the bot's position, entries and trades."""
    run(sys.executable, "-c", blocks("python")[0].replace("127.0.0.1:50051", sidecar.address))

    with sqlite3.connect(sidecar.database) as connection:
        found = [connection.execute(query).fetchall() for query in blocks("sql")[0].strip().splitlines()]

    assert [len(rows) for rows in found] == [1, 2, 2]


@pytest.mark.parametrize(
    "line", [line for line in blocks("sh")[1].splitlines() if not line.startswith("lotkeeper serve")]
)
def test_each_command_runs_as_shown(line: str, sidecar: Sidecar, tmp_path: Path) -> None:
    """The command's words are its own: it runs, and exits 0."""
    words = line.partition("#")[0].split()
    if words[1] in ("watch", "demo"):  # these go on until they are stopped, and have tests of their own
        done = run(sys.executable, "-m", "lotkeeperd", words[1], "--help")
        assert all(word in done.stdout for word in words if word.startswith("--"))
    else:
        placed = [
            word.replace("var/lotkeeper.db", sidecar.database).replace("var/", f"{tmp_path}/") for word in words[1:]
        ]
        address = ["--address", sidecar.address] if words[1] in ASKING else []
        run(sys.executable, "-c", blocks("python")[0].replace("127.0.0.1:50051", sidecar.address))
        done = run(sys.executable, "-m", "lotkeeperd", *placed, *address)
    assert done.returncode == 0, done.stderr


def test_serve_takes_the_flags_shown() -> None:
    """The line that starts the sidecar names flags that exist."""
    line = next(line for line in blocks("sh")[1].splitlines() if line.startswith("lotkeeper serve"))
    flags = inspect.signature(serve).parameters

    assert {word.removeprefix("--") for word in line.split() if word.startswith("--")} <= set(flags)


def test_the_feeds_are_configured_as_shown(tmp_path: Path) -> None:
    """The example is read as the server reads it, and each feed is one that can be run."""
    path = tmp_path / "lotkeeper.toml"
    path.write_text(blocks("toml")[0], encoding="utf-8")
    settings = loaded({}, {}, path)
    keys = {"ALPACA_KEY": "k", "ALPACA_SECRET": "s"}
    specs = [read_spec(name, table, keys) for name, table in settings.feeds]

    assert {spec.venue for spec in specs} == {"alpaca", "bybit", "coinbase"}
    assert settings.mark_sources[0] in {spec.name for spec in specs}


def test_the_account_is_configured_as_shown(tmp_path: Path) -> None:
    """The example is read as the server reads it, and its broker is one that can be asked."""
    path = tmp_path / "lotkeeper.toml"
    path.write_text(blocks("toml")[1], encoding="utf-8")
    ((name, table),) = loaded({}, {}, path).accounts
    spec = read_account(name, table)
    broker_of(spec.broker, spec.options, {"ALPACA_KEY": "k", "ALPACA_SECRET": "s"})

    assert (spec.name, spec.portfolios, spec.apply) == ("alpaca-1", ("swing", "scalper"), False)
    assert [rule.action.value for rule in spec.account.rules[:2]] == ["halt", "auto"]


def test_make_targets_exist_and_ci_calls_them() -> None:
    """What the README tells a user to call is what CI calls."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", README, re.DOTALL))
    named = set(re.findall(r"make (\w+)", code)) - {"run"}

    assert {"demo", "test", "crash", "check"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        assert f"make {target}" in ci, target


def test_the_settings_are_in_the_table() -> None:
    """The table is the one that the settings describe themselves by."""
    assert settings_table() in README


def test_links_lead_somewhere() -> None:
    """Every relative link is a file or a folder."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
