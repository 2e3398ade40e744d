"""Amounts in another currency: exact one way, rounded once the other way, and never by a rate that nobody quoted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lotkeeperd.domain.rates import Pair, Pairs, Rate, convert, same

EURUSD = Rate("EUR", "USD", Decimal("1.0825"), 5, "oanda")
PAIRS = Pairs([Pair("EURUSD", "EUR", "USD"), Pair("USDJPY", "USD", "JPY")])


@pytest.mark.parametrize(
    ("amount", "price", "converted"),
    [
        ("100", "1.0825", "108.25"),
        ("-0.000000000000000001", "1.5", "-0.0000000000000000015"),
        ("0.123456789012345678", "1.000000000000000001", "0.123456789012345678123456789012345678"),
        ("0", "1.0825", "0"),
    ],
)
def test_base_to_quote_is_a_product_with_all_its_digits(amount: str, price: str, converted: str) -> None:
    """Law 1: products are kept whole."""
    assert convert(Decimal(amount), EURUSD._replace(price=Decimal(price))) == Decimal(converted)
    assert EURUSD.target == "USD"


@pytest.mark.parametrize(
    ("amount", "price", "converted"),
    [
        ("108.25", "1.0825", "100"),
        ("100", "3", "33.333333333333333333"),
        ("-200", "3", "-66.666666666666666667"),
        ("0.000000000000000001", "2", "0"),
        ("0.000000000000000003", "2", "0.000000000000000002"),
        ("0", "1.0825", "0"),
    ],
)
def test_quote_to_base_is_half_even_at_18_digits(amount: str, price: str, converted: str) -> None:
    """Law 1: the fourth division."""
    back = EURUSD._replace(price=Decimal(price), inverted=True)

    assert convert(Decimal(amount), back) == Decimal(converted)
    assert back.target == "EUR"


def test_a_pair_converts_either_way_round_by_the_one_mark() -> None:
    """The rate keeps the price as it was quoted, and says which way it is used."""
    there, back = PAIRS.between("EUR", "USD"), PAIRS.between("USD", "EUR")
    assert there is not None
    assert back is not None

    assert there.rate(Decimal("1.0825"), 5, "oanda") == EURUSD
    assert back.rate(Decimal("1.0825"), 5, "oanda") == EURUSD._replace(inverted=True)
    assert there.symbol == back.symbol == "EURUSD"


@pytest.mark.parametrize(("source", "target"), [("EUR", "JPY"), ("EUR", "GBP"), ("USD", "USD"), ("eur", "usd")])
def test_what_no_pair_quotes_has_no_rate(source: str, target: str) -> None:
    """Law 12: none is made up out of two others. One currency into itself needs none."""
    assert PAIRS.between(source, target) is None
    assert Pairs().between(source, target) is None


def test_a_currency_is_worth_one_of_itself() -> None:
    """So that a fee in the quote currency needs no case of its own."""
    assert same("USD", 5) == Rate("USD", "USD", Decimal(1), 5, "")
    assert convert(Decimal("-12.34"), same("USD")) == Decimal("-12.34")


def test_the_symbols_whose_marks_convert_are_known() -> None:
    """For whoever waits for a rate; one mark may serve several pairs, as a dollar coin's and the dollar's."""
    pairs = Pairs([Pair("BTC-USD", "BTC", "USD"), Pair("BTC-USD", "BTC", "USDC")])

    assert PAIRS.symbols == {"EURUSD", "USDJPY"}
    assert pairs.symbols == {"BTC-USD"}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (Pair("EUR/USD", "EUR", "USD"), "EUR/USD is there twice"),
        (Pair("USDEUR", "USD", "EUR"), "USD/EUR is there twice, either way round; keep one"),
        (Pair("USDUSD", "USD", "USD"), "USD/USD converts a currency into itself; leave it out"),
    ],
)
def test_pairs_that_contradict_each_other_are_refused(second: Pair, words: str) -> None:
    """Which of two marks counts would be anyone's guess."""
    with pytest.raises(ValueError, match=words):
        Pairs([Pair("EURUSD", "EUR", "USD"), second])


def test_a_pair_given_the_wrong_way_round_is_taken_as_it_is_quoted() -> None:
    """``inverted`` says how a pair is used, not what its mark means."""
    assert Pairs([Pair("EURUSD", "EUR", "USD", inverted=True)]).between("EUR", "USD") == Pair("EURUSD", "EUR", "USD")
