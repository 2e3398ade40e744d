"""What of an execution, or of an event, a correction may change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotkeeperd.domain.amendments import EXECUTIONS, FIXED, check_amendable, corrected
from lotkeeperd.domain.book import Direction, Fill
from lotkeeperd.domain.commands import Command, Decision, Method
from lotkeeperd.domain.decimals import ONE, ZERO
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.refusals import FieldViolations

BUST = Amendment(Amend.BUST, "p", "X")
CORRECT = Amendment(Amend.CORRECT, "p", "X")
EVERYTHING: dict[str, Any] = {
    "side": Direction.SHORT,
    "quantity": ONE,
    "price": ONE,
    "fee": ONE,
    "fee_currency": "USD",
    "time": 1,
}


def recorded(method: Method, **details: str) -> Decision:
    """Record 7, of ``method``."""
    command = Command(method, "p", "X", Direction.LONG, ONE, ONE, details=tuple(details.items()))
    return Decision(7, 0, command, Fill(Direction.LONG, ONE, ONE, ZERO, 0), None, ())


def broken(command: Amendment, was: Decision) -> list[str]:
    """The fields that are refused."""
    try:
        check_amendable(command, was)
    except FieldViolations as refusal:
        return [violation.field for violation in refusal.violations]
    return []


@pytest.mark.parametrize("method", [method for method in Method if method in EXECUTIONS])
def test_everything_of_an_execution_can_be_corrected(method: Method) -> None:
    """And it can be taken back."""
    assert broken(BUST, recorded(method)) == []
    assert broken(CORRECT._replace(**EVERYTHING), recorded(method)) == []


@pytest.mark.parametrize("method", [method for method in Method if method in FIXED])
def test_an_event_that_stands_alone_is_taken_back_and_corrected_in_what_it_has(method: Method) -> None:
    """What it does not have is named as CorrectFill names it."""
    assert broken(BUST, recorded(method)) == []
    names = ["fill_time" if name == "time" else name for name in FIXED[method]]
    assert broken(CORRECT._replace(**EVERYTHING), recorded(method)) == names


@pytest.mark.parametrize("method", [method for method in Method if method not in EXECUTIONS and method not in FIXED])
def test_no_part_of_an_event_of_several_records_is_changed(method: Method) -> None:
    """The refusal names the record and what it is."""
    for command in (BUST, CORRECT._replace(price=ONE)):
        with pytest.raises(FieldViolations, match=f"record 7 is {method.value}"):
            check_amendable(command, recorded(method))


def test_a_split_with_cash_in_lieu_is_of_two_records() -> None:
    """So it is not taken back alone."""
    assert broken(BUST, recorded(Method.SPLIT, cash_in_lieu="1")) == ["fill_sequence"]


def test_what_closed_everything_closes_a_quantity_only_when_one_is_given() -> None:
    """Another price leaves it what it was."""
    was = Command(Method.CLOSE_FIFO, "p", "X", None, None, ONE, close_all=True)
    assert corrected(was, CORRECT._replace(price=Decimal(2)), Instrument("X")) == was._replace(price=Decimal(2))
    now = corrected(was, CORRECT._replace(quantity=Decimal(3)), Instrument("X"))
    assert (now.quantity, now.close_all) == (Decimal(3), False)


def test_a_corrected_price_is_one_that_the_instrument_has() -> None:
    """An inverse contract is worth 1 / price."""
    was = recorded(Method.RECORD_FILL).command
    with pytest.raises(FieldViolations, match="price: 0 is not greater than 0"):
        corrected(was, CORRECT._replace(price=ZERO), Instrument("X", Kind.INVERSE))


def test_the_price_of_a_settlement_can_be_corrected() -> None:
    """It is the one thing that its venue says of it."""
    assert broken(CORRECT._replace(price=Decimal(2)), recorded(Method.CASH_SETTLEMENT)) == []
