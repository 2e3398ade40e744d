"""Fixtures of the simulation: randomness that can be repeated, and a machine on which faults can be made."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.simulation import strace


@pytest.fixture
def random(request: pytest.FixtureRequest, seed: int) -> Random:
    """A generator of this test's own; what it was seeded with is printed when the test fails."""
    own = f"{seed}/{request.node.name}"
    print(f"random: {own}")
    return Random(own)


@pytest.fixture(scope="session")
def _why_no_faults(tmp_path_factory: pytest.TempPathFactory) -> str:
    return strace.missing(tmp_path_factory.mktemp("strace"))


@pytest.fixture
def faults(_why_no_faults: str) -> None:
    """Strace can be used."""
    if _why_no_faults:
        pytest.skip(_why_no_faults)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of this test's own, by its real name: strace compares paths as the kernel has them."""
    return tmp_path.resolve()


@pytest.fixture
def root() -> None:
    """The test may mount a file system."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
