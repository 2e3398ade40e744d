"""Which server a scenario runs against: the one at an address, or those that a harness gives by lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

import grpc

from lotkeeper.channel import OPTIONS, target
from lotkeeper.conformance.calls import SECONDS


class NotHere(Exception):
    """The scenario needs a server that is not to be had; the message is the reason it is skipped for."""


class Servers(Protocol):
    """Gives the address of a server."""

    def serving(self, settings: Mapping[str, Any]) -> str:
        """The address of one with these settings. Raises NotHere."""

    def restarted(self, how: str) -> str:
        """The address of the last one after it was killed or stopped and started again. Raises NotHere."""


class OneAddress:
    """A server that is there, whose settings are not known and that nobody here may restart."""

    def __init__(self, address: str) -> None:
        """Raises NotHere: nobody answers there; each call would wait for its own deadline to say so."""
        self._address = address
        with grpc.insecure_channel(target(address), OPTIONS) as channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=SECONDS)
            except grpc.FutureTimeoutError:
                raise NotHere(f"no server answers at {address}; start one with lotkeeper serve") from None

    def serving(self, settings: Mapping[str, Any]) -> str:
        """The address, for scenarios that need no settings."""
        if settings:
            needed = ", ".join(f"{name}={value}" for name, value in settings.items())
            raise NotHere(f"needs a server started with {needed}: run it with a harness")
        return self._address

    def restarted(self, how: str) -> str:
        """Never."""
        raise NotHere(f"needs a server that can be restarted ({how}): run it with a harness")


class Harness:
    """Asks whoever started this process: a line out, a line in."""

    def __init__(self, asks: TextIO, answers: TextIO) -> None:
        self._asks, self._answers = asks, answers

    def serving(self, settings: Mapping[str, Any]) -> str:
        """One with these settings."""
        return self._asked({"do": "server", "settings": dict(settings)})

    def restarted(self, how: str) -> str:
        """The same one, again."""
        return self._asked({"do": "restart", "how": how})

    def _asked(self, request: Mapping[str, Any]) -> str:
        print(json.dumps(request), file=self._asks, flush=True)
        answer = json.loads(self._answers.readline() or '{"error": "the harness has gone"}')
        if "error" in answer:
            raise NotHere(answer["error"])
        return str(answer["address"])
