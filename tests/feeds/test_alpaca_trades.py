"""Which of Alpaca's trades makes the last price, and what a correction or a cancellation does to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from types import MappingProxyType

import pytest

from lotkeeperd.feeds.alpaca.messages import read
from lotkeeperd.feeds.alpaca.session import AlpacaSession
from lotkeeperd.feeds.errors import Unreadable
from lotkeeperd.feeds.quotes import Quote
from lotkeeperd.feeds.reading import decoded
from lotkeeperd.feeds.spec import FeedSpec, Price
from lotkeeperd.feeds.standing import Standing

SPEC = FeedSpec("alpaca", "alpaca", MappingProxyType({"AAPL": "AAPL"}), silence=30)
TIME = 1_643_670_060_000_000_000
Fields = dict[str, object]


def trade(number: int = 1, price: str = "187.21", conditions: object = ("@",), **more: object) -> Fields:
    """A trade."""
    fields: Fields = {"T": "t", "S": "AAPL", "i": number, "x": "V", "p": price, "s": 100, "z": "C"}
    return fields | {"c": conditions, "t": f"2022-01-31T23:01:00.{number:09d}Z"} | more


def correction(original: int, price: str, conditions: Sequence[str] = ("@",), **more: object) -> Fields:
    """A correction of that trade, in the fields that Alpaca documents."""
    fields: Fields = {"T": "c", "S": "AAPL", "x": "V", "oi": original, "op": "187.21", "os": 100, "oc": ["@"]}
    fields |= {"ci": original + 100, "cp": price, "cs": 100, "cc": conditions, "z": "C"}
    return fields | {"t": "2022-01-31T23:02:00Z"} | more


def cancel(number: int, **more: object) -> Fields:
    """A cancellation of that trade."""
    fields: Fields = {"T": "x", "S": "AAPL", "i": number, "x": "V", "p": "187.21", "s": 100, "a": "C", "z": "C"}
    return fields | {"t": "2022-01-31T23:02:00Z"} | more


def heard(session: AlpacaSession, *messages: Fields) -> list[Quote]:
    """The prices that one frame with these brings."""
    return list(session.received(json.dumps(messages), 0).quotes)


def last(number: int, price: str | None) -> Quote:
    """A last price at the time of that trade; None: there is none any more."""
    return Quote("AAPL", TIME + number, price and Decimal(price))  # type: ignore[arg-type]


@pytest.mark.parametrize("condition", list("CGHILMNPQRTUVWZ47"))
@pytest.mark.parametrize("tape", ["A", "B", "C"])
def test_a_trade_whose_conditions_set_no_last_price_is_passed_over(condition: str, tape: str) -> None:
    """Also beside conditions that would; the last price stays what it was."""
    session = AlpacaSession(SPEC)
    news = heard(session, trade(1), trade(2, "1.00", ["@", condition], z=tape), trade(3, "1.00", [condition], z=tape))
    assert news == [last(1, "187.21")]


@pytest.mark.parametrize("conditions", [["@"], [" "], ["@", "F"], ["O"], ["5"], ["6"], ["X"], ["9"], [], None])
def test_ordinary_trades_auctions_and_trades_without_conditions_set_it(conditions: object) -> None:
    """Whatever their tape."""
    assert heard(AlpacaSession(SPEC), trade(1, "5", conditions)) == [last(1, "5")]


@pytest.mark.parametrize(("tape", "quotes"), [("A", []), ("B", []), ("C", [last(1, "5")])])
def test_one_letter_is_an_average_price_on_two_tapes_and_a_bunched_trade_on_the_third(
    tape: str, quotes: list[Quote]
) -> None:
    """The tapes have tables of their own."""
    assert heard(AlpacaSession(SPEC), trade(1, "5", ["B"], z=tape)) == quotes


def test_a_correction_of_the_last_trade_changes_its_price_and_not_its_time() -> None:
    """And can be corrected again, under its new number."""
    session = AlpacaSession(SPEC)
    assert heard(session, trade(1), correction(1, "187.19")) == [last(1, "187.21"), last(1, "187.19")]
    assert heard(session, correction(101, "187.18")) == [last(1, "187.18")]


def test_a_correction_to_a_trade_that_sets_no_last_price_leaves_none() -> None:
    """It was an average price all along."""
    assert heard(AlpacaSession(SPEC), trade(1), correction(1, "187.19", ["W"]))[1:] == [last(1, None)]


def test_a_cancelled_last_trade_leaves_no_price_until_the_next_one() -> None:
    """Which one is the last instead is not said."""
    session, standing = AlpacaSession(SPEC), Standing(SPEC)
    assert [mark.price for mark in standing.take(heard(session, trade(1)))[0]] == [Decimal("187.21")]
    assert standing.take(heard(session, cancel(1))) == ([], ["AAPL"])
    assert heard(session, cancel(1)) == []
    assert [mark.price for mark in standing.take(heard(session, trade(2, "6")))[0]] == [Decimal(6)]


@pytest.mark.parametrize(
    "message",
    [correction(1, "5"), cancel(1), cancel(2, x="Q"), cancel(2, S="MSFT"), correction(2, "5", x="Q"), cancel(3)],
)
def test_corrections_of_other_trades_change_nothing(message: Fields) -> None:
    """Earlier ones, those of another exchange with the same number, and those that set no last price."""
    session = AlpacaSession(SPEC)
    heard(session, trade(1), trade(2), trade(3, "1", ["W"]))
    assert heard(session, message) == []


def test_a_trade_that_comes_late_is_not_the_last_one() -> None:
    """Its cancellation changes nothing."""
    session = AlpacaSession(SPEC)
    heard(session, trade(2), trade(1))
    assert heard(session, cancel(1)) == []
    assert heard(session, cancel(2)) == [last(2, None)]


@pytest.mark.parametrize("price", [Price.MID, Price.SIDE])
def test_a_trade_does_not_withdraw_what_quotes_say_nor_a_quote_what_trades_say(price: Price) -> None:
    """Whatever the venue sends unasked."""
    quote: Fields = {"T": "q", "S": "AAPL", "bp": 0, "ap": 0, "t": "2022-01-31T23:01:00Z"}
    assert heard(AlpacaSession(SPEC), quote) == []
    assert heard(AlpacaSession(SPEC._replace(price=price)), trade(1), cancel(1)) == []


@pytest.mark.parametrize(
    "message", [trade(1, conditions="@"), cancel(1) | {"i": None}, correction(1, "5") | {"oi": "1"}, cancel(1, S=1)]
)
def test_what_alpaca_would_not_send_is_refused(message: Fields) -> None:
    """It is a break, not a crash."""
    with pytest.raises(Unreadable):
        read(decoded(json.dumps([message])))
