"""The short way to read an execution: it takes less than the rules allow, never more, and reads what it takes alike."""

from __future__ import annotations

import random

from lotkeeper.v1 import ledger_pb2
from lotkeeperd.api.executions import usual_execution
from lotkeeperd.api.fields import ID_LENGTH, NAME_LENGTH, Fields
from lotkeeperd.api.requests import Requests
from lotkeeperd.domain.commands import Command, Excess
from tests.contract.asking import BUY, NOON, SELL, stamp

NUMBERS = [
    "1",
    "1.5",
    "0.000000000000000001",
    "100.00",
    "9" * 20,
    "0",
    "0.00",
    "-1",
    "1e5",
    "",
    " 1",
    "1_0",
    "٣",
    "9" * 21,
    "1.",
]
NAMES = ["A", "BTC-PERP", "x" * NAME_LENGTH, "x" * (NAME_LENGTH + 1), "y" * ID_LENGTH, "", "a\x07", "値", "a b"]
TIMES = [None, 0, NOON, NOON + 1, NOON + 1_000_000_000]
ROUNDS = 20_000


def drawn(draw: random.Random) -> ledger_pb2.Fill:
    """An execution, right or wrong, with at most a few odd fields."""
    fill = ledger_pb2.Fill(fill_id="f", symbol="A", side=draw.choice([BUY, SELL]), quantity="1", price="100")
    for field, values in (
        ("quantity", NUMBERS),
        ("price", NUMBERS),
        ("fee", NUMBERS),
        ("symbol", NAMES),
        ("fill_id", NAMES),
    ):
        if draw.random() < 0.3:
            setattr(fill, field, draw.choice(values))
    for field in ("order_id", "fee_currency"):
        if draw.random() < 0.3:
            setattr(fill, field, draw.choice(NAMES))
    if draw.random() < 0.1:
        fill.side = draw.choice([0, 9])  # type: ignore[assignment]
    if draw.random() < 0.1:
        fill.position_side = draw.choice([1, 2])  # type: ignore[assignment]
    time = draw.choice(TIMES)
    if time is not None:
        fill.fill_time.CopyFrom(stamp(time))
    if draw.random() < 0.05:
        fill.fill_time.nanos = draw.choice([-1, 1_000_000_000])
    return fill


def carefully(fill: ledger_pb2.Fill) -> Command | None:
    """The command by the rules of fields, or None when one is broken."""
    fields = Fields()
    command = Requests().carefully(fields, "p", fill, NOON, Excess.UNSPECIFIED, brief=True, late=False)
    return None if fields.broken else command


def test_what_is_read_the_short_way_is_what_the_rules_make_of_it(seed: int) -> None:
    """Twenty thousand executions, most with something odd about them: each that passes is the same command, digit by digit."""
    draw = random.Random(seed)
    passed = 0
    for _ in range(ROUNDS):
        fill = drawn(draw)
        short = usual_execution("p", fill, NOON, Excess.UNSPECIFIED, True, False)
        if short is not None:
            passed += 1
            assert repr(short) == repr(carefully(fill)), fill
    print(f"{passed} of {ROUNDS} went the short way, seed {seed}")
    assert passed > ROUNDS / 20
