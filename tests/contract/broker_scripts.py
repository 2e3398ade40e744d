"""A sidecar with an account at a broker on loopback, the same trades told to both, or to one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import lotkeeper
from lotkeeper import ReconcileMode, ReconcileResponse, Side
from lotkeeperd.storage.engines import database_url
from lotkeeperd.storage.verify import verify
from tests.contract.asking import fresh
from tests.support.brokers import FakeBrokers
from tests.support.brokers.account import FakeAccount
from tests.support.sidecar import Sidecar

MILLISECOND = 10**6
MINUTE = 60_000 * MILLISECOND
DAY = 1_440 * MINUTE

ACCOUNT, BOOK, OTHER = "desk", "swing", "scalp"

TABLE = """
[accounts.desk]
broker = "{kind}"
url = "{url}"
key = "env:FAKE_KEY"
secret = "env:FAKE_SECRET"
portfolios = [{portfolios}]
adopt_into = "swing"
believe_after = 0
answer_seconds = 20
at_start = false
every = 0
"""

SIDES = {"buy": Side.BUY, "sell": Side.SELL}


@dataclass(frozen=True)
class Trade:
    """One execution; ``ago`` is nanoseconds before the test began. Its own id is ``name``."""

    name: str
    side: str
    quantity: str
    price: str
    ago: int
    order_id: str = ""
    symbol: str = "AAPL"


class Operated:
    """What an operator has: the sidecar, its account, the broker."""

    def __init__(self, sidecar: Sidecar, ledger: lotkeeper.Ledger, broker: FakeAccount, database: Path) -> None:
        self.sidecar = sidecar
        self.ledger = ledger
        self.broker = broker
        self._database = database
        self._began = time.time_ns() // MILLISECOND * MILLISECOND

    def at(self, ago: int) -> int:
        """Nanoseconds UTC, whole milliseconds: no broker here tells finer ones."""
        return self._began - ago

    def recorded(self, *trades: Trade, portfolio: str = BOOK) -> None:
        """By the bot, under the ids that the broker gave."""
        for trade in trades:
            self.ledger.record_fill(
                portfolio_id=portfolio,
                symbol=trade.symbol,
                side=SIDES[trade.side],
                quantity=trade.quantity,
                price=trade.price,
                fill_id=self.fill_id(trade),
                order_id=trade.order_id or f"order-{trade.name}",
                fill_time=self.at(trade.ago),
            )

    def executed(self, *trades: Trade, **more: str) -> None:
        """At the broker; what it holds is told apart from that."""
        for trade in trades:
            self.broker.fill(
                trade.name,
                trade.symbol,
                trade.side,
                trade.quantity,
                trade.price,
                time=self.at(trade.ago),
                order_id=trade.order_id or f"order-{trade.name}",
                **more,  # type: ignore[arg-type]
            )

    def both(self, *trades: Trade) -> None:
        """Nobody missed anything."""
        self.recorded(*trades)
        self.executed(*trades)

    def fill_id(self, trade: Trade) -> str:
        """As the broker tells it."""
        return trade.name

    def looked(self) -> ReconcileResponse:
        """A dry run."""
        return self.ledger.reconcile(broker_account=ACCOUNT)

    def applied(self) -> ReconcileResponse:
        """Carried out, as far as the rules allow."""
        return self.ledger.reconcile(broker_account=ACCOUNT, mode=ReconcileMode.APPLY, request_id=fresh("apply-"))

    def held(self, portfolio: str = BOOK) -> dict[str, Decimal]:
        """Signed, by symbol, what is not flat."""
        positions = self.ledger.get_summary(portfolio_id=portfolio).positions
        signed = {one.symbol: one.total_quantity * (-1 if one.side.name == "SHORT" else 1) for one in positions}
        return {symbol: quantity for symbol, quantity in signed.items() if quantity}

    def realized(self, portfolio: str = BOOK) -> Decimal:
        """Net of every closed trade."""
        return sum((trade.net_pnl for trade in self.ledger.list_closed_trades(portfolio_id=portfolio)), Decimal(0))

    def verified(self) -> bool:
        """Law 13: what is stored is what the journal says."""
        return verify(database_url(str(self._database)), lambda *_: None).differences == []


class AtAlpaca(Operated):
    """Alpaca's ids are a time and an id."""

    def fill_id(self, trade: Trade) -> str:
        """As the fake makes it."""
        digits = lotkeeper_time(self.at(trade.ago))
        return f"{digits}::{trade.name}"


def lotkeeper_time(at: int) -> str:
    """The 17 digits before an activity's id."""
    whole, rest = divmod(at, 10**9)
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(whole)) + f"{rest // MILLISECOND:03}"


@contextmanager
def operated(
    folder: Path, fakes: FakeBrokers, kind: str = "alpaca", more: str = "", portfolios: tuple[str, ...] = (BOOK,)
) -> Iterator[Operated]:
    """A sidecar with the account at the broker of that kind; ``more`` are lines of its table."""
    path, database = folder / "lotkeeper.toml", folder / "lotkeeper.db"
    table = TABLE.format(kind=kind, url=fakes.url(kind), portfolios=", ".join(f'"{name}"' for name in portfolios))
    path.write_text(table + more, encoding="utf-8")
    broker: FakeAccount = {"alpaca": fakes.alpaca, "bybit": fakes.bybit}[kind]
    with (
        Sidecar(str(database), "--config", str(path)) as sidecar,
        lotkeeper.connect(sidecar.address, portfolio=BOOK) as ledger,
    ):
        yield (AtAlpaca if kind == "alpaca" else Operated)(sidecar, ledger, broker, database)
