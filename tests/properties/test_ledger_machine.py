"""Any conversation with a real server, on both databases: every answer, refusal and read is the one that the model gives."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.conversation import Conversation
from tests.properties.ledger_model import CLOSE_FIFO, Told
from tests.properties.ledger_run import Example, Run
from tests.support.dialing import dialed
from tests.support.sidecar import Sidecar

STEPS = 30
"""In one conversation, at most; each is a few real calls."""

SLOWER = 2
"""Fewer examples on PostgreSQL, where each commit takes longer: it is the same program."""


@pytest.fixture
def run(sidecar: Sidecar) -> Iterator[Run]:
    """One server for all examples."""
    with dialed(sidecar.address) as channel:
        yield Run(channel)


def said_of(run: Run) -> str:
    """What was tried, in one line."""
    counted = ", ".join(f"{name} {run.counts[name]}" for name in sorted(run.counts) if name != "steps")
    return f"{len(run.examples)} examples, {run.counts['steps']} steps: {counted}"


def tell_all_again(example: Example) -> None:
    """After a start: nothing is lost, every command is known, marks are gone, and what is open can be closed."""
    example.marks.clear()
    example.assert_summary()
    for fact in list(example.model.facts):
        example.tell(fact.told)
    for symbol in list(example.model.piles):
        example.tell(Told(CLOSE_FIFO, symbol, 0, None, Fraction(2), Fraction(1, 8), request_id=f"end of {symbol}"))
    example.assert_summary()
    example.assert_entries(1000)
    example.assert_trades(1000)


@pytest.mark.timeout(3600)  # what the search profile may take; by default it is under a minute
def test_every_answer_is_the_models_and_a_killed_server_comes_back_with_all_of_it(
    run: Run, sidecar: Sidecar, capsys: pytest.CaptureFixture[str]
) -> None:
    """Laws 1 to 10 over the wire; then SIGKILL, and every portfolio is as it was, every command still known."""
    postgresql = "://" in sidecar.database
    bounded = settings(
        max_examples=settings().max_examples * 3 // (5 * SLOWER if postgresql else 5),
        stateful_step_count=STEPS,
        suppress_health_check=[HealthCheck.too_slow],
    )

    class OnThisServer(Conversation):
        def __init__(self) -> None:
            super().__init__(run)

    run_state_machine_as_test(OnThisServer, settings=bounded)

    sidecar.kill()
    sidecar.restart()
    with dialed(sidecar.address) as channel:
        run.dial(channel)
        for example in run.examples:
            tell_all_again(example)
    with capsys.disabled():
        print(f"\nconversations on {'PostgreSQL' if postgresql else 'SQLite'}: {said_of(run)}")
