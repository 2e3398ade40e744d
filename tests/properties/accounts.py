"""Random lives of accounts: what a seed makes of executions, events, corrections and terms, step by step.

A life is told by a ``Random`` and not by hypothesis: each step depends on what the ledger answered before, and a whole life is
one transaction per step on a real database. Its seed tells it again.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

from lotkeeperd.domain.accounts import CashEvent, DefineInstrument, Flow, PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import Direction, LotMethod
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Instrument, Kind, Right
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.ports import AnyCommand
from tests.storage.ledgers import NOW, BareLedger

SECOND = 1_000_000_000

INSTRUMENTS = (
    Instrument("STOCK", Kind.EQUITY, declared=True),
    Instrument("STOCK2", Kind.EQUITY, declared=True),
    Instrument("COIN", Kind.SPOT, base_currency="BTC", declared=True),
    Instrument("PERP", Kind.PERPETUAL, Decimal("0.1"), declared=True),
    Instrument("INV", Kind.INVERSE, Decimal(10), "BTC", "USD", "BTC", declared=True),
    Instrument(
        "CALL",
        Kind.OPTION,
        Decimal(100),
        underlying="STOCK",
        expiry="2030-01-18",
        strike=Decimal(50),
        right=Right.CALL,
        declared=True,
    ),
)


def _by(method: LotMethod) -> dict[str, object]:
    return {"lot_method": method}


PORTFOLIOS: tuple[tuple[str, dict[str, object]], ...] = (
    *[(method.value.lower(), _by(method)) for method in LotMethod],
    ("hedging", {"position_mode": PositionMode.HEDGING}),
    ("long-only", {"long_only": True}),
    ("later", {"fees_later": True, "initial_cash": (("EUR", Decimal(7)), ("USD", Decimal(1000)))}),
)


class Life:
    """One ledger's life, told by a seed; ``refused`` counts what it would not take."""

    def __init__(self, ledger: BareLedger, seed: int) -> None:
        self.ledger = ledger
        self.random = Random(seed)
        self.steps = self.refused = 0
        self.fills: list[tuple[str, str, str]] = []
        ledger.all_taken(*(DefineInstrument(instrument, f"i-{instrument.symbol}") for instrument in INSTRUMENTS))
        ledger.all_taken(*(_created(name, terms) for name, terms in PORTFOLIOS))
        ledger.rates[("EUR", "USD")] = Rate("EUR", "USD", Decimal("1.1"), NOW, "desk")

    def live(self, steps: int) -> None:
        """So many steps more."""
        kinds: list[tuple[Callable[[], AnyCommand | None], int]] = [
            (self._fill, 60),
            (self._cash, 8),
            (self._bust, 6),
            (self._correct, 8),
            (self._fee, 4),
            (self._rate, 2),
            (self._split, 3),
            (self._rename, 4),
            (self._end, 4),
            (self._exercise, 3),
        ]
        for _ in range(steps):
            (make,) = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
            command = make()
            if command is not None:
                self._take(command)

    def _take(self, command: AnyCommand) -> None:
        self.steps += 1
        (answer,) = self.ledger.take(command)
        if isinstance(answer, Refusal):
            self.refused += 1
        elif isinstance(command, Command) and command.method is Method.RECORD_FILL:
            self.fills.append((command.portfolio_id, command.symbol, command.fill_id))

    def _number(self, most: int, digits: int = 2) -> Decimal:
        return Decimal(self.random.randint(1, most * 10**digits)).scaleb(-digits)

    def _place(self) -> tuple[str, str]:
        name, _ = self.random.choice(PORTFOLIOS)
        return name, self.random.choice(INSTRUMENTS).symbol

    def _side(self) -> Direction:
        return self.random.choice(list(Direction))

    def _book_side(self, portfolio_id: str) -> Direction | None:
        return self._side() if portfolio_id == "hedging" else None

    def _fill(self) -> Command:
        portfolio_id, symbol = self._place()
        fee = self.random.choice([None, Decimal(0), self._number(1, 4), -self._number(1, 4)])
        return Command(
            Method.RECORD_FILL,
            portfolio_id,
            symbol,
            self._side(),
            self._number(5),
            self._number(90),
            fee,
            self.random.choice(["", "", "USD", "BTC", "EUR", "BNB"]) if fee else "",
            NOW - self.random.randint(0, 500) * SECOND,
            fill_id=f"f{self.steps}",
            excess=self.random.choice([Excess.REVERSE, Excess.REVERSE, Excess.UNSPECIFIED, Excess.REJECT]),
            group_id=self.random.choice(["", "", "g1"]),
            book_side=self._book_side(portfolio_id),
            late=self.random.random() < 0.3,
        )

    def _cash(self) -> CashEvent:
        portfolio_id, symbol = self._place()
        flow = self.random.choice(list(Flow))
        amount = self._number(100)
        if flow not in (Flow.DEPOSIT, Flow.WITHDRAWAL) and self.random.random() < 0.4:
            amount = -amount
        currency = self.random.choice(["USD", "EUR", "BTC"])
        return CashEvent(flow, portfolio_id, symbol, currency, amount, fill_id=f"e{self.steps}")

    def _named(self, method: Amend) -> Amendment | None:
        if not self.fills:
            return None
        portfolio_id, symbol, fill_id = self.random.choice(self.fills)
        excess = self.random.choice([Excess.REJECT, Excess.REVERSE])
        return Amendment(method, portfolio_id, symbol, f"r{self.steps}", fill_id, excess=excess)

    def _bust(self) -> Amendment | None:
        return self._named(Amend.BUST)

    def _correct(self) -> Amendment | None:
        named = self._named(Amend.CORRECT)
        if named is None:
            return None
        change: dict[str, object] = self.random.choice(
            [
                {"price": self._number(90)},
                {"quantity": self._number(5)},
                {"side": self._side()},
                {"fee": self._number(1, 4), "fee_currency": "USD"},
                {"time": NOW - self.random.randint(0, 500) * SECOND},
                {"price": self._number(90), "quantity": self._number(5)},
            ]
        )
        return named._replace(**change)  # type: ignore[arg-type]

    def _fee(self) -> Amendment | None:
        named = self._named(Amend.FILL_FEE)
        return named and named._replace(fee=self._number(1), fee_currency="USD", event_id=f"e{self.steps}")

    def _rate(self) -> Amendment:
        portfolio_id, _ = self._place()
        return Amendment(
            Amend.FEE_RATE,
            portfolio_id,
            "",
            f"r{self.steps}",
            fee_currency="BNB",
            rate=self._number(600),
            into="USD",
            source="desk",
        )

    def _event(self, method: Method, symbol: str = "", **others: object) -> Command:
        portfolio_id, any_symbol = self._place()
        open_in = [key[0] for key, book in self.ledger.books.items() if book.direction and key[1] == symbol]
        if open_in:
            portfolio_id = self.random.choice(open_in)
        command = Command(method, portfolio_id, symbol or any_symbol, None, None, Decimal(0), fill_id=f"e{self.steps}")
        return command._replace(book_side=None, **others)  # type: ignore[arg-type]

    def _split(self) -> Command:
        numerator, denominator = self.random.choice([(2, 1), (3, 2), (1, 3), (7, 5)])
        ratio = (("denominator", str(denominator)), ("numerator", str(numerator)))
        return self._event(Method.SPLIT, "STOCK", details=ratio)

    def _rename(self) -> Command:
        return self._event(Method.SYMBOL_CHANGE, "STOCK", details=(("to_symbol", "STOCK2"),))

    def _end(self) -> Command:
        if self.random.random() < 0.5:
            return self._event(Method.EXPIRY, "CALL", close_all=True)
        return self._event(Method.CASH_SETTLEMENT, price=self._number(90), close_all=True)

    def _exercise(self) -> Command:
        method = self.random.choice([Method.EXERCISE, Method.ASSIGNMENT])
        return self._event(method, "CALL", close_all=True)


def _created(name: str, terms: dict[str, object]) -> PortfolioCommand:
    return PortfolioCommand(TermsMethod.CREATE, name, f"c-{name}", tuple(sorted(terms.items())))
