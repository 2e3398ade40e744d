"""What traders send: random commands on few books, so that they meet; every draw comes from the generator handed in."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from tests.simulation.history import CLOSE, CREATE, RECORD, Command

PORTFOLIOS = ("alpha", "beta")
SYMBOLS = ("BTC-USD", "ETH-USD", "SOL-USD")
START = 1_700_000_000_000_000_000
"""Nanoseconds UTC of the first execution."""

TICK = 1_000_000
SHARED_STRIDE = 997


class Mix(NamedTuple):
    """How often each kind is drawn, in a hundred."""

    shared: int = 12
    invalid: int = 3
    enter: int = 35
    reduce: int = 22
    close_all: int = 4
    reverse: int = 6
    record: int = 18


USUAL = Mix()


class Orders:
    """One trader's commands. ``trader`` makes its ids its own."""

    def __init__(self, trader: str, seed: str, mix: Mix = USUAL) -> None:
        self._trader = trader
        self._seed = seed
        self._mix = mix
        self._random = Random(f"{seed}/{trader}")
        self._count = 0
        self._shared = 0

    def chance(self, percent: float) -> bool:
        """Whether something happens that does so so often in a hundred."""
        return self._random.random() * 100 < percent

    def pick(self, commands: Sequence[Command]) -> Command:
        """Any of them."""
        return self._random.choice(commands)

    def next(self) -> Command:
        """What to send now."""
        self._count += 1
        (kind,) = self._random.choices(Mix._fields, self._mix)
        if kind == "shared":
            self._shared += 1
            return shared(self._seed, self._shared)._replace(request_id=self._own("r", 30))
        command = _drawn(self._random, kind, START + self._count * TICK)
        fill_id, request_id = self._own("f", 70), self._own("r", 50)
        return command._replace(fill_id=fill_id, request_id=request_id or ("" if fill_id else f"r-{self._name}"))

    @property
    def _name(self) -> str:
        return f"{self._trader}-{self._count}"

    def _own(self, kind: str, percent: float) -> str:
        return f"{kind}-{self._name}" if self.chance(percent) else ""


def contradicted(command: Command) -> Command:
    """The same execution at another price: whoever sends it is mistaken."""
    return command._replace(price=f"{command.price}7")


def shared(seed: str, number: int) -> Command:
    """A venue's fill that reaches every trader: the same for all, whenever it comes."""
    random = Random(f"{seed}/shared/{number}")
    command = _drawn(random, "record", START + number * SHARED_STRIDE)
    return command._replace(fill_id=f"venue-{number}", time=START + number * SHARED_STRIDE, reverse=True)


def _drawn(random: Random, kind: str, now: int) -> Command:
    """One command of a kind, without its ids; now and then late, now and then without a time."""
    late = random.randrange(20) * 5 * TICK if random.random() < 0.3 else 0
    time = None if random.random() < 0.2 else now - late
    place = (random.choice(PORTFOLIOS), random.choice(SYMBOLS))
    lots, traded = random.choice(("LONG", "SHORT")), random.choice(("BUY", "SELL"))
    quantity = f"{random.randrange(1, 4000) / 1000:.3f}"
    price, fee = f"{random.randrange(9_000, 11_000) / 100:.2f}", _fee(random)
    given = {
        "invalid": (CREATE, lots, "0", False),
        "enter": (CREATE, lots, quantity, False),
        "reduce": (CLOSE, random.choice(("", lots)), quantity, False),
        "close_all": (CLOSE, "", "", False),
        "reverse": (CLOSE, random.choice(("", lots)), quantity, True),
        "record": (RECORD, traded, quantity, random.random() < 0.7),
    }
    method, side, size, reverse = given[kind]
    return Command(method, *place, side, size, price, fee, time, "", "", reverse)


def _fee(random: Random) -> str:
    """Mostly a fee of many digits, sometimes none, sometimes a rebate."""
    if random.random() < 0.2:
        return ""
    sign = "-" if random.random() < 0.15 else ""
    return f"{sign}{random.randrange(1, 1_000_000) / 1_000_000:.6f}"
