"""Where things lie in the repository, for the tests that look at it from outside."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
# The contract that other programs are written against; it is kept beside the repository, not in it.
SHARED_CONTRACT = ROOT.parent / "shared" / "contract"


def program(name: str) -> Path:
    """A program installed beside the running interpreter."""
    return Path(sys.executable).parent / name
