"""Which symbols are spelled like a contract or an option: those that must not be booked as if they were spot.

Problem: a symbol that nobody declared is taken to be spot with multiplier 1. For a perpetual, a future or an option that gives
wrong cash and, with another multiplier, wrong P&L, and nobody would notice. Seen, per venue:

    perpetual   BTC-PERP, BTC-PERPETUAL, BTCUSDT-PERP, BTC_PERP, BTCPERP, BTC-PERP-INTX, BTC-USDT-SWAP, BTC/USDT:USDT, BTCUSDT.P,
                PF_XBTUSD, PI_XBTUSD, XBTUSDTM, BTCUSDT_UMCBL, tBTCF0:USTF0
    future      BTC-27DEC24, BTCUSDT-29MAR24, ETH-240329, BTCUSDT_240329, BTC/USD:BTC-240329, BIT-24APR26-CDE, BTCUSDH24, XBTZ24,
                ESZ4, ESZ24, /ESZ24, /ES, ES=F
    option      BTC-27DEC24-100000-C, BTC-240329-50000-C, BTC-29MAR24-50000-C-USDT, .AAPL240119C100, O:AAPL240119C00100000,
                AAPL_011924C100, ./ESZ4 E1AQ4 240801P5000

Chosen: a symbol is read as words between separators, because a word in the first place is a coin or a share whatever it is
(PERP-USD is the spot pair of a coin named PERP), and one after it says what is made of it. Nothing is read out of a spelling
but that it is a contract: that its terms differ from venue to venue is why they have to be declared. What a venue spells like a
spot pair (BTCUSDT) cannot be told apart. A false alarm costs one declaration; a miss costs wrong books.
"""

from __future__ import annotations

import re
from datetime import date

PERPETUAL = "a perpetual contract"
FUTURE = "a dated future"
OPTION = "an option"
CONTRACT = "a contract"

_SEPARATORS = re.compile(r"[-_/:. ]+")
_CONTRACT_WORDS = {
    "FUT": FUTURE,
    "FUTURE": FUTURE,
    "FUTURES": FUTURE,
    "OPT": OPTION,
    "OPTION": OPTION,
    "LINEAR": CONTRACT,
    "INVERSE": CONTRACT,
} | dict.fromkeys(("PERP", "PERPETUAL", "SWAP", "UMCBL", "DMCBL", "CMCBL"), PERPETUAL)

_EXCHANGE_ROOTS = (
    "ES|MES|NQ|MNQ|YM|MYM|RTY|M2K|EMD|NKD|CL|MCL|QM|NG|QG|HO|RB|BZ|GC|MGC|SI|SIL|HG|MHG|PL|ZB|ZN|ZF|ZT|UB|TN|ZC|ZS|ZW|ZL|ZM|KE|"
    "6A|6B|6C|6E|6J|6M|6N|6S|M6A|M6B|M6E|SR3|ZQ|VX|VXM|BTC|MBT|ETH|MET|XBT|FDAX|FDXM|FESX|FGBL|FGBM|FGBS"
)
"""Roots of futures that bots trade. Not any root: SYM1 and LEG1 are what people call symbols of their own."""

_MONTH = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_NAMED_DAY = re.compile(rf"(?:[0-3]?[0-9])?(?:{_MONTH})(?:20)?[0-9]{{2}}").fullmatch
_NUMBERED_DAY = re.compile(r"(?:20)?([1-9][0-9])([01][0-9])([0-3][0-9])").fullmatch
_YEAR_FIRST, _MONTH_FIRST = "[0-9]{2}[01][0-9][0-3][0-9]", "[01][0-9][0-3][0-9]{3}"
_STRIKE_AND_RIGHT = re.compile(r"[0-9]+(?:D[0-9]+)?[CP]|[CP][0-9]+").fullmatch

# Spellings that are one word, or whose separators mean something of their own; the symbol in upper case.
_WHOLE = (
    (re.compile(rf".*(?:{_YEAR_FIRST}|{_MONTH_FIRST})[CP][0-9]+(?:\.[0-9]+)?").fullmatch, OPTION),
    (re.compile(r"\./.+").fullmatch, OPTION),
    (re.compile(r"[^:]+/[^:]+:[^:]+").fullmatch, PERPETUAL),
    (re.compile(r"[A-Z0-9]{2,}PERP").fullmatch, PERPETUAL),
    (re.compile(r"[A-Z0-9]+USD[TC]?\.P").fullmatch, PERPETUAL),
    (re.compile(r"[A-Z0-9]+USD[TC]M|(?:XBT|ETH)USDM").fullmatch, PERPETUAL),
    (re.compile(r"P[FV]_[A-Z0-9]+USD|PI_(?:XBT|ETH|LTC|XRP|BCH)USD").fullmatch, PERPETUAL),
    (re.compile(r"T?[A-Z0-9]+F0:[A-Z0-9]+F0").fullmatch, PERPETUAL),
    (re.compile(r"[A-Z0-9]+USD[TC]?(?:[HMUZ][0-9]{2}|[2-9][0-9][01][0-9][0-3][0-9])").fullmatch, FUTURE),
    (re.compile(rf"/?(?:{_EXCHANGE_ROOTS})[FGHJKMNQUVXZ](?:20)?[0-9]{{1,2}}").fullmatch, FUTURE),
    (re.compile(rf"/(?:{_EXCHANGE_ROOTS})|[A-Z0-9]+=F").fullmatch, FUTURE),
)


def contract_spelled(symbol: str) -> str | None:
    """What ``symbol`` is spelled like, as words for a message ("a perpetual contract"), or None for nothing but spot."""
    symbol = symbol.upper()
    first, *words = _SEPARATORS.split(symbol)
    pieces = (symbol, symbol.rpartition(":")[2], first, *words)  # a venue may stand before or behind
    if any(_is_day(word) for word in words):
        return OPTION if _is_option(words) else FUTURE
    for word in words if first else ():
        if word in _CONTRACT_WORDS:
            return _CONTRACT_WORDS[word]
    return next((kind for spelled, kind in _WHOLE for piece in pieces if spelled(piece)), None)


def _is_option(words: list[str]) -> bool:
    """Whether a right stands beside a strike: as a word of its own (50000-C, C-50000) or with it (50000C)."""
    return any(word in {"C", "P", "CALL", "PUT"} or _STRIKE_AND_RIGHT(word) for word in words)


def _is_day(word: str) -> bool:
    """Whether a word is a day or a month of this century from 2010 on: 27DEC24, DEC24, 240329, 20240329."""
    if _NAMED_DAY(word):
        return True
    digits = _NUMBERED_DAY(word)
    if digits is None:
        return False
    try:
        date(2000 + int(digits[1]), int(digits[2]), int(digits[3]))
    except ValueError:
        return False
    return True
