"""CI may not pass because a test did not run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.gate.repository import ROOT

SUITE = """
import pytest

@pytest.mark.skip(reason="the disk is missing")
def test_by_mark(): ...

def test_from_inside():
    pytest.skip("the moon is missing")

@pytest.mark.xfail(reason="known", strict=True)
def test_expected_to_fail():
    assert False

def test_that_passes(): ...
"""
REFUSED = "LOTKEEPER_DEMAND_ALL is set and this was skipped: Skipped:"
SKIPPED_MODULE = 'import pytest\npytest.skip("the module is missing", allow_module_level=True)\n'


def run_suite(folder: Path, text: str, *, demand_all: bool) -> subprocess.CompletedProcess[str]:
    """Run one test module under this project's conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_suite.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "LOTKEEPER_DEMAND_ALL"}
    environment["PYTHONPATH"] = str(ROOT)  # the fixtures that the conftest names
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        env=environment | ({"LOTKEEPER_DEMAND_ALL": "1"} if demand_all else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_skip_is_a_skip_where_nothing_is_demanded(tmp_path: Path) -> None:
    """On a person's machine a test may say that something is missing."""
    answer = run_suite(tmp_path, SUITE, demand_all=False)
    assert answer.returncode == 0, answer.stdout
    assert "1 passed, 2 skipped, 1 xfailed" in answer.stdout


def test_a_skip_fails_the_run_where_every_test_is_demanded(tmp_path: Path) -> None:
    """With LOTKEEPER_DEMAND_ALL each skip is an error that says what was missing; an expected failure stays one."""
    answer = run_suite(tmp_path, SUITE, demand_all=True)
    assert answer.returncode == 1, answer.stdout
    assert f"{REFUSED} the disk is missing" in answer.stdout
    assert f"{REFUSED} the moon is missing" in answer.stdout
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in answer.stdout


def test_a_module_that_skips_itself_fails_the_run_too(tmp_path: Path) -> None:
    """A module cannot hide while it is collected."""
    answer = run_suite(tmp_path, SKIPPED_MODULE, demand_all=True)
    assert answer.returncode == 2, answer.stdout
    assert f"{REFUSED} the module is missing" in answer.stdout
