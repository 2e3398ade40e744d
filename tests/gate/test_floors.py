"""The floors of the house are a test, and the test can fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gate.repository import ROOT, program

GRPC = "Only api sees protobuf and gRPC"
SQL = "Only storage sees SQL"
DOWN = "Imports go down only"
PURE = "The domain imports the standard library only"

FLOORS = ("app", "cli", "demo", "settings", "api", "storage", "service", "domain")

LEAKS = [
    ("lotkeeperd/domain/leak.py", "import grpc", PURE),
    ("lotkeeperd/domain/leak.py", "import logging", PURE),
    ("lotkeeperd/domain/leak.py", "from time import time_ns", PURE),
    ("lotkeeperd/domain/leak.py", "from protobuf import something", PURE),
    ("lotkeeperd/domain/leak.py", "import lotkeeperd.service", DOWN),
    ("lotkeeperd/service/leak.py", "from lotkeeper.v1 import ledger_pb2", GRPC),
    ("lotkeeperd/service/leak.py", "import lotkeeperd.storage", DOWN),
    ("lotkeeperd/storage/leak.py", "import grpc.aio", GRPC),
    ("lotkeeperd/storage/leak.py", "import lotkeeperd.api", DOWN),
    ("lotkeeperd/api/leak.py", "import sqlalchemy", SQL),
    ("lotkeeperd/api/leak.py", "import lotkeeperd.settings", DOWN),
    ("lotkeeperd/leak.py", "", DOWN),
    ("lotkeeperd/service/leak.py", "import httpx", "Only brokers speak HTTP to brokers"),
    ("lotkeeperd/demo/bots.py", "import lotkeeperd.domain", "The demo's bots know the client only"),
    ("lotkeeper/leak.py", "import lotkeeperd.domain", "The client knows nothing of the server"),
    ("lotkeeperd/service/leak.py", "import lotkeeper", "The client is used from outside"),
]


def source(root: Path, name: str) -> Path:
    """Where a module or package of either distribution lies under `root`."""
    return root / ("server" if name.startswith("lotkeeperd") else "client/python") / name


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of a copy of the repository."""
    search = os.pathsep.join(str(root / folder) for folder in ("client/python", "server"))
    return subprocess.run(
        [program("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": search, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The contracts, and every floor with nothing in it, to be broken."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "tests" / "gate", tmp_path / "tests" / "gate", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("lotkeeper", "lotkeeper/v1", "lotkeeperd", *(f"lotkeeperd/{floor}" for floor in FLOORS)):
        package = source(tmp_path, name)
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    source(tmp_path, "lotkeeper/v1/ledger_pb2.py").touch()
    return tmp_path


def test_the_floors_hold() -> None:
    """Every import of the project goes the way it may."""
    answer = lint_imports(ROOT)
    assert answer.returncode == 0, answer.stdout


def test_an_empty_house_breaks_no_contract(house: Path) -> None:
    """What the next test finds broken was whole before."""
    answer = lint_imports(house)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(("module", "line", "contract"), LEAKS)
def test_an_import_the_wrong_way_is_found(house: Path, module: str, line: str, contract: str) -> None:
    """One line in the wrong module, or a module on no floor, breaks the contract that is meant to see it."""
    source(house, module).write_text(f"{line}\n")
    answer = lint_imports(house)
    assert answer.returncode != 0
    assert any(text.startswith(contract) and "BROKEN" in text for text in answer.stdout.splitlines()), answer.stdout
