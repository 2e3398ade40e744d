"""What every test stands on: the seed of the run, how Hypothesis searches, and what a skipped test means in CI.

Problem: a test that skips itself looks like a green one, and a random failure that cannot be repeated is noise.
Chosen: one seed for the whole run, printed at its top and fixed unless LOTKEEPER_SEED says otherwise; and with
LOTKEEPER_DEMAND_ALL set, as CI sets it, a skip is an error that says what was missing.
"""

import os
from collections.abc import Generator

import hypothesis
import pytest

pytest_plugins = ["tests.support.databases", "tests.support.sidecars"]

SEED_VARIABLE = "LOTKEEPER_SEED"
DEFAULT_SEED = 20260101
DEMAND_VARIABLE = "LOTKEEPER_DEMAND_ALL"
PROFILE_VARIABLE = "HYPOTHESIS_PROFILE"

# No deadline: no test asserts a time. No database: the seed alone decides what is tried.
hypothesis.settings.register_profile("gate", deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("search", parent=hypothesis.settings.get_profile("gate"), max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get(PROFILE_VARIABLE, "gate"))


def _seed_of_run() -> int:
    return int(os.environ.get(SEED_VARIABLE, DEFAULT_SEED))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hand the seed to Hypothesis before its plugin looks, unless --hypothesis-seed was given."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(_seed_of_run())


def pytest_report_header() -> str:
    """Say the seed, so that a failure can be repeated."""
    return f"seed: {_seed_of_run()} (set {SEED_VARIABLE} for another)"


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of this run, for every test that draws."""
    return _seed_of_run()


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where every test is demanded; an expected failure is no skip."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(DEMAND_VARIABLE):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{DEMAND_VARIABLE} is set and this was skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test, where every test is demanded, is a failed one."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself, where every test is demanded, is a failed one."""
    report = yield
    _refuse_skip(report)
    return report
