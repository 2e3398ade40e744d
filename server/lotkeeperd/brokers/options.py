"""An account's options, read and checked before anything is asked.

Problem: a misspelt option would be ignored, and the account read with what is usual instead. Chosen: the reader notes which options
were asked for, and ``done`` refuses every other one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lotkeeperd.brokers.port import BadBroker
from lotkeeperd.service.references import BadReference, Secret, referred

_TOKEN = re.compile(rb"[!-~]+")
_URL = re.compile(r"(https?)://([^/\s?#@]+)(/[^\s?#]*)?")
_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?")


class Options:
    """What one account's table says for its broker; every method raises BadBroker."""

    def __init__(self, kind: str, table: Mapping[str, object], environment: Mapping[str, str]) -> None:
        self._kind = kind
        self._table = table
        self._environment = environment
        self._asked: set[str] = set()

    def __repr__(self) -> str:
        """Without values: somebody may have written a key among them."""
        return f"Options({self._kind!r})"

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something; required without a ``default``."""
        value = self._value(key, default)
        if not isinstance(value, str) or (not value and value != default):
            raise self.bad(key, "is not a text that says something")
        return value

    def texts(self, key: str, default: tuple[str, ...], choices: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts without repetition, among ``choices`` where there are some."""
        value = self._value(key, list(default))
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each for each in value):
            raise self.bad(key, 'is not a list of texts like ["linear"]')
        for each in value:
            if choices and each not in choices:
                raise self.bad(key, f"{each!r}; choose among {', '.join(choices)}")
        if len(set(value)) != len(value):
            raise self.bad(key, "names something twice")
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.bad(key, "is neither true nor false")
        return value

    def secret(self, key: str) -> Secret:
        """What ``env:NAME`` or ``file:PATH`` names; it must not be empty, and is text."""
        reference = self.text(key)
        try:
            secret = referred(reference, self._environment)
            empty = not secret.text.strip()
        except BadReference as error:
            raise self.bad(key, str(error)) from None
        if empty:
            raise self.bad(key, f"{reference}: nothing is there; put the key there, never into the configuration")
        return secret

    def token(self, key: str) -> Secret:
        """A secret that goes into a header: one word of printable ASCII, blanks around it taken off."""
        token = Secret(self.secret(key).value.strip())
        if not _TOKEN.fullmatch(token.value):
            raise self.bad(key, f"{self.text(key)}: what is there has a blank or another sign in it that no key has")
        return token

    def url(self, default: str) -> str:
        """The address that is asked, in place of the broker's own; encrypted but on this machine."""
        url = self.text("url", default).rstrip("/")
        match = _URL.fullmatch(url)
        if match is None:
            raise self.bad("url", f"{url!r} is not like https://host/path")
        if match[1] == "http" and not _LOOPBACK.fullmatch(match[2]):
            raise self.bad("url", f"{url!r} is not encrypted, which only this machine may be; use https://")
        return url

    def done(self) -> None:
        """Refuse what was not asked for."""
        for key in self._table:
            if key not in self._asked:
                raise self.bad(key, f"is no option of this broker; it has {', '.join(sorted(self._asked))}")

    def bad(self, key: str, rule: str) -> BadBroker:
        """Why the option ``key`` cannot be used."""
        return BadBroker(f'broker "{self._kind}", {key}: {rule}')

    def _value(self, key: str, default: object) -> object:
        self._asked.add(key)
        if key not in self._table and default is None:
            raise self.bad(key, "is missing, and this broker requires it")
        return self._table.get(key, default)
