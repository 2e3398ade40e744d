"""What symbols are, as calls: ``define_instrument``, ``list_instruments``. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from lotkeeper import answers, calls, fields
from lotkeeper.answers import Page
from lotkeeper.calls import PAGE_SIZE, Call, Defaults
from lotkeeper.enums import InstrumentKind, OptionRight
from lotkeeper.fields import DayLike, DecimalLike
from lotkeeper.responses import DefineInstrumentResponse
from lotkeeper.terms import Instrument
from lotkeeper.v1 import instrument_service_pb2


def define_instrument(
    defaults: Defaults,
    *,
    request_id: str,
    symbol: str,
    kind: InstrumentKind = InstrumentKind.UNSPECIFIED,
    multiplier: DecimalLike | None = None,
    base_currency: str = "",
    quote_currency: str = "",
    settlement_currency: str = "",
    price_step: DecimalLike | None = None,
    size_step: DecimalLike | None = None,
    negative_prices: bool = False,
    underlying: str = "",
    expiry: DayLike | None = None,
    strike: DecimalLike | None = None,
    right: OptionRight = OptionRight.UNSPECIFIED,
    validate_only: bool = False,
    timeout: float | None = None,
) -> Call[DefineInstrumentResponse]:
    """Declare an instrument, all of it: what is left out is the default, not what was declared before.

    ``multiplier`` is units of the underlying in one unit of quantity; for an inverse contract its value in the quote
    currency. ``request_id`` makes a retry safe.

    Raises:
        ValueError: a value cannot be sent.
        TypeError: a float, or another type that cannot be sent exactly.
        InstrumentInUse: lots are open, so it cannot change; ``metadata`` names the field.
        LotkeeperError: the ledger refused, or did not answer in time.
    """
    instrument = instrument_service_pb2.Instrument(
        symbol=fields.text("symbol", symbol),
        kind=fields.member("kind", InstrumentKind, kind),
        multiplier=fields.decimal_text("multiplier", multiplier),
        base_currency=fields.text("base_currency", base_currency),
        quote_currency=fields.text("quote_currency", quote_currency),
        settlement_currency=fields.text("settlement_currency", settlement_currency),
        price_step=fields.decimal_text("price_step", price_step),
        size_step=fields.decimal_text("size_step", size_step),
        negative_prices=negative_prices,
        underlying=fields.text("underlying", underlying),
        expiry=fields.day("expiry", expiry),
        strike=fields.decimal_text("strike", strike),
        right=fields.member("right", OptionRight, right),
    )
    request = instrument_service_pb2.DefineInstrumentRequest(
        request_id=fields.text("request_id", request_id), instrument=instrument, validate_only=validate_only
    )
    return Call("DefineInstrument", request, answers.define_instrument, calls.timeout_of(defaults, timeout))


def list_instruments(
    defaults: Defaults, *, symbols: Iterable[str] = (), page_size: int = PAGE_SIZE, timeout: float | None = None
) -> Call[Page[Instrument]]:
    """Iterate over instruments by symbol; no ``symbols`` means all.

    Pages are fetched as the iteration reaches them; ``timeout`` is for each.

    Raises:
        LotkeeperError: while iterating: the ledger refused, or did not answer in time.
    """
    request = instrument_service_pb2.ListInstrumentsRequest(
        symbols=fields.texts("symbols", symbols), page_size=page_size
    )
    return Call("ListInstruments", request, answers.list_instruments, calls.timeout_of(defaults, timeout))
