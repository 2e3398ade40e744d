"""Every field of Bybit's tickers and public trades, per category.

What a test did not say (open interest, funding, volumes) has the values of the vendor's own examples; the volume grows
with every message, as it does on a living market, so that a delta always carries something.
"""

import re

from tests.support.venues.quotes import Quote, milliseconds, number, side

NEXT_FUNDING = "1673280000000"
# Dated contracts, BTC-26DEC25 or BTCUSDH26, have fields that a perpetual must not have.
DATED = re.compile(r"-\d{1,2}[A-Z]{3}\d{2}$|USD[FGHJKMNQUVXZ]\d{2}$")
DELIVERY = {
    "deliveryTime": "2025-12-26T08:00:00Z",
    "basisRate": "0.0012",
    "deliveryFeeRate": "0.0005",
    "predictedDeliveryPrice": "0",
}


def ticker(category: str, symbol: str, quote: Quote, ticks: int) -> dict[str, str]:
    """The whole ticker of a symbol in that category, as it is after so many ticks."""
    match category:
        case "spot":
            return _spot(symbol, quote, ticks)
        case "option":
            return _option(symbol, quote, ticks)
        case _:
            return _contract(symbol, quote, ticks)


def trade(category: str, symbol: str, quote: Quote, sequence: int) -> dict[str, object]:
    """One public trade at the last price."""
    fields: dict[str, object] = {
        "T": milliseconds(quote.time),
        "s": symbol,
        "S": "Buy",
        "v": "0.010",
        "p": number(quote.reference),
        "L": "PlusTick",
        "i": f"20f43950-d8dd-5b31-9112-{sequence:012d}",
        "BT": False,
        "RPI": False,
        "seq": sequence,
    }
    if category in {"spot", "option"}:
        del fields["L"]
    if category == "option":
        reference = number(quote.reference)
        fields |= {"mP": side(quote.mark) or reference, "iP": reference, "mIv": "0.5", "iv": "0.51"}
    return fields


def book(symbol: str, quote: Quote, sequence: int) -> dict[str, object]:
    """The best bid and ask."""
    return {
        "s": symbol,
        "b": [[number(quote.bid), "84.489"]] if quote.bid else [],
        "a": [[number(quote.ask), "83.020"]] if quote.ask else [],
        "u": sequence,
        "seq": sequence,
    }


def _contract(symbol: str, quote: Quote, ticks: int) -> dict[str, str]:
    reference = number(quote.reference)
    return {
        "symbol": symbol,
        "tickDirection": "PlusTick",
        "price24hPcnt": "0.017103",
        "lastPrice": side(quote.last) or reference,
        "prevPrice24h": "16926.50",
        "highPrice24h": "17281.50",
        "lowPrice24h": "16915.00",
        "prevPrice1h": "17238.00",
        "markPrice": side(quote.mark) or reference,
        "indexPrice": reference,
        "openInterest": "68744.761",
        "openInterestValue": "1183601235.91",
        "turnover24h": f"{1_570_383_121 + ticks}.943499",
        "volume24h": f"{91_705 + ticks}.276",
        "fundingIntervalHour": "8",
        "fundingCap": "0.005",
        "nextFundingTime": NEXT_FUNDING,
        "fundingRate": "-0.000212",
        "bid1Price": side(quote.bid),
        "bid1Size": "84.489",
        "ask1Price": side(quote.ask),
        "ask1Size": "83.020",
        "basisRateYear": "",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    } | (DELIVERY if DATED.search(symbol) else {})


def _option(symbol: str, quote: Quote, ticks: int) -> dict[str, str]:
    reference = number(quote.reference)
    return {
        "symbol": symbol,
        "bidPrice": side(quote.bid) or "0",
        "bidSize": "5.1",
        "bidIv": "0.4",
        "askPrice": side(quote.ask) or "0",
        "askSize": "8.5",
        "askIv": "0.5",
        "lastPrice": side(quote.last) or "0",
        "highPrice24h": "25",
        "lowPrice24h": "5",
        "markPrice": side(quote.mark) or reference,
        "indexPrice": "16823.73",
        "markPriceIv": "0.4896",
        "underlyingPrice": "16815.1",
        "openInterest": "49.16",
        "turnover24h": f"{446_802 + ticks}.8473",
        "volume24h": f"{26 + ticks}.55",
        "totalVolume": f"{86 + ticks}",
        "totalTurnover": f"{1_437_431 + ticks}",
        "delta": "0.047831",
        "gamma": "0.00021453",
        "vega": "0.81351067",
        "theta": "-19.9115368",
        "predictedDeliveryPrice": "0",
        "change24h": "-0.33333334",
    }


def _spot(symbol: str, quote: Quote, ticks: int) -> dict[str, str]:
    reference = number(quote.reference)
    return {
        "symbol": symbol,
        "lastPrice": side(quote.last) or reference,
        "highPrice24h": "22000.00",
        "lowPrice24h": "20234.12",
        "prevPrice24h": "20593.73",
        "volume24h": f"{6_780 + ticks}.123",
        "turnover24h": f"{141_000_000 + ticks}.33",
        "price24hPcnt": "0.0196",
        "usdIndexPrice": reference,
    }
