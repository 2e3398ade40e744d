"""How Coinbase's API v3 is spoken to: with a token (JWT) for every request.

The token says who asks (``sub``), for what (``uri``: method, host and path, without the query), and for which two minutes. It is
signed with the key's private half: ES256 for an EC key in PEM, EdDSA for an Ed25519 key in base64. A refused token is the word
"Unauthorized", whatever is wrong with it; a clock that is off by more than the token lives is found by the ``Date`` of that answer.
"""

from __future__ import annotations

import base64
import binascii
import secrets

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lotkeeperd.brokers.http import Manners
from lotkeeperd.domain.times import NANOSECONDS
from lotkeeperd.service.references import Secret

LIFETIME_SECONDS = 120
"""Of a token: the longest that Coinbase takes."""
_ED25519_BYTES = (32, 64)
"""The private half alone, or with the public one behind."""


class WrongKey(ValueError):
    """The secret is no key that Coinbase gives out; the message does not repeat it."""


class CoinbaseManners(Manners):
    """Name and private half of one key. Raises WrongKey."""

    name = "coinbase"

    def __init__(self, key: Secret, secret: Secret) -> None:
        self._key = key
        self._secret = secret
        self._private = _private_key(secret.text)
        self._algorithm = "EdDSA" if isinstance(self._private, Ed25519PrivateKey) else "ES256"

    def signed(self, host: str, path: str, query: str, now: int) -> dict[str, str]:  # noqa: ARG002 - a token is for the path
        """One token, for this request alone."""
        seconds = now // NANOSECONDS
        claims = {
            "sub": self._key.text,
            "iss": "cdp",
            "nbf": seconds,
            "exp": seconds + LIFETIME_SECONDS,
            "uri": f"GET {host}{path}",
        }
        headers = {"kid": self._key.text, "nonce": secrets.token_hex()}
        return {"Authorization": f"Bearer {jwt.encode(claims, self._private, self._algorithm, headers)}"}

    def secrets(self) -> tuple[str, ...]:
        """The name as well: it is what the key is asked for by."""
        return self._key.text, self._secret.text


def _private_key(text: str) -> EllipticCurvePrivateKey | Ed25519PrivateKey:
    """PEM, whose line ends may be written as two characters where an environment variable holds one line; or base64."""
    written = text.replace("\\n", "\n").strip()
    try:
        if not written.startswith("-----BEGIN"):
            return _ed25519(written)
        key = load_pem_private_key(written.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Libraries repeat in their messages what they could not read.
        raise WrongKey("is neither an EC key in PEM nor an Ed25519 key in base64") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise WrongKey(f"is a {type(key).__name__}; Coinbase takes EC keys on P-256 and Ed25519 keys")


def _ed25519(written: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b64decode("".join(written.split()), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if len(raw) not in _ED25519_BYTES:
        raise ValueError("another length")
    return Ed25519PrivateKey.from_private_bytes(raw[:32])
