"""A statement out of a file: protobuf JSON, read by protobuf itself."""

import datetime as dt

import pytest

from lotkeeper import BrokerCash, BrokerPosition, BrokerStatement, Fill, PositionSide, Side, Time
from lotkeeper.reconciliation_parts import statement_message
from lotkeeper.statement_json import statement_of_json

TEXT = """{
  "asOf": "2026-01-05T15:31:07.250000001Z",
  "positionsComplete": true,
  "positions": [
    {"symbol": "AAPL", "side": "POSITION_SIDE_LONG", "quantity": "10", "averagePrice": "187.21", "costBasis": "1872.10"},
    {"symbol": "B", "side": "POSITION_SIDE_SHORT", "quantity": "1"}
  ],
  "fills": [{"fillId": "X", "orderId": "O", "symbol": "AAPL", "side": "SIDE_BUY", "quantity": "10", "price": "187.21",
             "fee": "1", "feeCurrency": "USD", "fillTime": "2026-01-05T15:30:00Z"}],
  "fills_complete_since": "2026-01-01T00:00:00Z",
  "cash": [{"currency": "USD", "amount": "-3.50"}],
  "cashComplete": true
}"""


def at(text: str) -> Time:
    """A moment in UTC."""
    return Time.of(dt.datetime.fromisoformat(text))


def test_every_field_is_read_exactly() -> None:
    """Decimals stay text, times are nanoseconds, names are spelled in both of protobuf's ways."""
    assert statement_of_json(TEXT) == BrokerStatement(
        as_of=Time(at("2026-01-05T15:31:07Z") + 250_000_001),
        positions_complete=True,
        positions=(
            BrokerPosition(
                symbol="AAPL", side=PositionSide.LONG, quantity="10", average_price="187.21", cost_basis="1872.10"
            ),
            BrokerPosition(symbol="B", side=PositionSide.SHORT, quantity="1"),
        ),
        fills=(
            Fill(
                symbol="AAPL",
                side=Side.BUY,
                quantity="10",
                price="187.21",
                fill_id="X",
                order_id="O",
                fee="1",
                fee_currency="USD",
                fill_time=at("2026-01-05T15:30:00Z"),
            ),
        ),
        fills_complete_since=at("2026-01-01T00:00:00Z"),
        cash=(BrokerCash(currency="USD", amount="-3.50"),),
        cash_complete=True,
    )


def test_what_was_read_is_what_is_sent() -> None:
    """Nothing is lost or made up between the file and the wire."""
    sent = statement_message(statement_of_json(TEXT))

    assert (sent.positions[1].average_price, sent.fills[0].fee, sent.as_of.nanos) == ("", "1", 250_000_001)
    assert sent.HasField("fills_complete_since")


def test_nothing_is_complete_that_does_not_say_so() -> None:
    """An empty list proves nothing."""
    statement = statement_of_json('{"asOf": "2026-01-05T15:31:07Z"}')

    assert not statement.positions_complete
    assert statement.fills_complete_since is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", '"asOf" is missing'),
        ('{"asOf": "yesterday"}', "asOf"),
        ('{"asOf": "2026-01-05T15:31:07Z", "postions": []}', "postions"),
        ('{"asOf": "2026-01-05T15:31:07Z", "positions": [{"quantity": 1.5}]}', "quantity"),
        ('{"asOf": ', "BrokerStatement"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_place(text: str, said: str) -> None:
    """A misspelled field would otherwise be an account without positions."""
    with pytest.raises(ValueError, match=said):
        statement_of_json(text)
