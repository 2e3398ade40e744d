"""Three fake brokers on loopback, and time that is written down in place of being waited for."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from lotkeeperd.brokers.port import Timing
from tests.feeds.recorded import recorded
from tests.support.brokers import FakeBrokers


class Waits(list[float]):
    """How long an adapter would have waited, in seconds."""

    async def sleep(self, seconds: float) -> None:
        """Write it down."""
        self.append(seconds)

    @property
    def timing(self) -> Timing:
        """Time as it is, waits that are written down, and the middle of every chance."""
        return Timing(time.time_ns, self.sleep, lambda: 0.5)


@pytest.fixture
def fakes() -> Iterator[FakeBrokers]:
    """The fake brokers."""
    with FakeBrokers() as running:
        yield running


@pytest.fixture
def waits() -> Waits:
    """What was waited for."""
    return Waits()


def payload(name: str) -> object:
    """What a broker really sent, decoded."""
    return json.loads(recorded(name), parse_float=Decimal)
