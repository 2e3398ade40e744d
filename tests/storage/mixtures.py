"""Random mixtures of everything that can happen to accounts, from a seed: what a journal holds after years of trading.

Most is refused somewhere, as it is in life; what counts is that what was taken in can be rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

from lotkeeperd.domain.accounts import CashEvent, DefineInstrument, Flow, PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import Direction, LotMethod
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.history import Amend, Amendment
from lotkeeperd.domain.instruments import Instrument, Kind
from lotkeeperd.domain.portfolios import PositionMode
from lotkeeperd.domain.rates import Rate
from lotkeeperd.domain.refusals import InternalError, LedgerCorrupt
from lotkeeperd.service.ports import AnyCommand
from tests.storage.ledgers import BareLedger, bare_ledger

OPTION = "AAPL  261218C00150000"
SYMBOLS = ("AAPL", "AAPL", "COIN", "INVERSE", OPTION, "RENAMED")
PORTFOLIOS = ("fifo", "average", "lifo", "hedged", "later", "plain")

TERMS: dict[str, tuple[tuple[str, object], ...]] = {
    "average": (("lot_method", LotMethod.AVERAGE),),
    "lifo": (("lot_method", LotMethod.LIFO), ("initial_cash", (("EUR", Decimal(5)), ("USD", Decimal(1000))))),
    "hedged": (("position_mode", PositionMode.HEDGING),),
    "later": (("fees_later", True),),
    "fifo": (("description", "the desk"),),
}

_ENDS = (Method.EXPIRY, Method.EXERCISE, Method.ASSIGNMENT, Method.CASH_SETTLEMENT)

DECLARED = (
    Instrument("COIN", base_currency="CN", declared=True),
    Instrument("INVERSE", Kind.INVERSE, Decimal(100), "BTC", "USD", "BTC", declared=True),
    Instrument("AAPL", Kind.EQUITY, declared=True),
    Instrument("RENAMED", Kind.EQUITY, declared=True),
)


class Mixture:
    """Commands without an end."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0
        self._fills: list[tuple[str, str, str]] = []

    def beginning(self) -> list[AnyCommand]:
        """The terms that the rest trades under; one symbol and one portfolio are left to their first use."""
        made = [PortfolioCommand(TermsMethod.CREATE, name, f"make-{name}", changes) for name, changes in TERMS.items()]
        return [*made, *(DefineInstrument(one, f"declare-{one.symbol}") for one in DECLARED)]

    def next(self) -> AnyCommand:
        """Any of them, executions above all."""
        self._number += 1
        kinds: tuple[Callable[[], AnyCommand], ...] = (
            self._fill,
            self._close,
            self._amendment,
            self._event,
            self._cash,
            self._agreement,
        )
        return self._random.choices(kinds, (58, 10, 15, 8, 7, 2))[0]()

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _amount(self, most: int) -> Decimal:
        return Decimal(self._random.randint(1, most * 10)).scaleb(-1)

    def _fill(self) -> Command:
        draw = self._random
        portfolio_id, symbol = draw.choice(PORTFOLIOS), draw.choice(SYMBOLS)
        fill_id = f"f{self._number}"
        self._fills.append((portfolio_id, symbol, fill_id))
        late = draw.random() < 0.2
        return Command(
            draw.choice((Method.RECORD_FILL, Method.RECORD_FILL, Method.CREATE_ENTRY)),
            portfolio_id,
            symbol,
            draw.choice(tuple(Direction)),
            self._amount(5),
            self._amount(100),
            fee=draw.choice((None, Decimal(0), self._amount(1), -self._amount(1))),
            fee_currency=self._pick("", "", "USD", "BNB", "CN"),
            time=self._number - (draw.randint(1, 30) if late else 0) + 1_000,
            fill_id=fill_id,
            excess=draw.choice((Excess.REVERSE, Excess.REVERSE, Excess.UNSPECIFIED)),
            labels=(("rematch", self._pick("a", "b")),) if draw.random() < 0.3 else (),
            group_id=self._pick("", "g"),
            book_side=draw.choice(tuple(Direction)) if portfolio_id == "hedged" else None,
            late=late,
        )

    def _close(self) -> Command:
        draw = self._random
        portfolio_id, symbol = draw.choice(PORTFOLIOS), draw.choice(SYMBOLS)
        closes_all = draw.random() < 0.4
        fill_id = f"f{self._number}"
        self._fills.append((portfolio_id, symbol, fill_id))
        return Command(
            Method.CLOSE_FIFO,
            portfolio_id,
            symbol,
            draw.choice(tuple(Direction)) if portfolio_id == "hedged" else None,
            None if closes_all else self._amount(5),
            self._amount(100),
            fee=draw.choice((None, self._amount(1))),
            fee_currency=self._pick("", "BNB"),
            fill_id=fill_id,
            time=self._number + 1_000,
            close_all=closes_all,
        )

    def _amendment(self) -> Amendment:
        draw = self._random
        method = draw.choice(tuple(Amend))
        if method is Amend.FEE_RATE:
            return Amendment(
                method,
                draw.choice(PORTFOLIOS),
                "",
                f"r{self._number}",
                fee_currency="BNB",
                rate=self._amount(9),
                into=self._pick("USD", "BTC"),
                event_id=f"e{self._number}",
            )
        portfolio_id, symbol, fill_id = draw.choice(self._fills[-40:] or [("fifo", "AAPL", "none")])
        given = Amendment(
            method,
            portfolio_id,
            symbol,
            f"r{self._number}",
            fill_id,
            excess=draw.choice((Excess.REJECT, Excess.REVERSE)),
        )
        if method is Amend.FILL_FEE:
            return given._replace(fee=self._amount(1), fee_currency=self._pick("", "BNB"), event_id=f"e{self._number}")
        if method is Amend.CORRECT:
            return given._replace(
                price=draw.choice((None, self._amount(100))),
                quantity=draw.choice((None, None, self._amount(5))),
                side=draw.choice((None, None, *Direction)),
                time=draw.choice((None, None, 1_000 + draw.randint(0, self._number))),
            )
        return given

    def _event(self) -> Command:
        draw = self._random
        method = draw.choice((*_ENDS, Method.SPLIT, Method.SYMBOL_CHANGE, Method.LIQUIDATION))
        symbol = draw.choice(SYMBOLS)
        details: tuple[tuple[str, str], ...] = ()
        if method is Method.SPLIT:
            details = (("numerator", self._pick("2", "3", "1")), ("denominator", self._pick("1", "7")))
            details += (("cash_in_lieu", "12.5"),) if draw.random() < 0.3 else ()
        if method is Method.SYMBOL_CHANGE:
            symbol, details = "AAPL", (("to_symbol", "RENAMED"),)
        if method in (Method.EXPIRY, Method.EXERCISE, Method.ASSIGNMENT):
            symbol = OPTION
        liquidated = method is Method.LIQUIDATION
        closes_all = method in (Method.EXPIRY, Method.CASH_SETTLEMENT)
        return Command(
            method,
            draw.choice(PORTFOLIOS),
            symbol,
            draw.choice(tuple(Direction)) if liquidated else None,
            self._amount(5) if liquidated else None,
            self._amount(100) if liquidated or method is Method.CASH_SETTLEMENT else Decimal(0),
            fee=draw.choice((None, self._amount(1))) if method is not Method.SPLIT else None,
            book_side=draw.choice(tuple(Direction)) if liquidated else None,
            excess=Excess.UNSPECIFIED if liquidated else Excess.REJECT,
            time=self._number + 1_000,
            fill_id=f"e{self._number}",
            close_all=closes_all,
            details=details,
        )

    def _cash(self) -> CashEvent:
        draw = self._random
        return CashEvent(
            draw.choice(tuple(Flow)),
            draw.choice(PORTFOLIOS),
            "",
            self._pick("USD", "BTC", "BNB"),
            self._amount(1000),
            fill_id=f"c{self._number}",
        )

    def _agreement(self) -> PortfolioCommand | DefineInstrument:
        draw = self._random
        if draw.random() < 0.5:
            changes = (("description", f"note {self._number}"),)
            return PortfolioCommand(TermsMethod.UPDATE, draw.choice(PORTFOLIOS), f"u{self._number}", changes)
        multiplier = Decimal(draw.choice((1, 10)))
        return DefineInstrument(DECLARED[0]._replace(multiplier=multiplier), f"u{self._number}")


LONGEST_BATCH = 12


def lived(url: str, seed: int, commands: int) -> None:
    """A ledger on ``url`` that has gone through so many commands, in batches, with rates that come and go, opened anew at times."""
    random = Random(seed)
    mixture = Mixture(random)
    with bare_ledger(url) as ledger:
        ledger.all_taken(*mixture.beginning())
    while commands > 0:
        with bare_ledger(url) as ledger:
            for _ in range(random.randint(5, 20)):
                batch = [mixture.next() for _ in range(random.randint(1, LONGEST_BATCH))]
                _quote(ledger, random)
                answers = ledger.take(*batch)
                broken = [answer for answer in answers if isinstance(answer, InternalError | LedgerCorrupt)]
                assert not broken, f"seed {seed}: {broken}"
                commands -= len(batch)


def _quote(ledger: BareLedger, random: Random) -> None:
    price = Decimal(random.randint(200, 300))
    ledger.rates = {("BNB", "USD"): Rate("BNB", "USD", price, 1, "mixture")} if random.random() < 0.5 else {}
