"""Page tokens: where a read goes on, bound to the request it was made for and to this ledger.

A token is JSON with a keyed checksum. It is not a secret; the checksum is there so that a damaged or an invented one is
refused instead of read. What a page was selected by goes in as a fingerprint, without the page size, which may change.
"""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import blake2b
from typing import Any

from lotkeeperd.domain.refusals import InvalidPageToken

DIGEST = 8


class PageTokens:
    """Makes and reads the tokens of one ledger."""

    def __init__(self, ledger_id: str) -> None:
        self._key = ledger_id.encode()

    def make(self, asked: tuple[Any, ...], *where: Any) -> str:
        """A token for the page after ``where`` of what was ``asked``."""
        body = json.dumps([self._fingerprint(asked), *where], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._digest(body) + body).decode()

    def read(self, token: str, asked: tuple[Any, ...]) -> list[Any]:
        """Where to go on. Raises InvalidPageToken."""
        try:
            raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidPageToken("malformed", "it is not a token of this ledger") from error
        digest, body = raw[:DIGEST], raw[DIGEST:]
        if digest != self._digest(body):
            raise InvalidPageToken("malformed", "it is not a token of this ledger")
        fingerprint: str
        where: list[Any]
        fingerprint, *where = json.loads(body)
        if fingerprint != self._fingerprint(asked):
            raise InvalidPageToken("other_request", "it was made for another request")
        return where

    def _digest(self, body: bytes) -> bytes:
        return blake2b(body, digest_size=DIGEST, key=self._key).digest()

    def _fingerprint(self, asked: tuple[Any, ...]) -> str:
        # The order of a set differs from process to process, and a token is good in the next one too.
        parts = [sorted(map(str, part)) if isinstance(part, frozenset) else part for part in asked]
        return blake2b(repr((type(asked).__name__, parts)).encode(), digest_size=DIGEST).hexdigest()
