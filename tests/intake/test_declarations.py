"""A bot with contracts, or with both sides open, moves in: the map says what its symbols are and on which terms it is kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.intake.problems import BadMap
from lotkeeperd.intake.report import Counts
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.intake.moving import House
from tests.intake.test_fills import texts

PERPS = """
[portfolios.p]
base_currency = "USD"
initial_cash = { USD = "1000", BTC = 0.5 }
position_mode = "hedging"
time_zone = "Europe/Berlin"

[instruments.BTCUSDT-PERP]
kind = "PERPETUAL"
multiplier = 0.001
quote_currency = "USDT"
"""
HEDGED = """\
fill_id,portfolio_id,symbol,side,position_side,quantity,price,fee,fee_currency,fill_time
H-1,p,BTCUSDT-PERP,buy,LONG,10,40000,0.5,BNB,2024-01-05T15:30:00Z
H-2,p,BTCUSDT-PERP,sell,SHORT,4,41000,1,USDT,2024-01-05T15:31:00Z
H-3,p,BTCUSDT-PERP,sell,LONG,6,42000,,,2024-01-05T15:32:00Z
"""
BOOKS = "SELECT book_side, side, total_quantity, gross_realized_pnl, currency, unconverted_fees FROM books ORDER BY book_side"
TERMS = "SELECT count(*) FROM journal WHERE method IN ('CreatePortfolio', 'DefineInstrument')"


def test_contracts_of_a_hedging_portfolio_move_in_with_their_declarations(either_house: House) -> None:
    """Both sides stay open, the multiplier counts, a fee without a rate is listed; all in one transaction, and law 13 holds."""
    dry = either_house.fills(HEDGED, toml=PERPS, apply=False)
    done = either_house.fills(HEDGED, toml=PERPS)

    assert dry.counts == done.counts == Counts(read=3, opened=2, closed=1, declared=2)
    assert [(*row[:2], *map(int, map(Decimal, row[2:4])), *row[4:]) for row in texts(either_house.rows(BOOKS))] == [
        ("LONG", "LONG", 4, 12, "USDT", '[["BNB","0.5"]]'),
        ("SHORT", "SHORT", 4, 0, "USDT", ""),
    ]
    assert "fees that no rate has converted, in no figure: 0.5 BNB" in done.notes[-1]
    assert [(each.book_side, str(each.quantity)) for each in done.positions] == [("LONG", "4"), ("SHORT", "-4")]
    assert verify(database_url(either_house.database), lambda _done, _of: None).differences == []


def test_another_run_declares_nothing_and_finds_everything(house: House) -> None:
    """The same terms are no news."""
    house.fills(HEDGED, toml=PERPS)
    again = house.fills(HEDGED, toml=PERPS)

    assert again.counts == Counts(read=3, already_there=3)
    assert texts(house.rows(TERMS)) == [("2",)]


def test_other_terms_than_those_that_open_lots_were_valued_by_are_refused(house: House) -> None:
    """By the name of their table; nothing is written."""
    house.fills(HEDGED, toml=PERPS)

    report = house.fills(HEDGED, toml=PERPS.replace("0.001", "0.01").replace("hedging", "netting"))

    assert [each.place for each in report.refused] == ["[portfolios.p]", "[instruments.BTCUSDT-PERP]"]
    assert "cannot become 0.01" in report.refused[1].why
    assert not report.written


def test_a_contract_that_nobody_declared_is_refused_with_the_way_out(house: House) -> None:
    """The table that the map needs; an OCC option says its own terms."""
    text = (
        "symbol,side,quantity,price,fill_time\n"
        "BTC-PERP,buy,1,40000,2024-01-05T15:30:00Z\n"
        "SPY240119P00470000,sell,1,3.10,2024-01-05T15:30:00Z\n"
    )

    report = house.fills(text, keep_going=True)

    (refused,) = report.refused
    assert refused.place == "line 2"
    assert 'as [instruments."BTC-PERP"] in the file of --columns' in refused.why
    assert texts(house.rows("SELECT symbol, cost_basis FROM current_positions")) == [("SPY240119P00470000", "310")]


def test_negative_prices_are_for_instruments_that_allow_them(house: House) -> None:
    """Oil in April 2020: refused with the way out, recorded once it is declared."""
    text = "portfolio_id,symbol,side,quantity,price,fill_time\np,WTI,buy,1,-37.63,2020-04-20T18:30:00Z\n"
    (refused,) = house.fills(text).refused
    toml = '[instruments.WTI]\nkind = "SPOT"\nnegative_prices = true\n'

    done = house.fills(text, toml=toml)

    assert "-37.63 is negative" in refused.why
    assert "negative_prices" in refused.why
    assert done.counts == Counts(read=1, opened=1, declared=1)


def test_a_declared_spot_instrument_does_not_go_short_unless_told(house: House) -> None:
    """Nobody said what becomes of more than was held: the instrument says that there is no more."""
    toml = '[instruments.BTC]\nkind = "SPOT"\nbase_currency = "BTC"\n'
    text = "symbol,side,quantity,price,fee,fee_currency,fill_time\n"
    bought = text + "BTC,buy,1,50000,0.001,BTC,2024-01-05T15:30:00Z\n"
    sold = bought + "BTC,sell,1,51000,,,2024-01-05T15:31:00Z\n"

    report = house.fills(sold, toml=toml, keep_going=True)

    assert [each.place for each in report.refused] == ["line 3"]
    assert texts(house.rows("SELECT total_quantity, open_fees FROM current_positions")) == [("0.999", "50")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("buy,sideways,both", "is neither long nor short"),
        ("buy,short,entry", "is not the side of the lots"),
        ("sell,short,exit", "is not the side of the lots"),
        ("buy,long,both", "leave it unspecified"),
        ("buy,BOTH,both", ""),
        ("buy,long,entry", ""),
    ],
)
def test_a_position_side_that_does_not_fit_is_refused(row: str, why: str, house: House) -> None:
    """It names a book of a hedging portfolio; a netting one has no two of them."""
    text = f"symbol,quantity,price,fill_time,side,position_side,role\nA,1,100,2024-01-05T15:30:00Z,{row}\n"

    refused = house.fills(text).refused

    assert [why in each.why for each in refused] == ([True] if why else [])


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[instruments.X-PERP]", r"\[instruments.X-PERP\] kind: is empty"),
        ("[instruments.X]\nkind = 'SWAP'", "'SWAP' is not one of SPOT, EQUITY"),
        ("[instruments.X]\nkind = 'FUTURE'\nmultiplier = -5", "-5 is not greater than 0"),
        ("[instruments.X]\nmultiplier = true", "is empty, a decimal string"),
        ("[instruments.X]\nmultiplyer = 5", "multiplyer: is not known; there are kind, multiplier"),
        ("[instruments.X]\nnegative_prices = 'yes'", "true or false is required"),
        ("[instruments.X]\nquote_currency = 5", "5: a text is required"),
        ("[instruments]\nX = 5", r"a table is required, \[instruments.X\]"),
        ("[portfolios.p]\nposition_mode = 'both'", "'both' is not one of NETTING, HEDGING"),
        ("[portfolios.p]\ntime_zone = 'Berlin'", "is not a time zone"),
        ("[portfolios.p]\ninitial_cash = 5", "a table is required"),
        ("[portfolios.p]\ninitial_cash = { USD = '1e3' }", "initial_cash.USD: '1e3' is not a decimal"),
    ],
)
def test_a_declaration_that_says_something_else_is_refused_by_name(toml: str, why: str, house: House) -> None:
    """Where, what, and what it may say."""
    with pytest.raises(BadMap, match=why):
        house.fills(HEDGED, toml=toml)
