'''The port: how a broker that is not in the house is added, in one file.

A plug-in is a callable that takes an account's options and gives back an object with ``statement`` and ``close``
(`service.reconciliation.Broker`). For one whose API answers with all positions at once, this is the whole file:

    """my_broker.py"""

    import os
    import time
    from decimal import Decimal

    from lotkeeperd.domain.lots import Direction
    from lotkeeperd.domain.reconciliation.statements import HeldPosition, Statement
    from lotkeeperd.domain.refusals import BrokerUnavailable
    from lotkeeperd.service.references import referred


    class MyBroker:
        def __init__(self, options):
            self._rows = options["rows"]
            self._key = referred(options["key"], os.environ)

        async def statement(self, since):
            if self._rows is None:
                raise BrokerUnavailable("it does not answer")
            held = tuple(
                HeldPosition(symbol, Direction.LONG if Decimal(quantity) > 0 else Direction.SHORT, abs(Decimal(quantity)))
                for symbol, quantity in self._rows.items()
            )
            return Statement(as_of=time.time_ns(), positions_complete=True, positions=held)

        async def close(self):
            pass

It is found by a Python entry point of the group ``lotkeeper.brokers`` in its own ``pyproject.toml``:

    [project.entry-points."lotkeeper.brokers"]
    my_broker = "my_broker:MyBroker"

Installed beside Lotkeeper, ``broker = "my_broker"`` in an account's table opens it. Four rules:

    1. Say complete only of what was read to its last page without an error. What is not complete closes nothing.
    2. Raise BrokerUnavailable, in words and without keys, when nothing could be read; any other exception is a bug.
    3. Numbers are made from text, as ``Decimal``; a float has lost digits already.
    4. Keys come as references (``env:NAME``, ``file:PATH``); read them with ``referred``, and show them nowhere.

Options that cannot be used are refused with BadBroker, before anything is asked.
'''

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from lotkeeperd.service.reconciliation import Broker

GROUP = "lotkeeper.brokers"
"""The group of entry points in which plug-ins are looked for."""

Opener = Callable[[Mapping[str, object]], Broker]
"""What an entry point names."""


class BadBroker(Exception):
    """An account's options cannot be used; the message names the broker, the option, the rule and the way out."""


class Timing(NamedTuple):
    """Where time and chance come from: nanoseconds UTC, a wait in seconds, a number from 0 to below 1."""

    clock: Callable[[], int] = time.time_ns
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


LIVE = Timing()
