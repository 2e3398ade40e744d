"""What a declaration needs, what it may leave out, what open lots keep, and which prices an instrument has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.book import Contract
from lotkeeperd.domain.instruments import (
    Declaration,
    Instrument,
    Kind,
    Right,
    check_change,
    declared,
    differences,
    price_violation,
)
from lotkeeperd.domain.refusals import FieldViolations, InstrumentInUse, Violation

AAPL_CALL = "AAPL  240119C00100000"
ADJUSTED_CALL = "AAPL1 240119C00100000"
OPTION = Declaration(
    "BTC-27DEC24-100000-C",
    Kind.OPTION,
    Decimal(1),
    underlying="BTC",
    expiry="2024-12-27",
    strike=Decimal(100000),
    right=Right.CALL,
)


def broken(asked: Declaration) -> dict[str, str]:
    """The fields of ``asked`` that break a rule, and what is said of each."""
    with pytest.raises(FieldViolations) as refused:
        declared(asked, "USD", path="")
    return {violation.field: violation.description for violation in refused.value.violations}


@pytest.mark.parametrize(
    ("asked", "terms"),
    [
        (Declaration("BTC-USD"), (Kind.SPOT, "1", "", "EUR", "EUR")),
        (Declaration("BTC-USD", base_currency="BTC", quote_currency="USD"), (Kind.SPOT, "1", "BTC", "USD", "USD")),
        (Declaration("AAPL", Kind.EQUITY), (Kind.EQUITY, "1", "", "EUR", "EUR")),
        (Declaration("ESZ4", Kind.FUTURE, Decimal(50), quote_currency="USD"), (Kind.FUTURE, "50", "", "USD", "USD")),
        (
            Declaration("BTC-PERP", Kind.PERPETUAL, Decimal(1), quote_currency="USDT"),
            (Kind.PERPETUAL, "1", "", "USDT", "USDT"),
        ),
        (
            Declaration("ETHUSD", Kind.PERPETUAL, Decimal("0.000001"), "ETH", "USD", "BTC"),
            (Kind.PERPETUAL, "0.000001", "ETH", "USD", "BTC"),
        ),
        (Declaration("XBTUSD", Kind.INVERSE, Decimal(1), "BTC", "USD"), (Kind.INVERSE, "1", "BTC", "USD", "BTC")),
        (Declaration(AAPL_CALL), (Kind.OPTION, "100", "", "USD", "USD")),
        (Declaration(AAPL_CALL, Kind.OPTION, Decimal(10)), (Kind.OPTION, "10", "", "USD", "USD")),
        (Declaration(ADJUSTED_CALL, multiplier=Decimal(150)), (Kind.OPTION, "150", "", "USD", "USD")),
    ],
)
def test_what_a_declaration_leaves_out_follows_from_its_symbol_and_kind(
    asked: Declaration, terms: tuple[Kind, str, str, str, str]
) -> None:
    """Settled in the quote currency, an inverse contract in its base coin; 100 of an OCC symbol, 1 of what is no contract."""
    kind, multiplier, base, quote, settlement = terms

    instrument = declared(asked, "EUR")

    assert instrument[:6] == (asked.symbol, kind, Decimal(multiplier), base, quote, settlement)
    assert instrument.declared


def test_an_occ_symbol_fills_in_what_its_declaration_leaves_out_and_only_that() -> None:
    """A class of an index names its index."""
    instrument = declared(Declaration("SPXW240229P04700000", underlying="SPX", right=Right.PUT), "EUR")

    assert instrument.underlying == "SPX"
    assert (instrument.expiry, instrument.strike, instrument.right) == ("2024-02-29", Decimal(4700), Right.PUT)


def test_a_declaration_is_taken_as_it_is() -> None:
    """Every field arrives, also of a symbol that is spelled like something else."""
    asked = Declaration(
        "BTC-PERP", Kind.SPOT, Decimal(2), "BTC", "USD", "USD", Decimal("0.5"), Decimal("0.001"), True, "BTC"
    )

    instrument = declared(asked, "EUR")

    assert instrument._asdict() == {**asked._asdict(), "declared": True, "sequence": 0}


@pytest.mark.parametrize("kind", [Kind.PERPETUAL, Kind.INVERSE, Kind.FUTURE, Kind.OPTION])
def test_a_contract_without_a_multiplier_is_refused_by_name(kind: Kind) -> None:
    """What one of it is worth is never guessed."""
    asked = OPTION._replace(symbol="MINE", kind=kind, multiplier=None, base_currency="BTC")

    assert broken(asked)["multiplier"] == f"is empty, and 'MINE' is of kind {kind.value}, which has none by itself"


def test_an_adjusted_occ_symbol_without_a_multiplier_is_refused() -> None:
    """It says everything but what it delivers."""
    assert list(broken(Declaration(ADJUSTED_CALL))) == ["multiplier"]


def test_a_symbol_spelled_like_a_contract_needs_its_kind() -> None:
    """Left out, it would be spot."""
    assert broken(Declaration("BTC-PERP", multiplier=Decimal(1))) == {
        "kind": "is empty, and 'BTC-PERP' is spelled like a perpetual contract; say what it is"
    }


@pytest.mark.parametrize("field", ["underlying", "expiry", "strike", "right"])
def test_an_option_needs_all_of_its_terms(field: str) -> None:
    """Each by itself."""
    assert broken(OPTION._replace(**{field: Declaration._field_defaults[field]})) == {
        field: "is empty, and an option has one"
    }


@pytest.mark.parametrize(
    ("asked", "field", "description"),
    [
        (Declaration("X", multiplier=Decimal(0)), "multiplier", "0 is not greater than 0"),
        (Declaration("X", price_step=Decimal("-0.10")), "price_step", "-0.1 is not greater than 0"),
        (Declaration("X", size_step=Decimal(0)), "size_step", "0 is not greater than 0"),
        (Declaration("X", strike=Decimal(1)), "strike", "is set, but only an option has one"),
        (Declaration("X", right=Right.PUT), "right", "is set, but only an option has one"),
        (Declaration("X", expiry="2024-12-27"), "expiry", "'2024-12-27' is set, but this kind of instrument has none"),
        (OPTION._replace(expiry="20241227"), "expiry", "'20241227' is not a day, written YYYY-MM-DD"),
        (OPTION._replace(expiry="2024-02-30"), "expiry", "'2024-02-30' is not a day, written YYYY-MM-DD"),
        (OPTION._replace(strike=Decimal(0)), "strike", "0 is not greater than 0"),
        (Declaration("X", base_currency="USD"), "base_currency", "'USD' is its quote currency as well"),
        (
            Declaration("X", settlement_currency="EUR"),
            "settlement_currency",
            "'EUR' is not 'USD', in which its price is paid",
        ),
        (
            Declaration("X", Kind.INVERSE, Decimal(1)),
            "base_currency",
            "is empty, but an inverse contract is settled in its base currency",
        ),
        (
            Declaration("X", Kind.INVERSE, Decimal(1), "BTC", settlement_currency="USD"),
            "settlement_currency",
            "'USD' is not the base currency 'BTC' of an inverse contract",
        ),
        (
            Declaration("X", Kind.INVERSE, Decimal(1), "BTC", negative_prices=True),
            "negative_prices",
            "is set, but an inverse contract is worth 1 / price; its price is always above 0",
        ),
    ],
)
def test_a_field_that_breaks_a_rule_is_named_with_its_value_and_the_rule(
    asked: Declaration, field: str, description: str
) -> None:
    """And no other is."""
    assert broken(asked) == {field: description}


def test_every_broken_field_of_a_declaration_is_reported_at_once_as_the_request_calls_it() -> None:
    """A caller mends them all in one go."""
    asked = Declaration("X", Kind.OPTION, price_step=Decimal(0), expiry="soon")

    with pytest.raises(FieldViolations) as refused:
        declared(asked, "USD")

    fields = [violation.field for violation in refused.value.violations]
    assert fields == [
        f"instrument.{name}" for name in ("multiplier", "price_step", "underlying", "strike", "right", "expiry")
    ]


def test_where_prices_may_be_negative_strikes_may_be_too() -> None:
    """As of options on oil in April 2020."""
    assert declared(OPTION._replace(strike=Decimal(-5), negative_prices=True), "USD").strike == Decimal(-5)


@pytest.mark.parametrize("kind", list(Kind))
def test_spot_equity_and_option_are_paid_up_front_and_only_the_inverse_contract_is_valued_in_its_coin(
    kind: Kind,
) -> None:
    """Of the others only P&L moves in cash."""
    instrument = Instrument("X", kind, Decimal(7))

    assert instrument.paid_up_front == (kind in {Kind.SPOT, Kind.EQUITY, Kind.OPTION})
    assert instrument.contract == Contract(Decimal(7), inverse=kind is Kind.INVERSE, currency="USD")


BEFORE = Instrument("ES", Kind.FUTURE, Decimal(50), declared=True, sequence=3)


@pytest.mark.parametrize(
    ("after", "field", "was", "now"),
    [
        (BEFORE._replace(kind=Kind.PERPETUAL), "kind", "FUTURE", "PERPETUAL"),
        (BEFORE._replace(multiplier=Decimal(5)), "multiplier", "50", "5"),
        (BEFORE._replace(quote_currency="EUR"), "quote_currency", "USD", "EUR"),
        (BEFORE._replace(settlement_currency="BTC"), "settlement_currency", "USD", "BTC"),
    ],
)
def test_what_open_lots_are_valued_by_does_not_change_under_them(
    after: Instrument, field: str, was: str, now: str
) -> None:
    """Once they are closed it may."""
    with pytest.raises(InstrumentInUse, match=f"{field} {was}, so it cannot become {now}") as refused:
        check_change(BEFORE, after, Decimal("2.50"))

    assert refused.value.metadata == {"symbol": "ES", "field": field, "open_quantity": "2.5"}
    check_change(BEFORE, after, Decimal(0))


def test_what_does_not_value_lots_may_change_under_them() -> None:
    """Steps, names, the same multiplier with more digits, and that it was declared at all."""
    after = BEFORE._replace(
        multiplier=Decimal("50.0"), price_step=Decimal("0.25"), base_currency="ES", expiry="2024-12-20", sequence=9
    )

    check_change(BEFORE._replace(declared=False), after, Decimal(1))

    assert differences(BEFORE, after) == ("base_currency", "price_step", "expiry")


@pytest.mark.parametrize(
    ("instrument", "price", "description"),
    [
        (Instrument("X"), "0", None),
        (Instrument("X"), "-0.10", "-0.1 is negative, which 'X' does not allow; "),
        (Instrument("CL", negative_prices=True), "-37.63", None),
        (Instrument("XBTUSD", Kind.INVERSE), "0.5", None),
        (Instrument("XBTUSD", Kind.INVERSE), "0", "0 is not greater than 0, and 'XBTUSD' is worth 1 / price"),
        (Instrument("XBTUSD", Kind.INVERSE), "-1", "-1 is not greater than 0, and 'XBTUSD' is worth 1 / price"),
    ],
)
def test_a_price_is_negative_only_where_that_is_allowed_and_an_inverse_contract_has_none_at_zero(
    instrument: Instrument, price: str, description: str | None
) -> None:
    """The caller's field is named."""
    violation = price_violation(instrument, "entry_price", Decimal(price))

    if description is None:
        assert violation is None
    else:
        assert isinstance(violation, Violation)
        assert violation.field == "entry_price"
        assert violation.description.startswith(description)
