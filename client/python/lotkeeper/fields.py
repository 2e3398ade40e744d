"""A caller's values as fields of the contract: exact, or refused with the field's name before anything is sent.

A float was rounded when it was made, a naive datetime does not say which moment it is, and protobuf's own complaint
about an int in a text field names no field. Seen in bots: ``str(float)`` sends exponents, ``str(Decimal)`` does too
(``1E-8``), and order ids arrive as ints. Therefore every argument passes one of the functions here. What *can* be sent
is judged by the server alone, which names all broken fields at once: lengths, signs, digits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from lotkeeper.enums import OpenEnum
from lotkeeper.v1.ledger_pb2 import Money
from lotkeeper.values import Time

DecimalLike = Decimal | int | str
TimeLike = dt.datetime | int
DayLike = dt.date | str

LONGEST_NUMBER = 100  # digits; the contract takes 38, and 1E+999999999 as plain digits would fill the memory

_NANOSECONDS = 1_000_000_000
_LAST_NANOSECOND = 2**63 - 1
_LAST_INT32 = 2**31 - 1

_Enum = TypeVar("_Enum", bound=OpenEnum)


def decimal_text(field: str, value: DecimalLike | None) -> str:
    """``value`` as plain digits without an exponent, exactly; ``None`` is the empty string, a ``str`` goes as it is.

    Raises:
        TypeError: ``value`` is a float, a bool or no number at all.
        ValueError: ``value`` is not finite, or longer than any number the contract takes.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        raise TypeError(f"{field}: {value!r} is a float, rounded already; pass Decimal(str(x)), or the venue's text")
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"{field}: {value!r} is a {type(value).__name__}; pass a Decimal, an int or a str")
    return _plain(field, value)


def _plain(field: str, value: Decimal | int) -> str:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{field}: {value} is not a number the ledger can hold; pass a finite Decimal")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(number.adjusted()) > LONGEST_NUMBER or abs(exponent) > LONGEST_NUMBER:
        raise ValueError(
            f"{field}: a number of more than {LONGEST_NUMBER} digits; the ledger takes 20 before and 18 after the point"
        )
    return format(number, "f")


def optional_decimal(field: str, value: DecimalLike | None) -> str | None:
    """``value`` as ``decimal_text`` gives it; ``None`` leaves a field unset that the empty string would set.

    Raises:
        TypeError, ValueError: as ``decimal_text``.
    """
    return None if value is None else decimal_text(field, value)


def money(field: str, currency: str, amount: DecimalLike) -> Money:
    """An amount with its currency.

    Raises:
        TypeError, ValueError: as ``decimal_text`` and ``text``.
    """
    return Money(currency=text(f"currency of {field}", currency), amount=decimal_text(field, amount))


def moneys(field: str, amounts: Mapping[str, DecimalLike]) -> list[Money]:
    """``{currency: amount}`` as it is sent.

    Raises:
        TypeError, ValueError: as ``money``.
    """
    return [money(f"{field}[{currency!r}]", currency, amount) for currency, amount in amounts.items()]


def timestamp(field: str, value: TimeLike | None) -> Timestamp | None:
    """``value``, an aware datetime or int nanoseconds since 1970 UTC, without loss; ``None`` leaves the field unset.

    Raises:
        TypeError: ``value`` is neither.
        ValueError: the datetime is naive, or the time does not fit int64 nanoseconds (to the year 2262).
    """
    if value is None:
        return None
    nanoseconds = _nanoseconds(field, value)
    if abs(nanoseconds) > _LAST_NANOSECOND:
        raise ValueError(f"{field}: {value} is beyond int64 nanoseconds since 1970, which reach to the year 2262")
    seconds, nanos = divmod(nanoseconds, _NANOSECONDS)
    return Timestamp(seconds=seconds, nanos=nanos)


def _nanoseconds(field: str, value: TimeLike) -> int:
    if isinstance(value, dt.datetime):
        try:
            return Time.of(value)
        except ValueError as naive:
            raise ValueError(f"{field}: {naive}") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field}: {value!r} is no time; pass an aware datetime or int nanoseconds, as time.time_ns()")
    return value


def day(field: str, value: DayLike | None) -> str:
    """``value``, a date or its text, as text; ``None`` is the empty string, a ``str`` goes as it is.

    Raises:
        TypeError: ``value`` is neither; a datetime names a moment, which has another day in another zone.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise TypeError(f"{field}: {value!r} is no day; pass a datetime.date, or text such as '2025-12-19'")
    return value.isoformat()


def whole(field: str, value: int) -> int:
    """``value`` if it is an int that the contract can carry.

    Raises:
        TypeError: it is not an int.
        ValueError: it does not fit 32 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field}: {value!r} is a {type(value).__name__}; pass an int")
    if abs(value) > _LAST_INT32:
        raise ValueError(f"{field}: {value} is beyond {_LAST_INT32}; pass a smaller one")
    return value


def seconds(field: str, value: float) -> float:
    """``value`` if it is a time one can wait.

    Raises:
        ValueError: it is 0, negative, or for ever: a call without a deadline could hang a bot.
    """
    if not 0 < value < float("inf"):
        raise ValueError(f"{field}: {value} is not a time to wait; pass seconds, more than 0 and not infinite")
    return value


def duration(field: str, seconds: float | None) -> Duration | None:
    """``seconds`` as a Duration, to the nanosecond; ``None`` leaves the field unset.

    Raises:
        ValueError: it is negative or not finite.
    """
    if seconds is None:
        return None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{field}: {seconds} is not a duration; pass seconds, 0 or more")
    whole, nanos = divmod(round(seconds * _NANOSECONDS), _NANOSECONDS)
    return Duration(seconds=whole, nanos=nanos)


def text(field: str, value: str) -> str:
    """``value`` if it is text.

    Raises:
        TypeError: it is not; many venues number their orders with ints.
    """
    if not isinstance(value, str):
        raise TypeError(f"{field}: {value!r} is a {type(value).__name__}; pass str(...) of it")
    return value


def texts(field: str, values: Iterable[str]) -> list[str]:
    """``values`` if all of them are text, and not one text, whose letters would pass for many.

    Raises:
        TypeError: they are not.
    """
    if isinstance(values, str):
        raise TypeError(f"{field}: {values!r} is one str; pass a list of them, [{values!r}]")
    return [text(field, value) for value in values]


def optional_text(field: str, value: str | None) -> str | None:
    """``value`` if it is text; ``None`` leaves the field unset.

    Raises:
        TypeError: it is neither.
    """
    return None if value is None else text(field, value)


def labels(field: str, values: Mapping[str, str] | None) -> dict[str, str]:
    """``values`` if keys and values are text; ``None`` is no labels.

    Raises:
        TypeError: a key or a value is not text.
    """
    return {text(field, key): text(f"{field}[{key!r}]", value) for key, value in (values or {}).items()}


def member(field: str, kind: type[_Enum], value: _Enum) -> Any:
    """``value`` if it is a member of ``kind``: ``Side.SELL`` and ``PositionSide.SHORT`` are both 2, and not the same.

    Typed ``Any`` because the stubs want enum types of their own, while protobuf takes any int.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, kind):
        known = ", ".join(f"{kind.__name__}.{name}" for name in kind.__members__ if name != "UNSPECIFIED")
        raise TypeError(f"{field}: {value!r} is not a {kind.__name__}; pass one of {known}")
    return value


def optional_member(field: str, kind: type[_Enum], value: _Enum | None) -> Any:
    """``value`` as ``member`` takes it; ``None`` leaves the field unset.

    Raises:
        TypeError: it is neither.
    """
    return None if value is None else member(field, kind, value)


def optional_flag(field: str, value: bool | None) -> Any:
    """``value`` if it is a bool; ``None`` leaves the field unset. Typed ``Any`` because the stubs know no ``None`` here.

    Raises:
        TypeError: it is neither.
    """
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{field}: {value!r} is a {type(value).__name__}; pass True or False, or leave it out")
    return value
