"""The bots know the client library only, and the count of the check shares nothing with the server."""

from __future__ import annotations

import subprocess
import sys

import pytest

ALLOWED = {
    "lotkeeperd.demo.bots": {"lotkeeperd", "lotkeeperd.demo", "lotkeeperd.demo.bots"},
    "lotkeeperd.demo.recount": {"lotkeeperd", "lotkeeperd.demo", "lotkeeperd.demo.botlog", "lotkeeperd.demo.recount"},
    "lotkeeperd.demo.check": {
        "lotkeeperd",
        "lotkeeperd.demo",
        *(f"lotkeeperd.demo.{name}" for name in ("botlog", "check", "compare", "recount")),
    },
}
"""What a process that runs the module may have loaded of the server's package."""


@pytest.mark.parametrize("module", ALLOWED)
def test_a_process_loads_nothing_of_the_server(module: str) -> None:
    """Seen in a fresh process: whatever is imported, directly or not, now or by the client library, shows."""
    program = f"import sys, {module}; print(*(name for name in sys.modules if name.split('.')[0] == 'lotkeeperd'))"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert set(loaded.stdout.split()) == ALLOWED[module]


def test_the_count_does_not_even_load_the_client() -> None:
    """Neither the client's decimals nor protobuf: standard library only."""
    program = "import sys, lotkeeperd.demo.compare; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert not {"lotkeeper", "grpc", "google.protobuf"} & set(loaded.stdout.split())
