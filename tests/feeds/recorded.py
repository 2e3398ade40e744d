"""Payloads that venues really sent, recorded beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def recorded(name: str) -> str:
    """The text of one payload; the test is skipped where it is not."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository in shared/data")
    return path.read_text(encoding="utf-8")
