"""Coinbase Advanced Trade's API v3: accounts, fills and positions of US futures, with every documented field.

Each request brings a token (JWT, ES256 or EdDSA) that names it, is not yet valid for later and no longer than two minutes. Accounts
come 49 to a page unless more are asked for (at most 250), fills newest first and 100 to a page.
"""

from collections.abc import Callable
from decimal import Decimal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lotkeeperd.domain.times import iso, moment
from tests.support.brokers.account import Answer, Asked, FakeAccount, Fill, answered, page

KEY_NAME = "organizations/fake/apiKeys/fake-0123456789"
ROOT = "/api/v3/brokerage"
DEFAULT_ACCOUNTS, MOST_ACCOUNTS = 49, 250
DEFAULT_FILLS, MOST_FILLS = 100, 1_000
LEEWAY_SECONDS = 2
FIAT = frozenset({"USD", "EUR", "GBP"})
SPOT, FUTURES = "spot", "cfm"


class FakeCoinbase(FakeAccount):
    """One account. A position of part "spot" is a currency (BTC), one of part "cfm" a contract."""

    default_part = SPOT
    default_kind = "FILL"

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        key = ec.generate_private_key(ec.SECP256R1())
        self.secret = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        self.public: object = key.public_key()

    def page_of(self, asked: Asked) -> int:
        """By the cursor's offset and the page's size."""
        return _start(asked) // _size(asked) + 1

    def refusal(self, asked: Asked) -> Answer | None:
        """A token that we signed for this request, by this broker's clock."""
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(
                token,
                self.public,  # type: ignore[arg-type]
                algorithms=["ES256", "EdDSA"],
                issuer="cdp",
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return self.wrong_signature(asked)
        now = self.now() // 10**9
        named = claims["sub"] == KEY_NAME and claims["uri"] == f"GET {asked.host}{asked.path}"
        timely = claims["nbf"] - LEEWAY_SECONDS <= now <= claims["exp"] <= claims["nbf"] + 120
        return None if named and timely else self.wrong_signature(asked)

    def content(self, asked: Asked) -> Answer:
        """The three endpoints."""
        if asked.path == f"{ROOT}/accounts":
            rows = self._accounts()
            shown, following = page(rows, _start(asked), _size(asked))
            cursor = "" if following is None else f"row-{following}"
            return answered({"accounts": shown, "has_next": bool(cursor), "cursor": cursor, "size": len(shown)})
        if asked.path == f"{ROOT}/orders/historical/fills":
            shown, following = page([_fill(fill) for fill in self._fills(asked)], _start(asked), _size(asked))
            return answered({"fills": shown, "cursor": "" if following is None else f"row-{following}"})
        if asked.path == f"{ROOT}/cfm/positions":
            return answered({"positions": self._contracts()})
        return answered({"error": "NOT_FOUND", "error_details": "", "message": "not found"}, 404)

    def empty(self, asked: Asked) -> Answer:
        """No rows and no error."""
        if asked.path == f"{ROOT}/accounts":
            return answered({"accounts": [], "has_next": False, "cursor": "", "size": 0})
        return answered({"fills": [], "positions": [], "cursor": ""})

    def failure(self, status: int) -> Answer:
        """An error of Coinbase's."""
        return answered({"error": "INTERNAL", "error_details": "", "message": "internal server error"}, status)

    def too_many(self, seconds: int | None) -> Answer:
        """The rate limit."""
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return Answer(429, b"rate limit exceeded", headers)

    def wrong_signature(self, asked: Asked) -> Answer:  # noqa: ARG002 - Coinbase says nothing about it
        """One word, whatever is wrong."""
        return Answer(401, b"Unauthorized\n")

    def expired_key(self) -> Answer:
        """A key that was deleted, or may not view."""
        body = {
            "error": "PERMISSION_DENIED",
            "error_details": "Missing required scopes",
            "message": "Missing required scopes",
        }
        return answered(body, 403)

    def _accounts(self) -> list[dict[str, object]]:
        coins = [
            _account(each.symbol, each.quantity - each.hold, each.hold) for each in self.positions if each.part == SPOT
        ]
        return coins + [_account(currency, Decimal(amount), Decimal(0)) for currency, amount in self.cash.items()]

    def _fills(self, asked: Asked) -> list[Fill]:
        start = moment(asked.parameters.get("start_sequence_timestamp", "")) or 0
        return sorted(
            (fill for fill in self.fills if fill.time >= start), key=lambda fill: (fill.time, fill.id), reverse=True
        )

    def _contracts(self) -> list[dict[str, object]]:
        return [
            {
                "product_id": each.symbol,
                "expiration_time": "2030-12-20T17:00:00Z",
                "side": "LONG" if each.quantity > 0 else "SHORT",
                "number_of_contracts": str(abs(each.quantity)),
                "current_price": each.average,
                "avg_entry_price": each.average,
                "unrealized_pnl": "0",
                "daily_realized_pnl": "0",
            }
            for each in self.positions
            if each.part == FUTURES
        ]


def _start(asked: Asked) -> int:
    return int(asked.parameters.get("cursor", "row-0").removeprefix("row-"))


def _size(asked: Asked) -> int:
    accounts = asked.path.endswith("/accounts")
    default, most = (DEFAULT_ACCOUNTS, MOST_ACCOUNTS) if accounts else (DEFAULT_FILLS, MOST_FILLS)
    return min(int(asked.parameters.get("limit", default)), most)


def _account(currency: str, available: Decimal, hold: Decimal) -> dict[str, object]:
    return {
        "uuid": f"8bfc20d7-f7c6-4422-bf07-8243ca41{len(currency):04d}",
        "name": f"{currency} Wallet",
        "currency": currency,
        "available_balance": {"value": str(available), "currency": currency},
        "default": True,
        "active": True,
        "created_at": "2021-05-31T09:59:59Z",
        "updated_at": "2024-01-15T10:30:00Z",
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if currency in FIAT else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": str(hold), "currency": currency},
        "retail_portfolio_id": "b87a2e2c-3fd7-5f3b-9d6e-000000000000",
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def _fill(fill: Fill) -> dict[str, object]:
    return {
        "entry_id": fill.id,
        "trade_id": f"trade-{fill.id}",
        "order_id": fill.order_id,
        "trade_time": iso(fill.time),
        "trade_type": fill.kind,
        "price": fill.price,
        "size": fill.quantity,
        "commission": fill.fee,
        "product_id": fill.symbol,
        "sequence_timestamp": iso(fill.time),
        "liquidity_indicator": "TAKER",
        "size_in_quote": fill.in_quote,
        "user_id": "3333-333333-3333333",
        "side": fill.side.upper(),
        "retail_portfolio_id": "b87a2e2c-3fd7-5f3b-9d6e-000000000000",
        "fillSource": "FILL_SOURCE_CLOB",
        "commission_detail_total": {"total_commission": fill.fee},
    }
