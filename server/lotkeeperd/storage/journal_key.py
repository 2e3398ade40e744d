"""The secret that keys the journal's chain, and what is stored of it.

Whoever can write into the database can write a journal that agrees with itself. What he cannot do without the key is make the
digests of the chain, so the key has to stand where he cannot read it: in the server's environment or in a file. Stored is a
fingerprint alone, so that a server or a ``verify`` with another key is told so before anything else.

Without a key the chain is keyed by the ledger's id, which anybody can read: that shows damage, not a forger's hand. Fingerprint
and chain use keys of their own, both derived from the secret; a short secret could be guessed from either, hence ``LEAST_BYTES``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from hmac import compare_digest

from lotkeeperd.service.references import BadReference, referred
from lotkeeperd.storage.engines import CannotStart

LEAST_BYTES = 16
"""Of a secret; ``openssl rand -hex 32`` prints 64."""

BY_ID = "id:"
BY_KEY = "key:"
"""What ``ledger.chain_key`` begins with: the id that keys the chain follows, or the secret's fingerprint."""


@dataclass(frozen=True, slots=True)
class JournalKey:
    """A secret; it is never shown."""

    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells this secret from another one."""
        return BY_KEY + _derived(self.secret, b"fingerprint").hex()

    @property
    def chain(self) -> bytes:
        """What the chain is keyed by."""
        return _derived(self.secret, b"chain")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return blake2b(secret, digest_size=32, person=b"lk." + purpose).digest()


def journal_key(setting: str, environment: Mapping[str, str] = os.environ) -> JournalKey | None:
    """The secret that ``env:NAME`` or ``file:PATH`` names; None for an empty setting. Raises CannotStart."""
    if not setting:
        return None
    try:
        secret = referred(setting, environment).value
    except BadReference as error:
        raise CannotStart(f"journal_key: {error}") from error
    if len(secret) < LEAST_BYTES:
        raise CannotStart(
            f"journal_key {setting}: {len(secret)} bytes are there, {LEAST_BYTES} or more are required; "
            "`openssl rand -hex 32` makes a good one"
        )
    return JournalKey(secret)


def new_chain_key(key: JournalKey | None, ledger_id: str) -> str:
    """What a ledger stores of the key that it is first started with."""
    return BY_ID + ledger_id if key is None else key.fingerprint


def chain_bytes(stored: str, key: JournalKey | None, name: str) -> bytes:
    """What the chain of the ledger ``name`` is keyed by, as it stored it. Raises CannotStart when ``key`` is not its key."""
    if stored.startswith(BY_ID):
        if key is not None:
            raise CannotStart(
                f"{name}: its journal is chained without a key, so journal_key does not fit; leave it out, "
                "or begin a new ledger with it"
            )
        return _derived(stored.removeprefix(BY_ID).encode(), b"chain")
    if not stored.startswith(BY_KEY):
        raise CannotStart(f"{name}: ledger.chain_key is {stored!r}, no key of a chain; restore the newest backup")
    if key is None:
        raise CannotStart(f"{name}: its journal is chained with a key; name it with journal_key")
    if not compare_digest(key.fingerprint, stored):
        raise CannotStart(f"{name}: its journal is chained with another key than journal_key names; name that one")
    return key.chain
