"""Prices to value open lots with, as calls: ``set_marks``, ``list_marks``. No I/O.

Marks need no id: the newest wins, so one that is sent twice is dropped by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from lotkeeper import answers, calls, fields, responses, values
from lotkeeper.calls import Call, Defaults
from lotkeeper.fields import DecimalLike, TimeLike
from lotkeeper.v1 import market_service_pb2


def set_marks(
    defaults: Defaults,
    *,
    marks: Mapping[str, DecimalLike] | Iterable[values.Mark],
    source: str = "",
    timeout: float | None = None,
) -> Call[responses.SetMarksResponse]:
    """Set prices to value open lots at: ``{symbol: price}``, or ``Mark`` values that say when they were observed.

    Raises:
        TypeError: a float, or another type that cannot be sent exactly.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = market_service_pb2.SetMarksRequest(marks=messages(marks), source=fields.text("source", source))
    return Call("SetMarks", request, answers.set_marks, calls.timeout_of(defaults, timeout))


def list_marks(
    defaults: Defaults, *, symbols: Iterable[str] = (), timeout: float | None = None
) -> Call[responses.ListMarksResponse]:
    """Read the newest marks, all or those of ``symbols``, and the state of every price source.

    Raises:
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    request = market_service_pb2.ListMarksRequest(symbols=fields.texts("symbols", symbols))
    return Call("ListMarks", request, answers.list_marks, calls.timeout_of(defaults, timeout))


def messages(marks: Mapping[str, DecimalLike] | Iterable[values.Mark]) -> list[market_service_pb2.Mark]:
    """``{symbol: price}``, or ``Mark`` values, as they are sent.

    Raises:
        TypeError: a float, or another type that cannot be sent exactly.
    """
    if isinstance(marks, Mapping):
        return [_mark(symbol, price) for symbol, price in marks.items()]
    return [_mark(mark.symbol, mark.price, mark.observe_time, mark.bid, mark.ask) for mark in marks]


def _mark(
    symbol: str,
    price: DecimalLike,
    observe_time: TimeLike | None = None,
    bid: Decimal | None = None,
    ask: Decimal | None = None,
) -> market_service_pb2.Mark:
    return market_service_pb2.Mark(
        symbol=fields.text("symbol", symbol),
        price=fields.decimal_text(f"price of {symbol}", price),
        observe_time=fields.timestamp(f"observe_time of {symbol}", observe_time),
        bid=None if bid is None else fields.decimal_text(f"bid of {symbol}", bid),
        ask=None if ask is None else fields.decimal_text(f"ask of {symbol}", ask),
    )
