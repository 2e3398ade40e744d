"""Alpaca's trading API v2: account, positions, activities, with every documented field.

Positions come in one answer. Activities come in pages of at most 100 (the default), after the last id that was seen. A crypto
pair is spelled without a stroke in positions, with one in activities.
"""

from decimal import Decimal

from lotkeeperd.domain.times import iso, moment
from tests.support.brokers.account import KEY, SECRET, Answer, Asked, FakeAccount, Fill, Position, answered

MOST_PER_PAGE = 100
CRYPTO = "crypto"


class FakeAlpaca(FakeAccount):
    """One account; ``part`` of a position is its asset class, us_equity when it is left out.

    ``most_per_page`` is how many activities come at once, whatever more is asked for.
    """

    default_part = "us_equity"
    default_kind = "fill"
    most_per_page = MOST_PER_PAGE

    def page_of(self, asked: Asked) -> int:
        """Pages are named by an id: how many came before."""
        token = asked.parameters.get("page_token")
        if token is None:
            return 1
        place = next((index for index, fill in enumerate(self._activities(asked)) if activity_id(fill) == token), 0)
        return (place + 1) // self._size(asked) + 1

    def refusal(self, asked: Asked) -> Answer | None:
        """Both headers must be right."""
        given = asked.headers.get("apca-api-key-id"), asked.headers.get("apca-api-secret-key")
        return None if given == (KEY, SECRET) else self.expired_key()

    def content(self, asked: Asked) -> Answer:
        """The three endpoints."""
        if asked.path == "/v2/account":
            return answered(self._account())
        if asked.path == "/v2/positions":
            return answered([_position(each) for each in self.positions])
        if asked.path.startswith("/v2/account/activities"):
            return answered([_activity(fill) for fill in self._page(asked)])
        return answered({"code": 40410000, "message": "endpoint not found."}, 404)

    def empty(self, asked: Asked) -> Answer:
        """No rows; the account's own figures stay what they are."""
        return answered(self._account() if asked.path == "/v2/account" else [])

    def failure(self, status: int) -> Answer:
        """An error of Alpaca's."""
        return answered({"code": status * 100_000, "message": "internal server error occurred"}, status)

    def too_many(self, seconds: int | None) -> Answer:
        """The rate limit."""
        headers = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}
        more = {} if seconds is None else {"Retry-After": str(seconds)}
        return answered({"code": 42910000, "message": "rate limit exceeded"}, 429, headers | more)

    def wrong_signature(self, asked: Asked) -> Answer:
        """Nothing is signed; a wrong secret is not told from a wrong key, and the key is repeated."""
        key = asked.headers.get("apca-api-key-id")
        return answered({"code": 40310000, "message": f"access key verification failed : {key} not found"}, 403)

    def expired_key(self) -> Answer:
        """Wrong and expired keys alike."""
        return answered({"code": 40110000, "message": "request is not authorized"}, 401)

    def _activities(self, asked: Asked) -> list[Fill]:
        after = moment(asked.parameters.get("after", "")) or 0
        kept = [fill for fill in self.fills if fill.time > after]
        kept.sort(key=activity_id, reverse=asked.parameters.get("direction", "desc") == "desc")
        return kept

    def _page(self, asked: Asked) -> list[Fill]:
        kept, token = self._activities(asked), asked.parameters.get("page_token")
        ids = [activity_id(fill) for fill in kept]
        start = ids.index(token) + 1 if token in ids else 0
        return kept[start : start + self._size(asked)]

    def _size(self, asked: Asked) -> int:
        return min(int(asked.parameters.get("page_size", MOST_PER_PAGE)), self.most_per_page)

    def _account(self) -> dict[str, object]:
        cash = self.cash.get("USD", "0")
        long = sum((_value(each) for each in self.positions if each.quantity > 0), Decimal(0))
        short = sum((_value(each) for each in self.positions if each.quantity < 0), Decimal(0))
        equity = str(Decimal(cash) + long + short)
        return {
            "id": "1d5493c9-ea39-4377-aa94-340734c368ae",
            "admin_configurations": {},
            "user_configurations": None,
            "account_number": "PA31NSUOFYX1",
            "status": "ACTIVE",
            "crypto_status": "ACTIVE",
            "options_approved_level": 2,
            "options_trading_level": 2,
            "currency": "USD",
            "buying_power": equity,
            "regt_buying_power": equity,
            "daytrading_buying_power": "0",
            "effective_buying_power": equity,
            "non_marginable_buying_power": cash,
            "options_buying_power": cash,
            "bod_dtbp": "0",
            "cash": cash,
            "accrued_fees": "0",
            "portfolio_value": equity,
            "pattern_day_trader": False,
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "created_at": "2024-03-01T12:00:00.000000Z",
            "trade_suspended_by_user": False,
            "multiplier": "2",
            "shorting_enabled": True,
            "equity": equity,
            "last_equity": equity,
            "long_market_value": str(long),
            "short_market_value": str(short),
            "position_market_value": str(abs(long) + abs(short)),
            "initial_margin": "0",
            "maintenance_margin": "0",
            "last_maintenance_margin": "0",
            "sma": "0",
            "daytrade_count": 0,
            "balance_asof": "2026-01-02",
            "crypto_tier": 1,
            "intraday_adjustments": "0",
            "pending_reg_taf_fees": "0",
        }


def activity_id(fill: Fill) -> str:
    """The time to the millisecond, and the id: ids sort by time."""
    at = iso(fill.time)
    return "".join(sign for sign in at[:23] if sign.isdigit()) + f"::{fill.id}"


def _value(position: Position) -> Decimal:
    return position.quantity * Decimal(position.average)


def _position(position: Position) -> dict[str, object]:
    value = str(_value(position))
    return {
        "asset_id": "904837e3-3b76-47ec-b432-046db621571b",
        "symbol": position.symbol.replace("/", "") if position.part == CRYPTO else position.symbol,
        "exchange": "CRYPTO" if position.part == CRYPTO else "NASDAQ",
        "asset_class": position.part,
        "asset_marginable": position.part != CRYPTO,
        "qty": str(position.quantity),
        "qty_available": str(position.quantity - position.hold),
        "avg_entry_price": position.average,
        "side": "long" if position.quantity > 0 else "short",
        "market_value": value,
        "cost_basis": value,
        "unrealized_pl": "0",
        "unrealized_plpc": "0",
        "unrealized_intraday_pl": "0",
        "unrealized_intraday_plpc": "0",
        "current_price": position.average,
        "lastday_price": position.average,
        "change_today": "0",
    }


def _activity(fill: Fill) -> dict[str, object]:
    return {
        "activity_type": "FILL",
        "id": activity_id(fill),
        "cum_qty": fill.quantity,
        "leaves_qty": "0",
        "price": fill.price,
        "qty": fill.quantity,
        "side": fill.side,
        "symbol": fill.symbol,
        "transaction_time": iso(fill.time),
        "order_id": fill.order_id,
        "type": fill.kind,
        "order_status": "filled" if fill.kind == "fill" else "partially_filled",
    }
