"""What a caller may pass, and how it is refused."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeper import fields
from lotkeeper.enums import PositionSide, Side
from lotkeeper.values import Time

NEW_YORK = dt.timezone(dt.timedelta(hours=-5))


class WithNanoseconds(dt.datetime):
    """A datetime that keeps nanoseconds beside it, as pandas' does."""

    nanosecond = 789


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("0.00000001"), "0.00000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.50"), "1.50"),
        (Decimal("-0.000000000000000001"), "-0.000000000000000001"),
        (7, "7"),
        (-12345678901234567890, "-12345678901234567890"),
        ("0.10", "0.10"),
        ("what the venue sent", "what the venue sent"),
        (None, ""),
    ],
)
def test_a_decimal_is_sent_as_plain_digits(value: Decimal | int | str | None, sent: str) -> None:
    """No exponent, no rounding, and a text is the server's to judge."""
    assert fields.decimal_text("price", value) == sent


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**20), max_value=10**20))
def test_a_decimal_survives_the_wire(value: Decimal) -> None:
    """Whatever has 20 digits before and 18 after the point comes back equal."""
    assert Decimal(fields.decimal_text("price", value)) == value


def test_a_float_is_refused_with_the_way_out() -> None:
    """A float was rounded before the ledger ever saw it."""
    with pytest.raises(TypeError, match=r"^entry_price: 0\.1 is a float.*Decimal\(str\(x\)\)"):
        fields.decimal_text("entry_price", 0.1)  # type: ignore[arg-type] # the mistake under test


@pytest.mark.parametrize("value", [True, b"1", [1], 1j])
def test_what_is_no_number_is_refused_by_name(value: object) -> None:
    """A bool is an int to Python, and no quantity to anyone."""
    with pytest.raises(TypeError, match="^quantity: "):
        fields.decimal_text("quantity", value)  # type: ignore[arg-type] # the mistake under test


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused_by_name(value: str) -> None:
    """The ledger adds up what it is told."""
    with pytest.raises(ValueError, match="^fee: .*finite"):
        fields.decimal_text("fee", Decimal(value))


@pytest.mark.parametrize("value", [Decimal("1E+999999999"), Decimal("1E-999999999"), pytest.param(10**5000, id="int")])
def test_a_number_too_long_to_write_out_is_refused(value: Decimal | int) -> None:
    """As plain digits it would fill the memory."""
    with pytest.raises(ValueError, match="^quantity: .*more than 100 digits"):
        fields.decimal_text("quantity", value)


def test_a_time_keeps_its_nanoseconds() -> None:
    """An int is taken as it is, also before 1970."""
    late = fields.timestamp("entry_time", 1_700_000_000_123_456_789)
    early = fields.timestamp("entry_time", -1)
    assert late is not None
    assert early is not None
    assert (late.seconds, late.nanos) == (1_700_000_000, 123_456_789)
    assert (early.seconds, early.nanos) == (-1, 999_999_999)


def test_an_aware_datetime_is_taken_in_any_zone() -> None:
    """The moment counts, not the clock on the wall."""
    there = fields.timestamp("entry_time", dt.datetime(2024, 1, 1, 7, 0, 0, 1, tzinfo=NEW_YORK))
    here = fields.timestamp("entry_time", dt.datetime(2024, 1, 1, 12, 0, 0, 1, tzinfo=dt.UTC))
    assert there == here


@given(st.datetimes(min_value=dt.datetime(1700, 1, 1), max_value=dt.datetime(2262, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001 - the strategy adds the zone
def test_a_datetime_survives_the_wire(moment: dt.datetime) -> None:
    """To the microsecond, which is all it has."""
    sent = fields.timestamp("entry_time", moment)
    assert sent is not None
    assert Time(sent.seconds * 10**9 + sent.nanos).datetime == moment


def test_nanoseconds_beside_a_datetime_count() -> None:
    """They would be lost silently otherwise."""
    sent = fields.timestamp("entry_time", WithNanoseconds(2024, 1, 1, 12, 0, 0, 1, tzinfo=dt.UTC))
    assert sent is not None
    assert sent.nanos == 1_789


def test_a_naive_datetime_is_refused_by_name() -> None:
    """It says an hour, and not where."""
    with pytest.raises(ValueError, match=r"^exit_time: .*no time zone.*timezone\.utc"):
        fields.timestamp("exit_time", dt.datetime(2024, 1, 1, 12))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize("value", [1.5, True, "2024-01-01"])
def test_what_is_no_time_is_refused_by_name(value: object) -> None:
    """A float of seconds has lost its nanoseconds already."""
    with pytest.raises(TypeError, match=r"^exit_time: .*time\.time_ns"):
        fields.timestamp("exit_time", value)  # type: ignore[arg-type] # the mistake under test


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, dt.datetime(2300, 1, 1, tzinfo=dt.UTC)])
def test_a_time_beyond_int64_is_refused(value: int | dt.datetime) -> None:
    """Often milliseconds were meant, and nanoseconds multiplied twice."""
    with pytest.raises(ValueError, match="^exit_time: .*int64"):
        fields.timestamp("exit_time", value)


def test_an_int_is_no_text() -> None:
    """Venues number their orders; the ledger keeps their text."""
    with pytest.raises(TypeError, match="^order_id: 12345 is a int; pass str"):
        fields.text("order_id", 12345)  # type: ignore[arg-type] # the mistake under test


def test_one_text_is_no_list() -> None:
    """Its letters would be taken for symbols."""
    with pytest.raises(TypeError, match=r"^symbols: 'BTC' is one str; pass a list of them, \['BTC'\]"):
        fields.texts("symbols", "BTC")


def test_labels_are_text_by_text() -> None:
    """A confidence of 0.7 is passed as the caller wants to read it again."""
    with pytest.raises(TypeError, match=r"^labels\['confidence'\]: 0\.7"):
        fields.labels("labels", {"confidence": 0.7})  # type: ignore[dict-item] # the mistake under test


def test_the_wrong_enum_is_refused_though_its_number_fits() -> None:
    """``PositionSide.SHORT`` and ``Side.SELL`` are both 2."""
    with pytest.raises(TypeError, match=r"^side: .*pass one of Side\.BUY, Side\.SELL$"):
        fields.member("side", Side, PositionSide.SHORT)


def test_left_out_is_not_the_same_as_empty() -> None:
    """An empty text would take the place of what was recorded."""
    assert fields.optional_decimal("fee", None) is None
    assert fields.optional_decimal("fee", 0) == "0"
    assert fields.optional_text("description", None) is None
    assert fields.optional_text("description", "") == ""
    assert fields.optional_member("side", Side, None) is None
    assert fields.optional_flag("long_only", None) is None
    assert fields.optional_flag("long_only", False) is False


@pytest.mark.parametrize(
    ("convert", "wrong"),
    [
        (fields.optional_decimal, 0.1),
        (fields.optional_text, 1),
        (lambda field, value: fields.optional_member(field, Side, value), PositionSide.LONG),
        (fields.optional_flag, "no"),
    ],
)
def test_what_is_given_is_checked_as_ever(convert: Callable[[str, Any], object], wrong: object) -> None:
    """By the name of its field."""
    with pytest.raises(TypeError, match="^field: "):
        convert("field", wrong)


def test_money_is_an_amount_and_a_currency() -> None:
    """In the order it was given; a zero is an amount."""
    sent = fields.moneys("initial_cash", {"USD": Decimal("1E+3"), "EUR": 0})
    assert [(money.currency, money.amount) for money in sent] == [("USD", "1000"), ("EUR", "0")]
    with pytest.raises(TypeError, match=r"^initial_cash\['USD'\]: 0\.1 is a float"):
        fields.moneys("initial_cash", {"USD": 0.1})  # type: ignore[dict-item] # the mistake under test


@pytest.mark.parametrize(
    ("value", "sent"),
    [(dt.date(2025, 12, 19), "2025-12-19"), ("today", "today"), ("what was said", "what was said"), (None, "")],
)
def test_a_day_is_a_date_or_its_text(value: dt.date | str | None, sent: str) -> None:
    """A text is the server's to judge."""
    assert fields.day("day", value) == sent


@pytest.mark.parametrize("value", [dt.datetime(2025, 12, 19, tzinfo=dt.UTC), 20251219])
def test_a_moment_is_no_day(value: object) -> None:
    """It has another one in another zone."""
    with pytest.raises(TypeError, match=r"^day: .*pass a datetime\.date"):
        fields.day("day", value)  # type: ignore[arg-type] # the mistake under test


def test_a_whole_number_is_an_int_that_fits() -> None:
    """Protobuf's own complaint would name no field."""
    assert fields.whole("numerator", 3) == 3
    for wrong in (1.0, True, "3"):
        with pytest.raises(TypeError, match="^numerator: .*pass an int"):
            fields.whole("numerator", wrong)  # type: ignore[arg-type] # the mistake under test
    with pytest.raises(ValueError, match="^numerator: 2147483648 is beyond 2147483647"):
        fields.whole("numerator", 2**31)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_a_call_waits_neither_never_nor_for_ever(seconds: float) -> None:
    """A call without a deadline could hang a bot."""
    with pytest.raises(ValueError, match="^timeout: "):
        fields.seconds("timeout", seconds)


def test_an_interval_is_sent_to_the_nanosecond() -> None:
    """0.1 s is 100 ms, whatever its binary digits are."""
    sent = fields.duration("min_update_interval", 0.1)
    assert sent is not None
    assert sent.ToNanoseconds() == 100_000_000
    assert fields.duration("min_update_interval", None) is None


@pytest.mark.parametrize("seconds", [-0.1, float("inf"), float("nan")])
def test_what_is_no_interval_is_refused_by_name(seconds: float) -> None:
    """Time does not run backwards."""
    with pytest.raises(ValueError, match="^heartbeat_interval: "):
        fields.duration("heartbeat_interval", seconds)
