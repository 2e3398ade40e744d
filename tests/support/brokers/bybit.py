"""Bybit's API v5: positions, executions and the wallet of a unified account, with every documented field.

Failures are HTTP 200 with a ``retCode``. A signature is checked over the query as it came in, a cursor comes encoded already,
positions come 20 to a page unless more are asked for (at most 200), executions newest first, 50 (at most 100) to a page, of at
most seven days.
"""

import hashlib
import hmac
from decimal import Decimal
from urllib.parse import quote

from tests.support.brokers.account import KEY, SECRET, Answer, Asked, FakeAccount, Fill, Position, answered, page

MILLISECOND = 1_000_000
WEEK_MS = 7 * 86_400_000
DEFAULT_POSITIONS, MOST_POSITIONS = 20, 200
DEFAULT_EXECUTIONS, MOST_EXECUTIONS = 50, 100
AHEAD_MS = 1_000
"""How far a request's time may be ahead of Bybit's."""


class FakeBybit(FakeAccount):
    """One unified account; ``part`` is the category, linear when it is left out. Spot is held as a coin."""

    default_part = "linear"
    default_kind = "Trade"

    def page_of(self, asked: Asked) -> int:
        """By the cursor's offset and the page's size."""
        return _start(asked) // _size(asked) + 1

    def refusal(self, asked: Asked) -> Answer | None:
        """The time first, then the key, then the signature over time, key, window and query."""
        sent, window = int(asked.headers["x-bapi-timestamp"]), int(asked.headers["x-bapi-recv-window"])
        now = self.now() // MILLISECOND
        if not now - window <= sent < now + AHEAD_MS:
            said = f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]"
            return self._said(
                10002, f"invalid request, please check your server timestamp or recv_window param. {said}"
            )
        if asked.headers["x-bapi-api-key"] != KEY:
            return self._said(10003, "API key is invalid.")
        if not hmac.compare_digest(asked.headers["x-bapi-sign"], _signature(_signed(asked))):
            return self.wrong_signature(asked)
        return None

    def content(self, asked: Asked) -> Answer:
        """The three endpoints."""
        if asked.path == "/v5/position/list":
            return self._positions(asked)
        if asked.path == "/v5/execution/list":
            return self._executions(asked)
        if asked.path == "/v5/account/wallet-balance":
            return self._said(0, "OK", {"list": [self._wallet()]})
        return answered({"retCode": 404, "retMsg": "not found"}, 404)

    def empty(self, asked: Asked) -> Answer:
        """No rows and no error."""
        if asked.path == "/v5/account/wallet-balance":
            return self._said(0, "OK", {"list": []})
        return self._said(0, "OK", {"list": [], "nextPageCursor": "", "category": asked.parameters["category"]})

    def failure(self, status: int) -> Answer:
        """Bybit's front answers with its own page; 200 stands for an error inside, with an empty result."""
        if status == 200:
            return self._said(10016, "Internal server error.", {})
        return Answer(status, b"upstream connect error or disconnect/reset before headers")

    def too_many(self, seconds: int | None) -> Answer:
        """HTTP 200, and the moment from which it will answer again."""
        headers = {"X-Bapi-Limit": "50", "X-Bapi-Limit-Status": "0"}
        if seconds is not None:
            headers["X-Bapi-Limit-Reset-Timestamp"] = str(self.now() // MILLISECOND + 1000 * seconds)
        said = self._said(10006, "Too many visits. Exceeded the API Rate Limit.")
        return said._replace(headers=headers)

    def wrong_signature(self, asked: Asked) -> Answer:
        """Bybit repeats what should have been signed, the key included."""
        return self._said(10004, f"error sign! origin_string[{_signed(asked)}]")

    def expired_key(self) -> Answer:
        """A key that is over."""
        return self._said(33004, "Your api key has expired.")

    def _said(self, code: int, message: str, result: object = None) -> Answer:
        time = self.now() // MILLISECOND
        return answered({"retCode": code, "retMsg": message, "result": result or {}, "retExtInfo": {}, "time": time})

    def _positions(self, asked: Asked) -> Answer:
        category, settle = asked.parameters["category"], asked.parameters.get("settleCoin")
        if category == "linear" and not settle and "symbol" not in asked.parameters:
            return self._said(
                10001, "params error: Missing some parameters that must be filled in, symbol or settleCoin"
            )
        rows = [
            _position(each)
            for each in self.positions
            if each.part == category and (settle is None or _settles(each) == settle)
        ]
        return self._paged(asked, category, rows)

    def _executions(self, asked: Asked) -> Answer:
        category = asked.parameters["category"]
        now = self.now() // MILLISECOND
        start = int(asked.parameters.get("startTime", now - WEEK_MS))
        end = int(asked.parameters.get("endTime", start + WEEK_MS))
        if end - start > WEEK_MS:
            return self._said(10001, "The time range between startTime and endTime cannot exceed 7 days")
        base = asked.parameters.get("baseCoin", "BTC" if category == "option" else "")
        rows = [
            _execution(fill)
            for fill in sorted(self.fills, key=lambda fill: fill.time, reverse=True)
            if fill.part == category and start <= fill.time // MILLISECOND <= end and fill.symbol.startswith(base)
        ]
        return self._paged(asked, category, rows)

    def _paged(self, asked: Asked, category: str, rows: list[dict[str, object]]) -> Answer:
        shown, following = page(rows, _start(asked), _size(asked))
        cursor = "" if following is None else quote(f"row:{following},row:{following}")
        return self._said(0, "OK", {"list": list(shown), "nextPageCursor": cursor, "category": category})

    def _wallet(self) -> dict[str, object]:
        spot = {each.symbol: each for each in self.positions if each.part == "spot"}
        coins = [_coin(symbol, str(each.quantity), "0") for symbol, each in spot.items()]
        # What derivatives bind is told with the money they are settled in.
        bound = any(each.part in {"linear", "inverse"} for each in self.positions)
        coins += [_coin(currency, amount, "25.5" if bound else "0") for currency, amount in self.cash.items()]
        if bound and not self.cash:
            coins.append(_coin("USDT", "0", "25.5"))
        return {
            "totalEquity": "3.31216591",
            "accountIMRate": "0",
            "totalMarginBalance": "3.00326056",
            "totalInitialMargin": "0",
            "accountType": "UNIFIED",
            "totalAvailableBalance": "3.00326056",
            "accountMMRate": "0",
            "totalPerpUPL": "0",
            "totalWalletBalance": "3.00326056",
            "accountLTV": "0",
            "totalMaintenanceMargin": "0",
            "coin": coins,
        }


def _signature(signed: str) -> str:
    return hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _signed(asked: Asked) -> str:
    parts = (asked.headers[f"x-bapi-{name}"] for name in ("timestamp", "api-key", "recv-window"))
    return "".join(parts) + asked.query


def _start(asked: Asked) -> int:
    """A cursor goes back as it came: encoded once, or it is none of ours."""
    cursor = asked.parameters.get("cursor", "")
    return int(cursor.split("row:")[-1]) if cursor.startswith("row:") else 0


def _size(asked: Asked) -> int:
    executions = asked.path.startswith("/v5/execution")
    default = DEFAULT_EXECUTIONS if executions else DEFAULT_POSITIONS
    most = MOST_EXECUTIONS if executions else MOST_POSITIONS
    return min(int(asked.parameters.get("limit", default)), most)


def _settles(position: Position) -> str:
    return "USDC" if position.symbol.endswith("PERP") else "USDT" if position.part == "linear" else ""


def _position(position: Position) -> dict[str, object]:
    size = abs(position.quantity)
    return {
        "positionIdx": position.leg,
        "riskId": 1,
        "riskLimitValue": "150",
        "symbol": position.symbol,
        "side": "Buy" if position.quantity > 0 else "Sell" if position.quantity < 0 else "",
        "size": str(size),
        "avgPrice": position.average,
        "positionValue": str(size * Decimal(position.average)),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2,
        "leverage": "10",
        "positionBalance": "2500.00",
        "markPrice": position.average,
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": "250.00",
        "positionIM": "250.00",
        "tpslMode": "Full",
        "takeProfit": "0.00",
        "stopLoss": "0.00",
        "trailingStop": "0.00",
        "sessionAvgPrice": "",
        "delta": "",
        "gamma": "",
        "vega": "",
        "theta": "",
        "breakEvenPrice": position.average,
        "unrealisedPnl": "0",
        "curRealisedPnl": "0",
        "cumRealisedPnl": "0",
        "seq": 5_723_621_632,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": "1676538056258",
        "updatedTime": "1697673600012",
    }


def _execution(fill: Fill) -> dict[str, object]:
    return {
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "orderLinkId": "",
        "side": fill.side.capitalize(),
        "orderPrice": fill.price,
        "orderQty": fill.quantity,
        "leavesQty": "0",
        "createType": "CreateByUser",
        "orderType": "Limit",
        "stopOrderType": "UNKNOWN",
        "execFee": fill.fee,
        "execFeeV2": "",
        "execId": fill.id,
        "execPrice": fill.price,
        "execQty": fill.quantity,
        "execType": fill.kind,
        "execValue": str(Decimal(fill.quantity) * Decimal(fill.price)),
        "execTime": str(fill.time // MILLISECOND),
        "feeCurrency": fill.fee_currency,
        "isMaker": False,
        "feeRate": "0.0006",
        "tradeIv": "",
        "markIv": "",
        "markPrice": fill.price,
        "indexPrice": fill.price,
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": fill.closed,
        "seq": 4_688_002_127,
        "extraFees": "",
    }


def _coin(coin: str, balance: str, bound: str) -> dict[str, object]:
    return {
        "availableToBorrow": "",
        "bonus": "0",
        "accruedInterest": "0",
        "availableToWithdraw": "",
        "totalOrderIM": "0",
        "equity": balance,
        "totalPositionMM": "0",
        "usdValue": balance,
        "unrealisedPnl": "0",
        "collateralSwitch": True,
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "totalPositionIM": bound,
        "walletBalance": balance,
        "cumRealisedPnl": "0",
        "locked": "0",
        "marginCollateral": True,
        "coin": coin,
        "spotBorrow": "0",
    }
