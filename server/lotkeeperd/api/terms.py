"""PortfolioService and InstrumentService: the terms that everything else is decided under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from lotkeeper.v1 import instrument_service_pb2, ledger_pb2, portfolio_service_pb2
from lotkeeperd.api.fields import ID_LENGTH, NAME_LENGTH, NAMES, NANOSECONDS, TEXT_LENGTH, Fields, Sign, names
from lotkeeperd.api.ledger import Peer
from lotkeeperd.api.pages import PageTokens
from lotkeeperd.domain.accounts import DefineInstrument, PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import LotMethod
from lotkeeperd.domain.decimals import plain
from lotkeeperd.domain.instruments import Declaration, Instrument, Kind, Right, declared
from lotkeeperd.domain.portfolios import Mode, Portfolio, PositionMode, zone_violation
from lotkeeperd.service.ledger import Ledger

T = TypeVar("T")

_portfolio, _instrument = portfolio_service_pb2, instrument_service_pb2

_MODES: dict[int, PositionMode] = {
    portfolio_service_pb2.POSITION_MODE_NETTING: PositionMode.NETTING,
    portfolio_service_pb2.POSITION_MODE_HEDGING: PositionMode.HEDGING,
}
TRADING: dict[int, Mode] = {
    portfolio_service_pb2.TRADING_MODE_LIVE: Mode.LIVE,
    portfolio_service_pb2.TRADING_MODE_PAPER: Mode.PAPER,
}
METHODS: dict[int, LotMethod] = {
    ledger_pb2.LotMethod.Value(f"LOT_METHOD_{method.value}"): method for method in LotMethod
}
_KINDS: dict[int, Kind] = {
    instrument_service_pb2.InstrumentKind.Value(f"INSTRUMENT_KIND_{kind.value}"): kind for kind in Kind
}
_RIGHTS: dict[int, Right] = {
    instrument_service_pb2.OptionRight.Value(f"OPTION_RIGHT_{right.value}"): right for right in Right
}


class PortfolioServicer:
    """One method per RPC, named as in the contract."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pages = PageTokens(ledger.ledger_id)

    async def CreatePortfolio(  # noqa: N802
        self, request: _portfolio.CreatePortfolioRequest, _peer: Peer
    ) -> _portfolio.CreatePortfolioResponse:
        """Creates a portfolio."""
        fields, asked = Fields(), request.portfolio
        changes = {
            **_settable(fields, asked, "portfolio."),
            "base_currency": fields.text("portfolio.base_currency", asked.base_currency, NAME_LENGTH),
            "initial_cash": _cash(fields, "portfolio.initial_cash", asked.initial_cash),
        }
        given = {name: value for name, value in changes.items() if value not in ("", None, ())}
        agreed = await self._ledger.agree(
            _command(fields, TermsMethod.CREATE, asked.portfolio_id, request, given, "portfolio.portfolio_id")
        )
        return _portfolio.CreatePortfolioResponse(
            portfolio=portfolio_message(agreed.terms), sequence=agreed.sequence, replayed=agreed.replayed
        )

    async def UpdatePortfolio(  # noqa: N802
        self, request: _portfolio.UpdatePortfolioRequest, _peer: Peer
    ) -> _portfolio.UpdatePortfolioResponse:
        """Changes the terms that are set."""
        fields = Fields()
        changes = {
            **_settable(fields, request, ""),
            "base_currency": fields.text("base_currency", request.base_currency, NAME_LENGTH),
            "initial_cash": _cash(fields, "initial_cash", request.initial_cash) or None,
        }
        given = {name: value for name, value in changes.items() if _is_set(request, name) and value is not None}
        agreed = await self._ledger.agree(_command(fields, TermsMethod.UPDATE, request.portfolio_id, request, given))
        return _portfolio.UpdatePortfolioResponse(
            portfolio=portfolio_message(agreed.terms), sequence=agreed.sequence, replayed=agreed.replayed
        )

    async def ClosePortfolio(  # noqa: N802
        self, request: _portfolio.ClosePortfolioRequest, _peer: Peer
    ) -> _portfolio.ClosePortfolioResponse:
        """Takes no more commands for it."""
        agreed = await self._ledger.agree(_command(Fields(), TermsMethod.CLOSE, request.portfolio_id, request, {}))
        return _portfolio.ClosePortfolioResponse(
            portfolio=portfolio_message(agreed.terms), sequence=agreed.sequence, replayed=agreed.replayed
        )

    async def ListPortfolios(  # noqa: N802
        self, request: _portfolio.ListPortfoliosRequest, _peer: Peer
    ) -> _portfolio.ListPortfoliosResponse:
        """A page of portfolios, by id."""
        fields = Fields()
        wanted = frozenset(names(fields, "portfolio_ids", request.portfolio_ids))
        size = fields.page_size("page_size", request.page_size)
        fields.check()
        found = [
            one
            for one in self._ledger.portfolios()
            if (request.include_closed or not one.closed) and (not wanted or one.portfolio_id in wanted)
        ]
        asked = (wanted, request.include_closed)
        shown, token = _paged(self._pages, asked, request.page_token, found, size, lambda one: one.portfolio_id)
        return _portfolio.ListPortfoliosResponse(
            portfolios=[portfolio_message(one) for one in shown], next_page_token=token
        )


class InstrumentServicer:
    """One method per RPC, named as in the contract."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pages = PageTokens(ledger.ledger_id)

    async def DefineInstrument(  # noqa: N802
        self, request: _instrument.DefineInstrumentRequest, _peer: Peer
    ) -> _instrument.DefineInstrumentResponse:
        """Declares an instrument, or changes what was declared."""
        command = _definition(request, self._ledger.currency)
        agreed = await self._ledger.agree(command)
        return _instrument.DefineInstrumentResponse(
            instrument=instrument_message(agreed.terms), sequence=agreed.sequence, replayed=agreed.replayed
        )

    async def ListInstruments(  # noqa: N802
        self, request: _instrument.ListInstrumentsRequest, _peer: Peer
    ) -> _instrument.ListInstrumentsResponse:
        """A page of instruments, by symbol."""
        fields = Fields()
        wanted = frozenset(names(fields, "symbols", request.symbols))
        size = fields.page_size("page_size", request.page_size)
        fields.check()
        found = [one for one in self._ledger.instruments() if not wanted or one.symbol in wanted]
        shown, token = _paged(self._pages, (wanted,), request.page_token, found, size, lambda one: one.symbol)
        return _instrument.ListInstrumentsResponse(
            instruments=[instrument_message(one) for one in shown], next_page_token=token
        )


def _paged(
    pages: PageTokens, asked: tuple[Any, ...], token: str, found: Sequence[T], size: int, name: Callable[[T], str]
) -> tuple[Sequence[T], str]:
    """One page of ``found``, which is sorted by ``name``, and the token of the next."""
    if token:
        (after,) = pages.read(token, asked)
        found = [one for one in found if name(one) > after]
    shown = found[:size]
    return shown, pages.make(asked, name(shown[-1])) if len(shown) < len(found) else ""


def _command(
    fields: Fields,
    method: TermsMethod,
    portfolio_id: str,
    request: Any,
    changes: dict[str, object],
    field: str = "portfolio_id",
) -> PortfolioCommand:
    named = fields.portfolio(field, portfolio_id)
    request_id = _request_id(fields, request.request_id)
    fields.check()
    only_validate = method is not TermsMethod.CLOSE and request.validate_only
    return PortfolioCommand(method, named, request_id, tuple(sorted(changes.items())), only_validate)


def _request_id(fields: Fields, value: str) -> str:
    if not value:
        fields.wrong("request_id", "is required: without one a retry could not be told from a new request")
    return fields.text("request_id", value, ID_LENGTH)


def _is_set(request: _portfolio.UpdatePortfolioRequest, name: str) -> bool:
    contract = {"mode": "trading_mode"}.get(name, name)
    return bool(request.initial_cash) if name == "initial_cash" else request.HasField(contract)


def _settable(fields: Fields, asked: Any, path: str) -> dict[str, Any]:
    """What both a new portfolio and an update may say."""
    if asked.time_zone and (violation := zone_violation(f"{path}time_zone", asked.time_zone)) is not None:
        fields.wrong(*violation)
    return {
        "position_mode": _one_of(fields, f"{path}position_mode", asked.position_mode, _MODES),
        "long_only": asked.long_only,
        "mode": _one_of(fields, f"{path}trading_mode", asked.trading_mode, TRADING),
        "broker_account": fields.text(f"{path}broker_account", asked.broker_account, NAME_LENGTH),
        "lot_method": _one_of(fields, f"{path}lot_method", asked.lot_method, METHODS),
        "time_zone": fields.text(f"{path}time_zone", asked.time_zone, NAME_LENGTH) or None,
        "fees_later": asked.fees_later,
        "description": fields.text(f"{path}description", asked.description, TEXT_LENGTH),
    }


def _one_of(fields: Fields, field: str, value: int, known: dict[int, Any]) -> Any:
    if value and value not in known:
        fields.wrong(field, f"{value} is not one of {', '.join(str(one.value) for one in known.values())}")
    return known.get(value)


def _cash(fields: Fields, field: str, cash: Sequence[ledger_pb2.Money]) -> tuple[tuple[str, Decimal], ...]:
    if len(cash) > NAMES:
        fields.wrong(field, f"{len(cash)} amounts, at most {NAMES} are allowed")
        return ()
    found: dict[str, Decimal] = {}
    for place, money in enumerate(cash):
        currency, amount = money_of(fields, f"{field}[{place}]", money)
        if currency in found:
            fields.wrong(f"{field}[{place}].currency", f"{currency!r} is there twice")
        found[currency] = amount
    return tuple(sorted(found.items()))


def money_of(fields: Fields, field: str, money: ledger_pb2.Money, sign: Sign = Sign.ANY) -> tuple[str, Decimal]:
    """An amount with its currency."""
    currency = fields.text(f"{field}.currency", money.currency, NAME_LENGTH)
    if not currency:
        fields.wrong(f"{field}.currency", "is empty, a currency or asset is required")
    return currency, fields.decimal(f"{field}.amount", money.amount, sign)


def _definition(request: _instrument.DefineInstrumentRequest, currency: str) -> DefineInstrument:
    fields, asked, path = Fields(), request.instrument, "instrument."
    declaration = Declaration(
        fields.symbol(f"{path}symbol", asked.symbol),
        _one_of(fields, f"{path}kind", asked.kind, _KINDS),
        fields.optional_decimal(f"{path}multiplier", asked.multiplier, Sign.POSITIVE),
        fields.text(f"{path}base_currency", asked.base_currency, NAME_LENGTH),
        fields.text(f"{path}quote_currency", asked.quote_currency, NAME_LENGTH),
        fields.text(f"{path}settlement_currency", asked.settlement_currency, NAME_LENGTH),
        fields.optional_decimal(f"{path}price_step", asked.price_step, Sign.POSITIVE),
        fields.optional_decimal(f"{path}size_step", asked.size_step, Sign.POSITIVE),
        asked.negative_prices,
        fields.text(f"{path}underlying", asked.underlying, NAME_LENGTH),
        fields.text(f"{path}expiry", asked.expiry, NAME_LENGTH),
        fields.optional_decimal(f"{path}strike", asked.strike, Sign.NOT_NEGATIVE),
        _one_of(fields, f"{path}right", asked.right, _RIGHTS),
    )
    request_id = _request_id(fields, request.request_id)
    fields.check()
    return DefineInstrument(declared(declaration, currency, path), request_id, request.validate_only)


def portfolio_message(portfolio: Portfolio | Instrument) -> _portfolio.Portfolio:
    """A portfolio's terms."""
    assert isinstance(portfolio, Portfolio)
    message = _portfolio.Portfolio(
        portfolio_id=portfolio.portfolio_id,
        base_currency=portfolio.base_currency,
        initial_cash=[
            ledger_pb2.Money(currency=currency, amount=plain(amount)) for currency, amount in portfolio.initial_cash
        ],
        position_mode=_number(_MODES, portfolio.position_mode),
        long_only=portfolio.long_only,
        trading_mode=_number(TRADING, portfolio.mode),
        broker_account=portfolio.broker_account,
        lot_method=_number(METHODS, portfolio.lot_method),
        time_zone=portfolio.time_zone,
        fees_later=portfolio.fees_later,
        description=portfolio.description,
        closed=portfolio.closed,
        sequence=portfolio.sequence,
    )
    message.create_time.seconds, message.create_time.nanos = divmod(portfolio.created_time, NANOSECONDS)
    return message


def instrument_message(instrument: Portfolio | Instrument) -> _instrument.Instrument:
    """What a symbol is."""
    assert isinstance(instrument, Instrument)
    return _instrument.Instrument(
        symbol=instrument.symbol,
        kind=_number(_KINDS, instrument.kind),
        multiplier=plain(instrument.multiplier),
        base_currency=instrument.base_currency,
        quote_currency=instrument.quote_currency,
        settlement_currency=instrument.settlement_currency,
        price_step=_optional(instrument.price_step),
        size_step=_optional(instrument.size_step),
        negative_prices=instrument.negative_prices,
        underlying=instrument.underlying,
        expiry=instrument.expiry,
        strike=_optional(instrument.strike),
        right=None if instrument.right is None else _number(_RIGHTS, instrument.right),
        declared=instrument.declared,
        sequence=instrument.sequence,
    )


def _number(known: dict[int, Any], value: object) -> Any:
    return next(number for number, one in known.items() if one is value)


def _optional(value: Decimal | None) -> str:
    return "" if value is None else plain(value)
