"""How Bybit's API v5 is spoken to.

A request is signed over its time in milliseconds, the key, the window and the query as it is sent (HMAC-SHA256). Bybit refuses a
time that is more than a second ahead of its clock or older than the window, so its clock is what counts; every answer tells it. A
failure is HTTP 200 with a ``retCode``; 403 is not about keys but about too many requests from one address.
"""

from __future__ import annotations

import hashlib
import hmac

from lotkeeperd.brokers.http import Answer, Manners, Verdict
from lotkeeperd.brokers.payload import MILLISECOND
from lotkeeperd.domain.times import NANOSECONDS
from lotkeeperd.service.references import Secret

WINDOW_MS = 5_000
"""How old a request may be when it arrives."""

_AGAIN = frozenset({10000, 10016})
"""Timed out; internal error or restart."""
_LIMITED = frozenset({10006, 10018})
"""Too many requests: of the account, of the address."""
_REFUSED = frozenset({10002, 10003, 10004, 10005, 10007, 10009, 10010, 10024, 33004})
"""Time, key, signature, permission, login, address, region, expired."""
_BANNED_SECONDS = 600.0
"""What 403 asks for: the address is let in again after ten minutes."""


class BybitManners(Manners):
    """Key and secret of one account; the secret signs and is never sent."""

    name = "bybit"
    clock_step = NANOSECONDS // 4  # its answers tell milliseconds

    def __init__(self, key: Secret, secret: Secret) -> None:
        self._key = key
        self._secret = secret

    def signed(self, host: str, path: str, query: str, now: int) -> dict[str, str]:  # noqa: ARG002 - only the query is signed
        """The five headers."""
        time = str(now // MILLISECOND)
        origin = f"{time}{self._key.text}{WINDOW_MS}{query}"
        return {
            "X-BAPI-API-KEY": self._key.text,
            "X-BAPI-SIGN": hmac.new(self._secret.value, origin.encode(), hashlib.sha256).hexdigest(),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-TIMESTAMP": time,
            "X-BAPI-RECV-WINDOW": str(WINDOW_MS),
        }

    def secrets(self) -> tuple[str, ...]:
        """Both."""
        return self._key.text, self._secret.text

    def verdict(self, answer: Answer) -> Verdict:
        """By the status, then by the code inside."""
        if answer.status == 403:
            return Verdict.LIMITED
        code = _member(answer, "retCode")
        if answer.status != 200 or not isinstance(code, int):
            verdict = super().verdict(answer)
            return Verdict.FAILED if verdict is Verdict.FINE else verdict
        if code == 0:
            return Verdict.FINE
        if code in _REFUSED:
            return Verdict.REFUSED
        return Verdict.LIMITED if code in _LIMITED else Verdict.AGAIN if code in _AGAIN else Verdict.FAILED

    def words(self, answer: Answer) -> str:
        """The code and what goes with it."""
        code = _member(answer, "retCode")
        return super().words(answer) if code is None else f"retCode {code} {_member(answer, 'retMsg')}"

    def time(self, answer: Answer) -> int | None:
        """To the millisecond, in every answer of its own."""
        time = _member(answer, "time")
        return time * MILLISECOND if isinstance(time, int) else super().time(answer)

    def wait(self, answer: Answer, now: int) -> float | None:
        """Until the moment at which the limit is lifted."""
        if answer.status == 403:
            return _BANNED_SECONDS
        reset = answer.headers.get("x-bapi-limit-reset-timestamp", "")
        if not (reset.isascii() and reset.isdigit()):
            return super().wait(answer, now)
        return max(0.0, (int(reset) * MILLISECOND - now) / NANOSECONDS)


def _member(answer: Answer, key: str) -> object:
    return answer.body.get(key) if isinstance(answer.body, dict) else None
