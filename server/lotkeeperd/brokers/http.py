"""Requests that are signed, retried, held back and told without secrets.

Problem: a broker answers 429 and 500, signs refuse a machine whose clock is off, and error texts repeat what was sent: Bybit's
"error sign! origin_string[...]" holds the key. Chosen: an adapter says by ``Manners`` how its broker signs and what an answer
means; this module does everything else, for all of them:

    a 5xx, a 429 or a lost connection   is tried again, ATTEMPTS times in all; the broker's own Retry-After decides how long to
                                        wait, up to LONGEST_WAIT, and a random delay that doubles where it says nothing
    the clock                           is measured by every answer, and a refused signature is tried once more when this shows
                                        that our clock was wrong
    an error                            says what the broker said, cut, with everything secret taken out
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote

import httpx

from lotkeeperd.brokers.errors import MAX_SHOWN, KeysRefused, Unread
from lotkeeperd.brokers.payload import decoded
from lotkeeperd.brokers.port import Timing
from lotkeeperd.domain.times import NANOSECONDS, nanoseconds_of

ATTEMPTS = 4
"""Of one request, the first included."""
LONGEST_WAIT = 60.0
"""Seconds that a broker may ask us to wait; one that asks for more is not available now."""
FIRST_DELAY = 0.5
"""Seconds before the second attempt; it doubles, and is drawn from its upper half."""
LEAST_SIGNATURE = 8
"""Characters of a header that proves who we are; a shorter one is a version or a window, and no secret."""
TIMEOUT = httpx.Timeout(10.0, connect=5.0)

log = logging.getLogger(__name__)


class Verdict(Enum):
    """What an answer means."""

    FINE = "fine"
    AGAIN = "again"  # a fault of the moment
    LIMITED = "limited"  # too many requests
    REFUSED = "refused"  # the keys, the signature or its time
    FAILED = "failed"  # anything else: asking again would be answered alike


class Answer(NamedTuple):
    """One answer; ``body`` is None when it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: object


class _Outcome(NamedTuple):
    """One attempt: what it means, and what there is to read, to say or to wait for."""

    verdict: Verdict
    body: object = None
    words: str = ""
    wait: float | None = None


class Manners(ABC):
    """How one broker is spoken to; adapters override what their broker does otherwise.

    ``clock_step`` is how exact the time is that its answers tell, in nanoseconds: a whole second in an HTTP ``Date``.
    """

    name = "broker"
    clock_step = 2 * NANOSECONDS

    @abstractmethod
    def signed(self, host: str, path: str, query: str, now: int) -> dict[str, str]:
        """The headers that prove who asks for ``path``; ``now`` in nanoseconds UTC, by the broker's clock."""

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""

    def verdict(self, answer: Answer) -> Verdict:
        """By the status alone, and whether there is anything to read."""
        if answer.status in (401, 403):
            return Verdict.REFUSED
        if answer.status == 429:
            return Verdict.LIMITED
        if answer.status >= 500 or answer.status == 408:
            return Verdict.AGAIN
        if answer.status != 200:
            return Verdict.FAILED
        return Verdict.AGAIN if answer.body is None else Verdict.FINE

    def words(self, answer: Answer) -> str:
        """What the broker says, where it says it, uncut: what is secret in it is taken out first."""
        body = answer.body if isinstance(answer.body, dict) else {}
        said = next((body[key] for key in ("message", "error", "error_details") if body.get(key)), "")
        return f"HTTP {answer.status} {said}".rstrip()

    def time(self, answer: Answer) -> int | None:
        """The broker's clock when it answered, nanoseconds UTC."""
        return _date(answer.headers.get("date", ""))

    def wait(self, answer: Answer, now: int) -> float | None:
        """Seconds the broker asks us to wait."""
        said = answer.headers.get("retry-after", "")
        if said.isascii() and said.isdigit():
            return float(said)
        until = _date(said)
        return None if until is None else max(0.0, (until - now) / NANOSECONDS)


def _date(said: str) -> int | None:
    """Nanoseconds UTC of an HTTP date; None for anything else."""
    try:
        return nanoseconds_of(parsedate_to_datetime(said))
    except (ValueError, TypeError):
        return None


class Http:
    """GET requests to one broker, one after the other."""

    def __init__(self, url: str, manners: Manners, timing: Timing) -> None:
        base = httpx.URL(url)
        self._manners = manners
        self._timing = timing
        self._skew = 0
        self._signature: Mapping[str, str] = {}
        self._host = base.netloc.decode()
        self._base = base.path.rstrip("/")
        # Unencrypted is this machine alone (options.url): no proxy stands between, and no certificates are read.
        self._client = httpx.AsyncClient(
            base_url=f"{base.scheme}://{self._host}",
            timeout=TIMEOUT,
            trust_env=base.scheme == "https",
            verify=base.scheme == "https",
            headers={"Accept": "application/json", "User-Agent": "lotkeeper"},
        )

    def now(self) -> int:
        """Nanoseconds UTC by the broker's clock, as far as its answers told."""
        return self._timing.clock() + self._skew

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> object:
        """The JSON that ``path`` answers with. Raises Unread, and KeysRefused."""
        corrected = False
        for attempt in range(1, ATTEMPTS + 1):
            skew = self._skew
            outcome = await self._ask(path, query or {})
            if outcome.verdict is Verdict.FINE:
                return outcome.body
            why = f"{self._manners.name} GET {path}: {outcome.words}"
            if outcome.verdict is Verdict.FAILED:
                raise Unread(why)
            if outcome.verdict is not Verdict.REFUSED:
                await self._hold_back(why, attempt, outcome.wait)
            elif corrected or self._skew == skew:
                raise KeysRefused(why)
            else:
                corrected = True
        raise Unread(f"{self._manners.name} GET {path}: {ATTEMPTS} attempts were not enough")

    async def _ask(self, path: str, query: Mapping[str, str | int]) -> _Outcome:
        """One attempt."""
        # A cursor may come encoded already: what is a percent sign in it stays one. What is signed is what is sent.
        written = "&".join(f"{key}={quote(str(value), safe='%:,')}" for key, value in query.items())
        request = self._client.build_request("GET", self._base + path + (f"?{written}" if written else ""))
        sent = self._timing.clock()
        full, asked = self._base + path, request.url.query.decode()
        self._signature = self._manners.signed(self._host, full, asked, sent + self._skew)
        request.headers.update(self._signature)
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            # Its words may hold what was sent; for an address that does not answer they are the system's.
            said = str(error) if isinstance(error, httpx.ConnectError) else ""
            return _Outcome(Verdict.AGAIN, words=f"{type(error).__name__} {said}".rstrip())
        answer = Answer(response.status_code, response.headers, decoded(response.content))
        self._note_time(answer, sent, self._timing.clock())
        wait = self._manners.wait(answer, self.now())
        return _Outcome(self._manners.verdict(answer), answer.body, self._told(answer), wait)

    def _note_time(self, answer: Answer, sent: int, received: int) -> None:
        """Correct our clock by the broker's where they differ by more than can be told, half the way there and back included."""
        time = self._manners.time(answer)
        if time is None:
            return
        skew = time - (sent + received) // 2
        if abs(skew - self._skew) > self._manners.clock_step + (received - sent) // 2:
            log.warning(
                "%s: its clock and this machine's differ by %.1f s; signatures are corrected, the machine's clock should be",
                self._manners.name,
                skew / NANOSECONDS,
            )
            self._skew = skew

    async def _hold_back(self, why: str, attempt: int, wait: float | None) -> None:
        """Wait before the next attempt. Raises Unread when there is none, or the broker wants too long a wait."""
        if attempt == ATTEMPTS:
            raise Unread(f"{why}, {ATTEMPTS} times")
        if wait is None:
            wait = FIRST_DELAY * 2 ** (attempt - 1) * (0.5 + self._timing.random() / 2)
        if wait > LONGEST_WAIT:
            raise Unread(f"{why}; it asks to wait {wait:.0f} s, more than {LONGEST_WAIT:.0f}")
        log.info("%s; again in %.1f s", why, wait)
        await self._timing.sleep(wait)

    def _told(self, answer: Answer) -> str:
        return self._without_secrets(self._manners.words(answer))

    def _without_secrets(self, said: str) -> str:
        signature = (value for value in self._signature.values() if len(value) >= LEAST_SIGNATURE)
        for secret in (*self._manners.secrets(), *signature):
            said = said.replace(secret, "***")
        return said if len(said) <= MAX_SHOWN else f"{said[:MAX_SHOWN]}…"
