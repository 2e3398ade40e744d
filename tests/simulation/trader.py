"""Traders in a process of their own, who go on whatever happens to the ledger, until nobody holds their standard input open.

Each sends one command after the other through the client library and sends it again until it knows what became of it: that
a retry is safe is what the ledger promises. In between they repeat old commands, contradict themselves, and give up waiting.
Whoever runs them closes their standard input; they settle what is under way and end. One whose starter dies ends, too.

    python -m tests.simulation.trader --log FOLDER --name A --traders 4 --seed 7 127.0.0.1:50051 [127.0.0.1:50052]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import deque
from pathlib import Path

import lotkeeper.aio
from lotkeeper.errors import BookRefused, Conflict, DiskFull, InvalidRequest, TryAgain
from tests.simulation.history import Answered, Command, Log, answered, arguments
from tests.simulation.orders import Orders, contradicted

PATIENCE = 3.0
"""Seconds that one try may take, with the retries of the client library."""

IMPATIENCE = 0.004
"""Seconds after which a trader in a hurry gives up a try that goes on without it."""

PAUSE = 0.05
"""Seconds between a try that ended in the unknown and the next."""

REMEMBERED = 200
"""Own commands of which one may be sent again."""

ANSWERS = (BookRefused, Conflict, InvalidRequest)
"""What is an answer; everything else is a bug, or leaves the outcome unknown."""


class Trader:
    """One trader. ``ledgers`` are the servers to try, in turn."""

    def __init__(
        self, ledgers: list[lotkeeper.aio.AsyncLedger], orders: Orders, log: Log, ended: asyncio.Event
    ) -> None:
        self._ledgers = deque(ledgers)
        self._orders = orders
        self._log = log
        self._ended = ended
        self._taken: deque[Command] = deque(maxlen=REMEMBERED)

    async def trade(self) -> None:
        """Until the end is announced; everything that was sent is settled then."""
        while not self._ended.is_set():
            command = self._orders.next()
            if await self._settled(command):
                self._taken.append(command)
            if self._taken and self._orders.chance(8):
                await self._settled(self._orders.pick(self._taken))
            if self._taken and self._orders.chance(3):
                await self._settled(contradicted(self._orders.pick(self._taken)))

    async def _settled(self, command: Command) -> bool:
        """Send it until the outcome is known; whether the ledger has it."""
        while True:
            number = self._log.invoke(command)
            try:
                answer = await self._sent(command)
            except ANSWERS as refusal:
                self._log.fail(number, refusal)
                return False
            except (TryAgain, DiskFull) as error:
                self._log.unknown(number, error)
                self._ledgers.rotate()
                await asyncio.sleep(PAUSE)
            else:
                self._log.ok(number, answer)
                return True

    async def _sent(self, command: Command) -> Answered:
        timeout = IMPATIENCE if self._orders.chance(2) else PATIENCE
        method, given = arguments(command)
        return answered(await getattr(self._ledgers[0], method)(**given, timeout=timeout))


async def _trade(addresses: list[str], folder: Path, name: str, traders: int, seed: str) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    ledgers = [lotkeeper.aio.connect(address) for address in addresses]
    logs = [Log(folder / f"{name}{number}.jsonl", time.monotonic_ns) for number in range(traders)]
    orders = [Orders(f"{name}{number}", seed) for number in range(traders)]
    try:
        async with asyncio.TaskGroup() as group:
            for order, log in zip(orders, logs, strict=True):
                group.create_task(Trader(ledgers, order, log, ended).trade())
    finally:
        for ledger in ledgers:
            await ledger.close()
        for log in logs:
            log.close()


def main() -> None:
    """Trade as the command line says. What no trader may ever be told ends it with a trace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--traders", type=int, required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("addresses", nargs="+")
    said = parser.parse_args()
    asyncio.run(_trade(said.addresses, said.log, said.name, said.traders, said.seed))


if __name__ == "__main__":
    main()
