"""What a symbol says by its spelling: an OCC option everything, any other contract only that it is one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.instruments import Instrument, Kind, Right, on_first_use
from lotkeeperd.domain.refusals import InstrumentNotDeclared

FUTURES = """
    BTC-27DEC24 BTCUSDT-29MAR24 BTC-DEC24 ETH-240329 ETH-20240329 BTCUSDT_240329 BTCUSDT240329 BTC/USD:BTC-240329 FI_XBTUSD_240329
    BIT-24APR26-CDE BIP-20DEC30-CDE BTCUSDH24 XBTZ24 ESZ4 ESZ24 ESZ2024 6EH25 /ESZ24 /ES ES=F ESZ4.CME CME:ESZ24 BTC-USDT-FUTURES
"""
PERPETUALS = """
    BTC-PERP btc-perp BTC-PERPETUAL BTC_USDC-PERPETUAL BTCUSDT-PERP BTCUSDT-PERP.BINANCE BTC_PERP BTCUSD_PERP BTCPERP BTC-PERP-INTX
    BTC-USDT-SWAP BTC/USDT:USDT BTC/USD:BTC BTCUSDT.P BINANCE:BTCUSDT.P BINANCE:BTCUSDTPERP PF_XBTUSD PI_XBTUSD XBTUSDTM XBTUSDM
    BTCUSDT_UMCBL tBTCF0:USTF0
"""
OPTIONS = """
    BTC-27DEC24-100000-C BTC-240329-50000-P BTC-29MAR24-50000-C-USDT ETH_USDC-29MAR24-3D8-C BTC/USD:BTC-240329-50000-C
    AAPL-20240119-C100 BTC-28JUN24-50000C .AAPL240119C100 .AAPL240119C102.5 O:AAPL240119C00100000 AAPL_011924C100 BTC-OPTION
"""
SPOT = """
    BTC BTC-USD BTC/USD BTC_USDT BTCUSDT XBTUSD BTC-EUR BINANCE:BTC/USDT 1INCHUSDT EURUSD EUR/USD EURUSD=X XAUUSD
    AAPL BRK.B BRK/B BF-B SPXW 7203 005930 0QZ1 PERP PERP-USD PERP/USD PERPUSDT SWAP-USD OPT-USD PI_USDT PI_FDUSD MAY MAR-USD DEC
    C P X SYM1 LEG1 LEG-1 SYM-12 SYM-000123 SYM-099999 SYM-240230 POISON 値 . -
"""


@pytest.mark.parametrize(
    ("symbol", "terms"),
    [
        ("AAPL  240119C00100000", ("AAPL", "2024-01-19", "100", Right.CALL)),
        ("AAPL240119C00100000", ("AAPL", "2024-01-19", "100", Right.CALL)),
        ("F     251219P00012500", ("F", "2025-12-19", "12.5", Right.PUT)),
        ("SPXW240229P04700000", ("SPXW", "2024-02-29", "4700", Right.PUT)),
        ("GOOGLX991231C99999999", ("GOOGLX", "2099-12-31", "99999.999", Right.CALL)),
        ("X240119C00000001", ("X", "2024-01-19", "0.001", Right.CALL)),
    ],
)
def test_an_occ_symbol_says_its_underlying_expiry_strike_and_right_and_delivers_100(
    symbol: str, terms: tuple[str, str, str, Right]
) -> None:
    """Padded and unpadded; it is cleared in US dollars whatever the ledger's currency."""
    underlying, expiry, strike, right = terms

    assert on_first_use(symbol, "EUR") == Instrument(
        symbol, Kind.OPTION, Decimal(100), underlying=underlying, expiry=expiry, strike=Decimal(strike), right=right
    )


@pytest.mark.parametrize("symbol", ["AAPL1 240119C00100000", "AAPL1240119C00100000", "4SPX  240119C04700000"])
def test_an_adjusted_option_is_refused_on_first_use_for_it_may_deliver_something_else(symbol: str) -> None:
    """A digit in the root marks one."""
    with pytest.raises(InstrumentNotDeclared, match="adjusted or flexible option.*something else than 100 shares"):
        on_first_use(symbol, "USD")


@pytest.mark.parametrize(
    "symbol",
    [
        "AAPL  240230C00100000",
        "AAPL241301C00100000",
        "AAPL240119C00000000",
        "aapl240119c00100000",
        "AAPL 240119C00100000",
        "AAPL   240119C00100000",
        "GOOGLEX240119C00100000",
        "./ESZ4 E1AQ4 240801P5000",
    ],
)
def test_what_is_almost_an_occ_symbol_is_an_option_that_nobody_declared(symbol: str) -> None:
    """No such day, no strike, lower case, other padding, a root too long: not guessed, and never spot."""
    with pytest.raises(InstrumentNotDeclared, match="spelled like an option"):
        on_first_use(symbol, "USD")


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        *((symbol, "a dated future") for symbol in FUTURES.split()),
        *((symbol, "a perpetual contract") for symbol in PERPETUALS.split()),
        *((symbol, "an option") for symbol in OPTIONS.split()),
        ("BTCUSDT-LINEAR.BYBIT", "a contract"),
        ("BTCUSD-INVERSE", "a contract"),
    ],
)
def test_a_contract_by_a_venues_spelling_is_refused_by_name_with_the_way_out(symbol: str, kind: str) -> None:
    """What it is worth differs from venue to venue, so it has to be declared."""
    with pytest.raises(InstrumentNotDeclared) as refused:
        on_first_use(symbol, "USD")

    assert refused.value.metadata == {"symbol": symbol}
    assert refused.value.message == (
        f"{symbol!r} is not declared and cannot be taken for spot: it is spelled like {kind}, whose terms are never guessed; "
        "declare it with DefineInstrument, with its kind and multiplier"
    )


@pytest.mark.parametrize("symbol", [*SPOT.split(), "never traded"])
def test_everything_else_is_spot_in_the_ledgers_currency_on_first_use(symbol: str) -> None:
    """Also coins that are called PERP or SWAP, and names that people give symbols of their own."""
    assert on_first_use(symbol, "EUR") == Instrument(symbol, Kind.SPOT, Decimal(1), "", "EUR", "EUR")
