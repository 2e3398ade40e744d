"""Subscribers that open a stream and never read from it, in a process of their own: a bot that hangs, a laptop that sleeps.

``python -m tests.support.silent ADDRESS CONNECTIONS STREAMS`` opens them with plain gRPC, says so when the server has begun to
answer each, and holds them until its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from lotkeeper.v1 import ledger_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub

ROOT = Path(__file__).parents[2]

OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),  # or all channels of a process share one connection
    ("grpc.http2.bdp_probe", 0),  # or the window grows to megabytes, and it takes as many to fill it
)


class Silent:
    """A process with so many streams over so many connections; ready when entered."""

    def __init__(self, address: str, connections: int, streams: int) -> None:
        command = [sys.executable, "-m", __name__, address, str(connections), str(streams)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._said = f"{streams} streams"

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != self._said:
            self.kill()
        assert said == self._said, f"{self._said} were to be opened, but it said {said!r}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait: the kernel closes the connections, nobody says goodbye."""
        self._process.kill()
        self._process.communicate()


def main(address: str, connections: int, streams: int) -> None:
    """Open them and hold them."""
    channels = [grpc.insecure_channel(address, options=OPTIONS) for _ in range(connections)]
    ledgers = [LedgerServiceStub(channel) for channel in channels]
    request = ledger_service_pb2.StreamPnLRequest()
    calls = [ledgers[number % connections].StreamPnL(request) for number in range(streams)]
    for call in calls:
        call.initial_metadata()  # comes with the first message, which stays where it is
    print(f"{streams} streams", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
